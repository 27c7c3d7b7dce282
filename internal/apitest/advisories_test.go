package apitest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// record is an advisory about versions of an npm package before one that is fixed.
func record(id, alias, name, fixed, vector string) object {
	return object{
		"schema_version": "1.6.0", "id": id, "modified": "2024-01-01T00:00:00Z", "published": "2021-05-06T00:00:00Z", "aliases": []string{alias},
		"summary": "about " + name, "severity": []object{{"type": "CVSS_V3", "score": vector}},
		"affected": []object{{
			"package": object{"ecosystem": "npm", "name": name},
			"ranges":  []object{{"type": "SEMVER", "events": []object{{"introduced": "0"}, {"fixed": fixed}}}},
		}},
	}
}

func lodashAdvisory() object {
	return record("GHSA-35jh-r3h4-6jhm", "CVE-2021-23337", "lodash", "4.17.21", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H")
}

// lodashText is a record of least size.
const lodashText = `{"id":"GHSA-35jh-r3h4-6jhm","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"versions":["4.17.20"]}]}`

// vulnerableBill lists lodash before it was mended.
var vulnerableBill = strings.ReplaceAll(bill, "4.17.21", "4.17.20")

// TestRule39ANewAdvisoryFindsWhatIsStored sends the documents of the contract: an SBOM first, then the advisory, and then
// another SBOM.
func TestRule39ANewAdvisoryFindsWhatIsStored(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		s.must(admin, "Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"})
		push := func(content string) {
			t.Helper()
			s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": content, "subjects": []object{{"digest": image}}}})
		}
		push(vulnerableBill)
		in := object{"format": "OSV", "documents": []string{text(t, lodashAdvisory()), `{"id":1}`}}
		done := s.must(admin, "ImportAdvisories", in, "importAdvisories").(object)
		rejected := done["rejected"].([]any)
		if done["imported"] != 1.0 || done["newFindings"] != 1.0 || len(rejected) != 1 || rejected[0].(object)["index"] != 1.0 {
			t.Errorf("imported: %s", text(t, done))
		}
		if done = s.must(admin, "ImportAdvisories", in, "importAdvisories").(object); done["unchanged"] != 1.0 || done["imported"] != 0.0 {
			t.Errorf("imported again: %s", text(t, done))
		}
		log := s.post(admin, contract(t, "ActivityLog"), object{"where": object{"applicationKeys": []string{"gateway"}}, "first": 20}).raw
		if strings.Count(log, `"VULNERABILITY_FOUND"`) != 1 || !strings.Contains(log, "CVE-2021-23337 found in 1 live version") || !strings.Contains(log, `"field":"owner","from":null,"to":"user:alice"`) {
			t.Errorf("the log says %s", log)
		}

		push(strings.ReplaceAll(vulnerableBill, "4.17.20", "4.17.19"))
		s.checkVulnerable(t)
		s.checkByName(t)
		outsider := s.token("outsider", "VIEWER", s.other(t))
		got := s.post(outsider, contract(t, "PackagesVulnerableTo"), object{"id": "CVE-2021-23337", "first": 10})
		if n := got.at(t, "vulnerability", "components", "totalCount"); n != 0.0 {
			t.Errorf("a viewer of another project sees %v components: %s", n, got.raw)
		}
	})
}

func (s *server) other(t *testing.T) string {
	t.Helper()
	s.settle("other", "elsewhere")
	return "other"
}

func (s *server) checkVulnerable(t *testing.T) {
	t.Helper()
	ask := func(variables object) object {
		got := s.post(admin, contract(t, "PackagesVulnerableTo"), variables)
		if len(got.Errors) > 0 {
			t.Fatal(got.raw)
		}
		return got.at(t, "vulnerability").(object)
	}
	v := ask(object{"id": "ghsa-35jh-r3h4-6jhm", "first": 1})
	if v["id"] != "CVE-2021-23337" || text(t, v["aliases"]) != `["GHSA-35jh-r3h4-6jhm"]` || v["severity"] != "HIGH" || v["cvss"] != 7.2 || v["kev"] != false {
		t.Errorf("the vulnerability: %s", text(t, v))
	}
	page := v["components"].(object)
	first := page["edges"].([]any)[0].(object)["node"].(object)
	if page["totalCount"] != 2.0 || first["purl"] != "pkg:npm/lodash@4.17.19" || text(t, first["fixedIn"]) != `["4.17.21"]` ||
		first["matchedBecause"] != "4.17.19 is affected: introduced 0, fixed 4.17.21" {
		t.Errorf("components: %s", text(t, page))
	}
	s.checkPages(t)
}

