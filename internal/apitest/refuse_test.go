package apitest_test

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// refusal is one request that must be refused: with which code, about which field, and leaving nothing behind.
type refusal struct {
	operation  string
	input      object
	code, path string
	says       string
}

func TestBadInputIsRefusedAndLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		s.must(admin, "CreateProject", object{"key": "bare", "name": "Bare"})
		s.must(admin, "CreateApplication", object{"projectKey": "bare", "key": "stray", "name": "Stray"})
		s.must(admin, "CreateApplicationVersion", object{"applicationKey": "stray", "version": "1", "sources": object{"artifacts": []object{{"name": "x", "digest": image}}}})
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		for name, r := range refusals(t, named(t, signed(t, ci, testResult, object{"result": "PASSED"}, image), ci)) {
			t.Run(name, func(t *testing.T) {
				s.t = t
				before := s.trace()
				got := s.try(admin, r.operation, r.input)
				code, path := got.code()
				if code != r.code || r.path != "" && path != r.path || !strings.Contains(got.raw, r.says) {
					t.Errorf("got %s at %q; want %s at %q saying %q:\n%s", code, path, r.code, r.path, r.says, got.raw)
				}
				if after := s.trace(); after != before {
					t.Errorf("it left something behind:\n%s\nbefore:\n%s", after, before)
				}
			})
		}
	})
}

