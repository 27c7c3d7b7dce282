package apitest_test

import (
	"encoding/json"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestContract sends every document that works, each with its whole selection, along the whole road.
func TestContract(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.must(admin, "CreateApplication", object{"projectKey": "payments", "key": "common-utils", "name": "Common"})
		s.must(admin, "UpdateApplication", object{"key": "gateway", "maturity": "PRODUCTION", "labels": object{"add": []object{{"key": "pci", "value": "yes"}}}})
		bound := s.must(admin, "BindPackage", object{"applicationKey": "common-utils", "purl": "pkg:npm/%40acme/login"}, "bindPackage", "package", "owningApplication", "key")
		if bound != "common-utils" {
			t.Errorf("the package is owned by %v", bound)
		}
		s.must(admin, "BindPackage", object{"applicationKey": "common-utils", "purl": "pkg:npm/%40acme/old"})
		s.must(admin, "UnbindPackage", object{"applicationKey": "common-utils", "purl": "pkg:npm/%40acme/old"})
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		s.must(admin, "CreatePolicyTemplate", object{
			"name": "has-contents", "category": "CUSTOM", "parametersSchema": object{"type": "object", "properties": object{}},
			"rego": "package acme.contents\n\nexamined contains c.name if some c in input.contents\n\nviolations contains v if {\n\tsome c in input.contents\n\tc.name == \"\"\n\tv := {\"code\": \"NAMELESS\", \"subject\": \"contents\", \"message\": \"a part has no name\"}\n}\n",
		})
		s.guard("contents", "has-contents", object{}, "DEV", "ENTRY", "BLOCK")
		s.guard("tested", "evidence-present", object{"predicateType": testResult, "signers": []string{"ci"}}, "QA", "ENTRY", "BLOCK")
		s.guard("through-qa", "gate-certified", object{"stage": "QA", "gate": "ENTRY"}, "PROD", "RELEASE", "BLOCK")
		s.must(admin, "UpdatePolicy", object{"name": "contents", "mode": "WARN"})
		s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "gateway", "version": "1.0.0", "tag": "october", "sources": object{
				"packages":  []object{{"purl": "pkg:npm/%40acme/login@1.2.3"}, {"purl": "pkg:npm/lodash@4.17.21"}},
				"artifacts": []object{{"name": "image", "digest": image}},
			},
		})
		s.checkContents(t)
		s.move("1.0.0", "DEV", "COMPLETED")
		s.move("1.0.0", "QA", "BLOCKED")
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"digest": image}}}})
		ev := s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, testResult, object{"result": "PASSED"}, image)}, "submitEvidence", "evidence").(object)
		if ev["verified"] == true && ev["signer"].(object)["anchor"] == "ci" {
			// The evidence speaks of the image, the rule asks for evidence about the version: its manifest.
			manifest := s.post(admin, `{applicationVersion(application:"gateway",version:"1.0.0"){manifestDigest}}`, nil).at(t, "applicationVersion", "manifestDigest").(string)
			s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, testResult, object{"result": "PASSED"}, manifest)})
		} else {
			t.Errorf("evidence by a registered key: %v", ev)
		}
		s.move("1.0.0", "QA", "COMPLETED")
		s.releaseAndVerify(t)
		s.checkTimeline(t)
		back := s.must(admin, "Rollback", object{"applicationKey": "gateway", "version": "1.0.0", "fromStage": "PROD", "reason": "customers complain"}, "rollbackApplicationVersion").(object)
		if v := back["applicationVersion"].(object); v["trust"] != "PRE_RELEASE" || v["standing"] != "WITHDRAWN" {
			t.Errorf("after the rollback of a trusted release: %v", v)
		}
		log := s.post(admin, contract(t, "ActivityLog"), object{"where": object{"applicationKeys": []string{"gateway"}}, "first": 100}).at(t, "activityLog").(object)
		if n := log["totalCount"].(float64); n != 8 { // registered, updated, reported, promoted twice, blocked once, released, taken back
			t.Errorf("the log has %v events about the gateway: %s", n, text(t, log))
		}
	})
}

