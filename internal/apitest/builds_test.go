package apitest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// build reports build ci#number to a project: an image, a chart and a package.
func (s *server) build(token, number string, project any) object {
	s.t.Helper()
	return s.must(token, "ReportBuild", object{
		"name": "ci", "number": number, "projectKey": project, "startedAt": "2026-11-21T03:00:00Z",
		"source": object{"repository": "https://git.example.org/gateway", "revision": commit, "branch": "main"},
		"artifacts": []object{
			{"name": "image", "digest": image},
			{"name": "chart", "digest": strings.Replace(image, image[7:15], "00000000", 1)},
			{"name": "login.tgz", "digest": image, "purl": "pkg:npm/%40acme/login@1.2.3"},
		},
	}, "reportBuild", "build").(object)
}

const aboutBuild = `fragment B on Build { id name number digest startedAt reportedBy createdAt project { key } source { repository revision branch }
	artifacts { name digest purl } applicationVersions { totalCount edges { node { version } } } }`

func TestABuildIsReportedAndFoundAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("other", "elsewhere")
		ci := s.token("ci", "CONTRIBUTOR", "payments")
		made := s.build(ci, "7", nil)
		if again := s.build(ci, "7", nil); again["id"] != made["id"] {
			t.Errorf("the same again is %v, not %v", again["id"], made["id"])
		}
		s.build(admin, "8", nil)
		s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "gateway", "version": "1.0.0", "sources": object{"builds": []object{{"name": "ci", "number": "7"}}},
		})
		query := aboutBuild + ` query($id: ID!) { build(name: "ci", number: "7") { ...B } node(id: $id) { ...B }
			builds(filter: {name: "ci", projectKeys: ["payments"]}, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount edges { node { ...B } } }
			all: builds { totalCount edges { node { number project { key } } } } }`
		got := s.post(ci, query, object{"id": made["id"]})
		if len(got.Errors) > 0 {
			t.Fatal(got.raw)
		}
		b := got.at(t, "build").(object)
		b["digest"], b["id"], b["createdAt"], b["reportedBy"] = "", "", "", ""
		want := `{"applicationVersions":{"edges":[{"node":{"version":"1.0.0"}}],"totalCount":1},"artifacts":[` +
			fmt.Sprintf(`{"digest":%q,"name":"image","purl":null},{"digest":"sha256:00000000%s","name":"chart","purl":null},{"digest":%[1]q,"name":"login.tgz","purl":"pkg:npm/%%40acme/login@1.2.3"}]`, image, image[15:]) +
			`,"createdAt":"","digest":"","id":"","name":"ci","number":"7","project":{"key":"payments"},"reportedBy":"","source":{"branch":"main","repository":"https://git.example.org/gateway","revision":"` + commit + `"},"startedAt":"2026-11-21T03:00:00Z"}`
		if text(t, b) != want {
			t.Errorf("the build is\n%s\nwant\n%s", text(t, b), want)
		}
		if n := got.at(t, "builds", "totalCount"); n != float64(1) || got.at(t, "node") == nil {
			t.Errorf("found are %v: %s", n, got.raw)
		}
		// The organisation's builds are everybody's; a project's are its own.
		for who, want := range map[string]string{ci: "7 8", s.token("stranger", "VIEWER", "other"): "8"} {
			page := s.post(who, query, object{"id": made["id"]}).at(t, "all").(object)
			var numbers []string
			for _, e := range page["edges"].([]any) {
				numbers = append(numbers, e.(object)["node"].(object)["number"].(string))
			}
			if strings.Join(numbers, " ") != want {
				t.Errorf("seen are %v, want %s", numbers, want)
			}
		}
	})
}
