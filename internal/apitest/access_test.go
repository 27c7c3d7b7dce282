package apitest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/schema"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// call is one mutation as somebody might send it: its input for the n-th try, and whether it is about the organisation
// rather than a project.
type call struct {
	input        func(n int) object
	organisation bool
	// anywhere: templates and rules belong to no project, so the role counts wherever it is held.
	anywhere bool
}

// prepared is what mutations are about that somebody must have made before.
type prepared struct {
	anchor, token, decision, waiver, ownWaiver, approvedWaiver, freeze, manifest string
	evidence, withdrawn                                                          string
}

// calls has one for every mutation of the schema, about the project payments, its application gateway and version 1.0.0.
func calls(made prepared) map[string]call {
	numbered := func(format string) func(int) string { return func(n int) string { return fmt.Sprintf(format, n) } }
	key, name := numbered("key-%d"), numbered("name %d")
	target := object{"applicationKey": "gateway", "version": "1.0.0"}
	with := func(more object) object {
		in := object{}
		for _, m := range []object{target, more} {
			maps.Copy(in, m)
		}
		return in
	}
	always := func(in object) func(int) object { return func(int) object { return in } }
	scope := object{"type": "PROJECT", "projectKeys": []string{"payments"}}
	rego := "package x\n\nexamined contains \"x\"\n\nviolations contains v if {\n\tv := {\"code\": \"A\", \"subject\": \"b\", \"message\": \"c\"}\n\tinput.gate.stage == \"x\"\n}\n"
	return map[string]call{
		"createProject":      {input: func(n int) object { return object{"key": key(n), "name": name(n)} }, organisation: true},
		"createStage":        {input: func(n int) object { return object{"projectKey": "payments", "name": name(n), "category": "PROMOTE"} }},
		"setLifecycle":       {input: always(object{"projectKey": "payments", "stages": []string{"DEV", "QA", "PROD"}})},
		"createApplication":  {input: func(n int) object { return object{"projectKey": "payments", "key": key(n), "name": name(n)} }},
		"updateApplication":  {input: func(n int) object { return object{"key": "gateway", "description": name(n)} }},
		"archiveApplication": {input: func(n int) object { return object{"key": "gateway", "archived": n%2 == 0} }},
		"importOwners": {input: func(n int) object {
			return object{"format": "CODEOWNERS", "projectKey": "payments", "content": fmt.Sprintf("gateway team:t%d", n)}
		}},
		"bindPackage":       {input: func(n int) object { return object{"applicationKey": "gateway", "purl": "pkg:npm/p" + key(n)} }},
		"unbindPackage":     {input: func(n int) object { return object{"applicationKey": "gateway", "purl": "pkg:npm/p" + key(n)} }},
		"createToken":       {input: func(n int) object { return object{"name": name(n), "role": "VIEWER", "projectKey": "payments"} }},
		"revokeToken":       {input: always(object{"id": made.token})},
		"erasePerson":       {input: always(object{"name": "user:alice", "reason": "REQ-1"}), organisation: true},
		"addTrustAnchor":    {input: func(n int) object { return object{"alias": name(n), "publicKey": made.anchor} }, organisation: true},
		"revokeTrustAnchor": {input: always(object{"alias": "nobody"}), organisation: true},
		"createPolicyTemplate": {input: func(n int) object {
			return object{"name": name(n), "category": "CUSTOM", "rego": rego, "parametersSchema": object{"type": "object"}}
		}, anywhere: true},
		"createRule": {input: func(n int) object {
			return object{"name": name(n), "template": "sbom-complete", "parameters": object{}}
		}, anywhere: true},
		"createPolicy": {input: func(n int) object {
			return object{"name": name(n), "rules": []string{"bills"}, "mode": "WARN", "gate": object{"stage": "QA", "kind": "ENTRY"}, "scope": scope}
		}},
		"updatePolicy": {input: always(object{"name": "bills", "mode": "WARN"})},
		"createApplicationVersion": {input: func(n int) object {
			return object{"applicationKey": "gateway", "version": key(n), "sources": object{"artifacts": []object{{"name": "x", "digest": image}}}}
		}},
		"reportBuild": {input: func(n int) object {
			return object{
				"name": "ci", "number": key(n), "projectKey": "payments", "source": object{"repository": "https://git.example.org/gateway", "revision": commit},
				"artifacts": []object{{"name": "image", "digest": image}},
			}
		}},
		"addVersionSources": {input: func(n int) object {
			return with(object{"sources": object{"packages": []object{{"purl": "pkg:npm/p" + key(n) + "@1"}}}})
		}},
		"updateApplicationVersion":  {input: func(n int) object { return with(object{"tag": name(n)}) }},
		"lockApplicationVersion":    {input: always(target)},
		"deleteDraftVersion":        {input: always(target)},
		"archiveApplicationVersion": {input: func(n int) object { return with(object{"archived": n%2 == 0}) }},
		"submitEvidence":            {input: always(object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"applicationVersion": target}}}})},
		"withdrawEvidence":          {input: always(object{"evidence": made.evidence, "reason": "because of that"})},
		// Whoever may send a batch somewhere may send it: each piece is refused by itself.
		"submitEvidenceBatch": {input: always(object{"items": []object{{"document": object{
			"mediaType": "text/plain", "predicateType": "https://acme.example/ticket", "content": "CHG-1", "subjects": []object{{"applicationVersion": target}},
		}}}}), anywhere: true},
		"recordDeployment": {input: always(with(object{"environment": "production", "kind": "RELEASE", "status": "SUCCEEDED"}))},
		"deprecatePackage": {input: func(n int) object {
			return object{"purl": "pkg:npm/old", "reason": "there is a better one " + key(n)}
		}},
		"recordTriageDecision": {input: func(n int) object {
			return object{"vulnerability": fmt.Sprint("CVE-", n), "applicationKey": "gateway", "status": "AFFECTED", "justification": "because of that"}
		}},
		"revokeTriageDecision": {input: always(object{"id": made.decision, "reason": "because of that"})},
		"requestWaiver": {input: func(n int) object {
			return object{"policy": "bills", "applicationKey": "gateway", "code": key(n), "justification": "because of that", "expiresAt": tomorrow()}
		}},
		"decideWaiver": {input: always(object{"id": made.waiver, "approve": true})},
		"cancelWaiver": {input: always(object{"id": made.ownWaiver})},
		"revokeWaiver": {input: always(object{"id": made.approvedWaiver, "reason": "because of that"})},
		"createFreeze": {input: func(n int) object {
			return object{"projectKey": "payments", "reason": "because of that " + key(n), "endsAt": tomorrow()}
		}},
		"liftFreeze":                 {input: always(object{"id": made.freeze})},
		"approveApplicationVersion":  {input: always(with(object{"manifestDigest": made.manifest}))},
		"importAdvisories":           {input: always(object{"format": "OSV", "documents": []string{lodashText}}), organisation: true},
		"promoteApplicationVersion":  {input: always(with(object{"toStage": "DEV", "dryRun": true}))},
		"releaseApplicationVersion":  {input: always(with(object{"dryRun": true}))},
		"rollbackApplicationVersion": {input: always(with(object{"fromStage": "DEV", "reason": "because of that"}))},
	}
}