// move promotes the gateway and holds the record to a status.
func (s *server) move(version, to, status string) {
	s.t.Helper()
	got := s.must(admin, "Promote", object{"applicationKey": "gateway", "version": version, "toStage": to}, "promoteApplicationVersion").(object)
	if p := got["promotion"].(object); p["status"] != status {
		s.t.Fatalf("to %s: %s; want %s", to, text(s.t, got), status)
	}
}

func (s *server) checkContents(t *testing.T) {
	t.Helper()
	got := s.post(admin, contract(t, "VersionContent"), object{"application": "gateway", "version": "1.0.0", "first": 2})
	if len(got.Errors) > 0 {
		t.Fatal(got.raw)
	}
	page := got.at(t, "applicationVersion", "contents").(object)
	if page["totalCount"].(float64) != 3 || len(page["edges"].([]any)) != 2 {
		t.Errorf("first page: %s", text(t, page))
	}
	cursor := page["pageInfo"].(object)["endCursor"]
	rest := s.post(admin, contract(t, "VersionContent"), object{"application": "gateway", "version": "1.0.0", "first": 2, "after": cursor}).at(t, "applicationVersion", "contents").(object)
	levels := map[any]any{}
	for _, e := range append(page["edges"].([]any), rest["edges"].([]any)...) {
		n := e.(object)["node"].(object)
		levels[n["name"]] = n["connectionLevel"]
	}
	want := map[any]any{"login": "SECOND_PARTY", "lodash": "THIRD_PARTY", "image": "THIRD_PARTY"}
	for name, level := range want {
		if levels[name] != level {
			t.Errorf("%v is %v, want %v", name, levels[name], level)
		}
	}
}

// releaseAndVerify releases, and checks both bundles with the key that the server publishes.
func (s *server) releaseAndVerify(t *testing.T) {
	t.Helper()
	got := s.must(admin, "Release", object{"applicationKey": "gateway", "version": "1.0.0"}, "releaseApplicationVersion").(object)
	v := got["applicationVersion"].(object)
	if v["trust"] != "TRUSTED_RELEASE" || v["standing"] != "GOOD" {
		t.Fatalf("released as %v, %v", v["trust"], v["standing"])
	}
	public, err := attest.ParsePublicKey([]byte(s.fetch("/keys/release.pub")))
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, a := range v["attestations"].([]any) {
		a := a.(object)
		types[a["predicateType"].(string)] = true
		bundle, err := json.Marshal(a["bundle"])
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := attest.BundleEnvelope(bundle)
		if err != nil {
			t.Fatal(err)
		}
		env, err := attest.ParseEnvelope(envelope)
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "release", Key: public}})
		if err != nil || !verdict.Verified {
			t.Errorf("%v does not verify: %v %v", a["predicateType"], verdict, err)
		}
	}
	for _, want := range []string{attest.PredicateVSA, attest.PredicateRelease, attest.PredicateManifest, attest.PredicatePromotion} {
		if !types[want] {
			t.Errorf("no statement of type %s", want)
		}
	}
}

func (s *server) checkTimeline(t *testing.T) {
	t.Helper()
	got := s.post(admin, contract(t, "VersionTimeline"), object{"application": "gateway", "version": "1.0.0"})
	if len(got.Errors) > 0 {
		t.Fatal(got.raw)
	}
	v := got.at(t, "applicationVersion").(object)
	var said []any
	for _, e := range v["promotions"].(object)["edges"].([]any) {
		said = append(said, e.(object)["node"].(object)["status"])
	}
	if text(t, said) != `["COMPLETED","BLOCKED","COMPLETED","COMPLETED"]` {
		t.Errorf("promotions: %v", said)
	}
	if n := v["evidence"].(object)["totalCount"].(float64); n != 3 {
		t.Errorf("%v pieces of evidence, want 3", n)
	}
	if sbom := v["sbom"].(object); sbom["format"] != "CYCLONEDX" || sbom["componentCount"].(float64) != 1 {
		t.Errorf("sbom: %v", sbom)
	}
}
