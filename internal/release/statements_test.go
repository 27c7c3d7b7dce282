package release_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// statements returns the statements about a version, oldest first, each verified with the release key and compared with
// its row.
func (w *world) statements(v *db.ApplicationVersion) []attest.Statement {
	w.tb.Helper()
	var list []attest.Statement
	for _, row := range must(w.signing.Of(w.releaser, v))(w.tb) {
		env := must(attest.ParseEnvelope(must(attest.BundleEnvelope([]byte(row.Bundle)))(w.tb)))(w.tb)
		key := must(attest.ParsePublicKey([]byte(row.Edges.SigningKey.PublicKey)))(w.tb)
		verdict := must(attest.Verify(env, []attest.Candidate{{Alias: "release", Key: key}}))(w.tb)
		if !verdict.Verified || string(env.Payload) != row.Statement || canonical.Digest(env.Payload) != row.Digest {
			w.tb.Errorf("%s: %s", row.PredicateType, verdict.Reason)
		}
		st := must(attest.ParseStatement(env.Payload))(w.tb)
		if st.PredicateType != row.PredicateType {
			w.tb.Errorf("a %s is recorded as %s", st.PredicateType, row.PredicateType)
		}
		for _, name := range []string{admin, releaser, owner} {
			if strings.Contains(row.Statement, name) {
				w.tb.Errorf("a %s names %s", row.PredicateType, name)
			}
		}
		list = append(list, st)
	}
	return list
}

func types(list []attest.Statement) string {
	var names []string
	for _, st := range list {
		names = append(names, st.PredicateType)
	}
	return strings.Join(names, " ")
}

// released brings version 1.0 to PROD, past a policy of this mode that says this, and returns it.
func (w *world) released(say ...string) *db.ApplicationVersion {
	w.tb.Helper()
	w.version("1.0")
	must(w.promote("1.0", "DEV"))(w.tb)
	must(w.promote("1.0", "QA"))(w.tb)
	if len(say) > 0 {
		w.guard("release", "PROD", releaseGate, block, say...)
	}
	must(w.release("1.0"))(w.tb)
	return must(w.versions.Version(w.admin, "checkout", "1.0"))(w.tb)
}

func TestRule29_TrustIsEarnedAtTheReleaseGate(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(w *world)
		want    string
		signed  string
	}{
		"no policy at all":         {func(*world) {}, "RELEASED", attest.PredicatePromotion},
		"a policy on another gate": {func(w *world) { w.guard("leave", "QA", exit, block, "fine") }, "RELEASED", attest.PredicatePromotion},
		"a policy that warns": {func(w *world) {
			w.guard("good", "PROD", releaseGate, block, "fine")
			w.guard("bad", "PROD", releaseGate, warn, "wrong")
		}, "RELEASED", attest.PredicatePromotion},
		"a warning on another gate": {func(w *world) {
			w.guard("leave", "QA", exit, warn, "wrong")
			w.guard("good", "PROD", releaseGate, block, "fine")
		}, "TRUSTED_RELEASE", attest.PredicateVSA + " " + attest.PredicateRelease},
		"a policy that only warns, and passes": {
			func(w *world) { w.guard("good", "PROD", releaseGate, warn, "fine") },
			"TRUSTED_RELEASE", attest.PredicateVSA + " " + attest.PredicateRelease,
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				c.prepare(w)
				v := w.released()
				if string(v.Trust) != c.want || (v.Standing != nil) != (c.want == "TRUSTED_RELEASE") {
					t.Errorf("the version is %s, standing %v; want %s", v.Trust, v.Standing, c.want)
				}
				before := strings.Join([]string{attest.PredicateManifest, attest.PredicatePromotion, attest.PredicatePromotion}, " ")
				if got := types(w.statements(v)); got != before+" "+c.signed {
					t.Errorf("signed are %s", got)
				}
			})
		})
	}
}

