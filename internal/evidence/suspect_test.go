package evidence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// released makes a version a trusted release with a standing, an hour after what came before, and an hour passes.
func (h *house) released(v *db.ApplicationVersion, standing applicationversion.Standing) *db.Promotion {
	h.tb.Helper()
	var p *db.Promotion
	h.now = h.now.Add(time.Hour)
	h.write(func(ctx context.Context, tx *db.Client) (err error) {
		if p, err = tx.Promotion.Create().SetKind(promotion.KindRELEASE).SetStatus(promotion.StatusCOMPLETED).SetAt(h.now).SetProjectID(v.ProjectID).
			SetVersionID(v.ID).SetActorID(h.actor).Save(ctx); err != nil {
			return err
		}
		return tx.ApplicationVersion.UpdateOneID(v.ID).SetTrust(applicationversion.TrustTRUSTED_RELEASE).SetStanding(standing).Exec(ctx)
	})
	h.now = h.now.Add(time.Hour)
	return p
}

// takenBack makes a trusted release one that was rolled back.
func (h *house) takenBack(v *db.ApplicationVersion, undone *db.Promotion) {
	h.tb.Helper()
	h.write(func(ctx context.Context, tx *db.Client) error {
		if err := tx.Promotion.Create().SetKind(promotion.KindROLLBACK).SetStatus(promotion.StatusCOMPLETED).SetAt(h.now).SetProjectID(v.ProjectID).
			SetVersionID(v.ID).SetActorID(h.actor).SetUndoesID(undone.ID).Exec(ctx); err != nil {
			return err
		}
		return tx.ApplicationVersion.UpdateOneID(v.ID).SetTrust(applicationversion.TrustPRE_RELEASE).SetStanding(applicationversion.StandingWITHDRAWN).Exec(ctx)
	})
}

// standings are what the versions are worth, by name.
func (h *house) standings() string {
	h.tb.Helper()
	var list []string
	for _, v := range h.store.Read().ApplicationVersion.Query().WithApplication().Order(applicationversion.ByID()).AllX(auth.System(context.Background())) {
		is := "none"
		if v.Standing != nil {
			is = string(*v.Standing)
		}
		list = append(list, v.Edges.Application.Key+"@"+v.Version+" "+is)
	}
	return strings.Join(list, "\n")
}

// statuses are what was signed about standings, oldest first, each verified as stock tools do.
func (h *house) statuses(public []byte) []string {
	h.tb.Helper()
	key := must(attest.ParsePublicKey(public))(h.tb)
	var list []string
	for _, row := range h.store.Read().Attestation.Query().Where(attestation.PredicateType(attest.PredicateStatus)).Order(attestation.ByID()).AllX(auth.System(context.Background())) {
		env := must(attest.ParseEnvelope(must(attest.BundleEnvelope([]byte(row.Bundle)))(h.tb)))(h.tb)
		verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "release", Key: key}})
		if err != nil || !verdict.Verified || string(env.Payload) != row.Statement || canonical.Digest(env.Payload) != row.Digest {
			h.tb.Fatalf("it does not verify: %v, %v", verdict, err)
		}
		st := must(attest.ParseStatement(env.Payload))(h.tb)
		var says struct {
			Application, Version, Standing, Cause string
			Evidence                              []string
			Signer                                *struct{ Alias, Fingerprint string }
		}
		if err := json.Unmarshal(st.Predicate, &says); err != nil {
			h.tb.Fatal(err)
		}
		list = append(list, fmt.Sprint(says.Application, "@", says.Version, " ", says.Standing, " ", says.Cause, " ", says.Evidence, " ", says.Signer != nil, " about ", len(st.Subject)))
	}
	return list
}

