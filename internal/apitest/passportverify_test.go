package apitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule30_APassportOfTheServerIsVerifiedWithoutIt downloads a passport, and shows it to both programs that check one: whole, with
// keys over another road, with something left out, and after the release was taken back.
func TestRule30_APassportOfTheServerIsVerifiedWithoutIt(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	is := s.trusted()
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	write(t, folder, map[string]string{"release.pub": s.get("/keys/release.pub", "").body, "log.vkey": s.get("/log/key", "").body})
	keys := []string{"--release-key", file("release.pub"), "--log-key", file("log.vkey")}

	s.want(cli.Done, admin, "passport", is.manifest, "--output", file("whole.zip"))
	said := s.want(cli.Done, admin, append([]string{"verify", file("whole.zip"), "--complete"}, keys...)...)
	for _, want := range []string{"gateway 1.0.0", "3 pieces of evidence (2 by their signatures), 5 decisions", "given by you", "GOOD since"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	s.want(cli.Done, admin, "verify", unzip(t, file("whole.zip")), "--complete")
	s.script(t, file("whole.zip"), 0, "GOOD since", append([]string{"--complete"}, keys...)...)

	input := canonical.Digest([]byte(s.input(t, file("whole.zip"), is.evalIDs[0])))
	s.want(cli.Done, admin, "passport", "redact", file("whole.zip"), "--leave-out", is.bill, "--leave-out", input, "--output", file("less.zip"))
	if said = s.want(cli.Done, admin, "verify", file("less.zip")); strings.Count(said, "NOT CHECKED: ") != 3 || strings.Contains(said, "WRONG") {
		t.Errorf("with something left out it says %s", said)
	}
	s.want(cli.GateNo, admin, "verify", file("less.zip"), "--complete")
	s.script(t, file("less.zip"), 0, "NOT CHECKED: evidence/"+strings.TrimPrefix(is.bill, "sha256:"))
	s.script(t, file("less.zip"), 1, "NOT CHECKED: decisions/", "--complete")
	for want, args := range map[string][]string{
		"cannot be left out": {file("whole.zip"), "--leave-out", is.manifest, "--output", file("a.zip")},
		"already":            {file("whole.zip"), "--leave-out", is.bill, "--output", file("less.zip")},
		"has the digest":     {file("whole.zip"), "--leave-out", digestOf("nothing"), "--output", file("a.zip")},
		"takes digests":      {file("whole.zip"), "--leave-out", "nothing", "--output", file("a.zip")},
		"give one passport":  {file("whole.zip")},
		"no such file":       {file("nothing.zip"), "--leave-out", is.bill, "--output", file("a.zip")},
	} {
		if code, _, stderr := s.plimsoll(admin, append([]string{"passport", "redact"}, args...)...); code != cli.WrongCall || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d: %s", args, code, stderr)
		}
	}
	if left, err := filepath.Glob(file("*")); err != nil || len(left) != 4 {
		t.Errorf("the folder holds %v (%v)", left, err)
	}

	s.must(admin, "Rollback", object{"applicationKey": "gateway", "version": "1.0.0", "fromStage": "PROD", "reason": "customers complain"})
	s.want(cli.Done, admin, "passport", is.manifest, "--output", file("after.zip"))
	var report passport.Report
	if err := json.Unmarshal([]byte(s.want(cli.Done, admin, "verify", file("after.zip"), "--output", "json")), &report); err != nil || report.Standing != "WITHDRAWN" {
		t.Errorf("after the rollback: %v, %+v", err, report)
	}
	s.script(t, file("after.zip"), 0, "WITHDRAWN since")

	dir := unzip(t, file("after.zip"))
	write(t, dir, map[string]string{"manifest.json": "{}"})
	if code, stdout, _ := s.plimsoll("", "verify", dir); code != cli.GateNo || !strings.Contains(stdout, "WRONG: manifest.json: ") || strings.Contains(stdout, "Standing") {
		t.Errorf("with another manifest it ends with %d: %s", code, stdout)
	}
	for want, args := range map[string][]string{
		"give one": {}, "no such file": {file("nothing.zip")}, "public key": {file("after.zip"), "--release-key", file("log.vkey")}, "defined": {file("after.zip"), "--url", "x"},
	} {
		if code, _, stderr := s.plimsoll("", append([]string{"verify"}, args...)...); code != cli.WrongCall || !strings.Contains(stderr, want) {
			t.Errorf("verify %v ended with %d: %s", args, code, stderr)
		}
	}
}

// input is the input.json of a decision in a passport.
func (s *server) input(t *testing.T, packed, evalID string) string {
	t.Helper()
	text, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := unpacked(t, text)
	return files["decisions/"+evalID+"/input.json"]
}

// unzip unpacks a passport into a folder.
func unzip(t *testing.T, packed string) string {
	t.Helper()
	text, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := unpacked(t, text)
	dir := t.TempDir()
	write(t, dir, files)
	return dir
}

// script runs the verify.sh of a passport with stock tools, and without a network.
func (s *server) script(t *testing.T, packed string, code int, want string, args ...string) {
	t.Helper()
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		return
	}
	dir := unzip(t, packed)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	run := append([]string{"bash", filepath.Join(dir, "verify.sh")}, args...)
	if exec.CommandContext(ctx, "unshare", "-n", "true").Run() == nil {
		run = append([]string{"unshare", "-n"}, run...)
	}
	cmd := exec.CommandContext(ctx, run[0], run[1:]...)
	cmd.Env = []string{"PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "HTTPS_PROXY=http://127.0.0.1:1"}
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() != code || !strings.Contains(string(out), want) || strings.Contains(string(out), "WRONG") {
		t.Errorf("verify.sh %v ends with %d and does not say %q: %s", args, cmd.ProcessState.ExitCode(), want, out)
	}
}
