package passport_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/replay"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

const (
	application  = "shop"
	version      = "1.4.0"
	approvalType = "https://plimsoll.dev/attestations/approval/v1"
	origin       = "log.example.test"
)

type object = map[string]any

// world is an installation without a server: it signs, logs and decides, and lays a passport out, file by file.
type world struct {
	tb         testing.TB
	files      map[string][]byte
	signer     *attest.Signer
	log        *tlog.Signer
	leaves     [][]byte
	statements int
	small      bool
	more       func(*world) // brings more evidence
	evidence   []passport.EvidenceRecord
	witness    ed25519.PrivateKey
}

// newWorld makes a passport with everything in it.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	return (&world{tb: tb, files: map[string][]byte{}}).fill([]any{waiver})
}

// newSmallWorld makes one with the least of each kind.
func newSmallWorld(tb testing.TB) *world {
	tb.Helper()
	return (&world{tb: tb, files: map[string][]byte{}, small: true}).fill([]any{waiver})
}

// waiver is the one that counts, as statements name it.
var waiver = object{"id": "waiver-1", "policy": "signed", "code": "UNVERIFIED", "expiresAt": "2027-01-01T00:00:00Z"}

// fill signs, logs and decides; waivers are those that the statements list.
func (w *world) fill(waivers []any) *world {
	w.tb.Helper()
	tb := w.tb
	var err error
	w.signer, _, err = attest.LoadOrCreateSigner(filepath.Join(tb.TempDir(), "release.key"))
	w.must(err)
	w.log, _, err = tlog.LoadOrCreateSigner(filepath.Join(tb.TempDir(), "log.key"), origin)
	w.must(err)
	_, w.witness, err = ed25519.GenerateKey(rand.Reader)
	w.must(err)
	w.json("manifest.json", object{"schema": "plimsoll.manifest/v1", "application": application, "version": version, "contents": []any{}})
	w.addEvidence()
	if w.more != nil {
		w.more(w)
	}
	for i := range 5 {
		w.event(fmt.Sprint("something else ", i))
	}
	earlier := string(w.checkpoint())
	w.sign(approvalType, object{"approved": true})
	if !w.small {
		w.sign(attest.PredicatePromotion, w.move("2026-11-01T10:00:00.5Z", "PRE_RELEASE", earlier, waivers, w.gate("eval-entry-1", "QA", "ENTRY")))
	}
	vsa, err := attest.VSA{
		Verifier: attest.Verifier{ID: "https://plimsoll.test/verifier"}, TimeVerified: time.Unix(1793500000, 0), ResourceURI: "plimsoll://shop/1.4.0",
		Policy: attest.Resource{URI: "plimsoll://gates/PROD/release"}, Result: attest.Passed, VerifiedLevels: []string{"PLIMSOLL_TRUSTED_RELEASE"},
	}.Statement(w.subjects())
	w.must(err)
	w.signStatement(vsa)
	gates := []any{w.gate("eval-release-3", "PROD", "RELEASE")}
	if !w.small {
		gates = append(gates, w.gate("eval-exit-2", "QA", "EXIT"))
	}
	w.sign(attest.PredicateRelease, w.move("2026-11-02T10:00:00Z", "TRUSTED_RELEASE", earlier, waivers, gates...))
	w.status("AT_RISK", "2026-11-03T10:00:00Z")
	w.status("GOOD", "2026-11-03T10:00:00.25Z")
	for i := range 9 {
		w.event(fmt.Sprint("something later ", i))
	}
	w.layOutLog()
	w.keys()
	return w
}

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) json(name string, value any) []byte {
	w.tb.Helper()
	text, err := canonical.JSON(value)
	w.must(err)
	w.files[name] = text
	return text
}

func (w *world) manifest() string {
	return strings.TrimPrefix(canonical.Digest(w.files["manifest.json"]), "sha256:")
}

func (w *world) subjects() []attest.Subject {
	return []attest.Subject{
		{Name: "shop@1.4.0", Digest: map[string]string{"sha256": w.manifest()}},
		{Name: "shop.tar", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}},
	}
}

func (w *world) sign(predicateType string, predicate any) {
	w.tb.Helper()
	st, err := attest.NewStatement(w.subjects(), predicateType, predicate)
	w.must(err)
	w.signStatement(st)
}

