package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/testdata/sbom"
)

const admin = "the-organisation-admins-token"

type object = map[string]any

// service is the whole service, asked without a network.
type service struct {
	b       testing.TB
	handler http.Handler
	dsn     string
}

func newService(b testing.TB) *service {
	b.Helper()
	data := b.TempDir()
	cfg := config.Config{
		Data: data, Database: testdb.SQLite(b), ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test",
		VerifierID: "https://example.test/verifier", BootstrapToken: admin,
	}
	a, err := app.New(b.Context(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	})
	return &service{b, a.Handler(), cfg.Database}
}

// request prepares a request's body.
func request(b testing.TB, query string, variables object) []byte {
	b.Helper()
	body, err := json.Marshal(object{"query": query, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// send answers a prepared body, and ends the run when the answer is an error.
func (s *service) send(body []byte) []byte {
	s.b.Helper()
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+admin)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK || bytes.Contains(w.Body.Bytes(), []byte(`"errors"`)) {
		s.b.Fatalf("%d %s", w.Code, w.Body.Bytes())
	}
	return w.Body.Bytes()
}

// do sends a mutation and asks for nothing back.
func (s *service) do(mutation, inputType string, input object) {
	s.b.Helper()
	s.send(request(s.b, fmt.Sprintf("mutation($input: %s!) { %s(input: $input) { __typename } }", inputType, mutation), object{"input": input}))
}

// settle makes a project with three stages and an application with an owner.
func (s *service) settle() {
	s.b.Helper()
	s.do("createProject", "CreateProjectInput", object{"key": "payments", "name": "Payments"})
	for _, st := range []object{{"name": "DEV", "category": "CODE"}, {"name": "QA", "category": "PROMOTE"}, {"name": "PROD", "category": "RELEASE"}} {
		st["projectKey"] = "payments"
		s.do("createStage", "CreateStageInput", st)
	}
	s.do("setLifecycle", "SetLifecycleInput", object{"projectKey": "payments", "stages": []string{"DEV", "QA", "PROD"}})
	s.do("createApplication", "CreateApplicationInput", object{"projectKey": "payments", "key": "gateway", "name": "Gateway", "owners": []string{"team:payments"}})
}

// bills attaches real bills of materials, of about 500 components together, to an artifact each.
func (s *service) bills() []object {
	s.b.Helper()
	var artifacts []object
	for _, name := range []string{"web-checkout.cdx.json", "payments-gateway.cdx.json"} {
		content, err := sbom.FS.ReadFile(name)
		if err != nil {
			s.b.Fatal(err)
		}
		digest := canonical.Digest([]byte("the artifact of " + name))
		artifacts = append(artifacts, object{"name": name, "digest": digest})
		s.do("submitEvidence", "SubmitEvidenceInput", object{"document": object{
			"mediaType": "application/vnd.cyclonedx+json", "content": string(content), "subjects": []object{{"digest": digest}},
		}})
	}
	return artifacts
}

// guard makes five rules of the built-in templates and a policy that warns with them.
func (s *service) guard(stage, kind string) {
	s.b.Helper()
	s.guardWith(stage, kind, []object{
		{"template": "sbom-complete", "parameters": object{}},
		{"template": "sbom-complete", "parameters": object{"minComponents": 50}},
		{"template": "license-allowed", "parameters": object{"deny": []string{"AGPL-3.0-only"}}},
		{"template": "evidence-present", "parameters": object{"predicateType": "https://cyclonedx.org/bom", "verified": false, "onEveryArtifact": true}},
		{"template": "gate-certified", "parameters": object{"stage": "DEV", "gate": "ENTRY"}},
	})
}

// guardWith makes rules and a policy that warns with them.
func (s *service) guardWith(stage, kind string, rules []object) {
	s.b.Helper()
	var names []string
	for i, rule := range rules {
		rule["name"] = fmt.Sprintf("%s-%s-%d", stage, kind, i)
		names = append(names, rule["name"].(string))
		s.do("createRule", "CreateRuleInput", rule)
	}
	s.do("createPolicy", "CreatePolicyInput", object{
		"name": stage + "-" + kind, "rules": names, "mode": "WARN", "gate": object{"stage": stage, "kind": kind}, "scope": object{"type": "GLOBAL"},
	})
}
