package passport_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
)

// TestAFlippedByteInAnyFileIsNoticedAndNamed flips the first, the middle and the last byte of every file, one after another.
func TestAFlippedByteInAnyFileIsNoticedAndNamed(t *testing.T) {
	dir := unpack(t, newSmallWorld(t).pack())
	if v, _ := verify(t, dir, passport.Options{}, true); v.code != 0 {
		t.Fatalf("before anything was altered: %s", v.said)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		for _, at := range []int{0, len(text) / 2, len(text) - 1} {
			flipped := bytes.Clone(text)
			flipped[at] ^= 1
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				return err
			}
			g, _ := verify(t, dir, passport.Options{}, false)
			said := []verdict{g}
			if os.Getenv("PLIMSOLL_TOOLS") != "" {
				said = append(said, script(t, dir))
			}
			for i, v := range said {
				// Of passport.json, the file whose entry is another is as good a name.
				named := strings.Contains(v.said, "WRONG: "+name+": ") || name == passport.IndexName && strings.Contains(v.said, "WRONG: ")
				if v.code != 1 || !named {
					t.Errorf("byte %d of %s: verifier %d ends with %d: %s", at, name, i, v.code, v.said)
				}
			}
		}
		return os.WriteFile(path, text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// decisionFile alters a file of the decision, and makes the digests in the decision's own folder agree.
func (w *world) decisionFile(name string, text []byte) {
	w.tb.Helper()
	const folder = "decisions/eval-release-3/"
	old, now := canonical.Digest(w.files[folder+name]), canonical.Digest(text)
	w.files[folder+name] = text
	sums := w.files[folder+"SHA256SUMS"]
	hex := func(d string) []byte { return []byte(strings.TrimPrefix(d, "sha256:")) }
	before := canonical.Digest(w.files[folder+"manifest.json"])
	if name == "manifest.json" {
		before = old
	} else {
		w.files[folder+"manifest.json"] = bytes.ReplaceAll(w.files[folder+"manifest.json"], []byte(old), []byte(now))
	}
	sums = bytes.ReplaceAll(bytes.ReplaceAll(sums, hex(old), hex(now)), hex(before), hex(canonical.Digest(w.files[folder+"manifest.json"])))
	w.files[folder+"SHA256SUMS"] = sums
}

// inDecision alters some text in a file of the decision.
func (w *world) inDecision(name, from, to string) {
	w.tb.Helper()
	text := w.files["decisions/eval-release-3/"+name]
	if !bytes.Contains(text, []byte(from)) {
		w.tb.Fatalf("%s does not hold %s: %s", name, from, text)
	}
	w.decisionFile(name, bytes.Replace(text, []byte(from), []byte(to), 1))
}

// file is the path of the only file like this.
func (w *world) file(pattern string) string {
	w.tb.Helper()
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if ok, _ := filepath.Match(pattern, name); ok {
			return name
		}
	}
	w.tb.Fatalf("there is no %s", pattern)
	return ""
}

// in alters some text in a file.
func (w *world) in(pattern, from, to string) {
	w.tb.Helper()
	name := w.file(pattern)
	if !bytes.Contains(w.files[name], []byte(from)) {
		w.tb.Fatalf("%s does not hold %s: %s", name, from, w.files[name])
	}
	w.files[name] = bytes.Replace(w.files[name], []byte(from), []byte(to), 1)
}

// inPayload alters some text in the payload of an envelope.
func (w *world) inPayload(name, from, to string) {
	w.tb.Helper()
	var doc struct {
		Payload []byte `json:"payload"`
		DSSE    struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	w.must(json.Unmarshal(w.files[name], &doc))
	payload := append(doc.Payload, doc.DSSE.Payload...)
	altered := bytes.Replace(payload, []byte(from), []byte(to), 1)
	if bytes.Equal(payload, altered) {
		w.tb.Fatalf("%s does not hold %s: %s", name, from, payload)
	}
	w.files[name] = bytes.Replace(w.files[name], []byte(base64.StdEncoding.EncodeToString(payload)), []byte(base64.StdEncoding.EncodeToString(altered)), 1)
}

// alterations are what somebody does who can write, and makes passport.json agree. The key says which file is named.
func alterations() map[string]func(*world) {
	return map[string]func(*world){
		"attestations/01-approval.bundle.json#another manifest": func(w *world) { w.in("manifest.json", `"contents":[]`, `"contents":[{}]`) },
		"attestations/03-release.bundle.json#another statement": func(w *world) { w.inPayload(w.file("attestations/03-*"), `"PASS"`, `"WARN"`) },
		"attestations/05-status.bundle.json#another payload":    func(w *world) { w.inPayload(w.file("attestations/05-*"), "GOOD", "BAD!") },
		"attestations/03-release.bundle.json#the leaf is gone":  func(w *world) { w.drop("log/7.*") },
		"passport.json#no release": func(w *world) {
			w.drop("attestations/03-*")
			w.drop("decisions/*/*")
			w.drop("decisions/*/*/*/*")
			w.drop("evidence/*")
		},
		"decisions/eval-release-3#the decision is gone":             func(w *world) { w.drop("decisions/*/*"); w.drop("decisions/*/*/*/*") },
		"decisions/eval-release-3/manifest.json#another input":      func(w *world) { w.inDecision("input.json", `"verified":true`, `"verified":fals `) },
		"decisions/eval-release-3/manifest.json#other capabilities": func(w *world) { w.inDecision("capabilities.json", `"allow_net":[]`, `"allow_net":["a"]`) },
		"decisions/eval-release-3/manifest.json#another Rego":       func(w *world) { w.inDecision("rules/01-signed-rule/policy.rego", "not e.verified", "e.verified == 7") },
		"decisions/eval-release-3/policies.json#another mode":       func(w *world) { w.inDecision("policies.json", `"BLOCK"`, `"WARN"`) },
		"decisions/eval-release-3/rules/01-signed-rule/query.txt#a query that answers itself": func(w *world) {
			w.decisionFile("rules/01-signed-rule/query.txt", []byte(`{"examined": ["a"], "violations": []}`))
		},
		"decisions/eval-release-3/rules/01-signed-rule/data.json#other parameters": func(w *world) { w.inDecision("rules/01-signed-rule/data.json", "1.5", "2.5") },
		"decisions/eval-release-3#another answer":                                  func(w *world) { w.inDecision("rules/01-signed-rule/expected.json", "UNVERIFIED", "OVERLOOKED") },
		"decisions/eval-release-3#another outcome":                                 func(w *world) { w.inDecision("result.json", `"WAIVED"`, `"PASS"`) },
		"log/3.tlog-proof#a leaf of another tree": func(w *world) {
			w.files["log/3.leaf"], w.files["log/3.tlog-proof"] = w.files["log/5.leaf"], bytes.Replace(w.files["log/5.tlog-proof"], []byte("index 5"), []byte("index 3"), 1)
		},
		"log/5.tlog-proof#another leaf":       func(w *world) { w.in("log/5.leaf", "a statement", "a stateless") },
		"log/5.tlog-proof#another hash":       func(w *world) { w.swapHash("log/5.tlog-proof") },
		"log/6.tlog-proof#another index":      func(w *world) { w.in("log/6.tlog-proof", "index 6", "index 5") },
		"log/5.tlog-proof#another checkpoint": func(w *world) { w.files["log/5.tlog-proof"] = append(w.files["log/5.tlog-proof"], '\n') },
		"log/checkpoint#a larger tree":        func(w *world) { w.checkpoints("\n19\n", "\n20\n") },
		"log/checkpoint#another word of the witness": func(w *world) {
			for name, text := range w.files {
				if at := len(text) - 20; name == "log/checkpoint" || strings.HasSuffix(name, ".tlog-proof") {
					text[at] = map[bool]byte{true: 'A', false: 'B'}[text[at] == 'B']
				}
			}
		},
		"keys/log.vkey#another log":            func(w *world) { w.in("keys/log.vkey", origin+"+", origin+"+0") },
		"keys/anchors/ci_p256.pub#another key": func(w *world) { w.files["keys/anchors/ci_p256.pub"] = w.signer.PublicKeyPEM() },
		"keys/release#the name of another": func(w *world) {
			k := w.file("keys/release-*")
			w.files["keys/release-0000.pub"] = w.files[k]
			delete(w.files, k)
		},
		"attestations/03-release.bundle.json#another release key": func(w *world) {
			other := newSmallWorld(w.tb)
			w.drop("keys/release-*")
			k := other.file("keys/release-*")
			w.files[k] = other.files[k]
		},
	}
}

func (w *world) drop(pattern string) {
	w.tb.Helper()
	w.file(pattern) // is there
	maps.DeleteFunc(w.files, func(name string, _ []byte) bool { ok, _ := filepath.Match(pattern, name); return ok })
}

func (w *world) swapHash(name string) {
	lines := strings.Split(string(w.files[name]), "\n")
	lines[2], lines[3] = lines[3], lines[2]
	w.files[name] = []byte(strings.Join(lines, "\n"))
}

// checkpoints alters the checkpoint wherever it stands.
func (w *world) checkpoints(from, to string) {
	for name, text := range w.files {
		if strings.HasPrefix(name, "log/") {
			w.files[name] = bytes.Replace(text, []byte(from), []byte(to), 1)
		}
	}
}

// evidenceAlterations are those of evidence: the file that is named ends in what the key says.
func evidenceAlterations() map[string]func(w *world, signed, document string) {
	return map[string]func(w *world, signed, document string){
		"signed#another payload":    func(w *world, signed, _ string) { w.inPayload(signed, `"passed":12`, `"passed":13`) },
		"signed#another signature":  func(w *world, signed, _ string) { w.in(signed, `"sig":"ME`, `"sig":"MC`) },
		"document#another document": func(w *world, _, document string) { w.in(document, "1.6", "1.5") },
		"signed.json#not verified":  func(w *world, signed, _ string) { w.in(signed+".json", `"verified":true`, `"verified":false`) },
		"document.json#verified": func(w *world, _, document string) {
			w.in(document+".json", `"verified":false`, `"verified":true`)
		},
		"signed.json#of another type":    func(w *world, signed, _ string) { w.in(signed+".json", "example.test/tests", "example.test/audit") },
		"signed.json#another signer":     func(w *world, signed, _ string) { w.in(signed+".json", "ci p256", "ci p257") },
		"document#gone without a trace":  func(w *world, _, document string) { w.drop(document); w.drop(document + ".json") },
		"signed.json#the anchor is gone": func(w *world, _, _ string) { w.drop("keys/anchors/*") },
	}
}

// alike are alterations that verify.sh finds as it finds another one: they are shown to plimsoll verify alone, which takes a
// hundredth of the time.
func alike(what string) bool {
	return slices.Contains([]string{
		"another payload", "other capabilities", "another Rego", "another outcome", "a leaf of another tree", "another index", "the name of another",
		"another release key", "another document", "verified", "another signer", "of another type",
	}, what)
}

func TestIntentIsFoundWherePassportJSONAgrees(t *testing.T) {
	for name, alter := range alterations() {
		want, what, _ := strings.Cut(name, "#")
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newSmallWorld(t)
			alter(w)
			w.mustFail(t, want, alike(what))
		})
	}
	for name, alter := range evidenceAlterations() {
		which, what, _ := strings.Cut(name, "#")
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newSmallWorld(t)
			signed, document := "evidence/"+w.evidence[0].Digest[7:], "evidence/"+w.evidence[1].Digest[7:]
			alter(w, signed, document)
			w.mustFail(t, strings.NewReplacer("signed", signed, "document", document).Replace(which), alike(what))
		})
	}
	t.Run("what was waived by what nobody signed for", func(t *testing.T) {
		w := (&world{tb: t, files: map[string][]byte{}, small: true}).fill([]any{})
		w.mustFail(t, "decisions/eval-release-3/waivers.json", false)
	})
	t.Run("a program that says yes", func(t *testing.T) { // plimsoll verify runs none
		w := newSmallWorld(t)
		w.decisionFile("verify.sh", []byte("touch /tmp/owned; exit 0"))
		if s := script(t, unpack(t, w.pack())); s.code != 1 || !strings.Contains(s.said, "WRONG: decisions/eval-release-3/verify.sh: ") {
			t.Errorf("verify.sh ends with %d: %s", s.code, s.said)
		}
	})
}

