package passport

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// collector is what the installation is called as the signer of what it received from a tool that cannot sign.
const collector = "collector"

// anchorFile is keys/anchors/ALIAS.json, with the trusted root as it stands there.
type anchorFile struct {
	Anchor
	TrustedRoot json.RawMessage `json:"trustedRoot"`
	path        string
}

// piece is evidence, read.
type piece struct {
	payload  string           // its digest
	bundle   *attest.Bundle   // nil when it came in none
	envelope *attest.Envelope // nil for a document, and for a bundle that signs a digest
}

// signed tells whether the piece came with a signature.
func (p piece) signed() bool { return p.envelope != nil || p.bundle != nil }

// checkEvidence holds the evidence against what the statements name, and its signatures against the anchors.
func (v *verifier) checkEvidence() {
	named, brought := map[string]bool{}, map[string]bool{}
	for _, s := range v.statements {
		for _, d := range s.predicate.Evidence {
			named[d] = true
		}
	}
	for _, f := range v.index.Files {
		if f.Kind == KindEvidence {
			digest := "sha256:" + path.Base(f.Path)
			if brought[digest] = true; !named[digest] {
				v.report.wrong(f.Path, "evidence", "no statement names it")
			}
		}
	}
	for digest := range named {
		if !brought[digest] {
			v.report.wrong("evidence/"+strings.TrimPrefix(digest, "sha256:"), "evidence", "the release names it, and it is not in the passport")
		}
	}
	v.readInputs()
	anchors := v.readAnchors()
	for _, name := range v.of(KindEvidence) {
		v.checkPiece(name, anchors)
	}
}

// readInputs remembers what decisions were given of evidence: their inputs are named by statements.
func (v *verifier) readInputs() {
	for _, name := range v.of(KindDecision) {
		if path.Base(name) != "input.json" {
			continue
		}
		type line struct {
			Digest   string  `json:"digest"`
			Verified bool    `json:"verified"`
			Signer   *string `json:"signer"`
		}
		var input struct {
			Evidence []line `json:"evidence"`
			Index    []line `json:"index_evidence"`
		}
		if err := v.readJSON(name, &input); err != nil {
			v.report.wrong(name, "evidence", err.Error())
			continue
		}
		for _, l := range slices.Concat(input.Evidence, input.Index) {
			if v.inputs[l.Digest] == nil {
				v.inputs[l.Digest] = map[string]bool{}
			}
			signer := ""
			if l.Signer != nil {
				signer = *l.Signer
			}
			v.inputs[l.Digest][said(l.Verified, signer)] = true
		}
	}
}

// said is what was said of who signed.
func said(verified bool, signer string) string { return fmt.Sprintf("%t %s", verified, signer) }

func (v *verifier) readAnchors() map[string]anchorFile {
	anchors := map[string]anchorFile{}
	for _, name := range v.of(KindAnchor) {
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		a := anchorFile{path: name}
		if err := v.readJSON(name, &a); err != nil {
			v.report.wrong(name, "evidence", err.Error())
			continue
		}
		if _, twice := anchors[a.Alias]; twice {
			v.report.wrong(name, "evidence", fmt.Sprintf("there are two anchors %q", a.Alias))
			continue
		}
		anchors[a.Alias] = a
	}
	return anchors
}

func (v *verifier) checkPiece(name string, anchors map[string]anchorFile) {
	p, err := v.readPiece(name)
	if err == nil && p.payload != "sha256:"+path.Base(name) {
		err = errors.New("its payload does not have the digest that the release names")
	}
	if err != nil {
		v.report.wrong(name, "evidence", err.Error())
		return
	}
	v.report.Evidence++
	record := name + ".json"
	if !v.has(record) {
		if _, leftOut := v.files[record]; !leftOut {
			v.report.wrong(record, "evidence", "is not in the passport")
		}
		return
	}
	var r EvidenceRecord
	if err = v.readJSON(record, &r); err == nil {
		err = v.checkRecord(r, p)
	}
	if err != nil {
		v.report.wrong(record, "evidence", err.Error())
		return
	}
	if !r.Verified || !p.signed() {
		v.report.ok(name, "evidence")
		return
	}
	where, err := v.checkSigner(r, p, anchors)
	if err != nil {
		v.report.wrong(where(name), "evidence", err.Error())
		return
	}
	v.report.Signatures++
	v.report.ok(name, "evidence")
}