// shop is a house with trusted releases of every kind on the word of ci: tests of what each holds. It gives the tests.
func shop(t *testing.T, dsn string) (*collecting, []*db.Evidence) {
	h := newCollecting(t, dsn)
	ci := newKey(t)
	h.trust("ci", ci)
	good, risky := applicationversion.StandingGOOD, applicationversion.StandingAT_RISK
	held, whole, risk, built := h.version("web", "held", "", artifact("a"), artifact("b")), h.version("web", "whole", ""), h.version("web", "risk", "", artifact("a")), h.version("web", "built", "")
	image, early := h.version("web", "image", "", artifact("arm")), h.version("web", "early", "", artifact("a"))
	h.version("web", "plain", "", artifact("a")) // is not released
	gone := h.version("web", "gone", "", artifact("a"))
	other, elsewhere, again := h.version("web", "other", "", artifact("z")), h.version("pay", "elsewhere", "", artifact("a")), h.version("web", "again", "", artifact("a"))
	h.built("web", "7", built)
	h.released(early, good)
	first := h.released(again, good) // before there was evidence; after it was taken back, it is released with it
	h.takenBack(again, first)
	index := h.submit(h.on(auth.EvidencePusher, "web"), document(indexMedia, imageIndex("arm=linux/arm64")))
	tests := h.submit(h.on(auth.EvidencePusher, "web"), signed(t, ci, about(testsType, `{}`, of(digestOf("a")), of(whole.ManifestDigest), of(digestOf("build 7")), of(index.Digest))))
	free := h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{"of": "z"}`, "z")))
	for _, v := range []*db.ApplicationVersion{held, whole, built, image, other, elsewhere, again} {
		h.released(v, good)
	}
	h.released(risk, risky)
	h.takenBack(gone, h.released(gone, good))
	return h, []*db.Evidence{tests, free}
}

// of is a subject by digest.
func of(digest string) string {
	return fmt.Sprintf(`{"digest":{"sha256":%q}}`, strings.TrimPrefix(digest, "sha256:"))
}

const suspected = `web@held SUSPECT
web@whole SUSPECT
web@risk SUSPECT
web@built SUSPECT
web@image SUSPECT
web@early GOOD
web@plain none
web@gone WITHDRAWN
web@other GOOD
pay@elsewhere GOOD
web@again SUSPECT`

func TestRule31_WithdrawnEvidenceMakesWhatRestsOnItSuspect(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h, tests := shop(t, dsn)
		before := h.attested()
		if n := h.withdraw(tests[0]); n != 6 {
			t.Errorf("%d are suspect", n)
		}
		if got := h.standings(); got != suspected {
			t.Errorf("they stand\n%s\nwant\n%s", got, suspected)
		}
		digest := "[" + tests[0].Digest + "]"
		want := []string{
			"web@held SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 3", "web@whole SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 1",
			"web@risk SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 2", "web@built SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 2",
			"web@image SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 2", "web@again SUSPECT EVIDENCE_WITHDRAWN " + digest + " false about 2",
		}
		if got := h.statuses(h.signer.PublicKeyPEM()); !slices.Equal(got, want) {
			t.Errorf("signed are %q", got)
		}
		if after := h.attested(); !slices.Equal(after[:len(before)], before) {
			t.Error("what was signed before is another")
		}
		h.mustTell(tests[0])
		if n := h.withdraw(tests[1]); n != 1 { // that nobody who signed it is known does not matter
			t.Errorf("%d are suspect", n)
		}
		// Nothing is suspected twice.
		if _, n, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"}); err != nil || n != 0 {
			t.Errorf("%d are suspect again, %v", n, err)
		}
		h.toldOf(7)
	})
}

// attested is all that was signed, in order.
func (h *house) attested() []string {
	var list []string
	for _, a := range h.store.Read().Attestation.Query().Order(attestation.ByID()).AllX(auth.System(context.Background())) {
		list = append(list, a.Statement+a.Bundle)
	}
	return list
}

// toldOf checks that so many changes of standing are in the log, each with its statement.
func (h *house) toldOf(n int) {
	h.tb.Helper()
	events := h.store.Read().ActivityEvent.Query().Where(activityevent.Type(string(activity.StandingChanged))).Order(activityevent.ByID()).AllX(h.admin())
	if len(events) != n {
		h.tb.Errorf("%d changes are told of, want %d", len(events), n)
	}
	for _, e := range events {
		application, version, _ := strings.Cut(e.Subject, "@")
		signed := h.store.Read().Attestation.Query().
			Where(attestation.PredicateType(attest.PredicateStatus), attestation.HasVersionWith(applicationversion.Version(version))).
			AllX(auth.System(context.Background()))
		if len(signed) != 1 || !strings.Contains(string(e.Leaf), signed[0].Digest) || !strings.Contains(string(e.Leaf), `"to":"SUSPECT"`) || e.ApplicationKey != application {
			h.tb.Errorf("%s is told by %s", e.Subject, e.Leaf)
		}
	}
}

func TestRule31_ARevokedSignerMakesWhatRestsOnTheirWordSuspect(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h, _ := shop(t, dsn)
		anchor, n, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"})
		if err != nil || n != 6 || anchor.RevokedAt == nil {
			t.Fatalf("%d are suspect by %v, %v", n, anchor, err)
		}
		if got := h.standings(); got != suspected {
			t.Errorf("they stand\n%s\nwant\n%s", got, suspected)
		}
		if got := h.statuses(h.signer.PublicKeyPEM()); len(got) != 6 || got[0] != "web@held SUSPECT SIGNER_REVOKED [] true about 3" {
			t.Errorf("signed are %q", got)
		}
		if st := h.attested()[0]; !strings.Contains(st, `"signer":{"alias":"ci","fingerprint":"`+anchor.Fingerprint+`"}`) {
			t.Errorf("signed is %s", st)
		}
		h.toldOf(6)
	})
}

func TestRule31_WhatWasWithdrawnBeforeTheReleaseIsNotRestedOn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newCollecting(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		v := h.version("web", "1", "", artifact("a"))
		h.withdraw(h.submit(h.pusher(), signed(t, ci, statement(testsType, `{}`, "a"))))
		h.released(v, applicationversion.StandingGOOD)
		if _, n, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"}); err != nil || n != 0 {
			t.Errorf("%d are suspect, %v", n, err)
		}
	})
}

func TestTakingEvidenceBackReadsNoWholeTable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h, tests := shop(t, dsn)
		for name, fn := range map[string]func(context.Context) error{
			"withdrawing": func(ctx context.Context) error { _, _, err := h.service.Withdraw(ctx, taking(tests[0])); return err },
			"revoking": func(ctx context.Context) error {
				_, _, err := h.service.RevokeTrustAnchor(ctx, evidence.RevokeTrustAnchorInput{Alias: "ci"})
				return err
			},
			"gates": func(ctx context.Context) error { _, err := h.service.Counting(ctx, h.store.Read()); return err },
		} {
			t.Run(name, func(t *testing.T) {
				// What the statement brings along is no table; of anchors there are few.
				testdb.NoScans(h.admin(), t, dsn, fn, "h", "held", "first", "hit", "trust_anchors")
			})
		}
	})
}
