package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/testdata/sbom"
)

// made reports a version of gateway with an artifact for each document, and submits the documents about them.
func (s *server) made(version string, documents ...string) {
	s.t.Helper()
	var artifacts []object
	for i, d := range documents {
		artifacts = append(artifacts, object{"name": fmt.Sprint("part-", i), "digest": canonical.Digest([]byte("built with " + d))})
	}
	if artifacts == nil {
		artifacts = []object{{"name": "image", "digest": image}}
	}
	s.must(admin, "CreateApplicationVersion", object{"applicationKey": "gateway", "version": version, "sources": object{"artifacts": artifacts}})
	for i, d := range documents {
		s.must(admin, "SubmitEvidence", object{"document": object{
			"mediaType": "application/json", "content": d, "subjects": []object{{"digest": artifacts[i]["digest"]}},
		}})
	}
}

// ask sends a query that has to succeed, and returns what stands at a path of its data.
func (s *server) ask(token, query string, variables object, path ...string) any {
	s.t.Helper()
	a := s.post(token, query, variables)
	if len(a.Errors) > 0 {
		s.t.Fatalf("%s", a.raw)
	}
	return a.at(s.t, path...)
}

func realBills(t *testing.T, names ...string) (documents []string) {
	t.Helper()
	for _, name := range names {
		content, err := sbom.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(content))
	}
	return documents
}

// library is a component with a purl and a licence.
func library(name, version, license string) string {
	return fmt.Sprintf(`{"bom-ref":%q,"type":"library","name":%q,"version":%q,"purl":"pkg:npm/%s@%s","licenses":[{"license":{"id":%q}}]}`,
		name, name, version, name, version, license)
}

// billOf is a document of a thing that needs each component.
func billOf(components ...string) string {
	var refs []string
	for _, c := range components {
		var component struct {
			Ref string `json:"bom-ref"`
		}
		_ = json.Unmarshal([]byte(c), &component) // made above
		refs = append(refs, fmt.Sprintf("%q", component.Ref))
	}
	return `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"bom-ref":"root","type":"application","name":"it"}},` +
		`"components":[` + strings.Join(components, ",") + `],"dependencies":[{"ref":"root","dependsOn":[` + strings.Join(refs, ",") + `]}],` +
		`"compositions":[{"aggregate":"complete","assemblies":["root"]}]}`
}

func TestTheSbomOfAVersion(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.made("1.0.0", realBills(t, "payments-gateway.cdx.json", "notifications.spdx.json")...)
		const query = `query($first: Int, $after: String, $last: Int, $before: String) { applicationVersion(application: "gateway", version: "1.0.0") { sbom {
			digest format componentCount complete documents { format componentCount }
			components(first: $first, after: $after, last: $last, before: $before) { edges { cursor node { purl name version licenses direct } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }
		} } }`
		path := []string{"applicationVersion", "sbom"}
		whole := s.ask(admin, query, nil, path...).(object)
		if whole["format"] != nil || whole["complete"] != false || len(whole["documents"].([]any)) != 2 {
			t.Errorf("together the documents are %v", whole)
		}
		// No module of Go is a package of npm, so that nothing is in both.
		if whole["componentCount"] != 119.0+342.0 {
			t.Errorf("%v components are counted, want %d", whole["componentCount"], 119+342)
		}

		t.Run("every component stands on one page", func(t *testing.T) {
			s.t = t
			var forth, back []string
			for _, way := range []string{"forth", "back"} {
				at := object{"first": 100}
				if way == "back" {
					at = object{"last": 100}
				}
				for more := true; more; {
					page := s.ask(admin, query, at, append(path, "components")...).(object)
					var purls []string
					for _, e := range page["edges"].([]any) {
						purls = append(purls, fmt.Sprint(e.(object)["node"].(object)["purl"], e.(object)["node"].(object)["name"]))
					}
					info := page["pageInfo"].(object)
					if page["totalCount"] != whole["componentCount"] {
						t.Errorf("%v in all, want %v", page["totalCount"], whole["componentCount"])
					}
					if way == "forth" {
						forth, more, at["after"] = append(forth, purls...), info["hasNextPage"].(bool), info["endCursor"]
					} else {
						back, more, at["before"] = append(purls, back...), info["hasPreviousPage"].(bool), info["startCursor"]
					}
				}
			}
			if !slices.Equal(forth, back) || !slices.IsSorted(forth) || len(slices.Compact(slices.Clone(forth))) != 119+342 {
				t.Errorf("forth there are %d, back %d", len(forth), len(back))
			}
		})

		t.Run("a cursor of another list is refused", func(t *testing.T) {
			s.t = t
			cursor := s.ask(admin, query, object{"first": 1}, append(path, "components", "pageInfo", "endCursor")...)
			const other = `query($after: String) { applicationVersion(application: "gateway", version: "1.0.0") { sbom { dependencies(after: $after) { totalCount } } } }`
			if code, at := s.post(admin, other, object{"after": cursor}).code(); code != "BAD_USER_INPUT" || at != "after" {
				t.Errorf("refused with %s at %q", code, at)
			}
			if code, at := s.post(admin, query, object{"first": 1, "before": "nonsense"}).code(); code != "BAD_USER_INPUT" || at != "before" {
				t.Errorf("refused with %s at %q", code, at)
			}
		})

		t.Run("stock tools read what is exported", func(t *testing.T) {
			s.t = t
			const query = `{ applicationVersion(application: "gateway", version: "1.0.0") { sbom { cyclonedx: export(format: CYCLONEDX) spdx: export(format: SPDX) } } }`
			written := s.ask(admin, query, nil, path...).(object)
			var cyclonedx struct{ Components []object }
			if err := json.Unmarshal([]byte(written["cyclonedx"].(string)), &cyclonedx); err != nil || len(cyclonedx.Components) != 119+342 {
				t.Errorf("CycloneDX holds %d components: %v", len(cyclonedx.Components), err)
			}
			doc, err := spdxjson.Read(strings.NewReader(written["spdx"].(string)))
			if err != nil {
				t.Fatal(err)
			}
			if err := spdxlib.ValidateDocument(doc); err != nil || len(doc.Packages) != 1+119+342 || doc.DocumentName != "gateway 1.0.0" {
				t.Errorf("SPDX %q holds %d packages: %v", doc.DocumentName, len(doc.Packages), err)
			}
			validated(t, written["cyclonedx"].(string))
		})
	})
}