func TestRule30_ATrustedReleaseIsSignedForWithEverythingInIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if _, _, err := w.evidence.Submit(w.admin, evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{
			MediaType: "application/vnd.cyclonedx+json", Content: `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}`,
			Subjects: []*evidence.EvidenceSubjectInput{{Digest: ptr(digestOf("image"))}},
		}}); err != nil {
			t.Fatal(err)
		}
		seen := must(w.st.Read().Evidence.Query().Only(w.admin))(t).Digest
		v := w.released("fine")
		list := w.statements(v)
		for _, st := range list {
			var got []string
			for _, s := range st.Subject {
				got = append(got, s.Name+" sha256:"+s.Digest["sha256"])
			}
			want := []string{"checkout@1.0 " + v.ManifestDigest, "chart " + digestOf("chart"), "image " + digestOf("image")}
			slices.Sort(got[1:])
			if !slices.Equal(got, want) {
				t.Errorf("%s is about %q, want %q", st.PredicateType, got, want)
			}
		}
		w.checkVSA(list[len(list)-2], seen)
		w.checkOwn(list[len(list)-1], v, seen)
		event := w.events(1)[0]
		for _, row := range must(w.signing.Of(w.releaser, v))(t)[3:] {
			if !strings.Contains(event, "[attestation "+row.PredicateType+" →"+row.Digest+"]") {
				t.Errorf("the event does not hold %s: %s", row.Digest, event)
			}
		}
	})
}

func (w *world) checkVSA(st attest.Statement, seen string) {
	w.tb.Helper()
	var p map[string]json.RawMessage
	if err := json.Unmarshal(st.Predicate, &p); err != nil {
		w.tb.Fatal(err)
	}
	for field, want := range map[string]string{
		"verifier": `{"id":"https://plimsoll.example.org"}`, "timeVerified": `"2026-11-21T03:00:00Z"`,
		"resourceUri": `"` + release.ResourceURI("checkout", "1.0") + `"`, "verificationResult": `"PASSED"`,
		"verifiedLevels": `["` + release.TrustedLevel + `"]`, "slsaVersion": `"1.1"`,
		"inputAttestations": `[{"digest":{"sha256":"` + strings.TrimPrefix(seen, "sha256:") + `"}}]`,
	} {
		if string(p[field]) != want {
			w.tb.Errorf("the summary's %s is %s, want %s", field, p[field], want)
		}
		delete(p, field)
	}
	if policy := string(p["policy"]); len(p) != 1 || !strings.Contains(policy, `"uri":"plimsoll://gates/PROD/release"`) || !strings.Contains(policy, `"sha256":"`) {
		w.tb.Errorf("the summary says beside it %s", p)
	}
}

func (w *world) checkOwn(st attest.Statement, v *db.ApplicationVersion, seen string) {
	w.tb.Helper()
	var p struct {
		Application                                        map[string]string
		Version, ManifestDigest, FromStage, ToStage, Trust string
		DecidedAt                                          string
		Evidence, Waivers                                  []string
		Gates                                              []struct {
			Stage, Kind, EvalID, Decision, InputDigest, CapabilitiesDigest string
			Policies                                                       []struct {
				Name, Mode string
				Revision   int
				Rules      []struct{ Name, TemplateDigest, ParametersDigest string }
			}
		}
	}
	if err := json.Unmarshal(st.Predicate, &p); err != nil {
		w.tb.Fatal(err)
	}
	got := fmt.Sprint(p.Application, p.Version, p.ManifestDigest, p.FromStage, p.ToStage, p.Trust, p.DecidedAt, p.Evidence, p.Waivers)
	want := fmt.Sprint(map[string]string{"key": "checkout", "name": "The checkout", "project": "pay", "criticality": "HIGH", "maturity": "PRODUCTION"},
		"1.0", v.ManifestDigest, "QA", "PROD", "TRUSTED_RELEASE", "2026-11-21T03:00:00Z", []string{seen}, []string{})
	if got != want {
		w.tb.Errorf("the release says\n%s\nwant\n%s", got, want)
	}
	if len(p.Gates) != 2 || len(p.Gates[0].Policies) != 0 || len(p.Gates[1].Policies) != 1 || len(p.Gates[1].Policies[0].Rules) != 1 {
		w.tb.Fatalf("the gates are %+v", p.Gates)
	}
	for i, gate := range []string{"QA EXIT PASS", "PROD RELEASE PASS"} {
		g := p.Gates[i]
		e := must(w.gates.Evaluation(w.releaser, g.EvalID))(w.tb)
		if e == nil || g.Stage+" "+g.Kind+" "+g.Decision != gate || g.InputDigest != e.InputDigest || g.CapabilitiesDigest != e.CapabilitiesDigest {
			w.tb.Errorf("gate %d is %+v", i, g)
		}
	}
	said, rule := p.Gates[1].Policies[0], must(w.st.Read().Rule.Query().WithTemplate().Only(w.admin))(w.tb)
	if said.Name != "release" || said.Revision != 1 || said.Mode != "BLOCK" || said.Rules[0].Name != "fine" ||
		said.Rules[0].TemplateDigest != rule.Edges.Template.Digest || said.Rules[0].ParametersDigest != canonical.Digest([]byte(rule.Parameters)) {
		w.tb.Errorf("the policy is %+v", said)
	}
}

