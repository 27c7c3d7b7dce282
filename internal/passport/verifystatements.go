package passport

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// statement is a signed statement of the passport.
type statement struct {
	path          string
	digest        string // of the payload
	predicateType string
	predicate     predicate
}

// predicate is what is looked at in the predicates of all kinds.
type predicate struct {
	ManifestDigest string        `json:"manifestDigest"`
	DecidedAt      string        `json:"decidedAt"`
	Trust          string        `json:"trust"`
	Gates          []gateNamed   `json:"gates"`
	Evidence       []string      `json:"-"` // of promotions and releases: others have something else under this name
	Waivers        []waiverNamed `json:"waivers"`
	LogCheckpoint  string        `json:"logCheckpoint"`
	Standing       string        `json:"standing"`
	Since          string        `json:"since"`
	Result         string        `json:"verificationResult"`
}

// gateNamed is a gate as a statement names it.
type gateNamed struct {
	Stage              string        `json:"stage"`
	Kind               string        `json:"kind"`
	EvalID             string        `json:"evalId"`
	Decision           string        `json:"decision"`
	InputDigest        string        `json:"inputDigest"`
	CapabilitiesDigest string        `json:"capabilitiesDigest"`
	Policies           []policyNamed `json:"policies"`
}

type policyNamed struct {
	Name     string      `json:"name"`
	Revision int         `json:"revision"`
	Mode     string      `json:"mode"`
	Rules    []ruleNamed `json:"rules"`
}

type ruleNamed struct {
	Name             string `json:"name"`
	TemplateDigest   string `json:"templateDigest"`
	ParametersDigest string `json:"parametersDigest"`
}

type waiverNamed struct {
	ID            string `json:"id"`
	Policy        string `json:"policy"`
	Rule          string `json:"rule"`
	Code          string `json:"code"`
	Subject       string `json:"subject"`
	Vulnerability string `json:"vulnerability"`
	Package       string `json:"package"`
}

// decides tells whether the statement is one of a move, which names decisions and evidence.
func (s statement) decides() bool {
	return s.predicateType == attest.PredicateRelease || s.predicateType == attest.PredicatePromotion
}

// releases tells whether the statement is one of a release. One without trust is signed for as every other move.
func (s statement) releases() bool {
	return s.predicateType == attest.PredicateRelease || s.predicateType == attest.PredicatePromotion && s.predicate.Trust == withoutTrust
}

// withoutTrust is what a release is that did not pass.
const withoutTrust = "RELEASED"

// checkStatements verifies every statement, and reads what it says.
func (v *verifier) checkStatements() {
	v.checkManifest()
	v.takeReleaseKeys()
	for _, name := range v.of(KindAttestation) {
		s, err := v.readStatement(name)
		if err != nil {
			v.report.wrong(name, "statement", err.Error())
			continue
		}
		v.statements = append(v.statements, s)
		v.report.Statements++
		v.report.ok(name, "statement")
	}
}

// checkManifest holds passport.json against the manifest.
func (v *verifier) checkManifest() {
	const name = "manifest.json"
	var m struct {
		Application string `json:"application"`
		Version     string `json:"version"`
	}
	if !v.has(name) {
		v.report.wrong(name, "statement", "is not in the passport")
		return
	}
	if err := v.readJSON(name, &m); err != nil {
		v.report.wrong(name, "statement", err.Error())
		return
	}
	if v.files[name].Digest != v.index.ManifestDigest || m.Application != v.index.Application || m.Version != v.index.Version {
		v.report.wrong(name, "statement", "is not the manifest that passport.json names")
		return
	}
	v.report.ok(name, "statement")
}

// takeReleaseKeys believes the keys in the passport when none were given.
func (v *verifier) takeReleaseKeys() {
	given := len(v.keys) > 0
	for _, name := range v.of(KindReleaseKey) {
		text, err := v.readFile(name)
		var key attest.PublicKey
		if err == nil {
			key, err = attest.ParsePublicKey(text)
		}
		if err == nil && !strings.Contains(name, strings.TrimPrefix(key.Fingerprint(), "sha256:")) {
			err = errors.New("is not the key with that fingerprint")
		}
		if err != nil {
			v.report.wrong(name, "statement", err.Error())
			continue
		}
		if !given {
			v.keys = append(v.keys, attest.Candidate{Key: key})
			v.report.ReleaseKeys = append(v.report.ReleaseKeys, Key{Name: key.Fingerprint()})
		}
	}
	for i := range v.keys {
		v.keys[i].Alias = v.keys[i].Key.Fingerprint()
	}
}