// readPiece reads evidence. What has the digest by which statements name it is a document, whatever it looks like.
func (v *verifier) readPiece(name string) (piece, error) {
	if v.files[name].Digest == "sha256:"+path.Base(name) {
		return piece{payload: v.files[name].Digest}, nil
	}
	text, err := v.readFile(name)
	if err != nil {
		return piece{}, err
	}
	if attest.IsBundle(text) {
		b, err := attest.ParseBundle(text)
		if err != nil {
			return piece{}, err
		}
		if b.Envelope == nil {
			return piece{payload: b.Digest, bundle: &b}, nil
		}
		return piece{payload: canonical.Digest(b.Envelope.Payload), bundle: &b, envelope: b.Envelope}, nil
	}
	envelope, err := attest.ParseEnvelope(text)
	if err != nil {
		return piece{}, fmt.Errorf("does not have the digest that the release names, and is no envelope around something that has: %w", err)
	}
	return piece{payload: canonical.Digest(envelope.Payload), envelope: &envelope}, nil
}

// checkRecord holds what was said of the evidence against the evidence, and against what decisions were given.
func (v *verifier) checkRecord(r EvidenceRecord, p piece) error {
	if r.Digest != p.payload {
		return errors.New("is about something else")
	}
	if seen := v.inputs[r.Digest]; seen != nil && !seen[said(r.Verified, r.Signer)] {
		return errors.New("says something else of who signed than the decisions were given")
	}
	if p.envelope == nil {
		return nil
	}
	st, err := attest.ParseStatement(p.envelope.Payload)
	if err != nil {
		return err
	}
	if st.PredicateType != r.PredicateType {
		return errors.New("is of another type than the evidence")
	}
	about := map[string]bool{}
	for _, s := range st.Subject {
		for algorithm, value := range s.Digest {
			about[algorithm+":"+value] = true
		}
	}
	for _, s := range r.Subjects {
		if !about[s.Digest] {
			return fmt.Errorf("has the subject %s, of which the evidence does not speak", s.Digest)
		}
	}
	return nil
}

// checkSigner verifies the signature of evidence that counted as verified. Where tells, after a failure, which file is wrong.
func (v *verifier) checkSigner(r EvidenceRecord, p piece, anchors map[string]anchorFile) (where func(string) string, err error) {
	here := func(name string) string { return name }
	if r.Signer == collector {
		return here, checkKeys(p, v.keys)
	}
	a, known := anchors[r.Signer]
	if !known {
		return func(name string) string { return name + ".json" }, fmt.Errorf("the anchor that signed is not in keys/anchors: %s", r.Signer)
	}
	if a.Kind == "KEYLESS" {
		return v.checkKeyless(p, a)
	}
	file := strings.TrimSuffix(a.path, ".json") + ".pub"
	text, err := v.readFile(file)
	var key attest.PublicKey
	if err == nil {
		key, err = attest.ParsePublicKey(text)
	}
	if err == nil && key.Fingerprint() != a.Fingerprint {
		err = fmt.Errorf("is not the key with the fingerprint in %s", a.path)
	}
	if err != nil {
		return func(string) string { return file }, err
	}
	return here, checkKeys(p, []attest.Candidate{{Alias: a.Alias, Key: key}})
}

func checkKeys(p piece, keys []attest.Candidate) error {
	var verdict attest.Verdict
	var err error
	if p.envelope == nil {
		verdict, err = attest.VerifyDigest(*p.bundle, keys)
	} else {
		verdict, err = attest.Verify(*p.envelope, keys)
	}
	if err == nil && !verdict.Verified {
		err = errors.New(verdict.Reason)
	}
	if err != nil {
		return fmt.Errorf("its signature does not verify with the key of the one who is said to have signed: %w", err)
	}
	return nil
}

func (v *verifier) checkKeyless(p piece, a anchorFile) (func(string) string, error) {
	here := func(name string) string { return name }
	if p.bundle == nil || !p.bundle.Keyless() {
		return here, fmt.Errorf("is not signed by an identity, as %s is one", a.Alias)
	}
	root, err := attest.ParseTrustedRoot(a.TrustedRoot)
	if err != nil {
		return func(string) string { return a.path }, err
	}
	verdict, err := attest.VerifyKeyless(*p.bundle, []attest.KeylessCandidate{{Alias: a.Alias, Issuer: a.Issuer, Subject: a.Subject, Root: root}})
	if err == nil && !verdict.Verified {
		err = errors.New(verdict.Reason)
	}
	if err != nil {
		return here, fmt.Errorf("its signature does not verify: %w", err)
	}
	return here, nil
}