func TestRule15_ARefusedAttemptIsRecordedAndSignsNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		must(w.promote("1.0", "DEV"))(t)
		w.guard("shut", "QA", entry, block, "wrong")
		before := w.place("1.0")
		r := w.says(w.promote("1.0", "QA"))("PROMOTE, BLOCKED, in DEV, PRE_RELEASE, DEV EXIT: PASS, QA ENTRY: FAIL")
		if w.place("1.0") != before || types(w.statements(v)) != attest.PredicateManifest+" "+attest.PredicatePromotion {
			t.Errorf("the version is %s, was %s; signed are %s", w.place("1.0"), before, types(w.statements(v)))
		}
		if kept := must(w.gates.OfPromotion(w.releaser, r.Promotion))(t); len(kept) != 2 || *kept[1].EvalID != *r.Evaluations[1].EvalID {
			t.Errorf("kept are %v", kept)
		}
		want := fmt.Sprintf("VERSION_PROMOTED BLOCKED: checkout@1.0 was not promoted to QA: a gate is closed [gate DEV EXIT →PASS (%s)] [gate QA ENTRY →FAIL (%s)]",
			*r.Evaluations[0].EvalID, *r.Evaluations[1].EvalID)
		if got := w.events(1)[0]; got != want {
			t.Errorf("the event is\n%s\nwant\n%s", got, want)
		}
	})
}

func TestRule17_RollbackTakesBackTheLatestMoveAndRemovesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.released("fine")
		if place := w.place("1.0"); !strings.HasSuffix(place, "TRUSTED_RELEASEGOOD") && !strings.HasSuffix(place, "GOOD") {
			t.Errorf("a trusted release stands %s", place)
		}
		before := w.statements(v)
		w.says(w.rollback("1.0", "PROD"))("ROLLBACK, COMPLETED, in QA, PRE_RELEASE")
		after := w.statements(v)
		if len(after) != len(before)+1 {
			t.Fatalf("%d statements became %d", len(before), len(after))
		}
		status := after[len(after)-1]
		want := fmt.Sprintf(`{"application":"checkout","cause":"ROLLBACK","manifestDigest":%q,"since":"2026-11-21T03:00:00Z","standing":"WITHDRAWN","version":"1.0"}`, v.ManifestDigest)
		if status.PredicateType != attest.PredicateStatus || string(status.Predicate) != want || status.Subject[0].Name != "checkout@1.0" {
			t.Errorf("the statement is %s of %v: %s", status.PredicateType, status.Subject, status.Predicate)
		}
		if place := w.place("1.0"); !strings.HasSuffix(place, "WITHDRAWN") {
			t.Errorf("a release that was taken back stands %s", place)
		}
		if event := w.events(1)[0]; !strings.HasPrefix(event, "VERSION_ROLLED_BACK SUCCESS: checkout@1.0 was taken back from PROD [stage PROD→QA] [trust TRUSTED_RELEASE→PRE_RELEASE] [attestation ") {
			t.Errorf("the event is %s", event)
		}
		// Twice goes back two stages, and a third time to none; nothing of it needs a signature.
		w.says(w.rollback("1.0", "QA"))("ROLLBACK, COMPLETED, in DEV, PRE_RELEASE")
		w.says(w.rollback("1.0", "DEV"))("ROLLBACK, COMPLETED, in nowhere, PRE_RELEASE")
		if got := len(w.statements(v)); got != len(after) {
			t.Errorf("%d statements became %d", len(after), got)
		}
		var undone []string
		for _, p := range must(w.st.Read().Promotion.Query().WithUndoes().Order(db.Asc("id")).All(w.admin))(t) {
			if u := p.Edges.Undoes; u != nil {
				undone = append(undone, fmt.Sprintf("%s to %d", u.Kind, *u.ToStageID))
			}
		}
		if len(undone) != 3 || undone[0][:7] != "RELEASE" || undone[1] == undone[2] {
			t.Errorf("taken back were %v", undone)
		}
		// The way is open again, and a new release is trusted anew.
		must(w.promote("1.0", "DEV"))(t)
		must(w.promote("1.0", "QA"))(t)
		w.says(w.release("1.0"))("RELEASE, COMPLETED, in PROD, TRUSTED_RELEASE, QA EXIT: PASS, PROD RELEASE: PASS")
		if place := w.place("1.0"); !strings.HasSuffix(place, "GOOD") {
			t.Errorf("a new release stands %s", place)
		}
		page := must(w.releases.OfVersion(w.releaser, v.ID, nil, nil, nil, nil))(t)
		if page.TotalCount != 9 || len(page.Edges) != 9 {
			t.Errorf("%d attempts are listed", page.TotalCount)
		}
	})
}

