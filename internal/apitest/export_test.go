package apitest_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule23_AnExportedDecisionIsMadeAgainByStockTools exports a decision, lets verify.sh make it again with stock opa, and then
// flips a byte in every file of the folder: each is noticed, and named.
func TestRule23_AnExportedDecisionIsMadeAgainByStockTools(t *testing.T) {
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		t.Skip("make test builds the tools")
	}
	if _, err := os.Stat(filepath.Join(tools, "opa")); err != nil {
		t.Fatalf("PLIMSOLL_TOOLS is set, but: %v; run scripts/tools opa", err)
	}
	s := start(t, testdb.SQLite(t))
	id := s.decision()
	dir := filepath.Join(t.TempDir(), "replay")
	if code, stdout, stderr := s.plimsoll(admin, "evaluation", "export", id, "--output", dir); code != cli.Done {
		t.Fatalf("ended with %d: %s%s", code, stdout, stderr)
	}
	if code, said := verify(t, tools, dir); code != 0 || !strings.Contains(said, "the same: FAIL") || strings.Count(said, "the same, byte for byte") != 3 || !strings.Contains(said, "but for escapes") {
		t.Fatalf("verify.sh ended with %d: %s", code, said)
	}
	layers := map[string]string{
		"input.json": "the input was altered", "capabilities.json": "the capabilities was altered", "policies.json": "the list of policies was altered",
		"waivers.json": "the waivers was altered", "result.json": "the result was altered", "decide.jq": "the program that decides was altered",
		"manifest.json": "the manifest was altered", "SHA256SUMS": "altered", "README.md": "README.md was altered", "verify.sh": "verify.sh was altered",
		"policy.rego": "the policy (Rego) of rule ", "data.json": "the parameters of rule ", "query.txt": "the query of rule ", "expected.json": "what rule ",
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		flipped := append([]byte{}, text...)
		at := len(flipped) / 2
		if d.Name() == "verify.sh" { // in a comment: a program that cannot run says so by itself
			at = strings.Index(string(text), "Makes a recorded")
		}
		flipped[at] ^= 1
		if err := os.WriteFile(path, flipped, 0o700); err != nil {
			return err
		}
		if code, said := verify(t, tools, dir); code != 1 || layers[d.Name()] == "" || !strings.Contains(said, layers[d.Name()]) {
			t.Errorf("%s with another byte: verify.sh ended with %d: %s", path, code, said)
		}
		return os.WriteFile(path, text, 0o700)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.exportedBadly(t, id, dir)
}

// exportedBadly holds what the command refuses, and that a zip is the same each time.
func (s *server) exportedBadly(t *testing.T, id, dir string) {
	t.Helper()
	var zips []string
	for _, name := range []string{"a.zip", "b.zip"} {
		path := filepath.Join(t.TempDir(), name)
		if code, _, stderr := s.plimsoll(admin, "evaluation", "export", id, "--output", path); code != cli.Done {
			t.Fatalf("ended with %d: %s", code, stderr)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		zips = append(zips, string(b))
	}
	if zips[0] != zips[1] || !strings.HasPrefix(zips[0], "PK") {
		t.Error("the same decision gives two zip files")
	}
	for want, args := range map[string][]string{
		"one decision": {}, "no decision": {"eval-entry-0000000000000000"}, "already": {id, "--output", dir}, "name of one": {"../x"},
	} {
		if code, _, stderr := s.plimsoll(admin, append([]string{"evaluation", "export"}, args...)...); code != cli.WrongCall || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d and %s", args, code, stderr)
		}
	}
}

const odd = `package acme.odd

examined contains "<a> & \u2028"

violations contains {"code": "ODD", "subject": "<a>", "message": sprintf("%s & %d", [input.application.key, data.parameters.n])} if data.parameters.n > 1
`

// decision is one of three rules: two found nothing, and one says what has to be escaped and is waived.
func (s *server) decision() (id string) {
	s.t.Helper()
	s.settle("payments", "gateway")
	s.must(admin, "CreatePolicyTemplate", object{"name": "odd", "category": "QUALITY", "rego": odd, "parametersSchema": object{
		"type": "object", "properties": object{"n": object{"type": "number"}},
	}})
	s.guard("odd", "odd", object{"n": 1.5}, "DEV", "ENTRY", "WARN")
	s.guard("bills", "sbom-complete", object{}, "DEV", "ENTRY", "BLOCK")
	s.guard("licences", "license-allowed", object{"deny": []string{"MIT"}}, "DEV", "ENTRY", "WARN")
	s.report("gateway", "1.0.0")
	waiver := s.must(s.token("asks", "CONTRIBUTOR", "payments"), "RequestWaiver", object{
		"policy": "odd", "applicationKey": "gateway", "code": "ODD", "justification": "because of that", "expiresAt": tomorrow(),
	}, "requestWaiver", "waiver", "id")
	s.must(s.token("approves", "WAIVER_APPROVER", "payments"), "DecideWaiver", object{"id": waiver, "approve": true})
	got := s.must(admin, "Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"}, "promoteApplicationVersion", "evaluations").([]any)
	return got[0].(object)["evalId"].(string)
}

func verify(t *testing.T, tools, dir string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(dir, "verify.sh"))
	cmd.Env = append(os.Environ(), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestTheStockOPAIsOfTheReleaseThatIsLinked: another one may say the same in other bytes.
func TestTheStockOPAIsOfTheReleaseThatIsLinked(t *testing.T) {
	versions := map[string]bool{}
	for _, file := range []string{"../../go.mod", "../tools/opa/go.mod"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "github.com/open-policy-agent/opa v")
		version, _, _ := strings.Cut(rest, "\n")
		versions[strings.Fields(version + " none")[0]] = true
	}
	if len(versions) != 1 {
		t.Errorf("linked and stock are %v", versions)
	}
}
