package passport_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
)

func redacted(t *testing.T, packed []byte, digests ...string) []byte {
	t.Helper()
	z, err := open(packed)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := passport.Redact(z, &out, digests); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPassportVerifiesWithoutWhatWasLeftOutAndSaysSo(t *testing.T) {
	w := newSmallWorld(t)
	packed := w.pack()
	signed, bill := w.evidence[0].Digest, w.evidence[1].Digest
	const folder = "decisions/eval-release-3"
	for name, c := range map[string]struct {
		digest string
		said   []string
	}{
		"evidence by the digest of its payload": {signed, []string{"evidence/" + signed[7:] + ": was left out"}},
		"an SBOM":                               {bill, []string{"evidence/" + bill[7:] + ": was left out"}},
		"the input of a decision":               {canonical.Digest(w.files[folder+"/input.json"]), []string{folder + "/input.json: was left out", folder + ": it cannot be made again"}},
		"the manifest of a decision":            {canonical.Digest(w.files[folder+"/manifest.json"]), []string{folder + "/manifest.json: was left out"}},
	} {
		t.Run(name, func(t *testing.T) {
			less := redacted(t, packed, c.digest)
			if again := redacted(t, less, c.digest); !bytes.Equal(less, again) {
				t.Error("leaving it out twice is something else")
			}
			dir := unpack(t, less)
			for _, complete := range []bool{false, true} {
				v, _ := verify(t, dir, passport.Options{}, complete)
				said, args := []verdict{v}, []string{}
				if complete {
					args = []string{"--complete"}
				}
				if os.Getenv("PLIMSOLL_TOOLS") != "" {
					said = append(said, script(t, dir, args...))
				}
				for i, v := range said {
					if (v.code == 0) == complete || strings.Contains(v.said, "WRONG") {
						t.Errorf("verifier %d, complete %t: ends with %d: %s", i, complete, v.code, v.said)
					}
					for _, line := range c.said {
						if !strings.Contains(v.said, "NOT CHECKED: "+line) {
							t.Errorf("verifier %d does not say %q: %s", i, line, v.said)
						}
					}
				}
			}
			// What was left out can be shown to somebody else, and put back.
			if got, _ := open(less); got == nil {
				t.Fatal("it cannot be opened")
			}
		})
	}
}

func TestWhatAPassportProvesCannotBeLeftOut(t *testing.T) {
	w := newSmallWorld(t)
	packed := w.pack()
	for _, name := range []string{"manifest.json", "attestations/03-release.bundle.json", "log/5.leaf", "log/checkpoint", "keys/log.vkey", "verify.sh"} {
		z, err := open(packed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = passport.Redact(z, new(bytes.Buffer), []string{canonical.Digest(w.files[name])})
		if _, refused := errors.AsType[passport.RefusedError](err); !refused || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	z, err := open(packed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = passport.Redact(z, new(bytes.Buffer), []string{"sha256:" + strings.Repeat("0", 64)})
	if _, refused := errors.AsType[passport.RefusedError](err); !refused {
		t.Errorf("a digest of nothing: %v", err)
	}
	// By hand, without a program that refuses: passport.json says that the manifest was left out.
	dir := unpack(t, packed)
	index := filepath.Join(dir, passport.IndexName)
	text, err := os.ReadFile(index)
	w.must(err)
	entry := []byte(`"kind":"manifest",`)
	w.must(os.WriteFile(index, bytes.Replace(text, entry, append(entry, `"leftOut":true,`...), 1), 0o600))
	w.must(os.Remove(filepath.Join(dir, "manifest.json")))
	w.wrongBoth(t, dir, "manifest.json")
}

func TestAFileThatIsMissingOrTooManyIsNoticed(t *testing.T) {
	w := newSmallWorld(t)
	packed := w.pack()
	document := "evidence/" + w.evidence[1].Digest[7:]
	dir := unpack(t, packed)
	w.must(os.Remove(filepath.Join(dir, document)))
	w.wrongBoth(t, dir, document)
	dir = unpack(t, packed)
	w.must(os.WriteFile(filepath.Join(dir, "log", "more"), nil, 0o600))
	w.wrongBoth(t, dir, "log/more")
	dir = unpack(t, packed)
	w.must(os.Remove(filepath.Join(dir, document)))
	w.must(os.Symlink(filepath.Join(dir, "manifest.json"), filepath.Join(dir, document)))
	w.wrongBoth(t, dir, document)
	// Left out, and there all the same.
	dir = unpack(t, redacted(t, packed, w.evidence[1].Digest))
	w.must(os.WriteFile(filepath.Join(dir, document), w.files[document], 0o600))
	w.wrongBoth(t, dir, document)
}

// wrongBoth wants both programs to name a file.
func (w *world) wrongBoth(t *testing.T, dir, name string) {
	t.Helper()
	v, _ := verify(t, dir, passport.Options{}, false)
	said := []verdict{v}
	if os.Getenv("PLIMSOLL_TOOLS") != "" {
		said = append(said, script(t, dir))
	}
	for i, v := range said {
		if v.code != 1 || !strings.Contains(v.said, "WRONG: "+name+": ") && !strings.Contains(v.said, name) {
			t.Errorf("verifier %d ends with %d and does not name %s: %s", i, v.code, name, v.said)
		}
	}
}
