package view_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

const (
	slsa1      = "https://slsa.dev/provenance/v1"
	slsa02     = "https://slsa.dev/provenance/v0.2"
	slsa01     = "https://slsa.dev/provenance/v0.1"
	scai       = "https://in-toto.io/attestation/scai/attribute-report/v0.3"
	testResult = "https://in-toto.io/attestation/test-result/v0.1"
	vsa        = "https://slsa.dev/verification_summary/v1"
	svr        = "https://in-toto.io/attestation/svr/v0.1"
	approval   = "https://plimsoll.dev/attestations/approval/v1"
	review     = "https://plimsoll.dev/attestations/review/v1"
)

func read(t *testing.T, predicateType, content string) view.View {
	t.Helper()
	v, known, err := view.Read(predicateType, []byte(content))
	if err != nil || !known {
		t.Fatalf("known %v: %v", known, err)
	}
	return v
}

// refuses wants an error with the words.
func refuses(t *testing.T, predicateType, content, words string) {
	t.Helper()
	v, known, err := view.Read(predicateType, []byte(content))
	if !known || err == nil || !strings.Contains(err.Error(), words) || !reflect.DeepEqual(v, view.View{}) {
		t.Errorf("%s of %.60s\ngives %v, wanted %q", predicateType, content, err, words)
	}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

const github1 = `{"buildDefinition": {"buildType": "https://build.example/workflow/v1",
	"externalParameters": {"workflow": {"repository": "https://git.example/shop/cart", "ref": "refs/heads/main", "path": "build.yml"}},
	"resolvedDependencies": [{"uri": "pkg:docker/alpine@3", "digest": {"md5": "aa", "sha256": "bb", "zz": "1"}},
		{"uri": "git+https://git.example/other/tool@v1", "digest": {"gitCommit": "ffffffff"}},
		{"uri": "git+https://git.example/shop/cart@refs/heads/main", "digest": {"gitCommit": "` + commit + `"}}]},
	"runDetails": {"builder": {"id": "https://build.example/runner"},
		"metadata": {"invocationId": "run/7", "startedOn": "2026-01-02T03:04:05+02:00", "finishedOn": "2026-01-02T03:05:05Z"}}}`

func TestProvenanceV1IsRead(t *testing.T) {
	p := read(t, slsa1, github1).Provenance
	if p.BuilderID != "https://build.example/runner" || p.BuildType != "https://build.example/workflow/v1" || p.InvocationID != "run/7" {
		t.Errorf("%+v", p)
	}
	if p.SourceRepository != "https://git.example/shop/cart" || p.SourceRevision != commit || p.SourceRef != "refs/heads/main" {
		t.Errorf("source %q %q %q", p.SourceRepository, p.SourceRevision, p.SourceRef)
	}
	if p.StartedAt.Format("15:04:05Z07:00") != "01:04:05Z" || p.FinishedAt == nil {
		t.Errorf("%v to %v", p.StartedAt, p.FinishedAt)
	}
	if p.MaterialCount != 3 || p.Materials[0].Digest != "sha256:bb" {
		t.Errorf("%+v", p.Materials)
	}
}

func TestSourcesOfProvenanceAreReadAsTheirToolsWriteThem(t *testing.T) {
	for name, c := range map[string]struct{ predicateType, content, repository, revision, ref string }{
		"v0.2 with a source of its own": {
			slsa02, `{"builder": {"id": "b"}, "invocation": {"configSource":
			{"uri": "git+https://git.example/a/b@refs/tags/v1", "digest": {"sha1": "` + commit + `"}}}}`,
			"https://git.example/a/b", commit, "refs/tags/v1",
		},
		"BuildKit": {
			slsa02, `{"builder": {"id": ""}, "invocation": {"configSource":
			{"uri": "https://git.example/a/b.git#refs/heads/main:docker", "digest": {"sha1": "` + commit + `"}}}}`,
			"https://git.example/a/b.git", commit, "refs/heads/main",
		},
		"a material of Cloud Build": {
			slsa02, `{"builder": {"id": "b"}, "materials": [
			{"uri": "https://git.example/a/b/commit/` + commit + `", "digest": {"sha1": "` + commit + `"}}]}`,
			"https://git.example/a/b", commit, "",
		},
		"v0.1 by its place": {
			slsa01, `{"builder": {"id": "b"}, "recipe": {"type": "t", "definedInMaterial": 1}, "materials": [
			{"uri": "git+https://git.example/x/y"}, {"uri": "git+https://git.example/a/b@main", "digest": {"sha1": "` + commit + `"}}]}`,
			"https://git.example/a/b", commit, "main",
		},
		"a digest that is no commit": {
			slsa02, `{"builder": {"id": "b"}, "materials": [{"uri": "git+https://git.example/a/b", "digest": {"sha1": "main"}}]}`,
			"https://git.example/a/b", "", "",
		},
		"v0.1 with its place as text": {slsa01, `{"builder": {"id": "b"}, "recipe": {"definedInMaterial": "-1"}}`, "", "", ""},
		"a user in the address": {slsa02, `{"builder": {"id": "b"}, "invocation": {"configSource":
			{"uri": "git+ssh://git@git.example/a/b"}}}`, "ssh://git@git.example/a/b", "", ""},
		"parameters of another shape": {slsa1, `{"buildDefinition": {"externalParameters": {"workflow": 7}}, "runDetails": {"builder": {"id": "b"}}}`, "", "", ""},
		"no revision of another repository": {slsa1, `{"buildDefinition": {"externalParameters": {"source": "https://git.example/a/b"},
			"resolvedDependencies": [{"uri": "git+https://git.example/c/d", "digest": {"gitCommit": "` + commit + `"}}]},
			"runDetails": {"builder": {"id": "b"}}}`, "https://git.example/a/b", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := read(t, c.predicateType, c.content).Provenance
			if p.SourceRepository != c.repository || p.SourceRevision != c.revision || p.SourceRef != c.ref {
				t.Errorf("%q %q %q", p.SourceRepository, p.SourceRevision, p.SourceRef)
			}
		})
	}
}

