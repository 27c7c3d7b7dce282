package attest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// stockTools runs the tools of others that must accept what the server signs. They get a home folder of their own and a
// proxy that nobody answers, so they can neither find state nor reach the network.
type stockTools struct {
	folder string
	env    []string
}

func newStockTools(t *testing.T) stockTools {
	t.Helper()
	folder := os.Getenv("PLIMSOLL_TOOLS")
	if folder == "" {
		t.Skip("make test builds the tools")
	}
	for _, tool := range []string{"cosign", "slsa-verifier"} {
		if _, err := os.Stat(filepath.Join(folder, tool)); err != nil {
			t.Fatalf("PLIMSOLL_TOOLS is set, but: %v; run scripts/tools %s", err, tool)
		}
	}
	home := t.TempDir()
	return stockTools{folder: folder, env: []string{
		"HOME=" + home, "TUF_ROOT=" + filepath.Join(home, "tuf"), "TMPDIR=" + home,
		"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=",
	}}
}

// run reports whether the tool exits with 0, and what it said.
func (s stockTools) run(t *testing.T, tool string, args ...string) (bool, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(s.folder, tool), args...)
	command.Env = s.env
	out, err := command.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s does not end: %s", tool, out)
	}
	return err == nil, string(out)
}

// release is what a consumer of a release holds: files, and what they expect to be told.
type release struct {
	dir    string
	digest string // of the manifest
}

func newRelease(t *testing.T, s *attest.Signer) release {
	t.Helper()
	manifest := []byte(`{"application":"shop","version":"1.4.0"}`)
	sum := sha256.Sum256(manifest)
	r := release{dir: t.TempDir(), digest: hex.EncodeToString(sum[:])}
	r.write(t, "manifest.json", manifest)
	r.write(t, "key.pub", s.PublicKeyPEM())
	return r
}

func (r release) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := r.path(name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r release) path(name string) string { return filepath.Join(r.dir, name) }

// sign signs v about the manifest and an artifact nobody holds here.
func (r release) sign(t *testing.T, s *attest.Signer, v attest.VSA) attest.Signed {
	t.Helper()
	return signVSA(t, s, v, []attest.Subject{
		{Name: "manifest.json", Digest: map[string]string{"sha256": r.digest}},
		{Name: "shop.tar", Digest: map[string]string{"sha256": sha256Hex}},
	})
}

func (s stockTools) cosign(t *testing.T, r release, bundle []byte, predicateType, file string) (bool, string) {
	t.Helper()
	return s.run(t, "cosign", "verify-blob-attestation", "--key", r.path("key.pub"), "--bundle", r.write(t, "bundle.json", bundle),
		"--insecure-ignore-tlog", "--type", predicateType, file)
}

func (s stockTools) slsaVerifier(t *testing.T, r release, envelope []byte, digest string) (bool, string) {
	t.Helper()
	v := passedVSA()
	return s.run(t, "slsa-verifier", "verify-vsa", "--subject-digest", "sha256:"+digest,
		"--attestation-path", r.write(t, "envelope.json", envelope), "--public-key-path", r.path("key.pub"),
		"--verifier-id", v.Verifier.ID, "--resource-uri", v.ResourceURI,
		"--verified-level", "SLSA_BUILD_LEVEL_1", "--verified-level", "TRUSTED_RELEASE")
}

func TestRule30_StockToolsAcceptOurBundle(t *testing.T) {
	tools := newStockTools(t)
	for _, kind := range []string{"P-256", "Ed25519"} {
		t.Run(kind, func(t *testing.T) {
			s := newSigner(t, kind)
			r := newRelease(t, s)
			signed := r.sign(t, s, passedVSA())
			accepts(t, "cosign")(tools.cosign(t, r, signed.Bundle, attest.PredicateVSA, r.path("manifest.json")))
			accepts(t, "slsa-verifier, the manifest")(tools.slsaVerifier(t, r, signed.Envelope, r.digest))
			accepts(t, "slsa-verifier, the artifact")(tools.slsaVerifier(t, r, signed.Envelope, sha256Hex))

			own, err := attest.NewStatement([]attest.Subject{{Digest: map[string]string{"sha256": r.digest}}}, attest.PredicateRelease, map[string]any{"n": 1})
			if err != nil {
				t.Fatal(err)
			}
			ownSigned, err := s.Sign(t.Context(), own)
			if err != nil {
				t.Fatal(err)
			}
			accepts(t, "cosign, our own predicate")(tools.cosign(t, r, ownSigned.Bundle, attest.PredicateRelease, r.path("manifest.json")))
		})
	}
}

func TestRule30_StockToolsRefuseWhatWasChanged(t *testing.T) {
	tools := newStockTools(t)
	s := newSigner(t, "P-256")
	r := newRelease(t, s)
	signed := r.sign(t, s, passedVSA())
	manifest := r.path("manifest.json")

	// One character of the payload and one of the signature, each replaced by another of the alphabet.
	for member, offset := range map[string]int{`"payload":"`: 40, `"sig":"`: 30} {
		flip := func(b []byte) []byte {
			b = bytes.Clone(b)
			i := bytes.Index(b, []byte(member)) + len(member) + offset
			if b[i] == 'A' {
				b[i] = 'B'
			} else {
				b[i] = 'A'
			}
			return b
		}
		refuses(t, "cosign, changed "+member)(tools.cosign(t, r, flip(signed.Bundle), attest.PredicateVSA, manifest))
		refuses(t, "slsa-verifier, changed "+member)(tools.slsaVerifier(t, r, flip(signed.Envelope), r.digest))
	}

	other := r.write(t, "other.json", []byte(`{"application":"shop","version":"1.4.1"}`))
	refuses(t, "cosign, another file")(tools.cosign(t, r, signed.Bundle, attest.PredicateVSA, other))
	refuses(t, "cosign, another type")(tools.cosign(t, r, signed.Bundle, attest.PredicateRelease, manifest))
	refuses(t, "slsa-verifier, another digest")(tools.slsaVerifier(t, r, signed.Envelope, strings.Repeat("0b", 32)))

	failed := passedVSA()
	failed.Result = attest.Failed
	failedSigned := r.sign(t, s, failed)
	refuses(t, "slsa-verifier, a FAILED result")(tools.slsaVerifier(t, r, failedSigned.Envelope, r.digest))

	r.write(t, "key.pub", newSigner(t, "P-256").PublicKeyPEM())
	refuses(t, "cosign, another key")(tools.cosign(t, r, signed.Bundle, attest.PredicateVSA, manifest))
	refuses(t, "slsa-verifier, another key")(tools.slsaVerifier(t, r, signed.Envelope, r.digest))
}

func accepts(t *testing.T, what string) func(ok bool, said string) {
	t.Helper()
	return func(ok bool, said string) {
		t.Helper()
		if !ok {
			t.Errorf("%s: refused:\n%s", what, said)
		}
	}
}

func refuses(t *testing.T, what string) func(ok bool, said string) {
	t.Helper()
	return func(ok bool, said string) {
		t.Helper()
		if ok {
			t.Errorf("%s: accepted:\n%s", what, said)
		}
		t.Logf("%s: %s", what, said)
	}
}
