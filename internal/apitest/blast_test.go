package apitest_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

func (s *server) radius(token string, variables object) object {
	s.t.Helper()
	return s.ask(token, contract(s.t, "BlastRadius"), variables, "blastRadius").(object)
}

// TestRule38TheBlastRadiusOfAPackage sends the contract's document along the whole road: reported, described, promoted, asked.
func TestRule38TheBlastRadiusOfAPackage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		lodash, other := library("lodash", "4.17.20", "MIT"), library("left-pad", "1.3.0", "WTFPL")
		s.made("1.0.0", billOf(lodash, other), billOf(other))
		s.made("1.1.0", billOf(lodash))
		s.made("2.0.0", billOf(library("lodash", "4.17.21", "MIT")))
		s.move("1.1.0", "DEV", "COMPLETED")
		s.must(admin, "CreateProject", object{"key": "web", "name": "Web"})
		stranger := s.token("stranger", "VIEWER", "web")

		old := object{"of": object{"purlRange": object{"purl": "pkg:npm/lodash", "range": "vers:npm/<4.17.21"}}, "first": 1}
		got := s.radius(admin, old)
		if sum := fmt.Sprint(got["summary"]); sum != "map[applicationVersions:2 applications:1 components:1 deployments:0 owners:2]" {
			t.Errorf("in all: %s", sum)
		}
		if by := text(t, got["byStage"]); by != `[{"applicationVersions":1,"stage":{"name":"DEV"}},{"applicationVersions":1,"stage":null}]` {
			t.Errorf("by stage: %s", by)
		}
		if o := text(t, got["owners"]); !strings.Contains(o, `"ref":"team:payments"`) || !strings.Contains(o, `"ref":"user:alice"`) {
			t.Errorf("owners: %s", o)
		}
		page := got["applicationVersions"].(object)
		edge := page["edges"].([]any)[0].(object)
		if v := edge["node"].(object)["version"]; v != "1.1.0" || page["totalCount"] != 2.0 {
			t.Errorf("the newest of %v is %v", page["totalCount"], v)
		}
		way := edge["through"].([]any)[0].(object)
		if way["component"].(object)["purl"] != "pkg:npm/lodash@4.17.20" || way["releasable"].(object)["digest"] == nil || way["direct"] != true {
			t.Errorf("it came in through %s", text(t, way))
		}

		t.Run("the next page goes on, and of another question nothing does", func(t *testing.T) {
			s.t = t
			after := page["pageInfo"].(object)["endCursor"]
			next := s.radius(admin, object{"of": old["of"], "first": 1, "after": after})["applicationVersions"].(object)
			if v := next["edges"].([]any)[0].(object)["node"].(object)["version"]; v != "1.0.0" {
				t.Errorf("after 1.1.0 comes %v", v)
			}
			a := s.post(admin, contract(s.t, "BlastRadius"), object{"of": object{"purl": "pkg:npm/lodash"}, "after": after})
			if code, path := a.code(); code != "BAD_USER_INPUT" || path != "after" {
				t.Errorf("a cursor of another question: %s", a.raw)
			}
			a = s.post(admin, contract(s.t, "BlastRadius"), object{"of": object{"purl": "pkg:npm/lodash"}, "first": "many"})
			if code, path := a.code(); code != "BAD_USER_INPUT" || path != "first" {
				t.Errorf("a number that is none: %s", a.raw)
			}
		})
		t.Run("live only", func(t *testing.T) {
			s.t = t
			live := s.radius(admin, object{"of": object{"purl": "pkg:npm/lodash"}, "in": object{"liveOnly": true}})["applicationVersions"].(object)
			if live["totalCount"] != 1.0 {
				t.Errorf("live are %s", text(t, live))
			}
		})
		t.Run("who sees nothing of it is told of nothing", func(t *testing.T) {
			s.t = t
			none := s.radius(stranger, old)
			if sum := fmt.Sprint(none["summary"]); sum != "map[applicationVersions:0 applications:0 components:0 deployments:0 owners:0]" || text(t, none["owners"]) != "[]" {
				t.Errorf("a stranger is told %s", text(t, none))
			}
		})
		t.Run("as text", func(t *testing.T) {
			s.t = t
			table := s.ask(admin, `query($of: BlastRadiusInput!) { blastRadius(of: $of) { export(format: CSV) } }`, old, "blastRadius", "export").(string)
			rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
			if err != nil || len(rows) != 3 {
				t.Errorf("%v: %s", err, table)
			}
		})
		t.Run("of a package that a version contains", func(t *testing.T) {
			s.t = t
			s.must(admin, "CreateApplicationVersion", object{
				"applicationKey": "gateway", "version": "3.0.0", "sources": object{"packages": []object{{"purl": "pkg:npm/lodash@4.17.21"}}},
			})
			n := s.ask(admin, `{ package(purl: "pkg:npm/lodash") { blastRadius(in: {projectKeys: ["payments"]}) { summary { applicationVersions } } } }`, nil,
				"package", "blastRadius", "summary", "applicationVersions")
			if n != 4.0 {
				t.Errorf("%v versions hold lodash, want 4", n)
			}
		})
		s.t = t
		a := s.post(admin, contract(s.t, "BlastRadius"), object{"of": object{"vulnerability": "CVE-2020-8203"}})
		if code, path := a.code(); code != "NOT_FOUND" || path != "of.vulnerability" {
			t.Errorf("an unknown vulnerability: %s", a.raw)
		}
	})
}