func TestListsAndTextsOfProvenanceAreCut(t *testing.T) {
	content := `{"builder": {"id": "` + strings.Repeat("é", view.MaxText) + `"}, "materials": [` +
		strings.TrimSuffix(strings.Repeat(`{"uri": "m"},`, view.MaxEntries+5), ",") + `]}`
	p := read(t, slsa02, content).Provenance
	if len(p.Materials) != view.MaxEntries || p.MaterialCount != view.MaxEntries+5 {
		t.Errorf("%d of %d", len(p.Materials), p.MaterialCount)
	}
	if len(p.BuilderID) > view.MaxText || !strings.HasSuffix(p.BuilderID, "é…") {
		t.Errorf("%d bytes", len(p.BuilderID))
	}
}

func TestAttributesOfSCAI(t *testing.T) {
	v := read(t, scai, `{"attributes": [{"attribute": "HAS_SBOM", "conditions": {"a": 1}}, {"attribute": "REPRODUCIBLE"}]}`)
	if !reflect.DeepEqual(v.Provenance.Attributes, []string{"HAS_SBOM", "REPRODUCIBLE"}) || v.Provenance.BuilderID != "" {
		t.Errorf("%+v", v.Provenance)
	}
}

func TestTestResult(t *testing.T) {
	v := read(t, testResult, `{"result": "FAILED", "configuration": [], "passedTests": ["a", "b"], "warnedTests": ["w"], "failedTests": ["f"]}`).Tests
	want := &view.Tests{Result: view.Failed, Total: 4, Passed: 3, Failed: 1, Failures: []view.Failure{{Name: "f"}}}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("%+v", v)
	}
}

func TestApprovals(t *testing.T) {
	v := read(t, vsa, `{"verifier": {"id": "https://v.example"}, "timeVerified": "2026-01-02T03:04:05Z", "resourceUri": "pkg:a/b",
		"policy": {"uri": "https://p.example"}, "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3"]}`).Approval
	if v.Decision != view.Approved || v.By[0] != "https://v.example" || v.What != "pkg:a/b" || v.Policy != "https://p.example" ||
		v.Levels[0] != "SLSA_BUILD_LEVEL_3" || v.At == nil {
		t.Errorf("%+v", v)
	}
	if v := read(t, vsa, `{"verificationResult": "FAILED"}`).Approval; v.Decision != view.Rejected || len(v.By) != 0 {
		t.Errorf("%+v", v)
	}
	if v := read(t, svr, `{"verifier": {"id": "v"}, "timeCreated": "2026-01-02T03:04:05Z", "properties": ["P"]}`).Approval; v.Decision != view.Approved ||
		v.By[0] != "v" || v.Levels[0] != "P" || v.At == nil {
		t.Errorf("%+v", v)
	}
	v = read(t, approval, `{"decision": "APPROVED", "by": ["ann", "bo"], "what": "CHG-1", "policy": "p", "at": "2026-01-02T03:04:05Z",
		"expiresAt": "2026-02-02T03:04:05Z", "comment": "fine"}`).Approval
	if len(v.By) != 2 || v.What != "CHG-1" || v.Policy != "p" || v.ExpiresAt == nil || v.Comment != "fine" {
		t.Errorf("%+v", v)
	}
	if v := read(t, review, `{"decision": "REJECTED", "by": "ann"}`).Approval; v.Decision != view.Rejected || v.By[0] != "ann" {
		t.Errorf("%+v", v)
	}
}