// validated gives a document to the validator of the makers of CycloneDX.
func validated(t *testing.T, content string) {
	t.Helper()
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		t.Skip("make test installs the tools")
	}
	path := filepath.Join(t.TempDir(), "bom.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "node", filepath.Join(tools, "sbom", "validate.mjs"), path).CombinedOutput(); err != nil {
		t.Errorf("the stock validator refuses it: %v: %.2000s", err, out)
	}
}

func TestWhatNeedsWhatInAVersion(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.made("1", billOf(library("a", "1", "MIT"), `{"bom-ref":"b","type":"library","name":"b","version":"2"}`))
		s.made("none")
		const query = `query($version: String!) { applicationVersion(application: "gateway", version: $version) { sbom {
			complete dependencies { edges { node { from to } } totalCount pageInfo { hasNextPage hasPreviousPage } }
		} } }`
		got := text(t, s.ask(admin, query, object{"version": "1"}, "applicationVersion", "sbom"))
		want := `{"complete":true,"dependencies":{"edges":[{"node":{"from":null,"to":"b 2"}},{"node":{"from":null,"to":"pkg:npm/a@1"}}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":false},"totalCount":2}}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := s.ask(admin, query, object{"version": "none"}, "applicationVersion", "sbom"); got != nil {
			t.Errorf("a version without one has %v", got)
		}
	})
}

const diffQuery = `query($application: String!, $from: String!, $to: String!, $toApplication: String, $first: Int, $after: String) {
	versionDiff(application: $application, from: $from, to: $to, toApplication: $toApplication) {
		from { version } to { version }
		components { added removed changed list(first: $first, after: $after) {
			edges { node { kind before { name version licenses } after { name version licenses } } } pageInfo { hasNextPage endCursor } totalCount } }
		evidence { added { predicateType } removed { predicateType } changed { before { digest } after { digest } } }
	}
}`

func TestTheDiffOfTwoVersions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("other", "elsewhere")
		before := billOf(library("axe", "1", "MIT"), library("gone", "1", "MIT"), library("same", "1", "MIT"), library("zoo", "1", "MIT"))
		after := billOf(library("axe", "1", "AGPL-3.0-only"), library("new", "1", "MIT"), library("same", "1", "MIT"), library("zoo", "2", "MIT"))
		s.made("1", before)
		s.made("2", after)
		s.report("elsewhere", "1")
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, key(t), testResult, object{"result": "PASSED"}, canonical.Digest([]byte("built with "+after)))})
		viewer, stranger := s.token("viewer", "VIEWER", "payments"), s.token("stranger", "VIEWER", "other")

		both := object{"application": "gateway", "from": "1", "to": "2"}
		diff := s.ask(viewer, diffQuery, both, "versionDiff").(object)
		var lines []string
		for _, e := range diff["components"].(object)["list"].(object)["edges"].([]any) {
			lines = append(lines, line(e))
		}
		want := []string{"CHANGED axe 1 MIT | axe 1 AGPL-3.0-only", "REMOVED gone 1 MIT | -", "ADDED - | new 1 MIT", "CHANGED zoo 1 MIT | zoo 2 MIT"}
		if !slices.Equal(lines, want) {
			t.Errorf("got  %q\nwant %q", lines, want)
		}
		delete(diff["components"].(object), "list")
		if got := text(t, diff["components"]) + text(t, diff["from"]) + text(t, diff["to"]); got != `{"added":1,"changed":2,"removed":1}{"version":"1"}{"version":"2"}` {
			t.Errorf("got %s", got)
		}
		wantEvidence := fmt.Sprintf(`{"added":[{"predicateType":%q}],"changed":[{"after":{"digest":%q},"before":{"digest":%q}}],"removed":[]}`,
			testResult, canonical.Digest([]byte(after)), canonical.Digest([]byte(before)))
		if got := text(t, diff["evidence"]); got != wantEvidence {
			t.Errorf("got  %s\nwant %s", got, wantEvidence)
		}

		t.Run("it is given in pages", func(t *testing.T) {
			s.t = t
			var paged []string
			at := object{"application": "gateway", "from": "1", "to": "2", "first": 3}
			for more := true; more; {
				page := s.ask(viewer, diffQuery, at, "versionDiff", "components", "list").(object)
				if n := len(page["edges"].([]any)); n == 0 || n > 3 || page["totalCount"] != 4.0 {
					t.Fatalf("a page of %d of %v", n, page["totalCount"])
				}
				for _, e := range page["edges"].([]any) {
					paged = append(paged, line(e))
				}
				info := page["pageInfo"].(object)
				more, at["after"] = info["hasNextPage"].(bool), info["endCursor"]
			}
			if !slices.Equal(paged, want) {
				t.Errorf("got %q", paged)
			}
			at["from"], at["to"] = "2", "1"
			if code, path := s.post(viewer, diffQuery, at).code(); code != "BAD_USER_INPUT" || path != "after" {
				t.Errorf("a cursor of another diff: %s at %q", code, path)
			}
			at["first"], at["after"] = 101, nil
			if code, path := s.post(viewer, diffQuery, at).code(); code != "BAD_USER_INPUT" || path != "first" {
				t.Errorf("a page too large: %s at %q", code, path)
			}
			const counts = `{ versionDiff(application: "gateway", from: "1", to: "2") { components { changed } } }`
			if n := s.ask(viewer, counts, nil, "versionDiff", "components", "changed"); n != 2.0 {
				t.Errorf("without the list, %v have changed", n)
			}
		})

		t.Run("Rule45: of what is not in reach there is no diff", func(t *testing.T) {
			s.t = t
			for name, c := range map[string]struct {
				token string
				in    object
				seen  bool
			}{
				"neither":         {stranger, both, false},
				"the first alone": {viewer, object{"application": "gateway", "from": "1", "to": "1", "toApplication": "elsewhere"}, false},
				"the second":      {stranger, object{"application": "gateway", "from": "1", "to": "1", "toApplication": "elsewhere"}, false},
				"no such version": {admin, object{"application": "gateway", "from": "1", "to": "9"}, false},
				"both":            {admin, object{"application": "gateway", "from": "1", "to": "1", "toApplication": "elsewhere"}, true},
			} {
				if got := s.ask(c.token, diffQuery, c.in, "versionDiff"); (got != nil) != c.seen {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	})
}

// line writes a change on one line.
func line(edge any) string {
	node := edge.(object)["node"].(object)
	text := fmt.Sprint(node["kind"])
	for i, side := range []string{"before", "after"} {
		shown := "-"
		if c, ok := node[side].(object); ok {
			shown = fmt.Sprint(c["name"], " ", c["version"], " ", strings.Trim(fmt.Sprint(c["licenses"]), "[]"))
		}
		text += []string{" ", " | "}[i] + shown
	}
	return text
}