// checkPages goes through the components one by one, with the cursors that it is given.
func (s *server) checkPages(t *testing.T) {
	t.Helper()
	const query = `query($after: String, $before: String, $first: Int, $last: Int) { vulnerability(id: "CVE-2021-23337") { components(first: $first, last: $last, after: $after, before: $before) {
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { version range advisory name } } } } }`
	page := func(variables object) (versions string, info object) {
		got := s.post(admin, query, variables)
		if len(got.Errors) > 0 {
			t.Fatal(got.raw)
		}
		c := got.at(t, "vulnerability", "components").(object)
		for _, e := range c["edges"].([]any) {
			versions += e.(object)["node"].(object)["version"].(string) + " "
		}
		return versions, c["pageInfo"].(object)
	}
	one, info := page(object{"first": 1})
	two, end := page(object{"first": 1, "after": info["endCursor"]})
	back, _ := page(object{"last": 1, "before": end["startCursor"]})
	if one != "4.17.19 " || two != "4.17.20 " || back != one || info["hasNextPage"] != true || end["hasNextPage"] != false || end["hasPreviousPage"] != true {
		t.Errorf("pages %q, %q and back %q; %v, %v", one, two, back, info, end)
	}
	bad := s.post(admin, query, object{"first": 1, "after": "nonsense"})
	if code, _ := bad.code(); code != "BAD_USER_INPUT" {
		t.Errorf("a cursor of nothing: %s", bad.raw)
	}
}

// checkByName finds a vulnerability as a node, and in lists.
func (s *server) checkByName(t *testing.T) {
	t.Helper()
	got := s.post(admin, `{
		node(id: "CVE-2021-23337") { id __typename }
		nothing: node(id: "CVE-1999-0001") { id }
		vulnerabilities(first: 1, filter: {matched: true, severities: [HIGH], text: "GHSA-35"}, orderBy: {field: MODIFIED_AT, direction: DESC}) {
			totalCount pageInfo { endCursor } edges { node { id publishedAt advisories { name digest importedAt } } }
		}
		absent: vulnerability(id: "CVE-1999-0001") { id }
	}`, nil)
	if len(got.Errors) > 0 {
		t.Fatal(got.raw)
	}
	if got.at(t, "node", "__typename") != "Vulnerability" || got.at(t, "nothing") != nil || got.at(t, "absent") != nil || got.at(t, "vulnerabilities", "totalCount") != 1.0 {
		t.Errorf("by name: %s", got.raw)
	}
	if !strings.Contains(got.raw, `"name":"GHSA-35jh-r3h4-6jhm","digest":"sha256:`) {
		t.Errorf("no record: %s", got.raw)
	}
	after := got.at(t, "vulnerabilities", "pageInfo", "endCursor")
	again := s.post(admin, `query($a: String) { vulnerabilities(first: 1, after: $a) { totalCount } }`, object{"a": after})
	if code, path := again.code(); code != "BAD_USER_INPUT" || path != "after" {
		t.Errorf("a cursor of another order: %s", again.raw)
	}
}

// TestAFolderIsImportedAndTheSameAgainIsUnchanged runs the command against the service.
func TestAFolderIsImportedAndTheSameAgainIsUnchanged(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	dir := t.TempDir()
	for i := range 5 {
		r := text(t, record(fmt.Sprintf("OSV-%d", i), fmt.Sprintf("CVE-2024-000%d", i), "lodash", "5.0.0", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), []byte(r), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"5 imported, 0 updated, 0 unchanged, 0 refused; 0 new findings\n", "0 imported, 0 updated, 5 unchanged, 0 refused; 0 new findings\n"} {
		if code, stdout, stderr := s.plimsoll(admin, "advisories", "import", dir); code != cli.Done || stdout != want {
			t.Errorf("ended with %d, %q, %q; want %q", code, stdout, stderr, want)
		}
	}
	viewer := s.token("viewer", "VIEWER", "")
	if code, stdout, stderr := s.plimsoll(viewer, "advisories", "import", dir); code != cli.WrongCall || stdout != "" {
		t.Errorf("a viewer ended with %d, %q, %q", code, stdout, stderr)
	}
}