func (w *world) signStatement(st attest.Statement) {
	w.tb.Helper()
	signed, err := w.signer.Sign(context.Background(), st)
	w.must(err)
	w.statements++
	kind := path.Base(path.Dir(st.PredicateType))
	w.files[fmt.Sprintf("attestations/%02d-%s.bundle.json", w.statements, kind)] = signed.Bundle
	w.event("a statement", object{"field": "attestation " + st.PredicateType, "to": signed.Digest})
}

func (w *world) status(standing, since string) {
	w.sign(attest.PredicateStatus, object{
		"application": application, "version": version, "manifestDigest": "sha256:" + w.manifest(), "standing": standing, "cause": "VULNERABILITY", "since": since,
	})
}

// event appends a leaf.
func (w *world) event(summary string, changes ...any) {
	w.tb.Helper()
	leaf, err := canonical.JSON(object{"v": 1, "id": fmt.Sprint("event ", len(w.leaves)), "summary": summary, "changes": changes})
	w.must(err)
	w.leaves = append(w.leaves, leaf)
}

// tree is the tree of all leaves, with a reader of its tiles.
func (w *world) tree() (tlog.Tree, tlog.Read) {
	w.tb.Helper()
	b, err := tlog.NewBuilder(tlog.Tree{}, nil)
	w.must(err)
	for _, l := range w.leaves {
		w.must(b.Append(tlog.LeafHash(l)))
	}
	tiles, err := b.Tiles()
	w.must(err)
	tree, err := b.Tree()
	w.must(err)
	return tree, func(wanted []tlog.Tile) ([][]byte, error) {
		var out [][]byte
		for _, t := range wanted {
			i := slices.IndexFunc(tiles, func(f tlog.Filled) bool { return f.Level == t.Level && f.Position == t.Position })
			out = append(out, tiles[i].Hashes)
		}
		return out, nil
	}
}

// checkpoint signs the tree as it is now, with the witness.
func (w *world) checkpoint() []byte {
	w.tb.Helper()
	tree, _ := w.tree()
	note, err := w.log.Sign(tree)
	w.must(err)
	text, _, _ := bytes.Cut(note, []byte("\n\n"))
	const at = 1793500123
	stamp := binary.BigEndian.AppendUint64(nil, at)
	sig := ed25519.Sign(w.witness, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, text))
	_, hash := w.witnessKey()
	return fmt.Appendf(note, "— witness.example.test %s\n", base64.StdEncoding.EncodeToString(slices.Concat(hash, stamp, sig)))
}

