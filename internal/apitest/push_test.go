package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/push"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// plimsoll runs a command against the server, as a CI job with this token does.
func (s *server) plimsoll(token string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	env := map[string]string{"PLIMSOLL_URL": s.url, "PLIMSOLL_TOKEN": token}
	var out, problems bytes.Buffer
	code = cli.Run(s.t.Context(), args, func(name string) string { return env[name] }, &out, &problems)
	if token != "" && strings.Contains(out.String()+problems.String(), token) {
		s.t.Errorf("%v shows the token", args)
	}
	return code, out.String(), problems.String()
}

// want runs a command that has to end with a code, and returns what it says.
func (s *server) want(code int, token string, args ...string) string {
	s.t.Helper()
	got, stdout, stderr := s.plimsoll(token, args...)
	if got != code {
		s.t.Fatalf("%v ended with %d, want %d:\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout + stderr
}

// write makes files below a folder.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const junit = `<testsuites><testsuite name="gateway" tests="2" failures="0"><testcase name="a"/><testcase name="b"/></testsuite></testsuites>`

// commandsOf gives the plimsoll commands in the scripts of a file of GitHub Actions or GitLab CI, in their order.
func commandsOf(t *testing.T, path string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(n *yaml.Node, script bool)
	walk = func(n *yaml.Node, script bool) {
		if script && n.Kind == yaml.ScalarNode {
			for line := range strings.Lines(strings.ReplaceAll(n.Value, "\\\n", " ")) {
				if strings.HasPrefix(line, "plimsoll ") {
					commands = append(commands, strings.TrimSpace(line))
				}
			}
		}
		for i, child := range n.Content {
			walk(child, script || n.Kind == yaml.MappingNode && i%2 == 1 && (n.Content[i-1].Value == "run" || n.Content[i-1].Value == "script"))
		}
	}
	walk(&document, false)
	return commands
}

// words lets a shell read a command: variables, quotes. A variable that the CI system does not set is an error.
func words(t *testing.T, command string, env map[string]string) (args []string) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "sh", "-uc", `plimsoll() { printf '%s\n' "$@"; }; `+command)
	for name, value := range env {
		shell.Env = append(shell.Env, name+"="+value)
	}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v %s", command, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestTheExamplesOfCIDoWhatTheySay(t *testing.T) {
	for file, c := range map[string]struct {
		env      map[string]string
		commands int
		evidence []string // predicate type and whether it is verified
	}{
		"github-actions.yml": {
			map[string]string{
				"GITHUB_REPOSITORY": "acme/gateway", "GITHUB_RUN_NUMBER": "7", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_SHA": commit,
				"GITHUB_REF_NAME": "main", "GITHUB_RUN_ID": "4711", "BUNDLE": "bundle.jsonl", "VERSION": "1.0.7",
			},
			5,
			[]string{"https://plimsoll.dev/documents/junit/v1 false", "https://cyclonedx.org/bom false", provenance + " true"},
		},
		"gitlab-ci.yml": {
			map[string]string{
				"CI_PROJECT_PATH": "acme/gateway", "CI_PIPELINE_IID": "7", "CI_PROJECT_URL": "https://gitlab.example/acme/gateway", "CI_COMMIT_SHA": commit,
				"CI_COMMIT_REF_NAME": "main", "SIGN_KEY": "ci.key", "VERSION": "1.0.7",
			},
			6,
			[]string{"https://cyclonedx.org/bom true", "https://plimsoll.dev/documents/junit/v1 false"},
		},
	} {
		t.Run(file, func(t *testing.T) {
			example, err := filepath.Abs("../../docs/examples/ci/" + file)
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, testdb.SQLite(t))
			s.settle("payments", "gateway")
			s.guard("has-sbom", "sbom-complete", object{}, "DEV", "ENTRY", "BLOCK")
			t.Chdir(t.TempDir())
			signer, _, err := attest.LoadOrCreateSigner("ci.key")
			if err != nil {
				t.Fatal(err)
			}
			s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(signer.PublicKeyPEM())})
			write(t, ".", map[string]string{
				"dist/gateway.tar": "the gateway", "dist/test.log": "ok", "dist/reports/junit.xml": junit,
				"dist/sbom.cdx.json": bill, "bundle.jsonl": bundleOf(t, signer, canonical.Digest([]byte("the gateway"))) + "\n",
			})
			if file == "github-actions.yml" {
				write(t, ".", map[string]string{"dist/reports/sbom.cdx.json": bill})
			}
			ci := s.token("ci", "CONTRIBUTOR", "payments")
			commands := commandsOf(t, example)
			if len(commands) != c.commands {
				t.Errorf("found %d commands, want %d: %q", len(commands), c.commands, commands)
			}
			for _, command := range commands {
				s.want(cli.Done, ci, words(t, command, c.env)...)
			}
			version := s.ask(admin, `{ applicationVersion(application: "gateway", version: "1.0.7") { currentStage { name }
				evidence(first: 100) { edges { node { predicateType verified } } } } }`, nil, "applicationVersion").(object)
			var got []string
			for _, e := range version["evidence"].(object)["edges"].([]any) {
				node := e.(object)["node"].(object)
				got = append(got, fmt.Sprint(node["predicateType"], " ", node["verified"]))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.evidence) || text(t, version["currentStage"]) != `{"name":"DEV"}` {
				t.Errorf("evidence is %q, want %q; the version is in %v", got, c.evidence, version["currentStage"])
			}
		})
	}
}

