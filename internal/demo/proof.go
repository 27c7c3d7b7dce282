package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// The files that prove a release to somebody outside. The manifest is the exact file that the statements speak of.
const (
	manifestFile = "manifest.json"
	vsaBundle    = "vsa.sigstore.json"
	vsaEnvelope  = "vsa.dsse.json"
	ownBundle    = "release.sigstore.json"
	publicKey    = "release.pub"
)

// prove takes the proof along and verifies it as somebody outside would: offline, with stock tools.
func (s *story) prove(ctx context.Context) error {
	s.page.begin("Whoever receives the release takes five files along and needs neither this server nor its word.")
	var out struct{ ApplicationVersion trustedRelease }
	err := s.send(ctx, releaser, "TrustedRelease", object{{"application", s.name(gateway)}, {"version", version}}, &out)
	if err != nil {
		return err
	}
	r := out.ApplicationVersion
	if err := s.want("the digest of the manifest", canonical.Digest([]byte(r.Manifest)), s.result.ManifestDigest); err != nil {
		return err
	}
	s.result.Evidence = r.Evidence.TotalCount
	if r.Sbom != nil {
		s.result.Components = r.Sbom.ComponentCount
	}
	var rows [][]string
	for _, a := range r.Attestations {
		rows = append(rows, []string{brief(a.Digest), a.PredicateType})
	}
	s.page.table(rows)
	key, err := s.server.Get(ctx, "/keys/release.pub")
	if err != nil {
		return err
	}
	summary, err := s.writeProof(r, key)
	if err != nil {
		return err
	}
	s.page.result("the files: " + manifestFile + ", " + vsaBundle + ", " + vsaEnvelope + ", " + ownBundle + ", " + publicKey)
	return s.verifyWithTools(ctx, summary)
}

// writeProof writes the files, having verified both statements, and returns what the verification summary says.
func (s *story) writeProof(r trustedRelease, key []byte) (verificationSummary, error) {
	vsa, err := s.pick(r, attest.PredicateVSA)
	if err != nil {
		return verificationSummary{}, err
	}
	own, err := s.pick(r, attest.PredicateRelease)
	if err != nil {
		return verificationSummary{}, err
	}
	envelope, summary, err := s.verify(vsa, key)
	if err != nil {
		return verificationSummary{}, err
	}
	if _, _, err := s.verify(own, key); err != nil {
		return verificationSummary{}, err
	}
	for name, content := range map[string][]byte{
		manifestFile: []byte(r.Manifest), vsaBundle: vsa.Bundle, vsaEnvelope: envelope, ownBundle: own.Bundle, publicKey: key,
	} {
		if err := os.WriteFile(filepath.Join(s.options.Dir, name), content, 0o600); err != nil {
			return verificationSummary{}, fmt.Errorf("write proof: %w", err)
		}
	}
	return summary, nil
}

func (s *story) pick(r trustedRelease, predicateType string) (attestation, error) {
	for _, a := range r.Attestations {
		if a.PredicateType == predicateType {
			return a, nil
		}
	}
	return attestation{}, s.unexpected("has no attestation of type %s", predicateType)
}

// verificationSummary is what a consumer of a SLSA VSA looks for.
type verificationSummary struct {
	Verifier struct {
		ID string `json:"id"`
	} `json:"verifier"`
	ResourceURI        string   `json:"resourceUri"`
	VerificationResult string   `json:"verificationResult"`
	VerifiedLevels     []string `json:"verifiedLevels"`
}

// verify checks an attestation against the server's public key and the manifest, and returns the envelope within and,
// where it is a verification summary, what that says.
func (s *story) verify(a attestation, keyPEM []byte) ([]byte, verificationSummary, error) {
	var summary verificationSummary
	key, err := attest.ParsePublicKey(keyPEM)
	if err != nil {
		return nil, summary, fmt.Errorf("read the release key: %w", err)
	}
	if !bytes.Equal(bytes.TrimSpace(keyPEM), bytes.TrimSpace([]byte(a.VerificationKey))) {
		return nil, summary, s.unexpected("names another key for %s than the server publishes", a.PredicateType)
	}
	envelope, err := attest.BundleEnvelope(a.Bundle)
	if err != nil {
		return nil, summary, s.unexpected("has a bundle that cannot be read: %v", err)
	}
	parsed, err := attest.ParseEnvelope(envelope)
	if err != nil {
		return nil, summary, s.unexpected("has an envelope that cannot be read: %v", err)
	}
	verdict, err := attest.Verify(parsed, []attest.Candidate{{Alias: "release", Key: key}})
	if err != nil || !verdict.Verified {
		return nil, summary, s.unexpected("has an attestation that does not verify: %s %v", verdict.Reason, err)
	}
	st, err := attest.ParseStatement(parsed.Payload)
	if err != nil {
		return nil, summary, s.unexpected("has a statement that cannot be read: %v", err)
	}
	if !speaksOf(st, s.result.ManifestDigest) {
		return nil, summary, s.unexpected("has a statement that does not speak of the manifest")
	}
	if err := json.Unmarshal(st.Predicate, &summary); err != nil {
		return nil, summary, s.unexpected("has a predicate that cannot be read: %v", err)
	}
	return envelope, summary, nil
}

func speaksOf(st attest.Statement, digest string) bool {
	for _, subject := range st.Subject {
		if "sha256:"+subject.Digest["sha256"] == digest {
			return true
		}
	}
	return false
}

// lookBack shows the end of the activity log and counts what there is.
func (s *story) lookBack(ctx context.Context) error {
	s.page.begin("Everything that happened is in the activity log, with who did it; here is its end, newest first.")
	var out struct {
		ActivityLog struct {
			TotalCount int
			Edges      []struct{ Node event }
		}
	}
	const last = 10
	err := s.send(ctx, releaser, "ActivityLog", object{
		{"where", object{{"projectKeys", []string{s.name(project)}}}}, {"first", last},
	}, &out)
	if err != nil {
		return err
	}
	s.result.Events = out.ActivityLog.TotalCount
	var rows [][]string
	for _, e := range out.ActivityLog.Edges {
		at := e.Node.At
		if len(at) > len("2006-01-02T15:04:05") {
			at = at[11:19]
		}
		rows = append(rows, []string{at, e.Node.Actor, e.Node.Result, e.Node.Type, brief(e.Node.Subject)})
	}
	s.page.table(rows)
	if len(rows) != last {
		return s.unexpected("gives %d events, not %d", len(rows), last)
	}
	if err := s.want("the newest event", out.ActivityLog.Edges[0].Node.Type, "VERSION_RELEASED"); err != nil {
		return err
	}
	s.page.result(strconv.Itoa(s.result.Events) + " events of this project")
	return nil
}
