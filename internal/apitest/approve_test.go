package apitest_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule43_APersonApprovesAndAProgramDoesNot: a token says whether a person holds it, and the log does not name the person.
func TestRule43_APersonApprovesAndAProgramDoesNot(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		token := func(name string, person bool) string {
			made := s.post(admin, `mutation($input: CreateTokenInput!) { createToken(input: $input) { secret } }`,
				object{"input": object{"name": name, "role": "RELEASER", "person": person}})
			_, secret, _ := strings.Cut(string(made.Data), `"secret":"`)
			secret, _, found := strings.Cut(secret, `"`)
			if !found {
				t.Fatal(made.raw)
			}
			return secret
		}
		version := s.post(admin, `{ applicationVersion(application: "gateway", version: "1.0.0") { manifestDigest } }`, nil)
		_, digest, _ := strings.Cut(string(version.Data), `"manifestDigest":"`)
		digest, _, _ = strings.Cut(digest, `"`)
		const approve = `mutation($input: ApproveApplicationVersionInput!) { approveApplicationVersion(input: $input) { approval { by decision counts } } }`
		input := object{"input": object{"applicationKey": "gateway", "version": "1.0.0", "manifestDigest": digest, "comment": "fit for sea"}}
		if got := s.post(token("ci", false), approve, input); !strings.Contains(got.raw, "FAILED_PRECONDITION") {
			t.Errorf("a program approved: %s", got.raw)
		}
		if got := s.post(token("grace", true), approve, input); !strings.Contains(got.raw, `{"by":"grace","decision":"APPROVED","counts":true}`) {
			t.Errorf("a person could not approve: %s", got.raw)
		}
		made := s.post(admin, `{ activityLog(where: {types: [TOKEN_CREATED]}, first: 10) { edges { node { subject summary } } } }`, nil)
		if !strings.Contains(made.raw, "of a person") || strings.Contains(made.raw, "grace") {
			t.Errorf("the log names a person in its text: %s", made.raw)
		}
	})
}