// bundleOf is a Sigstore bundle with the provenance of something.
func bundleOf(t testing.TB, by *attest.Signer, digest string) string {
	t.Helper()
	st, err := attest.NewStatement(
		[]attest.Subject{{Name: "gateway.tar", Digest: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}}}, provenance,
		object{"buildDefinition": object{"buildType": "https://example.test/t"}, "runDetails": object{"builder": object{"id": "https://example.test/b"}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := by.Sign(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed.Bundle)
}

func TestPushingTellsWhatBecameOfEachFile(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	dir := t.TempDir()
	large := strings.Replace(bill, "{", "{"+strings.Repeat("\n", 9<<20), 1)
	write(t, dir, map[string]string{"a.json": bill, "b.json": `{"bomFormat":"CycloneDX"}`, "c.xml": junit, "d.json": large, "screen.bin": "\xff\xd8"})
	push1 := []string{"evidence", "push", "--output", "json", "--subject", image}
	_, out, _ := s.plimsoll(admin, append(push1, dir+"/a.json", dir+"/b.json", dir+"/c.xml")...)
	var got []push.Result
	for line := range strings.Lines(out) {
		var r push.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		got = append(got, r)
	}
	if len(got) != 3 || got[0].Status != push.Accepted || got[0].Digest != canonical.Digest([]byte(bill)) || got[1].Status != push.Refused ||
		got[1].Code != "BAD_USER_INPUT" || got[1].Message == "" || got[2].PredicateType != "https://plimsoll.dev/documents/junit/v1" {
		t.Errorf("said %s", out)
	}
	again := s.want(cli.WrongCall, admin, "evidence", "push", dir+"/a.json", dir+"/b.json", dir+"/c.xml", "--subject", image)
	if !strings.Contains(again, "0 accepted, 2 already known, 1 refused") {
		t.Errorf("again it says %s", again)
	}
	uploaded := s.want(cli.Done, admin, "evidence", "push", "--subject", image, dir+"/c.xml", "--attach", dir+"/screen.bin")
	if !strings.Contains(uploaded, "already known") {
		t.Errorf("with an attachment it says %s", uploaded)
	}
	if said := s.want(cli.Done, admin, "evidence", "push", "--subject", image, dir+"/d.json"); !strings.Contains(said, canonical.Digest([]byte(large))) {
		t.Errorf("a large one: %s", said)
	}
	attached := s.ask(admin, `{ searchEvidence(filter: {predicateTypes: ["https://plimsoll.dev/documents/junit/v1"]}, first: 10) { edges { node { attachments { name size } } } } }`, nil, "searchEvidence")
	if !strings.Contains(text(t, attached), `{"name":"screen.bin","size":2}`) {
		t.Errorf("attached is %s", text(t, attached))
	}
}

func TestAThousandFilesArePushedAtOnce(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	files := map[string]string{}
	for i := range 1_001 {
		files[fmt.Sprintf("%04d.json", i)] = strings.Replace(bill, "4.17.21", fmt.Sprint("4.17.", i), 2)
	}
	dir := t.TempDir()
	write(t, dir, files)
	if said := s.want(cli.Done, admin, "evidence", "push", "--subject", image, dir); !strings.Contains(said, "1001 accepted, 0 already known, 0 refused") {
		t.Errorf("said %s", said[max(0, len(said)-400):])
	}
}

func TestAGateThatSaysNoEndsWithOneAndSaysWhatToDo(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.guard("has-sbom", "sbom-complete", object{}, "DEV", "ENTRY", "BLOCK")
	created := s.want(cli.Done, admin, "version", "create", "--application", "gateway", "--version", "1.0.0", "--artifact", "image="+image)
	if !strings.HasPrefix(created, "gateway 1.0.0 LOCKED sha256:") {
		t.Errorf("said %s", created)
	}
	move := []string{"promote", "--application", "gateway", "--version", "1.0.0", "--stage", "DEV"}
	for _, args := range [][]string{append(move, "--dry-run"), move} {
		if said := s.want(cli.GateNo, admin, args...); !strings.Contains(said, "DEV ENTRY: FAIL") || !strings.Contains(said, "has-sbom (BLOCK)") {
			t.Errorf("%v says %s", args, said)
		}
	}
	s.want(cli.GateNo, admin, append(move, "--output", "json")...)
	file := filepath.Join(t.TempDir(), "sbom.json")
	write(t, filepath.Dir(file), map[string]string{"sbom.json": bill})
	s.want(cli.Done, admin, "evidence", "push", "--application", "gateway", "--version", "1.0.0", "--subject", image, file)
	for _, stage := range []string{"DEV", "QA"} {
		s.want(cli.Done, admin, "promote", "--application", "gateway", "--version", "1.0.0", "--stage", stage)
	}
	released := s.want(cli.Done, admin, "release", "--application", "gateway", "--version", "1.0.0", "--comment", "go")
	if !strings.HasPrefix(released, "gateway 1.0.0 COMPLETED, now in PROD, RELEASED\n") {
		t.Errorf("said %s", released)
	}
	s.want(cli.WrongCall, admin, "promote", "--application", "gateway", "--version", "9.9.9", "--stage", "DEV")
	s.want(cli.WrongCall, "a-token-that-opens-nothing", "release", "--application", "gateway", "--version", "1.0.0")
}

func TestAVersionIsMadeOfWhatTheFlagsName(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	dir := t.TempDir()
	write(t, dir, map[string]string{"gateway.tar": "the gateway"})
	s.want(cli.Done, admin, "build", "report", "--name", "ci", "--number", "7", "--project", "payments", "--repository", "https://git.example/g",
		"--revision", commit, "--artifact", "gateway.tar=file:"+dir+"/gateway.tar")
	sources := []string{"--application", "gateway", "--build", "ci#7", "--package", "pkg:npm/a@1=" + image, "--package", "pkg:npm/b@2", "--exclude", "pkg:npm/b*"}
	dry := s.want(cli.Done, admin, append([]string{"version", "create", "--version", "1.0.0", "--dry-run", "--output", "json"}, sources...)...)
	made := s.want(cli.Done, admin, append([]string{"version", "create", "--version", "1.0.0", "--tag", "first", "--output", "json"}, sources...)...)
	if want := strings.Replace(made, "LOCKED", "DRY_RUN", 1); dry != want {
		t.Errorf("a dry run says %s, want %s", dry, want)
	}
	s.want(cli.Done, admin, "version", "create", "--application", "gateway", "--version", "2.0.0", "--from", "gateway@1.0.0", "--draft")
	contents := s.ask(admin, `{ applicationVersion(application: "gateway", version: "2.0.0") { status contents { edges { node { name digest } } } } }`, nil, "applicationVersion").(object)
	if got := text(t, contents); contents["status"] != "DRAFT" || !strings.Contains(got, canonical.Digest([]byte("the gateway"))) || strings.Contains(got, `"name":"b"`) {
		t.Errorf("the version is %s", got)
	}
	s.want(cli.WrongCall, admin, "version", "create", "--application", "gateway", "--version", "1.0.0", "--artifact", "image="+image)
}