// TestRule44_EachRoleMaySendWhatTheTableSays sends every mutation with every role, held where it counts and elsewhere.
func TestRule44_EachRoleMaySendWhatTheTableSays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("other", "elsewhere")
		s.report("gateway", "1.0.0")
		s.must(admin, "BindPackage", object{"applicationKey": "gateway", "purl": "pkg:npm/old"})
		s.must(admin, "CreateRule", object{"name": "bills", "template": "sbom-complete", "parameters": object{}})
		s.must(admin, "CreatePolicy", object{
			"name": "bills", "rules": []string{"bills"}, "mode": "WARN", "gate": object{"stage": "QA", "kind": "ENTRY"},
			"scope": object{"type": "PROJECT", "projectKeys": []string{"payments"}},
		})
		victim := s.must(admin, "CreateToken", object{"name": "victim", "role": "VIEWER", "projectKey": "payments"}, "createToken", "token", "id").(string)
		made := s.prepare(victim)
		made.ownWaiver = made.approvedWaiver // of others than who asked, all are refused that wait to be decided
		made.evidence = made.withdrawn       // of others than who pushed it, most are refused that counts
		all := calls(made)
		n := 0
		for _, role := range []auth.Role{auth.Viewer, auth.Contributor, auth.EvidencePusher, auth.Releaser, auth.PolicyManager, auth.WaiverApprover, auth.Auditor, auth.ProjectAdmin} {
			here, there := s.token("here "+string(role), string(role), "payments"), s.token("there "+string(role), string(role), "other")
			everywhere := s.token("everywhere "+string(role), string(role), "")
			for _, mutation := range mutations(t) {
				c, ok := all[mutation]
				if !ok {
					t.Fatalf("nobody has tried who may send %s: add it to calls", mutation)
				}
				may := slices.Contains(auth.Table()["Mutation."+mutation], role)
				for who, try := range map[string]struct {
					token string
					may   bool
				}{
					"on the project":      {here, may && !c.organisation},
					"on another project":  {there, may && c.anywhere},
					"on the organisation": {everywhere, may},
				} {
					n++
					got := s.post(try.token, document(t, mutation), object{"input": c.input(n)})
					code, _ := got.code()
					if allowed := !slices.Contains([]string{"FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT", "UNAUTHENTICATED"}, code); allowed != try.may {
						t.Errorf("%s with %s %s: allowed is %v, the table says %v: %s", mutation, role, who, allowed, try.may, got.raw)
					}
				}
			}
		}
	})
}

