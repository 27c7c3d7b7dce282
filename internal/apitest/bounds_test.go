package apitest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

const endless = `package acme.endless

examined contains "x"

violations contains {"code": "C", "subject": "s", "message": "m"} if {
	some i in numbers.range(1, 1000000)
	walk(input, [path, _])
	path == [i]
}
`

// TestRule22_WhileARuleRunsWithoutEndTheServerAnswersOthers: its gate is closed as ERROR, the rule beside it answers, and nobody
// else waits.
func TestRule22_WhileARuleRunsWithoutEndTheServerAnswersOthers(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.must(admin, "CreatePolicyTemplate", object{"name": "endless", "category": "QUALITY", "rego": endless, "parametersSchema": object{"type": "object"}})
	s.guard("endless", "endless", object{}, "DEV", "ENTRY", "BLOCK")
	s.guard("owners", "owner-set", object{}, "DEV", "ENTRY", "BLOCK")
	s.report("gateway", "1.0.0")
	done := make(chan answer)
	go func() {
		done <- s.try(admin, "Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"})
	}()
	for slowest := time.Duration(0); ; {
		select {
		case a := <-done:
			if slowest > time.Second {
				t.Errorf("meanwhile an answer took %v", slowest)
			}
			if !strings.Contains(a.raw, `"FAILED"`) || !strings.Contains(a.raw, `"ERROR"`) || len(a.Errors) > 0 {
				t.Errorf("the gate says %s", a.raw)
			}
			s.bothAnswered(t)
			return
		case <-time.After(50 * time.Millisecond):
			asked := time.Now()
			s.post(admin, `{ projects { edges { node { key } } } }`, nil).at(t, "projects")
			slowest = max(slowest, time.Since(asked))
		}
	}
}

func (s *server) bothAnswered(t *testing.T) {
	t.Helper()
	raw := s.post(admin, `{ applicationVersion(application: "gateway", version: "1.0.0") { promotions { edges { node { status evaluations {
		decision results { rule { name } outcome error } } } } } } }`, nil).raw
	for _, want := range []string{`"decision":"ERROR"`, `{"rule":{"name":"endless"},"outcome":"ERROR","error":"evaluate policy`, `{"rule":{"name":"owners"},"outcome":"PASS","error":null}`} {
		if !strings.Contains(raw, want) {
			t.Errorf("%s is missing in %s", want, raw)
		}
	}
}
