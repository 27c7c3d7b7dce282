package passport_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/passport"
)

// pack writes the files as a passport, whose passport.json agrees with them.
func (w *world) pack(leftOut ...string) []byte {
	w.tb.Helper()
	var out bytes.Buffer
	p := passport.NewWriter(&out, passport.Index{
		Application: application, Version: version, ManifestDigest: "sha256:" + w.manifest(), MadeAt: "2026-11-04T00:00:00Z", VerifierID: "https://plimsoll.test/verifier",
	})
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		names := ""
		if strings.HasPrefix(name, "evidence/") && path.Ext(name) == "" {
			names = "sha256:" + path.Base(name)
		}
		_, err := p.Add(name, kind(name), names, bytes.NewReader(w.files[name]))
		w.must(err)
	}
	w.must(p.Close())
	return out.Bytes()
}

// kind is what a file is, told otherwise than the verifier does.
func kind(name string) passport.Kind {
	first, _, inside := strings.Cut(name, "/")
	switch {
	case !inside:
		return map[string]passport.Kind{"manifest.json": passport.KindManifest}[name] + map[bool]passport.Kind{true: passport.KindGuide}[name != "manifest.json"]
	case first == "evidence" && path.Ext(name) == ".json":
		return passport.KindEvidenceRecord
	case strings.HasPrefix(name, "keys/anchors/"):
		return passport.KindAnchor
	case name == "keys/log.vkey":
		return passport.KindLogKey
	case first == "log":
		return map[string]passport.Kind{".leaf": passport.KindLeaf, ".tlog-proof": passport.KindProof, "": passport.KindCheckpoint}[path.Ext(name)]
	}
	return map[string]passport.Kind{
		"attestations": passport.KindAttestation, "evidence": passport.KindEvidence, "decisions": passport.KindDecision, "keys": passport.KindReleaseKey,
	}[first]
}

// unpack writes the files of a passport into a new folder.
func unpack(tb testing.TB, packed []byte) string {
	tb.Helper()
	z, err := passport.Open(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// verdict is what both programs say of a passport.
type verdict struct {
	code int
	said string
}

// verify asks the Go verifier.
func verify(tb testing.TB, dir string, opts passport.Options, complete bool) (verdict, passport.Report) {
	tb.Helper()
	report, err := passport.Verify(context.Background(), os.DirFS(dir), opts)
	if err != nil {
		tb.Fatal(err)
	}
	v := verdict{}
	if report.Wrong() || complete && !report.Complete() {
		v.code = 1
	}
	for _, c := range report.Checks {
		if c.Outcome != passport.OK {
			v.said += strings.ReplaceAll(string(c.Outcome), "_", " ") + ": " + c.File + ": " + c.Why + "\n"
		}
	}
	return v, report
}

// script runs verify.sh with stock tools alone and without a network. One that was altered is not run: a good copy looks at the folder.
func script(tb testing.TB, dir string, args ...string) verdict {
	tb.Helper()
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		tb.Skip("make test builds the tools")
	}
	program, err := filepath.Abs("guide/verify.sh")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", append(append([]string{program}, args...), dir)...)
	if exec.CommandContext(ctx, "unshare", "-n", "true").Run() == nil {
		cmd = exec.CommandContext(ctx, "unshare", append([]string{"-n"}, cmd.Args...)...)
	}
	cmd.Env = []string{
		"PATH=" + tools + string(os.PathListSeparator) + cmp.Or(os.Getenv("PATH"), "/usr/bin:/bin"), "HOME=" + tb.TempDir(), "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1",
	}
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		tb.Fatal(err)
	}
	return verdict{cmd.ProcessState.ExitCode(), string(out)}
}

func TestAPassportVerifiesWithoutItsServer(t *testing.T) {
	w := newWorld(t)
	dir := unpack(t, w.pack())
	v, r := verify(t, dir, passport.Options{}, true)
	if v.code != 0 || r.Statements != 6 || r.Evidence != 7 || r.Signatures != 5 || r.Decisions != 3 || r.Leaves != 6 || r.Files != len(w.files) {
		t.Errorf("the verifier says %d: %s%+v", v.code, v.said, r)
	}
	if r.Standing != "GOOD" || r.Since != "2026-11-03T10:00:00.25Z" || r.Log.Name != origin || r.Log.Given || len(r.Witnesses) != 1 {
		t.Errorf("the report is %+v", r)
	}
	if s := script(t, dir, "--complete"); s.code != 0 || !strings.Contains(s.said, "6 statements, 7 pieces of evidence (5 by their signatures), 3 decisions, 6 leaves") ||
		!strings.Contains(s.said, "GOOD since 2026-11-03T10:00:00.25Z") || strings.Count(s.said, "believed because") != 2 {
		t.Errorf("verify.sh says %d: %s", s.code, s.said)
	}
}
