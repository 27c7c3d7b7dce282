package apitest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// contentsOf are the lines of a version as somebody sees them.
func (s *server) contentsOf(token, version string) string {
	s.t.Helper()
	got := s.post(token, `query($v: String!) { applicationVersion(application: "gateway", version: $v) { contents { edges { node {
		name connectionLevel owningApplication { key } source { kind build { number } applicationVersion { version } } } } } } }`, object{"v": version})
	if len(got.Errors) > 0 {
		s.t.Fatal(got.raw)
	}
	var lines []string
	for _, e := range got.at(s.t, "applicationVersion", "contents", "edges").([]any) {
		n := e.(object)["node"].(object)
		line := fmt.Sprint(n["name"], " ", n["connectionLevel"])
		if app, ok := n["owningApplication"].(object); ok {
			line += fmt.Sprint(" ", app["key"])
		}
		source := n["source"].(object)
		line += fmt.Sprint(" ", source["kind"])
		if b, ok := source["build"].(object); ok {
			line += fmt.Sprint(" #", b["number"])
		}
		if v, ok := source["applicationVersion"].(object); ok {
			line += fmt.Sprint(" @", v["version"])
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func TestRule03_AVersionFromABuildAVersionAndAFilter(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("shared", "library")
		s.build(admin, "7", "shared")
		s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "library", "version": "5.0", "sources": object{"artifacts": []object{{"name": "lib.jar", "digest": image}, {"name": "lib-sources.jar", "digest": image}}},
		})
		input := object{
			"applicationKey": "gateway", "version": "1.0.0", "dryRun": true, "properties": []object{{"key": "ticket", "value": "CHG-1"}},
			"sources": object{"builds": []object{{"name": "ci", "number": "7"}}, "versions": []object{{"applicationKey": "library", "version": "5.0"}}},
			"filters": object{"include": []string{"*.jar", "pkg:npm/*", "image"}, "exclude": []string{"*-sources.jar"}},
		}
		create := `mutation($input: CreateApplicationVersionInput!) { createApplicationVersion(input: $input) { manifest manifestDigest
			applicationVersion { status lockedAt manifestDigest properties { key value } } } }`
		dry := s.post(admin, create, object{"input": input}).at(t, "createApplicationVersion").(object)
		if dry["applicationVersion"] != nil || !strings.Contains(dry["manifest"].(string), "lib.jar") {
			t.Errorf("a dry run answers %s", text(t, dry))
		}
		delete(input, "dryRun")
		made := s.post(admin, create, object{"input": input}).at(t, "createApplicationVersion").(object)
		v := made["applicationVersion"].(object)
		if made["manifest"] != dry["manifest"] || v["manifestDigest"] != dry["manifestDigest"] || v["status"] != "LOCKED" || v["lockedAt"] == nil || text(t, v["properties"]) != `[{"key":"ticket","value":"CHG-1"}]` {
			t.Errorf("made is %s", text(t, made))
		}
		if got := s.contentsOf(admin, "1.0.0"); got != "image THIRD_PARTY BUILD #7, lib.jar SECOND_PARTY library VERSION @5.0, login THIRD_PARTY BUILD #7" {
			t.Errorf("the contents are %s", got)
		}
		// Who sees the gateway alone sees neither the build nor the version that brought its parts.
		if got := s.contentsOf(s.token("viewer", "VIEWER", "payments"), "1.0.0"); got != "image THIRD_PARTY BUILD, lib.jar THIRD_PARTY VERSION, login THIRD_PARTY BUILD" {
			t.Errorf("a viewer of payments sees %s", got)
		}
	})
}

func TestRule03_ADraftOnItsWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		send := func(mutation string, input object) object {
			t.Helper()
			input["applicationKey"] = "gateway"
			got := s.post(admin, fmt.Sprintf(`mutation($input: %s%sInput!) { %s(input: $input) { applicationVersion { version status tag lockedAt archivedAt manifestDigest manifest } } }`,
				strings.ToUpper(mutation[:1]), mutation[1:], mutation), object{"input": input})
			if len(got.Errors) > 0 {
				t.Fatalf("%s: %s", mutation, got.raw)
			}
			return got.at(t, mutation, "applicationVersion").(object)
		}
		draft := send("createApplicationVersion", object{"version": "next", "draft": true, "sources": object{"artifacts": []object{{"name": "image", "digest": image}}}})
		if draft["status"] != "DRAFT" || draft["lockedAt"] != nil {
			t.Errorf("a draft is %s", text(t, draft))
		}
		grown := send("addVersionSources", object{"version": "next", "sources": object{"packages": []object{{"purl": "pkg:npm/a@1"}}}})
		if grown["manifestDigest"] == draft["manifestDigest"] || !strings.Contains(grown["manifest"].(string), "pkg:npm/a@1") {
			t.Errorf("it grew to %s", text(t, grown))
		}
		if named := send("updateApplicationVersion", object{"version": "next", "newVersion": "1.0.0", "tag": "october"}); named["version"] != "1.0.0" || named["tag"] != "october" {
			t.Errorf("it is called %s", text(t, named))
		}
		// The first promotion locks it.
		s.move("1.0.0", "DEV", "COMPLETED")
		if v := send("lockApplicationVersion", object{"version": "1.0.0"}); v["status"] != "LOCKED" || v["lockedAt"] == nil {
			t.Errorf("after its first promotion it is %s", text(t, v))
		}
		if v := send("archiveApplicationVersion", object{"version": "1.0.0"}); v["archivedAt"] == nil {
			t.Errorf("archived it is %s", text(t, v))
		}
		got := s.post(admin, `{ applicationVersions { totalCount } gone: applicationVersions(filter: {archived: true}) { totalCount }
			application(key: "gateway") { versions { totalCount } } applicationVersion(application: "gateway", version: "1.0.0") { status } }`, nil)
		if want := `{"applicationVersions":{"totalCount":0},"gone":{"totalCount":1},"application":{"versions":{"totalCount":0}},"applicationVersion":{"status":"LOCKED"}}`; string(got.Data) != want {
			t.Errorf("the lists are %s, want %s", got.Data, want)
		}
		send("createApplicationVersion", object{"version": "2.0.0", "draft": true, "sources": object{"artifacts": []object{{"name": "image", "digest": image}}}})
		if v := send("lockApplicationVersion", object{"version": "2.0.0"}); v["status"] != "LOCKED" {
			t.Errorf("locked it is %s", text(t, v))
		}
		refused := s.post(admin, `mutation { deleteDraftVersion(input: {applicationKey: "gateway", version: "2.0.0"}) { version } }`, nil)
		if code, _ := refused.code(); code != "FAILED_PRECONDITION" || !strings.Contains(refused.raw, "archive") {
			t.Errorf("a locked version is deleted: %s", refused.raw)
		}
	})
}