func (v *verifier) readStatement(name string) (statement, error) {
	text, err := v.readFile(name)
	if err != nil {
		return statement{}, err
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		return statement{}, err
	}
	if b.Envelope == nil || b.Keyless() {
		return statement{}, errors.New("is no statement signed with a key")
	}
	verdict, err := attest.Verify(*b.Envelope, v.keys)
	if err != nil {
		return statement{}, fmt.Errorf("its signature does not verify: %w", err)
	}
	if !verdict.Verified {
		return statement{}, errors.New("its signature does not verify with a release key: " + verdict.Reason)
	}
	if b.Envelope.PayloadType != attest.PayloadType {
		return statement{}, errors.New("holds no in-toto statement")
	}
	st, err := attest.ParseStatement(b.Envelope.Payload)
	if err != nil {
		return statement{}, err
	}
	if "sha256:"+st.Subject[0].Digest["sha256"] != v.index.ManifestDigest {
		return statement{}, errors.New("is about something else first than manifest.json")
	}
	s := statement{path: name, digest: canonical.Digest(b.Envelope.Payload), predicateType: st.PredicateType}
	if err := s.read(st.Predicate); err != nil {
		return statement{}, err
	}
	if said := s.predicate.ManifestDigest; said != "" && said != v.index.ManifestDigest {
		return statement{}, errors.New("says something of another manifest")
	}
	return s, nil
}

// read reads the predicate. What is not known here says nothing that is looked at.
func (s *statement) read(raw json.RawMessage) error {
	switch s.predicateType {
	case attest.PredicateRelease, attest.PredicatePromotion:
		var named struct {
			Evidence []string `json:"evidence"`
		}
		if err := json.Unmarshal(raw, &named); err != nil {
			return fmt.Errorf("predicate: %w", err)
		}
		s.predicate.Evidence = named.Evidence
	case attest.PredicateStatus, attest.PredicateVSA:
	default:
		return nil
	}
	if err := json.Unmarshal(raw, &s.predicate); err != nil {
		return fmt.Errorf("predicate: %w", err)
	}
	return nil
}

// checkStanding looks for the release, and for what was said of it last. Signed instants count, not the names of files.
func (v *verifier) checkStanding() {
	var said []statement
	released := false
	for _, s := range v.statements {
		if s.predicateType == attest.PredicateVSA && s.predicate.Result != string(attest.Passed) {
			v.report.wrong(s.path, "release", "is a summary of something that did not pass")
		}
		if s.releases() || s.predicateType == attest.PredicateStatus {
			said = append(said, s)
			released = released || s.releases()
		}
	}
	if !released {
		v.report.wrong(IndexName, "release", "there is no signed release in it: no file under attestations/ is one")
		return
	}
	slices.SortStableFunc(said, func(a, b statement) int { return cmp.Or(a.at().Compare(b.at()), strings.Compare(a.path, b.path)) })
	last := said[len(said)-1]
	v.report.Standing, v.report.Since = last.predicate.Standing, last.predicate.Since
	switch last.predicateType {
	case attest.PredicateRelease:
		v.report.Standing, v.report.Since = "GOOD", last.predicate.DecidedAt
	case attest.PredicatePromotion:
		v.report.Standing, v.report.Since = NoTrust, last.predicate.DecidedAt
	}
	if last.at().IsZero() || v.report.Standing == "" {
		v.report.wrong(last.path, "release", "says no instant, or no standing")
		return
	}
	v.report.ok(last.path, "release")
}

// at is when a release or a change of standing was.
func (s statement) at() time.Time {
	at, err := time.Parse(time.RFC3339Nano, cmp.Or(s.predicate.Since, s.predicate.DecidedAt))
	if err != nil {
		return time.Time{}
	}
	return at
}

// base is the name of a file without its folder and its ending.
func base(name, ending string) string { return strings.TrimSuffix(path.Base(name), ending) }
