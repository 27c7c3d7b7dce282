package apitest_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

const pathToGreen = `query PathToGreen($application: String!, $version: String!, $toStage: String!) {
  pathToGreen(application: $application, version: $version, toStage: $toStage) {
    open actions { kind what command owner { ref } rules } unreachable
  }
}`

// TestRule24_WhatIsRequired asks before anyone tries, does what is said, and gets there.
func TestRule24_WhatIsRequired(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("books", "ledger")
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		s.guard("tested", "evidence-present", object{"predicateType": testResult, "signers": []string{"ci"}}, "QA", "ENTRY", "BLOCK")
		s.guard("built", "slsa-provenance", object{"builders": []string{"https://ci.example.org/"}}, "PROD", "RELEASE", "BLOCK")
		s.guard("through-qa", "gate-certified", object{"stage": "QA", "gate": "ENTRY"}, "PROD", "RELEASE", "BLOCK")
		manifest := s.report("gateway", "1.0.0")
		required := func(token string, variables object) []any {
			t.Helper()
			return s.post(token, contract(t, "WhatIsRequired"), variables).at(t, "requiredPolicies").([]any)
		}
		s.checkRequired(t, required(admin, object{"application": "gateway", "toStage": "PROD"}), required(admin, object{"application": "gateway", "version": "1.0.0", "toStage": "PROD"}))
		path := func(token string) answer {
			return s.post(token, pathToGreen, object{"application": "gateway", "version": "1.0.0", "toStage": "PROD"})
		}
		want := []object{
			{"kind": "EVIDENCE", "rules": []string{"built"}, "command": "plimsoll evidence push --subject " + image + " --predicate-type " + provenance + " --sign-key KEY FILE"},
			{"kind": "EVIDENCE", "rules": []string{"tested"}, "command": "plimsoll evidence push --subject " + manifest + " --predicate-type " + testResult + " --sign-key KEY FILE"},
		}
		got := path(admin).at(t, "pathToGreen", "actions").([]any)
		if len(got) != len(want) {
			t.Fatalf("to do is %s", text(t, got))
		}
		for i, a := range got {
			a := a.(object)
			if text(t, object{"kind": a["kind"], "rules": a["rules"], "command": a["command"]}) != text(t, want[i]) {
				t.Errorf("to do is %s, want %s", text(t, a), text(t, want[i]))
			}
		}
		s.checkOutOfReach(t, required)
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, testResult, object{"result": "PASSED"}, manifest)})
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, provenance, object{
			"buildDefinition": object{"buildType": "https://example.org/b", "externalParameters": object{}, "resolvedDependencies": []object{}},
			"runDetails":      object{"builder": object{"id": "https://ci.example.org/"}},
		}, image)})
		if green := text(t, path(admin).at(t, "pathToGreen")); green != `{"actions":[],"open":true,"unreachable":[]}` {
			t.Errorf("when all is done, left is %s", green)
		}
		s.move("1.0.0", "DEV", "COMPLETED")
		s.move("1.0.0", "QA", "COMPLETED")
		released := s.must(admin, "Release", object{"applicationKey": "gateway", "version": "1.0.0"}, "releaseApplicationVersion", "promotion", "status")
		if released != "COMPLETED" {
			t.Errorf("the release is %v", released)
		}
		if left := required(admin, object{"application": "gateway", "version": "1.0.0", "toStage": "PROD"}); len(left) != 0 {
			t.Errorf("where it is, it has to meet %s", text(t, left))
		}
	})
}

// checkRequired looks at what any version, and one that has nothing yet, has to meet.
func (s *server) checkRequired(t *testing.T, always, now []any) {
	t.Helper()
	if len(always) != 5 || len(now) != 5 {
		t.Fatalf("on the way are %d gates, for the version %d", len(always), len(now))
	}
	rule := func(list []any, gate int) object {
		policies := list[gate].(object)["policies"].([]any)
		return policies[0].(object)["rules"].([]any)[0].(object)
	}
	if r := rule(always, 2); r["satisfied"] != nil || len(r["missing"].([]any)) != 1 || r["name"] != "tested" || r["title"] != "Evidence is present" {
		t.Errorf("any version has to meet %s", text(t, r))
	}
	if because := always[2].(object)["policies"].([]any)[0].(object)["because"]; because != "guards every application" {
		t.Errorf("a policy applies because it %v", because)
	}
	r := rule(now, 2)
	piece := r["missing"].([]any)[0].(object)
	if r["satisfied"] != false || !strings.Contains(piece["what"].(string), "no evidence of type "+testResult) ||
		!strings.HasPrefix(piece["command"].(string), "plimsoll evidence push --subject sha256:") || piece["owner"].(object)["ref"] != "team:payments" {
		t.Errorf("the version has to meet %s", text(t, r))
	}
}

// checkOutOfReach lets somebody of another project ask: for them there is no such application.
func (s *server) checkOutOfReach(t *testing.T, required func(token string, variables object) []any) {
	t.Helper()
	stranger := s.token("stranger", "VIEWER", "books")
	for _, variables := range []object{
		{"application": "gateway", "toStage": "PROD"},
		{"application": "gateway", "version": "1.0.0", "toStage": "PROD"},
		{"application": "gateway", "toStage": "NOWHERE"},
		{"application": "nothing", "toStage": "PROD"},
	} {
		if got := required(stranger, variables); len(got) != 0 {
			t.Errorf("out of reach one learns %s", text(t, got))
		}
	}
	var said []string
	for _, application := range []string{"gateway", "nothing"} {
		got := s.post(stranger, pathToGreen, object{"application": application, "version": "1.0.0", "toStage": "PROD"})
		if code, _ := got.code(); code != "NOT_FOUND" {
			t.Errorf("a path out of reach is %s", got.raw)
		}
		said = append(said, strings.ReplaceAll(got.Errors[0].Message, application, "it"))
	}
	if said[0] != said[1] {
		t.Errorf("one that is there is told from one that is not: %q", said)
	}
	wrong := s.post(admin, contract(t, "WhatIsRequired"), object{"application": "gateway", "toStage": "NOWHERE"})
	if code, path := wrong.code(); code != "BAD_USER_INPUT" || path != "toStage" || !strings.Contains(wrong.raw, "DEV → QA → PROD") {
		t.Errorf("a stage that is not there is answered with %s", wrong.raw)
	}
}
