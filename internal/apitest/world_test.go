package apitest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

const (
	testResult = "https://in-toto.io/attestation/test-result/v0.1"
	provenance = "https://slsa.dev/provenance/v1"
)

var image = canonical.Digest([]byte("the image of the gateway"))

// key makes a P-256 key to sign evidence with.
func key(t testing.TB) *attest.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sv, err := signature.LoadSigner(private, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := attest.NewSigner(sv)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// signed is a DSSE envelope around a statement about digests.
func signed(t testing.TB, by *attest.Signer, predicateType string, predicate any, digests ...string) string {
	t.Helper()
	var subjects []attest.Subject
	for _, d := range digests {
		subjects = append(subjects, attest.Subject{Name: "subject", Digest: map[string]string{"sha256": strings.TrimPrefix(d, "sha256:")}})
	}
	st, err := attest.NewStatement(subjects, predicateType, predicate)
	if err != nil {
		t.Fatal(err)
	}
	s, err := by.Sign(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	return string(s.Envelope)
}

// named says in the envelope which key signed it, as tools that know their key's fingerprint do.
func named(t testing.TB, envelope string, by *attest.Signer) object {
	t.Helper()
	var env object
	if err := json.Unmarshal([]byte(envelope), &env); err != nil {
		t.Fatal(err)
	}
	env["signatures"].([]any)[0].(object)["keyid"] = by.Fingerprint()
	return env
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const bill = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[` +
	`{"type":"library","name":"lodash","version":"4.17.21","purl":"pkg:npm/lodash@4.17.21","licenses":[{"license":{"id":"MIT"}}]}]}`

// settle makes a project with a lifecycle DEV → QA → PROD and an application with an owner who is a person.
func (s *server) settle(project, application string) {
	s.t.Helper()
	s.must(admin, "CreateProject", object{"key": project, "name": "Project " + project})
	for name, category := range map[string]string{"DEV": "CODE", "QA": "PROMOTE", "PROD": "RELEASE"} {
		s.must(admin, "CreateStage", object{"projectKey": project, "name": name, "category": category, "production": category == "RELEASE"})
	}
	s.must(admin, "SetLifecycle", object{"projectKey": project, "stages": []string{"DEV", "QA", "PROD"}})
	s.must(admin, "CreateApplication", object{
		"projectKey": project, "key": application, "name": "Application " + application,
		"criticality": "HIGH", "owners": []string{"team:" + project, "user:alice"},
	})
}

// report makes a version with one artifact and returns its manifest's digest.
func (s *server) report(application, version string) string {
	s.t.Helper()
	return s.must(admin, "CreateApplicationVersion", object{
		"applicationKey": application, "version": version,
		"sources": object{"artifacts": []object{{"name": "image", "digest": image}}},
	}, "createApplicationVersion", "applicationVersion", "manifestDigest").(string)
}

// guard makes a blocking policy of one rule on a gate.
func (s *server) guard(name, template string, parameters object, stage, kind, mode string) {
	s.t.Helper()
	s.must(admin, "CreateRule", object{"name": name, "template": template, "parameters": parameters})
	s.must(admin, "CreatePolicy", object{
		"name": name, "rules": []string{name}, "mode": mode,
		"gate": object{"stage": stage, "kind": kind}, "scope": object{"type": "GLOBAL"},
	})
}

// token makes a token with a role on a project, or on the organisation when project is empty.
func (s *server) token(name, role, project string) string {
	s.t.Helper()
	input := object{"name": name, "role": role}
	if project != "" {
		input["projectKey"] = project
	}
	return s.must(admin, "CreateToken", input, "createToken", "secret").(string)
}
