package apitest_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/deployment"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const listDeployments = `query($f: DeploymentFilter) { deployments(filter: $f) { totalCount edges { node {
	id environment cluster kind status decision live startedAt finishedAt createdBy applicationVersion { version } } } } }`

// rollout is what to record of a version of the gateway.
func rollout(version string, more object) object {
	in := object{"applicationKey": "gateway", "version": version, "environment": "production", "kind": "RELEASE", "status": "SUCCEEDED"}
	maps.Copy(in, more)
	return in
}

func (s *server) runs(t *testing.T) []string {
	t.Helper()
	var versions []string
	for _, e := range s.post(admin, listDeployments, object{"f": object{"live": true}}).at(t, "deployments", "edges").([]any) {
		versions = append(versions, e.(object)["node"].(object)["applicationVersion"].(object)["version"].(string))
	}
	return versions
}

func TestWhatEndedLastIsWhatRuns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		for _, v := range []string{"1", "2", "3"} {
			s.report("gateway", v)
		}
		s.must(admin, "RecordDeployment", rollout("1", object{"finishedAt": "2026-01-01T00:00:00Z"}))
		id := s.must(admin, "RecordDeployment", rollout("2", object{"status": "IN_PROGRESS", "startedAt": "2026-01-02T00:00:00Z"}), "recordDeployment", "deployment", "id").(string)
		if got := s.runs(t); len(got) != 1 || got[0] != "1" {
			t.Errorf("while 2 is under way %v runs", got)
		}
		again := s.must(admin, "RecordDeployment", rollout("2", object{"status": "IN_PROGRESS", "startedAt": "2026-01-02T00:00:00Z"}), "recordDeployment", "deployment", "id").(string)
		if again != id {
			t.Error("the same rollout reported again is another")
		}
		s.must(admin, "RecordDeployment", rollout("2", object{"id": id, "finishedAt": "2026-01-02T01:00:00Z"}))
		s.must(admin, "RecordDeployment", rollout("3", object{"status": "FAILED", "finishedAt": "2026-01-03T00:00:00Z"}))
		s.must(admin, "RecordDeployment", rollout("3", object{"finishedAt": "2025-12-31T00:00:00Z"}))
		if got := s.runs(t); len(got) != 1 || got[0] != "2" {
			t.Errorf("%v runs, want 2: 3 failed, and once ended before", got)
		}
		s.must(admin, "RecordDeployment", rollout("3", object{"cluster": "eu"}))
		if got := s.runs(t); len(got) != 2 {
			t.Errorf("another cluster is another place: %v runs", got)
		}
		shown := s.post(admin, `{ applicationVersion(application: "gateway", version: "3") { deployments { cluster status live decision } } }`, nil).
			at(t, "applicationVersion", "deployments").([]any)
		if len(shown) != 3 || shown[2].(object)["live"] != true || shown[2].(object)["decision"] != "NOT_RELEASED" {
			t.Errorf("the version shows %v", shown)
		}
		ctx := auth.System(context.Background())
		if n := s.db.Read().ActivityEvent.Query().Where(activityevent.Type("DEPLOYMENT_RECORDED"), activityevent.SummaryContains("never released")).CountX(ctx); n != 6 {
			t.Errorf("%d events say that it was never released, want 6: the repeated report is none", n)
		}
	})
}

func TestARolloutIsReportedFromCI(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.report("gateway", "1")
	ci := s.token("ci", "CONTRIBUTOR", "payments")
	record := []string{"deployment", "record", "--application", "gateway", "--version", "1", "--environment", "production", "--cluster", "eu", "--kind", "RELEASE"}
	began := append(slices.Clone(record), "--status", "IN_PROGRESS", "--started", "2026-01-02T00:00:00Z")
	said := s.want(cli.Done, ci, began...)
	id, ok := strings.CutPrefix(said, "gateway 1 RELEASE on production/eu IN_PROGRESS NOT_RELEASED ")
	if !ok || s.want(cli.Done, ci, began...) != said {
		t.Errorf("said %s", said)
	}
	ended := append(slices.Clone(record), "--status", "SUCCEEDED", "--id", strings.TrimSpace(id), "--finished", "2026-01-02T00:01:00Z", "--output", "json")
	var got object
	if err := json.Unmarshal([]byte(s.want(cli.Done, ci, ended...)), &got); err != nil {
		t.Fatal(err)
	}
	if got["id"] != strings.TrimSpace(id) || got["status"] != "SUCCEEDED" || got["live"] != true || got["cluster"] != "eu" || got["version"] != "1" {
		t.Errorf("said %v", got)
	}
	node := s.ask(ci, `query($id: ID!) { node(id: $id) { ... on Deployment { startedAt finishedAt createdBy applicationVersion { version } } } }`, object{"id": got["id"]}, "node")
	if want := `{"applicationVersion":{"version":"1"},"createdBy":"ci","finishedAt":"2026-01-02T00:01:00Z","startedAt":"2026-01-02T00:00:00Z"}`; text(t, node) != want {
		t.Errorf("the rollout is %s", text(t, node))
	}
	for name, args := range map[string][]string{
		"another end":      append(slices.Clone(record), "--status", "FAILED", "--id", strings.TrimSpace(id)),
		"no such status":   append(slices.Clone(record), "--status", "MAYBE"),
		"no such instant":  append(slices.Clone(record), "--status", "FAILED", "--started", "yesterday"),
		"no token of ours": append(slices.Clone(record), "--status", "FAILED", "--token", "a-token-that-opens-nothing"),
	} {
		if got, _, stderr := s.plimsoll(ci, args...); got != cli.WrongCall || stderr == "" {
			t.Errorf("%s ends with %d: %s", name, got, stderr)
		}
	}
}

func TestOfEightRolloutsAtOnceOneRuns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1")
		document := contract(t, "RecordDeployment")
		for _, a := range together(8, func(int) answer { return s.post(admin, document, object{"input": rollout("1", nil)}) }) {
			if len(a.Errors) > 0 {
				t.Error(a.raw)
			}
		}
		ctx := auth.System(context.Background())
		all, live := s.db.Read().Deployment.Query().CountX(ctx), s.db.Read().Deployment.Query().Where(deployment.Live(true)).CountX(ctx)
		if all != 8 || live != 1 {
			t.Errorf("%d rollouts, %d of them live", all, live)
		}
	})
}

func TestRolloutsThatCannotBeAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("other", "elsewhere")
		s.report("gateway", "1")
		s.must(admin, "CreateApplicationVersion", object{"applicationKey": "gateway", "version": "draft", "draft": true, "sources": object{"artifacts": []object{{"name": "x", "digest": image}}}})
		id := s.must(admin, "RecordDeployment", rollout("1", nil), "recordDeployment", "deployment", "id")
		stranger := s.token("stranger", "RELEASER", "other")
		tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		for name, c := range map[string]struct {
			token      string
			in         object
			code, path string
		}{
			"a version that is not there":   {admin, rollout("9", nil), "NOT_FOUND", "input.version"},
			"a draft":                       {admin, rollout("draft", nil), "FAILED_PRECONDITION", "input.version"},
			"a version out of reach":        {stranger, rollout("1", nil), "NOT_FOUND", "input.version"},
			"an environment without a name": {admin, rollout("1", object{"environment": ""}), "BAD_USER_INPUT", "input.environment"},
			"an end before the beginning":   {admin, rollout("1", object{"startedAt": "2026-01-02T00:00:00Z", "finishedAt": "2026-01-01T00:00:00Z"}), "BAD_USER_INPUT", "input.finishedAt"},
			"an end tomorrow":               {admin, rollout("1", object{"finishedAt": tomorrow}), "BAD_USER_INPUT", "input.finishedAt"},
			"the end of what is under way":  {admin, rollout("1", object{"status": "IN_PROGRESS", "finishedAt": "2026-01-01T00:00:00Z"}), "BAD_USER_INPUT", "input.finishedAt"},
			"another end":                   {admin, rollout("1", object{"id": id, "status": "FAILED"}), "CONFLICT", "input.status"},
			"another place under one id":    {admin, rollout("1", object{"id": id, "environment": "staging"}), "BAD_USER_INPUT", "input.environment"},
			"an id that is none":            {admin, rollout("1", object{"id": "nothing"}), "BAD_USER_INPUT", "input.id"},
		} {
			t.Run(name, func(t *testing.T) {
				s.t = t
				before := s.trace()
				if code, path := s.try(c.token, "RecordDeployment", c.in).code(); code != c.code || path != c.path {
					t.Errorf("%s at %q, want %s at %q", code, path, c.code, c.path)
				}
				if s.trace() != before {
					t.Error("it left something behind")
				}
			})
		}
	})
}

func TestAPackageIsDeprecatedAndSoNoLonger(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.must(admin, "BindPackage", object{"applicationKey": "gateway", "purl": "pkg:npm/left-pad"})
		const deprecate = `mutation($input: DeprecatePackageInput!) { deprecatePackage(input: $input) { package { purl deprecated { reason since } } } }`
		listed := func() int {
			return len(s.post(admin, `{ deprecatedPackages { edges { node { purl deprecated { reason } } } } }`, nil).at(t, "deprecatedPackages", "edges").([]any))
		}
		ours, theirs := s.token("ours", "CONTRIBUTOR", "payments"), s.token("everywhere", "VIEWER", "")
		in := object{"purl": "pkg:npm/left-pad", "reason": "use padStart of the language"}
		if got := s.post(theirs, deprecate, object{"input": in}); len(got.Errors) == 0 {
			t.Error("a viewer deprecates")
		}
		if code, path := s.post(ours, deprecate, object{"input": object{"purl": "pkg:npm/left-pad"}}).code(); code != "BAD_USER_INPUT" || path != "input.reason" {
			t.Errorf("without a reason: %s at %q", code, path)
		}
		if code, path := s.post(ours, deprecate, object{"input": object{"purl": "pkg:npm/left-pad@1", "reason": "long enough for it"}}).code(); code != "BAD_USER_INPUT" || path != "input.purl" {
			t.Errorf("a version of it: %s at %q", code, path)
		}
		for range 2 {
			if got := s.post(ours, deprecate, object{"input": in}).at(t, "deprecatePackage", "package", "deprecated", "reason"); got != "use padStart of the language" {
				t.Errorf("the reason is %v", got)
			}
		}
		for query, want := range map[string]string{
			`{ packages { edges { node { deprecated { reason } } } } }`:           `{"packages":{"edges":[{"node":{"deprecated":{"reason":"use padStart of the language"}}}]}}`,
			`{ deprecatedPackages { edges { node { deprecated { reason } } } } }`: `{"deprecatedPackages":{"edges":[{"node":{"deprecated":{"reason":"use padStart of the language"}}}]}}`,
			`{ package(purl: "pkg:npm/left-pad") { deprecated { reason } } }`:     `{"package":{"deprecated":{"reason":"use padStart of the language"}}}`,
		} {
			if got := s.post(theirs, query, nil); string(got.Data) != want {
				t.Errorf("%s says %s", query, got.raw)
			}
		}
		ctx := auth.System(context.Background())
		if n := s.db.Read().ActivityEvent.Query().Where(activityevent.Type("PACKAGE_DEPRECATED")).CountX(ctx); n != 1 || listed() != 1 {
			t.Errorf("%d events, %d listed, want one each: the second time changes nothing", n, listed())
		}
		if got := s.post(ours, deprecate, object{"input": object{"purl": "pkg:npm/left-pad", "deprecated": false}}).at(t, "deprecatePackage", "package", "deprecated"); got != nil || listed() != 0 {
			t.Errorf("taken back, it says %v, and %d are listed", got, listed())
		}
	})
}