func TestPredicatesThatAreWrongAreRefusedByTheirField(t *testing.T) {
	for _, c := range []struct{ predicateType, content, words string }{
		{slsa1, `{}`, "runDetails: missing"},
		{slsa1, `{"runDetails": {}}`, "runDetails.builder: missing"},
		{slsa1, `{"runDetails": {"builder": {"id": 7}}}`, "runDetails.builder.id: must be a string"},
		{slsa1, `{"runDetails": {"builder": {"id": "b"}, "metadata": {"startedOn": "today"}}}`, "runDetails.metadata.startedOn: must be a time"},
		{slsa1, `{"runDetails": {"builder": {"id": "b"}}, "buildDefinition": {"resolvedDependencies": {}}}`, "buildDefinition.resolvedDependencies: must be a list"},
		{slsa02, `{"builder": "b"}`, "builder: must be an object"},
		{slsa02, `{"builder": {"id": "b"}, "materials": ["m"]}`, "materials[0]: must be an object"},
		{slsa01, `{"builder": {"id": "b"}, "recipe": {"definedInMaterial": 3}}`, "recipe.definedInMaterial: there is no material 3"},
		{slsa01, `{"builder": {"id": "b"}, "recipe": {"definedInMaterial": -7}}`, "recipe.definedInMaterial: must be a number between"},
		{scai, `{"attributes": [{}]}`, "attributes[0].attribute: missing"},
		{testResult, `{}`, "result: missing"},
		{testResult, `{"result": "GREAT"}`, `result: must be PASSED, WARNED or FAILED, not "GREAT"`},
		{testResult, `{"result": "PASSED", "failedTests": [1]}`, "failedTests[0]: must be a string"},
		{vsa, `{"verifier": {"id": "v"}}`, "verificationResult: missing"},
		{vsa, `{"verificationResult": "passed"}`, "verificationResult: must be PASSED or FAILED"},
		{svr, `{"verifier": {"id": "v"}}`, "properties: missing"},
		{approval, `{"by": "ann"}`, "decision: missing"},
		{approval, `{"decision": "MAYBE"}`, `decision: must be APPROVED or REJECTED, not "MAYBE"`},
		{review, `{"decision": "APPROVED", "by": 7}`, "by: must be a string or a list"},
		{review, `{"decision": "APPROVED", "expiresAt": "soon"}`, "expiresAt: must be a time"},
		{approval, `[]`, "must be a JSON object"},
		{approval, `{"decision": "APPROVED", "decision": "REJECTED"}`, "not valid JSON"},
		{approval, `{"decision": "APPROVED", "x": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "nested deeper"},
		{approval, "\x1f\x8b\x08", "gzip"},
	} {
		refuses(t, c.predicateType, c.content, c.words)
	}
}

// FuzzPredicates holds that a predicate gives a view within bounds, the same one twice, or an error with a sentence.
func FuzzPredicates(f *testing.F) {
	types := []string{slsa1, slsa02, slsa01, scai, testResult, vsa, svr, approval, review}
	for i := range types {
		f.Add(i, []byte(github1))
		f.Add(i, []byte(`{"builder": {"id": "b"}, "recipe": {"definedInMaterial": 0}, "materials": [{"uri": "git+a@b#c", "digest": {"sha1": "`+commit+`"}}],
			"result": "PASSED", "passedTests": ["a"], "attributes": [{"attribute": "a"}], "verifier": {"id": "v"}, "properties": ["p"],
			"verificationResult": "PASSED", "decision": "APPROVED", "by": ["a"], "at": "2026-01-02T03:04:05Z"}`))
	}
	f.Fuzz(func(t *testing.T, i int, content []byte) {
		if i >= 0 && i < len(types) {
			bounded(t, types[i], content)
		}
	})
}

func bounded(t *testing.T, predicateType string, content []byte) {
	v, known, err := view.Read(predicateType, content)
	again, _, _ := view.Read(predicateType, content)
	switch {
	case !known, !reflect.DeepEqual(v, again):
		t.Fatalf("known %v, or two views of the same bytes", known)
	case err != nil:
		if err.Error() == "" || !reflect.DeepEqual(v, view.View{}) {
			t.Fatalf("%+v beside %v", v, err)
		}
	case reflect.DeepEqual(v, view.View{}):
		t.Fatal("neither a view nor an error")
	case v.Tests != nil:
		s := v.Tests
		if s.Passed < 0 || s.Failed < 0 || s.Skipped < 0 || s.DurationMs < 0 || s.Passed+s.Failed+s.Skipped != s.Total ||
			len(s.Failures) > view.MaxEntries || s.Total > 1<<31-1 && predicateType != testResult {
			t.Fatalf("%+v", s)
		}
	}
}