func TestRule17_AReleaseWithoutTrustIsTakenBackWithoutASignature(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.released()
		before := len(w.statements(v))
		w.says(w.rollback("1.0", "PROD"))("ROLLBACK, COMPLETED, in QA, PRE_RELEASE")
		if got := len(w.statements(v)); got != before || !strings.HasSuffix(w.place("1.0"), "PRE_RELEASE") {
			t.Errorf("%d statements became %d, the version is %s", before, got, w.place("1.0"))
		}
	})
}

func TestRule28_AReleaseListsTheWaiversThatCounted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		must(w.promote("1.0", "DEV"))(t)
		must(w.promote("1.0", "QA"))(t)
		w.guard("release", "PROD", releaseGate, block, "wrong")
		must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "release", Waivable: ptr(true)}))(t)
		ids := map[string]string{}
		for _, code := range []string{"WRONG", "NONE"} {
			made := must(w.waivers.Request(w.releaser, waiver.RequestWaiverInput{
				Policy: ptr("release"), ApplicationKey: "checkout", Version: ptr("1.0"), Code: &code, Justification: "the test wants it", ExpiresAt: start.Add(time.Hour),
			}))(t)
			ids[code] = id.Global("Waiver", made.ID)
			must(w.waivers.Decide(w.admin, waiver.DecideWaiverInput{ID: ids[code], Approve: true}))(t)
		}
		must(w.release("1.0"))(t)
		list := w.statements(must(w.versions.Version(w.admin, "checkout", "1.0"))(t))
		last := list[len(list)-1]
		var said struct {
			Trust   string
			Waivers json.RawMessage
		}
		if err := json.Unmarshal(last.Predicate, &said); err != nil {
			t.Fatal(err)
		}
		want := `[{"code":"WRONG","expiresAt":"2026-11-21T04:00:00Z","id":"` + ids["WRONG"] + `","policy":"release"}]`
		if last.PredicateType != attest.PredicateRelease || said.Trust != "TRUSTED_RELEASE" || string(said.Waivers) != want {
			t.Errorf("a %s of %s lists %s, want %s", last.PredicateType, said.Trust, said.Waivers, want)
		}
	})
}

// TestRule28_AReleaseListsTheWaiversOfTheWholeWay: what was waived on the way in was not mended since.
func TestRule28_AReleaseListsTheWaiversOfTheWholeWay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.guard("way in", "QA", gatepolicy.GateKindENTRY, block, "wrong")
		must(w.policies.UpdatePolicy(w.admin, policy.UpdatePolicyInput{Name: "way in", Waivable: ptr(true)}))(t)
		must(w.promote("1.0", "DEV"))(t)
		made := must(w.waivers.Request(w.releaser, waiver.RequestWaiverInput{
			Policy: ptr("way in"), ApplicationKey: "checkout", Version: ptr("1.0"), Justification: "the test wants it", ExpiresAt: start.Add(time.Hour),
		}))(t)
		waived := id.Global("Waiver", made.ID)
		must(w.waivers.Decide(w.admin, waiver.DecideWaiverInput{ID: waived, Approve: true}))(t)
		must(w.promote("1.0", "QA"))(t)
		must(w.release("1.0"))(t)
		list := w.statements(must(w.versions.Version(w.admin, "checkout", "1.0"))(t))
		var said struct{ Waivers []struct{ ID string } }
		if err := json.Unmarshal(list[len(list)-1].Predicate, &said); err != nil {
			t.Fatal(err)
		}
		if len(said.Waivers) != 1 || said.Waivers[0].ID != waived {
			t.Errorf("the release lists %v, want %s", said.Waivers, waived)
		}
	})
}