// tomorrow is an instant in the future.
func tomorrow() string { return time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339) }

// prepare makes what mutations are about, with a policy called bills. Of the waivers that nobody decided on yet, somebody else asked
// for one and the admin for the other.
func (s *server) prepare(token string) prepared {
	s.t.Helper()
	made := prepared{anchor: string(key(s.t).PublicKeyPEM()), token: token, decision: s.decide("gateway")}
	contributor, approver := s.token("asks", "CONTRIBUTOR", "payments"), s.token("approves", "WAIVER_APPROVER", "payments")
	ask := func(who, code string) string {
		return s.must(who, "RequestWaiver", object{
			"policy": "bills", "applicationKey": "gateway", "code": code, "justification": "because of that", "expiresAt": tomorrow(),
		}, "requestWaiver", "waiver", "id").(string)
	}
	made.waiver, made.ownWaiver, made.approvedWaiver = ask(contributor, "A"), ask(admin, "B"), ask(contributor, "C")
	s.must(approver, "DecideWaiver", object{"id": made.approvedWaiver, "approve": true})
	frozen := s.post(admin, `mutation($input: CreateFreezeInput!) { createFreeze(input: $input) { freeze { id } } }`,
		object{"input": object{"projectKey": "payments", "reason": "because of that", "startsAt": tomorrow(), "endsAt": time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)}})
	made.freeze, _ = frozen.at(s.t, "createFreeze", "freeze", "id").(string)
	version := s.post(admin, `{ applicationVersion(application: "gateway", version: "1.0.0") { manifestDigest } }`, nil)
	made.manifest, _ = version.at(s.t, "applicationVersion", "manifestDigest").(string)
	pushed := func(note string) string {
		return s.must(contributor, "SubmitEvidence", object{"document": object{
			"mediaType": "text/plain", "predicateType": "https://acme.example/note", "content": note, "subjects": []object{{"digest": image}},
		}}, "submitEvidence", "evidence", "id").(string)
	}
	made.evidence, made.withdrawn = pushed("one"), pushed("two")
	s.withdraw(admin, made.withdrawn)
	return made
}

// decide records a triage decision for an application, and gives its id.
func (s *server) decide(application string) string {
	s.t.Helper()
	got := s.post(admin, `mutation($input: RecordTriageDecisionInput!) { recordTriageDecision(input: $input) { triageDecision { id } } }`,
		object{"input": object{"vulnerability": "CVE-0", "applicationKey": application, "status": "AFFECTED", "justification": "because of that"}})
	id, _ := got.at(s.t, "recordTriageDecision", "triageDecision", "id").(string)
	return id
}

