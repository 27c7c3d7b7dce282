package attest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

const (
	githubIssuer    = "https://token.actions.githubusercontent.com"
	conformanceUser = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
	conformance     = "sigstore/sigstore_sigstore-conformance/test/assets/bundle-verify"
	publicGood      = "sigstore/sigstore_sigstore-go/examples/trusted-root-public-good.json"
)

func corpus(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{os.Getenv("PLIMSOLL_CORPUS")}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCorpus_EveryConformanceCaseIsDecidedAsItsNameSays(t *testing.T) {
	base := os.Getenv("PLIMSOLL_CORPUS")
	if base == "" {
		t.Skip("run by make test-corpus")
	}
	bundles, err := filepath.Glob(filepath.Join(base, conformance, "*", "bundle.sigstore.json"))
	if err != nil || len(bundles) < 30 {
		t.Fatalf("%d cases, %v", len(bundles), err)
	}
	for _, path := range bundles {
		dir := filepath.Dir(path)
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			accepted, why := decideCase(t, dir)
			t.Log(why)
			if refuse := strings.HasSuffix(name, "_fail"); accepted == refuse {
				t.Errorf("accepted: %v, because %s", accepted, why)
			}
		})
	}
}

// decideCase decides one case of the conformance suite: each file that it does not bring is the suite's own.
func decideCase(t *testing.T, dir string) (accepted bool, why string) {
	t.Helper()
	caseFile := func(name string, otherwise func() []byte) []byte {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return b
		}
		return otherwise()
	}
	b, err := attest.ParseBundle(caseFile("bundle.sigstore.json", nil))
	if err != nil {
		return false, err.Error()
	}
	artifact := canonical.Digest(caseFile("artifact", func() []byte { return corpus(t, conformance, "a.txt") }))
	if !isAbout(t, b, artifact) {
		return false, "about another artifact"
	}
	if key := caseFile("key.pub", func() []byte { return nil }); key != nil {
		k, err := attest.ParsePublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		verify := attest.VerifyDigest
		if b.Envelope != nil {
			verify = func(b attest.Bundle, c []attest.Candidate) (attest.Verdict, error) {
				return attest.Verify(*b.Envelope, c)
			}
		}
		v, err := verify(b, []attest.Candidate{{Alias: "key", Key: k}})
		if err != nil {
			return false, err.Error()
		}
		return v.Verified, v.Reason
	}
	root, err := attest.ParseTrustedRoot(caseFile("trusted_root.json", func() []byte { return corpus(t, publicGood) }))
	if err != nil {
		t.Fatal(err)
	}
	identity := attest.KeylessCandidate{Alias: "beacon", Issuer: githubIssuer, Subject: conformanceUser, Root: root}
	v, err := attest.VerifyKeyless(b, []attest.KeylessCandidate{identity})
	if err != nil {
		return false, err.Error()
	}
	return v.Verified, v.Reason
}

func isAbout(t *testing.T, b attest.Bundle, artifact string) bool {
	t.Helper()
	if b.Envelope == nil {
		return b.Digest == artifact
	}
	st, err := attest.ParseStatement(b.Envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range st.Subject {
		if "sha256:"+s.Digest["sha256"] == artifact {
			return true
		}
	}
	return false
}

func TestCorpus_NpmsAttestationsAreSplitAndVerified(t *testing.T) {
	const folder = "sigstore/slsa-framework_slsa-verifier/cli/slsa-verifier/testdata/npm/gha"
	root, err := attest.ParseTrustedRoot(corpusRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	identity := attest.KeylessCandidate{Alias: "npm test", Issuer: githubIssuer, Subject: "https://github.com/*/.github/workflows/release.yml@refs/heads/main", Root: root}
	for name, broken := range map[string]bool{
		"provenance-npm-test-cli-v1-prega.tgz.json":                 false,
		"provenance-npm-test-cli-v02-prega.tgz.json":                false,
		"provenance-npm-test-cli-v1-prega-invalidsigprov.tgz.json":  true,
		"provenance-npm-test-cli-v02-prega-invalidsigprov.tgz.json": true,
	} {
		t.Run(name, func(t *testing.T) {
			found, err := attest.SplitAttestations(corpus(t, folder, name), 2)
			if err != nil || len(found) != 2 {
				t.Fatalf("%d attestations, %v", len(found), err)
			}
			keyless := 0
			for _, raw := range found {
				b, err := attest.ParseBundle(raw)
				if err != nil {
					t.Fatal(err)
				}
				if !b.Keyless() {
					continue
				}
				keyless++
				v, err := attest.VerifyKeyless(b, []attest.KeylessCandidate{identity})
				if broken != (err != nil) || v.Verified == broken {
					t.Errorf("%+v, %v", v, err)
				}
			}
			if keyless != 1 {
				t.Errorf("%d bundles with a certificate, want the provenance alone", keyless)
			}
		})
	}
}

func corpusRoot(t *testing.T) []byte {
	t.Helper()
	if os.Getenv("PLIMSOLL_CORPUS") == "" {
		t.Skip("run by make test-corpus")
	}
	return corpus(t, publicGood)
}
