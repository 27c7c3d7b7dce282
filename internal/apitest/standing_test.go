package apitest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// withdraw takes a piece of evidence back, and gives what came of it.
func (s *server) withdraw(token, id string) object {
	s.t.Helper()
	return s.ask(token, `mutation($input: WithdrawEvidenceInput!) { withdrawEvidence(input: $input) {
		suspected evidence { id verified withdrawal { at by reason } }
	} }`, object{"input": object{"evidence": id, "reason": "the tests did not run"}}, "withdrawEvidence").(object)
}

// standing lists the versions that have one, oldest first.
func (s *server) standing(token, is string) string {
	s.t.Helper()
	list := s.ask(token, `query($is: [Standing!]) { applicationVersions(filter: {standing: $is}, first: 100) { edges { node { version standing } } } }`,
		object{"is": []string{is}}, "applicationVersions", "edges").([]any)
	var names []string
	for _, e := range list {
		node := e.(object)["node"].(object)
		names = append(names, fmt.Sprint(node["version"], " ", node["standing"]))
	}
	return strings.Join(names, ", ")
}

// hit lists the versions that a blast radius finds.
func (s *server) hit(token string, of object) string {
	s.t.Helper()
	list := s.ask(token, `query($of: BlastRadiusInput!) { blastRadius(of: $of) { applicationVersions(first: 100) { edges { node { version } } } } }`,
		object{"of": of}, "blastRadius", "applicationVersions", "edges").([]any)
	var names []string
	for _, e := range list {
		names = append(names, fmt.Sprint(e.(object)["node"].(object)["version"]))
	}
	return strings.Join(names, ", ")
}

// attested are the bundles of a version, oldest first.
func (s *server) attested(version string) []string {
	s.t.Helper()
	var bundles []string
	for _, a := range s.ask(admin, `query($v: String!) { applicationVersion(application: "gateway", version: $v) { attestations { bundle } } }`,
		object{"v": version}, "applicationVersion", "attestations").([]any) {
		bundles = append(bundles, text(s.t, a.(object)["bundle"]))
	}
	return bundles
}

// tested makes a trusted release on the word of a signer, and gives the id of the evidence.
func (s *server) tested(version string, by *attest.Signer) string {
	s.t.Helper()
	manifest := s.report("gateway", version)
	id := s.must(admin, "SubmitEvidence", object{"envelope": signed(s.t, by, testResult, object{"result": "PASSED"}, manifest)}, "submitEvidence", "evidence", "id").(string)
	s.move(version, "DEV", "COMPLETED")
	s.move(version, "QA", "COMPLETED")
	got := s.must(admin, "Release", object{"applicationKey": "gateway", "version": version}, "releaseApplicationVersion", "applicationVersion").(object)
	if got["standing"] != "GOOD" {
		s.t.Fatalf("it is released as %s", text(s.t, got))
	}
	return id
}

// TestRule31_WhatRestsOnEvidenceThatIsTakenBackIsFoundByOneQuery withdraws evidence and revokes a signer, and finds what rests on them.
func TestRule31_WhatRestsOnEvidenceThatIsTakenBackIsFoundByOneQuery(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.must(admin, "CreateProject", object{"key": "web", "name": "Web"})
		stranger := s.token("stranger", "VIEWER", "web")
		first, second := key(t), key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "first", "publicKey": string(first.PublicKeyPEM())})
		s.must(admin, "AddTrustAnchor", object{"alias": "second", "publicKey": string(second.PublicKeyPEM())})
		s.guard("tested", "evidence-present", object{"predicateType": testResult}, "PROD", "RELEASE", "BLOCK")
		one, two := s.tested("1.0.0", first), s.tested("2.0.0", second)
		s.tested("3.0.0", second)
		before := s.attested("1.0.0")

		got := s.withdraw(admin, one)
		gone := got["evidence"].(object)["withdrawal"].(object)
		if got["suspected"] != 1.0 || gone["reason"] != "the tests did not run" || gone["by"] != "bootstrap" || got["evidence"].(object)["verified"] != true {
			t.Errorf("withdrawn is %s", text(t, got))
		}
		if is := s.standing(admin, "SUSPECT"); is != "1.0.0 SUSPECT" {
			t.Errorf("suspect are %s", is)
		}
		if hit := s.hit(admin, object{"evidence": one}); hit != "1.0.0" {
			t.Errorf("it is about %s", hit)
		}
		if a := s.post(stranger, `query($of: BlastRadiusInput!) { blastRadius(of: $of) { export(format: CSV) } }`, object{"of": object{"evidence": one}}); !a.is("NOT_FOUND", "of.evidence") {
			t.Errorf("a stranger is told %s", a.raw)
		}
		if a := s.post(admin, `query($of: BlastRadiusInput!) { blastRadius(of: $of) { export(format: CSV) } }`, object{"of": object{"evidence": one, "signer": "first"}}); !a.is("BAD_USER_INPUT", "of") {
			t.Errorf("two things to start from: %s", a.raw)
		}
		after := s.attested("1.0.0")
		if len(after) != len(before)+1 || strings.Join(after[:len(before)], "") != strings.Join(before, "") {
			t.Error("what was signed before is another")
		}
		s.checkStatus(after[len(before)], `"cause":"EVIDENCE_WITHDRAWN"`)

		revoked := s.ask(admin, `mutation { revokeTrustAnchor(input: {alias: "second"}) { suspected trustAnchor { alias revokedAt } } }`, nil, "revokeTrustAnchor").(object)
		if revoked["suspected"] != 2.0 {
			t.Errorf("revoked is %s", text(t, revoked))
		}
		if is := s.standing(admin, "SUSPECT"); is != "1.0.0 SUSPECT, 2.0.0 SUSPECT, 3.0.0 SUSPECT" {
			t.Errorf("suspect are %s", is)
		}
		if hit := s.hit(admin, object{"signer": "second"}); hit != "3.0.0, 2.0.0" {
			t.Errorf("it vouched for %s", hit)
		}
		if hit := s.hit(admin, object{"evidence": two}); hit != "2.0.0" {
			t.Errorf("it is about %s", hit)
		}
		s.checkStatus(s.attested("3.0.0")[len(before)], `"cause":"SIGNER_REVOKED"`)
	})
}

// is tells whether an answer is a fault of the code at the path.
func (a answer) is(code, path string) bool {
	got, at := a.code()
	return got == code && at == path
}

// checkStatus verifies a bundle with the key that the server publishes, and what its statement says.
func (s *server) checkStatus(bundle, says string) {
	s.t.Helper()
	public, err := attest.ParsePublicKey([]byte(s.fetch("/keys/release.pub")))
	if err != nil {
		s.t.Fatal(err)
	}
	content, err := attest.BundleEnvelope([]byte(bundle))
	if err != nil {
		s.t.Fatal(err)
	}
	env, err := attest.ParseEnvelope(content)
	if err != nil {
		s.t.Fatal(err)
	}
	verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "release", Key: public}})
	if err != nil || !verdict.Verified || !strings.Contains(string(env.Payload), says) || !strings.Contains(string(env.Payload), `"standing":"SUSPECT"`) {
		s.t.Errorf("it says %s: %v, %v", env.Payload, verdict, err)
	}
}