func refusals(t *testing.T, good object) map[string]refusal {
	t.Helper()
	version := func(change object) object {
		in := object{"applicationKey": "gateway", "version": "2", "sources": object{"artifacts": []object{{"name": "x", "digest": image}}}}
		maps.Copy(in, change)
		return in
	}
	artifact := func(digest string) object {
		return version(object{"sources": object{"artifacts": []object{{"name": "x", "digest": digest}}}})
	}
	envelope := func(change func(object)) object {
		env := object{}
		maps.Copy(env, good)
		change(env)
		return object{"envelope": text(t, env)}
	}
	document := func(content string, subjects ...object) object {
		return object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": content, "subjects": append([]object{}, subjects...)}}
	}
	template := func(rego string) object {
		return object{"name": "t", "category": "CUSTOM", "rego": rego, "parametersSchema": object{"type": "object"}}
	}
	statement := func(s string) func(object) {
		return func(env object) { env["payload"] = base64.StdEncoding.EncodeToString([]byte(s)) }
	}
	about := object{"digest": image}
	const bad = "BAD_USER_INPUT"
	return map[string]refusal{
		"a project key in capitals":              {"CreateProject", object{"key": "Payments", "name": "x"}, bad, "input.key", ""},
		"a project key of one letter":            {"CreateProject", object{"key": "p", "name": "x"}, bad, "input.key", "64"},
		"a project key that is taken":            {"CreateProject", object{"key": "payments", "name": "x"}, "CONFLICT", "", "payments"},
		"a name of 256 characters":               {"CreateProject", object{"key": "long", "name": strings.Repeat("x", 256)}, bad, "input.name", "255"},
		"a label that ends in a dash":            {"CreateProject", object{"key": "lab", "name": "x", "labels": []object{{"key": "a-", "value": "b"}}}, bad, "input.labels.0.key", ""},
		"a field that is not there":              {"CreateProject", object{"key": "more", "name": "x", "colour": "red"}, bad, "", "colour"},
		"an enum value that is not there":        {"CreateStage", object{"name": "S", "category": "PARTY"}, bad, "", "PARTY"},
		"a lifecycle that ends before release":   {"SetLifecycle", object{"projectKey": "payments", "stages": []string{"DEV", "QA"}}, bad, "", "RELEASE"},
		"a lifecycle with an unknown stage":      {"SetLifecycle", object{"projectKey": "payments", "stages": []string{"DEV", "MOON", "PROD"}}, bad, "input.stages.1", "MOON"},
		"an application of no project":           {"CreateApplication", object{"projectKey": "nowhere", "key": "app", "name": "x"}, "NOT_FOUND", "", "nowhere"},
		"an owner that is neither user nor team": {"CreateApplication", object{"projectKey": "payments", "key": "app", "name": "x", "owners": []string{"alice"}}, bad, "input.owners.0", ""},
		"something that is no purl":              {"BindPackage", object{"applicationKey": "gateway", "purl": "lodash"}, bad, "input.purl", ""},
		"a digest that is too short":             {"CreateApplicationVersion", artifact("sha256:abc"), bad, "input.sources.artifacts.0.digest", "64"},
		"a digest in capitals":                   {"CreateApplicationVersion", artifact(strings.ToUpper(image)), bad, "input.sources.artifacts.0.digest", ""},
		"a version without a source":             {"CreateApplicationVersion", version(object{"sources": object{}}), bad, "input.sources", "source"},
		"a version string of 129 characters":     {"CreateApplicationVersion", version(object{"version": strings.Repeat("1", 129)}), bad, "input.version", "128"},
		"a version that was reported":            {"CreateApplicationVersion", version(object{"version": "1.0.0"}), "CONFLICT", "", "1.0.0"},
		"a purl without a version":               {"CreateApplicationVersion", version(object{"sources": object{"packages": []object{{"purl": "pkg:npm/lodash"}}}}), bad, "input.sources.packages.0.purl", "version"},
		"neither envelope nor document":          {"SubmitEvidence", object{}, bad, "input", "exactly one"},
		"an envelope that is no JSON":            {"SubmitEvidence", object{"envelope": "{"}, bad, "input.envelope", ""},
		"an envelope of 33 MiB":                  {"SubmitEvidence", object{"envelope": strings.Repeat("x", 33<<20)}, bad, "input.envelope", "32 MiB"},
		"an envelope without signatures":         {"SubmitEvidence", envelope(func(e object) { e["signatures"] = []any{} }), bad, "input.envelope", "signatures"},
		"a signature that is no base64":          {"SubmitEvidence", envelope(func(e object) { e["signatures"] = []object{{"sig": "%%%"}} }), bad, "input.envelope", "base64"},
		"a payload that was altered":             {"SubmitEvidence", envelope(statement(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + strings.TrimPrefix(image, "sha256:") + `"}}],"predicateType":"` + testResult + `","predicate":{"result":"passed"}}`)), bad, "input.envelope", "does not match"},
		"a statement about nothing":              {"SubmitEvidence", envelope(statement(`{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}`)), bad, "input.envelope", "subject"},
		"a statement nested 10,000 deep":         {"SubmitEvidence", envelope(statement(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"x","predicate":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`)), bad, "input.envelope", ""},
		"a subject without a digest":             {"SubmitEvidence", envelope(statement(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app"}],"predicateType":"x","predicate":{}}`)), bad, "input.envelope", "subject[0]"},
		"a million subjects":                     {"SubmitEvidence", envelope(statement(`{"_type":"https://in-toto.io/Statement/v1","subject":[` + strings.Repeat(`{"digest":{"a":"b"}},`, 1e6) + `{}],"predicateType":"x","predicate":{}}`)), bad, "input.envelope", "subject"},
		"a payload that is no JSON":              {"SubmitEvidence", envelope(statement("hello")), bad, "input.envelope", "JSON"},
		"a payload of nothing":                   {"SubmitEvidence", envelope(statement("{}")), bad, "input.envelope", "_type"},
		"a payload that is no base64":            {"SubmitEvidence", envelope(func(e object) { e["payload"] = "not base64!" }), bad, "input.envelope", "base64"},
		"a document nested 10,000 deep":          {"SubmitEvidence", document(`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+`}`, about), bad, "input.document.content", "deep"},
		"XML that defines its own words":         {"SubmitEvidence", object{"document": object{"mediaType": "application/xml", "content": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuites name="&b;"/>`, "subjects": []object{about}}}, bad, "input.document.content", ""},
		"another payload type":                   {"SubmitEvidence", envelope(func(e object) { e["payloadType"] = "text/plain" }), bad, "input.envelope", "text/plain"},
		"a key that stands twice":                {"SubmitEvidence", object{"envelope": `{"payload":"e30=","payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}`}, bad, "input.envelope", "duplicate"},
		"a bill that is no bill":                 {"SubmitEvidence", document(`{"bomFormat":"CycloneDX"}`, about), bad, "input.document.content", ""},
		"a bill about nothing":                   {"SubmitEvidence", document(bill), bad, "input.document.subjects", ""},
		"a bill about a version nobody knows":    {"SubmitEvidence", document(bill, object{"applicationVersion": object{"applicationKey": "gateway", "version": "9"}}), "NOT_FOUND", "", ""},
		"a key that is no key":                   {"AddTrustAnchor", object{"alias": "x", "publicKey": "hello"}, bad, "input.publicKey", ""},
		"Rego that does not compile":             {"CreatePolicyTemplate", template("package x\n\nexamined contains"), bad, "input.rego", ""},
		"Rego that asks for the time":            {"CreatePolicyTemplate", template("package x\n\nexamined contains sprintf(\"%d\", [time.now_ns()])\n\nviolations contains v if { v := {}; false }\n"), bad, "input.rego", "time.now_ns"},
		"Rego that calls out":                    {"CreatePolicyTemplate", template("package x\n\nexamined contains http.send({\"url\": \"http://x\"}).status\n\nviolations contains v if { v := {}; false }\n"), bad, "input.rego", "http.send"},
		"Rego of 65 KiB":                         {"CreatePolicyTemplate", template("package x\n" + strings.Repeat("#", 65<<10)), bad, "input.rego", ""},
		"a template that comes with the program": {"CreatePolicyTemplate", object{"name": "sbom-complete", "category": "CUSTOM", "rego": "package x\n\nexamined contains \"x\"\n\nviolations contains v if {\n\tv := {\"code\": \"A\", \"subject\": \"b\", \"message\": \"c\"}\n\tinput.gate.stage == \"x\"\n}\n", "parametersSchema": object{"type": "object"}}, "CONFLICT", "", "sbom-complete"},
		"parameters that do not fit":             {"CreateRule", object{"name": "r", "template": "evidence-present", "parameters": object{"predicateType": 5}}, bad, "", "predicateType"},
		"a rule of no template":                  {"CreateRule", object{"name": "r", "template": "nothing", "parameters": object{}}, bad, "input.template", ""},
		"a policy of no rule":                    {"CreatePolicy", object{"name": "p", "rules": []string{}, "mode": "BLOCK", "gate": object{"stage": "QA", "kind": "ENTRY"}, "scope": object{"type": "GLOBAL"}}, bad, "input.rules", ""},
		"a policy that is not there":             {"UpdatePolicy", object{"name": "nothing", "mode": "WARN"}, "NOT_FOUND", "", ""},
		"a stage that is not there":              {"Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "MOON"}, bad, "input.toStage", "DEV → QA → PROD"},
		"a stage that is not next":               {"Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "QA"}, "FAILED_PRECONDITION", "", `"nextStage":"DEV"`},
		"promoting into the release stage":       {"Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "PROD"}, "FAILED_PRECONDITION", "", "releaseApplicationVersion"},
		"a version that is not there":            {"Promote", object{"applicationKey": "gateway", "version": "7", "toStage": "DEV"}, "NOT_FOUND", "", ""},
		"an application without a lifecycle":     {"Release", object{"applicationKey": "stray", "version": "1"}, "FAILED_PRECONDITION", "", "setLifecycle"},
		"releasing past the stages":              {"Release", object{"applicationKey": "gateway", "version": "1.0.0"}, "FAILED_PRECONDITION", "", "DEV"},
		"taking back what did not happen":        {"Rollback", object{"applicationKey": "gateway", "version": "1.0.0", "fromStage": "PROD", "reason": "because of that"}, "FAILED_PRECONDITION", "", ""},
		"an instant that is none":                {"RecordDeployment", object{"applicationKey": "gateway", "version": "1.0.0", "environment": "production", "kind": "RELEASE", "status": "SUCCEEDED", "startedAt": "yesterday"}, bad, "input.startedAt", "RFC 3339"},
		"a token that ended yesterday":           {"CreateToken", object{"name": "t", "role": "VIEWER", "expiresAt": "2020-01-01T00:00:00Z"}, bad, "input.expiresAt", ""},
		"an organisation admin of a project":     {"CreateToken", object{"name": "t", "role": "ORGANISATION_ADMIN", "projectKey": "payments"}, bad, "", ""},
	}
}

func TestRule43_NobodyWritesOrReadsAnonymously(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		revoked := s.must(admin, "CreateToken", object{"name": "gone", "role": "VIEWER"}, "createToken").(object)
		s.post(admin, `mutation($id: ID!) { revokeToken(input: {id: $id}) { token { revokedAt } } }`, object{"id": revoked["token"].(object)["id"]})
		before := s.trace()
		for name, token := range map[string]string{"nobody": "", "a stranger": "plm_not_a_token_of_this_place", "one who was let go": revoked["secret"].(string)} {
			for _, query := range []string{
				`{ projects { totalCount } }`, `{ viewer { principal } }`, `{ activityLog { totalCount } }`,
				`mutation { createProject(input: {key: "sneaky", name: "x"}) { project { id } } }`,
			} {
				got := s.post(token, query, nil)
				if code, _ := got.code(); code != "UNAUTHENTICATED" {
					t.Errorf("%s sends %s and gets %s", name, query, got.raw)
				}
			}
		}
		if after := s.trace(); after != before {
			t.Errorf("something was written:\n%s", after)
		}
		for _, size := range []string{"first: 0", "first: 101", "first: 1, last: 1", `after: "junk"`} {
			if code, _ := s.post(admin, `{ projects(`+size+`) { totalCount } }`, nil).code(); code != "BAD_USER_INPUT" {
				t.Errorf("projects(%s) is answered with %q", size, code)
			}
		}
	})
}