// mustFail wants both programs to name a file, or plimsoll verify alone.
func (w *world) mustFail(t *testing.T, want string, alone bool) {
	t.Helper()
	dir := unpack(t, w.pack())
	said := func(who string, v verdict) {
		t.Helper()
		if v.code != 1 || !strings.Contains(v.said, "WRONG: "+want) && !strings.Contains(v.said, "("+want+")") && !strings.Contains(v.said, "with "+want) {
			t.Errorf("%s ends with %d and does not name %s: %s", who, v.code, want, v.said)
		}
	}
	v, _ := verify(t, dir, passport.Options{}, false)
	said("plimsoll verify", v)
	if !alone && os.Getenv("PLIMSOLL_TOOLS") != "" {
		said("verify.sh", script(t, dir))
	}
}

func TestKeysThatWereGivenCountAlone(t *testing.T) {
	w, other := newSmallWorld(t), newSmallWorld(t)
	dir := unpack(t, w.pack())
	mine, theirs := passport.Options{ReleaseKeys: [][]byte{w.signer.PublicKeyPEM()}, LogKeys: w.files["keys/log.vkey"]},
		passport.Options{ReleaseKeys: [][]byte{other.signer.PublicKeyPEM()}, LogKeys: other.files["keys/log.vkey"]}
	if v, r := verify(t, dir, mine, true); v.code != 0 || len(r.ReleaseKeys) != 1 || !r.ReleaseKeys[0].Given || !r.Log.Given {
		t.Errorf("with the right keys: %d: %s%+v", v.code, v.said, r)
	}
	if v, r := verify(t, dir, theirs, true); v.code != 1 || !strings.Contains(v.said, "attestations/03") || !strings.Contains(v.said, "log/checkpoint") || r.Statements != 0 {
		t.Errorf("with the wrong keys: %d: %s%+v", v.code, v.said, r)
	}
	if os.Getenv("PLIMSOLL_TOOLS") == "" {
		return
	}
	args := func(o passport.Options) []string {
		dir := t.TempDir()
		for name, text := range map[string][]byte{"a.pub": o.ReleaseKeys[0], "a.vkey": o.LogKeys} {
			w.must(os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
		return []string{"--release-key", filepath.Join(dir, "a.pub"), "--log-key", filepath.Join(dir, "a.vkey")}
	}
	if s := script(t, dir, args(mine)...); s.code != 0 || strings.Contains(s.said, "believed") || !strings.Contains(s.said, "which you gave") {
		t.Errorf("verify.sh with the right keys: %d: %s", s.code, s.said)
	}
	if s := script(t, dir, args(theirs)...); s.code != 1 || !strings.Contains(s.said, "attestations/03") || !strings.Contains(s.said, "log/checkpoint") {
		t.Errorf("verify.sh with the wrong keys: %d: %s", s.code, s.said)
	}
	if _, err := passport.Verify(t.Context(), os.DirFS(dir), passport.Options{ReleaseKeys: [][]byte{[]byte("no key")}}); err == nil {
		t.Error("something that is no key is believed")
	}
}

func TestTheLastSignedInstantTellsTheStanding(t *testing.T) {
	for want, add := range map[string]func(*world){
		"WITHDRAWN": func(w *world) { w.status("WITHDRAWN", "2026-11-03T10:00:01Z") },
		"AT_RISK": func(w *world) {
			w.status("AT_RISK", "2026-11-03T10:00:00.3Z")
			w.status("GOOD", "2026-11-03T10:00:00Z")
		},
		"GOOD": func(w *world) {
			w.status("WITHDRAWN", "2026-11-04T10:00:00Z")
			w.sign(attest.PredicateRelease, w.move("2026-11-05T10:00:00Z", "TRUSTED_RELEASE", "", []any{waiver}, w.gate("eval-release-4", "PROD", "RELEASE")))
		},
		passport.NoTrust: func(w *world) {
			w.sign(attest.PredicatePromotion, w.move("2026-11-05T10:00:00Z", "RELEASED", "", []any{waiver}, w.gate("eval-release-4", "PROD", "RELEASE")))
		},
	} {
		t.Run(want, func(t *testing.T) {
			w := newSmallWorld(t)
			add(w)
			w.drop("log/*")
			w.layOutLog()
			dir := unpack(t, w.pack())
			if v, r := verify(t, dir, passport.Options{}, true); v.code != 0 || r.Standing != want {
				t.Errorf("the standing is %s: %d: %s", r.Standing, v.code, v.said)
			}
			if s := script(t, dir); s.code != 0 || !strings.Contains(s.said, fmt.Sprintf("made: %s since", want)) {
				t.Errorf("verify.sh says %d: %s", s.code, s.said)
			}
		})
	}
}
