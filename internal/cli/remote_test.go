package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
)

func run(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = cli.Run(t.Context(), args, func(name string) string { return env[name] }, &out, &problems)
	return code, out.String(), problems.String()
}

func TestEveryCommandIsListedAndExplained(t *testing.T) {
	_, usage, _ := run(t, nil, "help")
	for _, command := range []string{"serve", "demo", "build report", "evidence push", "version create", "deployment record", "advisories import", "policy check", "policy test", "policy push", "promote", "release", "version"} {
		if !strings.Contains(usage, "\n  "+command+" ") {
			t.Errorf("the usage does not list %s", command)
		}
		if command == "version" {
			continue
		}
		if code, help, _ := run(t, nil, append(strings.Fields(command), "--help")...); code != cli.Done || len(help) < 100 {
			t.Errorf("%s --help ended with %d and %q", command, code, help)
		}
	}
	if code, said, _ := run(t, nil, "version"); code != cli.Done || !strings.HasPrefix(said, "plimsoll ") {
		t.Errorf("version ended with %d and %q", code, said)
	}
}

func TestACallThatIsWrongEndsWithTwo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	env := map[string]string{"PLIMSOLL_URL": "http://127.0.0.1:1", "PLIMSOLL_TOKEN": "the-token"}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"half a command":               {[]string{"evidence"}, `no command "evidence"`},
		"an unknown flag":              {[]string{"evidence", "push", "--colour", file}, "--help"},
		"an unknown flag behind":       {[]string{"evidence", "push", file, "--colour"}, "--help"},
		"no path":                      {[]string{"evidence", "push"}, "nothing to push"},
		"an output of another kind":    {[]string{"evidence", "push", "--output", "yaml", file}, "text or json"},
		"a document without a subject": {[]string{"evidence", "push", "--dry-run", file}, "not everything was taken"},
		"a key that is not there":      {[]string{"evidence", "push", "--sign-key", file + ".key", "--subject", digest, file}, "--sign-key"},
		"a URL with a password":        {[]string{"evidence", "push", "--url", "http://me:hunter2@127.0.0.1:1", "--subject", digest, file}, "user or a password"},
		"a version without a name":     {[]string{"version", "create", "--application", "gateway"}, "--version is missing"},
		"a version of nothing":         {[]string{"version", "create", "--application", "gateway", "--version", "1"}, "consists of"},
		"an artifact without a digest": {[]string{"version", "create", "--application", "a", "--version", "1", "--artifact", "image"}, "NAME=sha256"},
		"an artifact that is no file":  {[]string{"version", "create", "--application", "a", "--version", "1", "--artifact", "x=file:" + file + "x"}, "no such file"},
		"another version without one":  {[]string{"version", "create", "--application", "a", "--version", "1", "--from", "gateway"}, "APPLICATION@VERSION"},
		"a build without a number":     {[]string{"version", "create", "--application", "a", "--version", "1", "--build", "gateway"}, "NAME#NUMBER"},
		"a build of nothing":           {[]string{"build", "report", "--name", "a", "--number", "1", "--repository", "r", "--revision", "c"}, "--artifact is missing"},
		"a rollout to nowhere":         {[]string{"deployment", "record", "--application", "a", "--version", "1"}, "--environment is missing"},
		"a rollout at no instant":      {[]string{"deployment", "record", "--application", "a", "--version", "1", "--environment", "e", "--kind", "HOTFIX", "--status", "FAILED", "--finished", "noon"}, "--finished is an instant"},
		"a promotion to nowhere":       {[]string{"promote", "--application", "a", "--version", "1"}, "--stage is missing"},
		"a release with a stage":       {[]string{"release", "--application", "a", "--version", "1", "--stage", "PROD"}, "--help"},
		"a word too many":              {[]string{"release", "--application", "a", "--version", "1", "please"}, "flags only"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, env, c.args...)
			if code != cli.WrongCall || !strings.Contains(stderr, c.want) || strings.Contains(stdout+stderr, "hunter2") {
				t.Errorf("ended with %d and %q, want %d and %q", code, stderr, cli.WrongCall, c.want)
			}
		})
	}
	for missing, env := range map[string]map[string]string{
		"PLIMSOLL_URL": {"PLIMSOLL_TOKEN": "the-token"}, "PLIMSOLL_TOKEN": {"PLIMSOLL_URL": "http://127.0.0.1:1"},
	} {
		if code, _, stderr := run(t, env, "evidence", "push", "--subject", digest, file); code != cli.WrongCall || !strings.Contains(stderr, missing) {
			t.Errorf("without %s it ended with %d and %q", missing, code, stderr)
		}
	}
}

func TestADryRunNeedsNoServer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/--odd.json", []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	code, stdout, stderr := run(t, nil, "evidence", "push", "--dry-run", "--subject", "pkg:npm/a@1", "--", "--odd.json")
	if code != cli.Done || !strings.HasPrefix(stdout, "ready ") || !strings.Contains(stdout, "https://cyclonedx.org/bom\n1 would be pushed, 0 refused\n") {
		t.Errorf("ended with %d, %q, %q", code, stdout, stderr)
	}
}

func TestAFaultEndsWithThreeAndShowsNoToken(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "I am lost", http.StatusInternalServerError)
	}))
	defer broken.Close()
	env := map[string]string{"PLIMSOLL_URL": broken.URL, "PLIMSOLL_TOKEN": "the-token"}
	for _, args := range [][]string{
		{"release", "--application", "a", "--version", "1"},
		{"version", "create", "--application", "a", "--version", "1", "--package", "pkg:npm/a@1"},
		{"deployment", "record", "--application", "a", "--version", "1", "--environment", "e", "--kind", "RELEASE", "--status", "FAILED"},
	} {
		code, stdout, stderr := run(t, env, args...)
		if code != cli.Fault || !strings.Contains(stderr, "500") || strings.Contains(stdout+stderr, "the-token") {
			t.Errorf("%v ended with %d, %q, %q", args, code, stdout, stderr)
		}
	}
}
