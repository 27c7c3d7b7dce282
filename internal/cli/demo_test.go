package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
)

func runDemo(t *testing.T, environment map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = cli.Run(t.Context(), append([]string{"demo"}, args...), func(name string) string { return environment[name] }, &out, &problems)
	return code, out.String(), problems.String()
}

func TestDemoStartsAServerOfItsOwnAndLeavesNothingButTheProof(t *testing.T) {
	temporary, keep := t.TempDir(), filepath.Join(t.TempDir(), "proof")
	t.Setenv("TMPDIR", temporary)
	// What serve would use is not the demonstration's: it must not even look at it.
	environment := map[string]string{"PLIMSOLL_DATABASE": "postgres://nobody@127.0.0.1:1/none", "PLIMSOLL_DATA": "/nowhere"}
	code, stdout, stderr := runDemo(t, environment, "--keep", keep)
	if code != cli.Done {
		t.Fatalf("ended with %d: %s\n%s", code, stderr, stdout)
	}
	if !strings.Contains(stdout, "is TRUSTED_RELEASE") || stderr != "" {
		t.Errorf("said %q and %q", stdout, stderr)
	}
	for _, name := range []string{"manifest.json", "vsa.sigstore.json", "vsa.dsse.json", "release.sigstore.json", "release.pub"} {
		if _, err := os.Stat(filepath.Join(keep, name)); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("%d things are left in the temporary folder: %v %v", len(left), left, err)
	}
}

func TestDemoRefusesACallThatIsWrong(t *testing.T) {
	for name, args := range map[string][]string{
		"a server without a token": {"--url", "http://127.0.0.1:1"},
		"an unknown flag":          {"--colour"},
		"a word":                   {"please"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, _, stderr := runDemo(t, nil, args...); code != cli.WrongCall || stderr == "" {
				t.Errorf("ended with %d and %q, want %d and a sentence", code, stderr, cli.WrongCall)
			}
		})
	}
}

func TestDemoEndsWithAFaultWhereNobodyServes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	code, _, stderr := runDemo(t, map[string]string{"PLIMSOLL_URL": "http://127.0.0.1:1", "PLIMSOLL_TOKEN": "not-a-token"})
	if code != cli.Fault || !strings.Contains(stderr, "WhoAmI") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
}

func TestDemoTellsHowItIsCalled(t *testing.T) {
	code, stdout, _ := runDemo(t, nil, "--help")
	if code != cli.Done || !strings.Contains(stdout, "--keep DIR") {
		t.Errorf("ended with %d: %s", code, stdout)
	}
}
