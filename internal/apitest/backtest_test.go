package apitest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule25_ABacktestSaysWhatIsKnownBeforehand: of three versions two lack a bill of materials, and one of them got none later.
func TestRule25_ABacktestSaysWhatIsKnownBeforehand(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.guard("bills", "sbom-complete", object{}, "DEV", "ENTRY", "WARN")
		for _, version := range []string{"1.0", "1.1"} {
			s.report("gateway", version)
			s.move(version, "DEV", "COMPLETED")
		}
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"digest": image}}}})
		s.report("gateway", "1.2")
		s.move("1.2", "DEV", "COMPLETED")
		before := s.trace()
		got := s.must(admin, "BacktestPolicy", object{"policy": "bills"}, "backtestPolicy").(object)
		var flipped []string
		for _, f := range got["flips"].([]any) {
			f := f.(object)
			flipped = append(flipped, fmt.Sprint(f["version"].(object)["version"], " ", f["was"], "→", f["wouldBe"], " ", f["results"].([]any)[0].(object)["outcome"]))
		}
		if want := "1.0 WARN→FAIL NOT_EVIDENCED; 1.1 WARN→FAIL NOT_EVIDENCED"; strings.Join(flipped, "; ") != want || got["evaluationsConsidered"] != 3.0 {
			t.Errorf("%v of %v, want %s of 3", flipped, got["evaluationsConsidered"], want)
		}
		draft := object{"name": "licences", "rules": []string{"bills"}, "mode": "BLOCK", "gate": object{"stage": "DEV", "kind": "ENTRY"}, "scope": object{"type": "PROJECT", "projectKeys": []string{"payments"}}}
		viewer := s.token("reader", "VIEWER", "payments")
		if got := s.must(viewer, "BacktestPolicy", object{"draft": draft}, "backtestPolicy", "flips").([]any); len(got) != 2 {
			t.Errorf("a draft flips %d, want 2", len(got))
		}
		if code, path := s.try(admin, "BacktestPolicy", object{"draft": draft, "policy": "bills"}).code(); code != "BAD_USER_INPUT" || path != "input" {
			t.Errorf("both are %s at %s", code, path)
		}
		if after := s.trace(); !onlyToken(before, after) {
			t.Errorf("a back-test wrote:\n%s\nbecame\n%s", before, after)
		}
		s.backtestByCommand(t)
	})
}

// onlyToken tells whether all that came are the rows of the token that the test made, and its event's place in the log.
func onlyToken(before, after string) bool {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range was {
		table, _, _ := strings.Cut(was[i], " ")
		switch table {
		case "tokens", "principals", "role_bindings", "activity_events", "activity_openings", "activity_positions", "log_tiles", "log_checkpoints":
			continue
		}
		if i >= len(is) || was[i] != is[i] {
			return false
		}
	}
	return true
}

// backtestByCommand asks on the command line, in several windows, and compares with one question about the whole.
func (s *server) backtestByCommand(t *testing.T) {
	t.Helper()
	from, to := time.Now().AddDate(0, 0, -80).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	code, stdout, stderr := s.plimsoll(admin, "policy", "backtest", "bills", "--from", from, "--to", to, "--output", "json")
	var got struct {
		FlipCount, EvaluationsConsidered int
		Digest                           string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != cli.Done || got.FlipCount != 2 || got.EvaluationsConsidered != 3 {
		t.Fatalf("ended with %d, %s, %s", code, stdout, stderr)
	}
	if strings.Count(stderr, "decisions made again") != 3 {
		t.Errorf("the way was told as %q", stderr)
	}
	whole := s.post(admin, `query($input: BacktestPolicyInput!) { backtestPolicy(input: $input) { digest } }`, object{"input": object{"policy": "bills", "from": from, "to": to}}).at(t, "backtestPolicy", "digest")
	if whole != got.Digest {
		t.Errorf("the server gives %s, the command %s", whole, got.Digest)
	}
	if code, stdout, _ := s.plimsoll(admin, "policy", "backtest", "bills"); code != cli.Done || !strings.Contains(stdout, "gateway@1.0 WARN → FAIL") || !strings.Contains(stdout, "3 decisions made again, 2 would have been others, 0 could not be read") {
		t.Errorf("ended with %d and %s", code, stdout)
	}
	draft := filepath.Join(t.TempDir(), "draft.json")
	if err := os.WriteFile(draft, []byte(`{"name":"d","rules":["bills"],"mode":"WARN","gate":{"stage":"DEV","kind":"ENTRY"},"scope":{"type":"GLOBAL"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := s.plimsoll(admin, "policy", "backtest", "--draft", draft); code != cli.Done || !strings.Contains(stdout, "3 decisions made again, 0 would have") {
		t.Errorf("a draft ended with %d and %s%s", code, stdout, stderr)
	}
	for want, args := range map[string][]string{
		"the name of one policy": {"policy", "backtest"}, "no policy": {"policy", "backtest", "none"}, "--from": {"policy", "backtest", "bills", "--from", "noon"},
	} {
		if code, _, stderr := s.plimsoll(admin, args...); code != cli.WrongCall || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d and %s", args, code, stderr)
		}
	}
}
