package apitest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const countedRego = `# METADATA
# title: There are enough parts
# custom:
#   sentence: a version has at least {parameters.least} parts
package acme.enough

examined contains c.name if some c in input.contents

violations contains {"code": "TOO_FEW", "subject": "contents", "message": "there are too few parts"} if {
	count(input.contents) < data.parameters.least
}
`

const countedTests = `package acme.enough_test

import data.acme.enough

test_too_few if {
	count(enough.violations) == 1 with input as {"contents": []} with data.parameters as {"least": 1}
}
`

// policyFiles is a folder of policies as docs/policies-in-git.md lays it out.
func policyFiles() map[string]string {
	return map[string]string{
		"templates/enough/policy.rego":      countedRego,
		"templates/enough/policy_test.rego": countedTests,
		"templates/enough/schema.json":      `{"type": "object", "properties": {"least": {"type": "integer", "default": 1}, "where": {"$ref": "#/$defs/w"}}, "$defs": {"w": {"type": "string", "default": "all"}}}`,
		"templates/enough/template.json":    `{"category": "QUALITY"}`,
		"rules/enough.json":                 `{"name": "enough-parts", "template": "enough"}`,
		"policies/dev.json":                 `{"name": "dev", "mode": "WARN", "rules": ["enough-parts"], "gate": {"stage": "DEV", "kind": "ENTRY"}, "scope": {"type": "PROJECT", "projectKeys": ["payments"]}}`,
	}
}

func TestPoliciesKeptInAFolderComeToTheServerOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		dir := t.TempDir()
		write(t, dir, policyFiles())
		says := func(text string, parts ...string) {
			t.Helper()
			for _, part := range parts {
				if !strings.Contains(text, part) {
					t.Errorf("%q is not in\n%s", part, text)
				}
			}
		}
		says(s.want(cli.Done, admin, "policy", "check", dir), "1 templates looked at, 0 wrong")
		says(s.want(cli.Done, admin, "policy", "test", dir), "PASS  acme.enough_test.test_too_few", "1 tests ran")
		says(s.want(cli.Done, admin, "policy", "push", dir, "--dry-run"), "3 would be made, 0 to change")
		says(s.want(cli.Done, admin, "policy", "push", dir), "3 to make", "done: template enough", "done: policy dev")
		again := s.want(cli.Done, admin, "policy", "push", dir)
		says(again, "0 to make, 0 to change, 3 unchanged")

		// Another revision: its difference is shown, the rule gets a successor, and the policy moves to it.
		write(t, dir, map[string]string{"templates/enough/policy.rego": strings.Replace(countedRego, "too few parts", "too few things", 1)})
		says(s.want(cli.Done, admin, "policy", "push", dir),
			"change     template  enough  (rego; revision 1 becomes 2)", `-violations contains {"code": "TOO_FEW", "subject": "contents", "message": "there are too few parts"} if {`,
			`+violations contains {"code": "TOO_FEW", "subject": "contents", "message": "there are too few things"} if {`,
			"becomes enough-parts.r2, on enough, revision 2", "rules enough-parts becomes enough-parts.r2", "0 to make, 3 to change")
		says(s.want(cli.Done, admin, "policy", "push", dir), "0 to make, 0 to change, 3 unchanged")

		// What is wrong keeps everything from being written.
		write(t, dir, map[string]string{
			"templates/enough/policy.rego": strings.Replace(countedRego, "input.contents)", "input.contnets)", 1),
			"rules/more.json":              `{"name": "more-parts", "template": "enough", "parameters": {"least": 5}}`,
		})
		says(s.want(cli.GateNo, admin, "policy", "push", dir), "policy.rego:10:8: COMPILE: input has no contnets", "nothing was written")
		says(s.want(cli.GateNo, admin, "policy", "check", dir), "1 wrong")
		write(t, dir, map[string]string{
			"templates/enough/policy.rego":      countedRego,
			"templates/enough/policy_test.rego": strings.Replace(countedTests, "== 1 with", "== 2 with", 1),
		})
		says(s.want(cli.GateNo, admin, "policy", "test", dir), "FAIL  acme.enough_test.test_too_few", "policy_test.rego:5:1: TEST")
	})
}

func TestAFolderOfPoliciesThatIsWrongEndsWithTwo(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"a member that is misspelt":       {map[string]string{"rules/enough.json": `{"nam": "x"}`}, `unknown field "nam"`},
		"a rule twice":                    {map[string]string{"rules/other.json": `{"name": "enough-parts", "template": "enough"}`}, "is there twice"},
		"a rule without a template":       {map[string]string{"rules/other.json": `{"name": "other", "template": "none"}`}, "neither in the folder nor on the server"},
		"a policy without its rule":       {map[string]string{"policies/dev.json": `{"name": "dev", "rules": ["none"]}`}, "names rule none"},
		"a schema that is no JSON":        {map[string]string{"templates/enough/schema.json": `{`}, "is no JSON"},
		"a file with two values in it":    {map[string]string{"rules/enough.json": `{"name": "x", "template": "enough"} {}`}, "more than one value"},
		"a mode that there is not":        {map[string]string{"policies/dev.json": `{"name": "dev", "mode": "SHOUT", "rules": ["enough-parts"], "gate": {"stage": "DEV", "kind": "ENTRY"}, "scope": {"type": "GLOBAL"}}`}, "SHOUT"},
		"parameters that do not obey":     {map[string]string{"rules/enough.json": `{"name": "enough-parts", "template": "enough", "parameters": {"least": "x"}}`}, "/least"},
		"parameters that are not objects": {map[string]string{"rules/enough.json": `{"name": "enough-parts", "template": "enough", "parameters": [}`}, "enough.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, policyFiles())
			write(t, dir, c.files)
			if said := s.want(cli.WrongCall, admin, "policy", "push", dir); !strings.Contains(said, c.says) {
				t.Errorf("got %s", said)
			}
		})
	}
	if said := s.want(cli.WrongCall, admin, "policy", "push", t.TempDir()); !strings.Contains(said, "holds no templates") {
		t.Errorf("got %s", said)
	}
	if said := s.want(cli.WrongCall, admin, "policy", "check"); !strings.Contains(said, "give one folder") {
		t.Errorf("got %s", said)
	}
}

// TestTheExampleOfTheDocumentationIsAFolderOfPolicies keeps docs/examples/policies in step with what is pushed.
func TestTheExampleOfTheDocumentationIsAFolderOfPolicies(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	example, err := filepath.Abs("../../docs/examples/policies")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(example); err != nil {
		t.Fatal(err)
	}
	s.want(cli.Done, admin, "policy", "test", example)
	s.want(cli.Done, admin, "policy", "push", example, "--dry-run")
}