func (w *world) witnessKey() (vkey string, hash []byte) {
	key := append([]byte{4}, w.witness.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256([]byte("witness.example.test\n" + string(key)))
	return fmt.Sprintf("witness.example.test+%x+%s", sum[:4], base64.StdEncoding.EncodeToString(key)), sum[:4]
}

// layOutLog writes the checkpoint, and leaf and proof of every statement.
func (w *world) layOutLog() {
	w.tb.Helper()
	tree, read := w.tree()
	w.files["log/checkpoint"] = w.checkpoint()
	for i, leaf := range w.leaves {
		if !bytes.Contains(leaf, []byte("attestation ")) {
			continue
		}
		_, hashes, err := tlog.ProveInclusion(tree, int64(i), read)
		w.must(err)
		w.files[fmt.Sprintf("log/%d.leaf", i)] = leaf
		w.files[fmt.Sprintf("log/%d.tlog-proof", i)] = tlog.Proof{Index: int64(i), Hashes: hashes, Checkpoint: w.files["log/checkpoint"]}.Text()
	}
}

func (w *world) keys() {
	w.tb.Helper()
	w.files["keys/release-"+strings.TrimPrefix(w.signer.Fingerprint(), "sha256:")+".pub"] = w.signer.PublicKeyPEM()
	witness, _ := w.witnessKey()
	w.files["keys/log.vkey"] = []byte(strings.Join(append(w.log.Keys(), witness), "\n") + "\n")
	guide, err := passport.Guide()
	w.must(err)
	maps.Copy(w.files, guide)
	w.files["index.html"] = []byte("<!doctype html><title>shop 1.4.0</title>")
}

// move is the predicate of a promotion or a release.
func (w *world) move(at, trust, checkpoint string, waivers []any, gates ...any) object {
	digests := []string{}
	for _, e := range w.evidence {
		digests = append(digests, e.Digest)
	}
	return object{
		"application": object{"key": application}, "version": version, "manifestDigest": "sha256:" + w.manifest(), "decidedAt": at, "trust": trust,
		"gates": gates, "evidence": digests, "waivers": waivers, "logCheckpoint": checkpoint,
	}
}

const signedRego = `package acme.signed

examined contains e.digest if some e in input.evidence

violations contains v if {
	some e in input.evidence
	not e.verified
	v := {"code": "UNVERIFIED", "subject": e.digest, "message": sprintf("<%s> & %v", [input.stage, data.parameters.n])}
}
`

const anyRego = `package acme.any

examined contains "<a> & \u2028" # what opa escapes

violations contains {"code": "NONE", "subject": "a", "message": "b"} if count(input.evidence) < data.parameters.least
`

// gate lays out a decision of two policies, and gives what the statement says of it.
func (w *world) gate(id, stage, kind string) object {
	w.tb.Helper()
	lines := []any{}
	for _, e := range w.evidence {
		signer := any(e.Signer)
		if e.Signer == "" {
			signer = nil
		}
		lines = append(lines, object{"digest": e.Digest, "verified": e.Verified, "signer": signer})
	}
	input, err := canonical.JSON(object{"stage": stage, "evidence": lines, "evaluated_at": "2026-11-01T10:00:00Z"})
	w.must(err)
	text, capabilities := string(input), string(rego.Capabilities())
	d := replay.Decision{
		EvalID: id, Decision: "PASS", Explanation: "open", EvaluatedAt: time.Unix(1793500000, 0).UTC(), Gate: replay.Gate{Stage: stage, Kind: kind},
		Input: &text, InputDigest: canonical.Digest(input), Capabilities: &capabilities, CapabilitiesDigest: rego.CapabilitiesDigest(),
		Waivers: []replay.Waiver{
			{Waiver: "waiver-1", Policy: "signed", Code: "UNVERIFIED", Vulnerabilities: []string{}, ExpiresAt: time.Unix(1793600000, 0).UTC()},
			{Waiver: "waiver-2", Policy: "other", Code: "NOTHING", Vulnerabilities: []string{}, ExpiresAt: time.Unix(1793600000, 0).UTC()},
		},
		Policies: []replay.Policy{{Name: "signed", Revision: 2, Mode: "BLOCK"}, {Name: "any", Revision: 1, Mode: "WARN"}},
	}
	var policies []any
	for _, r := range []struct{ policy, source, parameters, outcome string }{{"signed", signedRego, `{"n":1.5}`, "WAIVED"}, {"any", anyRego, `{"least":1}`, "PASS"}} {
		d.Results = append(d.Results, w.rule(r.policy, r.source, r.parameters, r.outcome, input))
		policies = append(policies, object{
			"name": r.policy, "revision": map[string]int{"signed": 2, "any": 1}[r.policy], "mode": map[string]string{"signed": "BLOCK", "any": "WARN"}[r.policy],
			"rules": []any{object{
				"name": r.policy + "-rule", "templateDigest": canonical.Digest([]byte(r.source)), "parametersDigest": canonical.Digest([]byte(r.parameters)),
			}},
		})
	}
	files, err := d.Files()
	w.must(err)
	for _, f := range files {
		w.files["decisions/"+id+"/"+f.Name] = []byte(f.Text)
	}
	return object{
		"stage": stage, "kind": kind, "evalId": id, "decision": "PASS", "inputDigest": d.InputDigest, "capabilitiesDigest": d.CapabilitiesDigest, "policies": policies,
	}
}

func (w *world) rule(policy, source, parameters, outcome string, input []byte) replay.Result {
	w.tb.Helper()
	p, err := rego.Compile(context.Background(), []byte(source), []byte(parameters))
	w.must(err)
	v, err := rego.ParseValue(input)
	w.must(err)
	said, err := p.Evaluate(context.Background(), v.AsInput(), rego.Limits{Time: time.Minute})
	w.must(err)
	raw := string(said.Raw)
	r := replay.Result{Policy: replay.Named{Name: policy}, Outcome: outcome, Result: &raw}
	if outcome == "WAIVED" {
		r.Violations = []replay.Violation{{Waiver: &struct{}{}}}
	}
	r.Rule = replay.Rule{
		Name: policy + "-rule", Template: policy, TemplateRevision: 1, TemplateDigest: canonical.Digest([]byte(source)), Rego: &source,
		Parameters: json.RawMessage(parameters), Query: p.Query(),
	}
	return r
}

// addEvidence signs statements with keys of all kinds, as the collector, as a stranger and not at all.
func (w *world) addEvidence() {
	w.tb.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	w.must(err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	w.signedBy("ci p256", p256, func(m []byte) ([]byte, error) { h := sha256.Sum256(m); return ecdsa.SignASN1(rand.Reader, p256, h[:]) })
	if w.small {
		w.addDocument()
		return
	}
	w.signedBy("ci-p384", p384, func(m []byte) ([]byte, error) { h := sha512.Sum384(m); return ecdsa.SignASN1(rand.Reader, p384, h[:]) })
	w.signedBy("ci-ed25519", ed, func(m []byte) ([]byte, error) { return ed25519.Sign(ed, m), nil })
	w.signedBy("ci-rsa", small, func(m []byte) ([]byte, error) {
		h := sha256.Sum256(m)
		return rsa.SignPSS(rand.Reader, small, crypto.SHA256, h[:], nil)
	})
	statement, err := attest.NewStatement(w.subjects(), "https://example.test/collected", object{"tool": "junit"})
	w.must(err)
	collected, err := w.signer.Sign(context.Background(), statement)
	w.must(err)
	w.bring(collected.Envelope, collected.Statement, passport.EvidenceRecord{PredicateType: statement.PredicateType, Verified: true, Signer: "collector"})
	statement, err = attest.NewStatement(w.subjects(), "https://example.test/stranger", object{})
	w.must(err)
	payload, err := canonical.JSON(statement)
	w.must(err)
	w.bring(envelope(payload, []byte("nobody knows whose")), payload, passport.EvidenceRecord{PredicateType: statement.PredicateType})
	w.addDocument()
}

func (w *world) addDocument() {
	w.tb.Helper()
	document := []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6"}`)
	w.bring(document, document, passport.EvidenceRecord{PredicateType: "https://cyclonedx.org/bom"})
}

// signedBy brings a statement that a registered key signed.
func (w *world) signedBy(alias string, key crypto.Signer, sign func([]byte) ([]byte, error)) {
	w.tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	w.must(err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	parsed, err := attest.ParsePublicKey(public)
	w.must(err)
	name := "keys/anchors/" + strings.ReplaceAll(alias, " ", "_")
	w.files[name+".pub"] = public
	w.json(name+".json", passport.Anchor{Alias: alias, Kind: "PUBLIC_KEY", Fingerprint: parsed.Fingerprint()})
	statement, err := attest.NewStatement(w.subjects(), "https://example.test/tests", object{"by": alias, "passed": 12})
	w.must(err)
	payload, err := canonical.JSON(statement)
	w.must(err)
	sig, err := sign(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(attest.PayloadType), attest.PayloadType, len(payload), payload))
	w.must(err)
	w.bring(envelope(payload, sig), payload, passport.EvidenceRecord{PredicateType: statement.PredicateType, Verified: true, Signer: alias})
}

func envelope(payload, sig []byte) []byte {
	text, _ := json.Marshal(object{"payload": payload, "payloadType": attest.PayloadType, "signatures": []any{object{"sig": sig, "keyid": ""}}})
	return text
}

func (w *world) bring(raw, payload []byte, r passport.EvidenceRecord) {
	w.tb.Helper()
	r.Digest, r.CreatedAt = canonical.Digest(payload), "2026-10-31T10:00:00Z"
	r.Subjects = []passport.Subject{{Name: "shop@1.4.0", Digest: "sha256:" + w.manifest()}}
	name := "evidence/" + strings.TrimPrefix(r.Digest, "sha256:")
	w.files[name] = raw
	w.json(name+".json", r)
	w.evidence = append(w.evidence, r)
}
