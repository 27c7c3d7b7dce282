package passport_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/passport"
)

// TestCorpus_ARealKeylessBundleIsVerifiedByBothPrograms has a provenance from npm among the evidence: stock cosign can check that one
// offline, with the trusted root in the passport.
func TestCorpus_ARealKeylessBundleIsVerifiedByBothPrograms(t *testing.T) {
	base := os.Getenv("PLIMSOLL_CORPUS")
	if base == "" {
		t.Skip("run by make test-corpus")
	}
	const folder = "sigstore/sigstore_sigstore-go"
	raw, err := os.ReadFile(filepath.Join(base, folder, "pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(base, folder, "examples/trusted-root-public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	st, err := attest.ParseStatement(b.Envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	issuer, _ := b.Claims()
	const name = "keys/anchors/npm.json"
	w := &world{tb: t, files: map[string][]byte{}, small: true, more: func(w *world) {
		w.json(name, passport.Anchor{
			Alias: "npm", Kind: "KEYLESS", Issuer: issuer, Subject: "https://github.com/sigstore/*/.github/workflows/release.yml@refs/heads/main", TrustedRoot: json.RawMessage(root),
		})
		w.bring(raw, b.Envelope.Payload, passport.EvidenceRecord{PredicateType: st.PredicateType, Verified: true, Signer: "npm"})
	}}
	w.fill([]any{waiver})
	// What was said of it when it came names its own subjects.
	path := "evidence/" + w.evidence[2].Digest[7:]
	record := w.evidence[2]
	record.Subjects = nil
	w.json(path+".json", record)
	dir := unpack(t, w.pack())
	if v, r := verify(t, dir, passport.Options{}, true); v.code != 0 || r.Signatures != 2 {
		t.Errorf("the verifier says %d: %s", v.code, v.said)
	}
	if s := script(t, dir, "--complete"); s.code != 0 || !strings.Contains(s.said, "(2 by their signatures)") {
		t.Errorf("verify.sh says %d: %s", s.code, s.said)
	}
	w.in(name, "github.com/sigstore/", "github.com/sigstory/")
	w.mustFail(t, path, false)
}