// mutations names those of the schema.
func mutations(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, f := range sdl(t).Mutation.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// document sends a mutation and asks for nothing back.
func document(t *testing.T, mutation string) string {
	t.Helper()
	f := sdl(t).Mutation.Fields.ForName(mutation)
	return fmt.Sprintf("mutation($input: %s) { %s(input: $input) { __typename } }", f.Arguments[0].Type, mutation)
}

func sdl(t *testing.T) *ast.Schema {
	t.Helper()
	entries, err := schema.SDL.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, e := range entries {
		b, err := schema.SDL.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: e.Name(), Input: string(b)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRule45_WhatIsOutOfReachDoesNotExist asks everything there is to ask, as somebody of another project.
func TestRule45_WhatIsOutOfReachDoesNotExist(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("secret", "hidden")
		s.must(admin, "BindPackage", object{"applicationKey": "hidden", "purl": "pkg:npm/%40acme/login"})
		s.must(admin, "CreateRule", object{"name": "bills", "template": "sbom-complete", "parameters": object{}})
		s.must(admin, "CreatePolicy", object{
			"name": "hidden-policy", "rules": []string{"bills"}, "mode": "WARN", "gate": object{"stage": "QA", "kind": "ENTRY"},
			"scope": object{"type": "PROJECT", "projectKeys": []string{"secret"}},
		})
		hidden := s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "hidden", "version": "6.6.6", "sources": object{"artifacts": []object{{"name": "hidden.tar", "digest": image}}},
		}, "createApplicationVersion", "applicationVersion").(object)
		s.must(admin, "Promote", object{"applicationKey": "hidden", "version": "6.6.6", "toStage": "DEV"})
		pusher := s.token("hidden-pusher", "EVIDENCE_PUSHER", "secret")
		proof := s.must(pusher, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"digest": image}}}}, "submitEvidence", "evidence").(object)
		s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "gateway", "version": "1.0.0", "sources": object{"packages": []object{{"purl": "pkg:npm/%40acme/login@1.0.0"}}},
		})
		viewer := s.token("viewer", "VIEWER", "payments")
		for name, query := range map[string]string{
			"lists": `{ projects { totalCount edges { node { key } } } applications { totalCount edges { node { key owners { ref } } } }
				policies { totalCount edges { node { name } } } rules { edges { node { name } } } trustAnchors { totalCount } }`,
			"the log":            `{ activityLog(first: 100) { totalCount edges { node { subject summary actor project { key } } } } }`,
			"by name":            `{ project(key: "secret") { key } application(key: "hidden") { key } policy(name: "hidden-policy") { name } applicationVersion(application: "hidden", version: "6.6.6") { version } }`,
			"by id":              fmt.Sprintf(`{ a: node(id: %q) { id __typename } b: node(id: %q) { id __typename } }`, hidden["id"], proof["id"]),
			"evidence by digest": fmt.Sprintf(`{ evidence(digest: %q) { id } }`, proof["digest"]),
			"an owner elsewhere": `{ applicationVersion(application: "gateway", version: "1.0.0") { contents { edges { node { connectionLevel owningApplication { key } } } } } }`,
		} {
			got := s.post(viewer, query, nil)
			if len(got.Errors) > 0 {
				t.Errorf("%s: %s", name, got.raw)
			}
			asked := strings.ToLower(got.raw)
			for _, word := range []string{"secret", "hidden", "6.6.6", "second_party", `"totalcount":2,"edges":[{"node":{"key"`} {
				if strings.Contains(asked, word) {
					t.Errorf("%s: a viewer of payments reads %q: %s", name, word, got.raw)
				}
			}
			if name == "by id" && !strings.Contains(got.raw, `"a":null,"b":null`) {
				t.Errorf("ids out of reach answer %s", got.raw)
			}
		}
		releaser := s.token("releaser", "RELEASER", "payments")
		there := s.try(releaser, "Promote", object{"applicationKey": "hidden", "version": "6.6.6", "toStage": "QA"})
		nowhere := s.try(releaser, "Promote", object{"applicationKey": "absent", "version": "6.6.6", "toStage": "QA"})
		if strings.ReplaceAll(there.raw, "hidden", "absent") != nowhere.raw {
			t.Errorf("what is out of reach answers\n%s\nand what is not there\n%s", there.raw, nowhere.raw)
		}
	})
}
