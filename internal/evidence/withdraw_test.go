package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// taking is the input that withdraws a piece of evidence.
func taking(ev *db.Evidence) evidence.WithdrawEvidenceInput {
	return evidence.WithdrawEvidenceInput{Evidence: id.Global("Evidence", ev.ID), Reason: "the scanner was broken"}
}

// withdraw takes evidence back, and tells how many releases became suspect.
func (h *house) withdraw(ev *db.Evidence) int {
	h.tb.Helper()
	_, n, err := h.service.Withdraw(h.admin(), taking(ev))
	if err != nil {
		h.tb.Fatal(err)
	}
	return n
}

// someone is another principal, with a role on a project.
func (h *house) someone(role auth.Role, project int) context.Context {
	return auth.With(context.Background(), auth.Principal{ID: h.actor + 1, Name: "kim", Grants: []auth.Grant{{Role: role, Project: project}}})
}

func TestEvidenceIsWithdrawnByThoseWhoMay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.write(func(ctx context.Context, tx *db.Client) error {
			kim, err := tx.Principal.Create().SetName("kim").SetKind(principal.KindUSER).SetCreatedAt(h.now).Save(ctx)
			if err == nil && kim.ID != h.actor+1 {
				err = fmt.Errorf("kim is %d", kim.ID)
			}
			return err
		})
		h.version("web", "1.0", "", artifact("a"))
		pay, web := h.projects["pay"].ID, h.projects["web"].ID
		ofWeb := h.submit(h.on(auth.EvidencePusher, "web"), note("x"))
		ofAll := h.submit(h.pusher(), note("y"))
		before := h.rows()
		refused := func(ctx context.Context, in evidence.WithdrawEvidenceInput, kind fault.Kind, path string, words ...string) {
			t.Helper()
			_, _, err := h.service.Withdraw(ctx, in)
			h.mustRefuse(err, before, kind, path, words...)
		}
		refused(context.Background(), taking(ofWeb), fault.NotFound, "input.evidence")
		refused(h.admin(), evidence.WithdrawEvidenceInput{Evidence: id.Global("Evidence", ofWeb.ID)}, fault.BadInput, "input.reason")
		refused(h.admin(), evidence.WithdrawEvidenceInput{Evidence: id.Global("Evidence", ofWeb.ID), Reason: strings.Repeat("x", 1001)}, fault.BadInput, "input.reason", "at most 1000")
		refused(h.admin(), evidence.WithdrawEvidenceInput{Evidence: id.Global("Build", ofWeb.ID), Reason: "x"}, fault.BadInput, "input.evidence")
		refused(h.admin(), evidence.WithdrawEvidenceInput{Evidence: id.Global("Evidence", 999), Reason: "x"}, fault.NotFound, "input.evidence")
		for _, role := range []auth.Role{auth.Viewer, auth.Auditor, auth.Releaser, auth.PolicyManager, auth.WaiverApprover} {
			refused(h.on(role, "web"), taking(ofWeb), fault.Forbidden, "", "EVIDENCE_PUSHER")
		}
		for _, role := range []auth.Role{auth.Contributor, auth.EvidencePusher} {
			refused(h.someone(role, web), taking(ofWeb), fault.Forbidden, "", "somebody else pushed")
			refused(h.someone(role, auth.Organisation), taking(ofWeb), fault.Forbidden, "", "somebody else pushed")
		}
		refused(h.someone(auth.ProjectAdmin, pay), taking(ofWeb), fault.NotFound, "input.evidence")
		refused(h.someone(auth.ProjectAdmin, web), taking(ofAll), fault.Forbidden, "")

		for name, ctx := range map[string]context.Context{
			"an admin of the project": h.someone(auth.ProjectAdmin, web), "an admin of the organisation": h.someone(auth.OrganisationAdmin, auth.Organisation),
			"whoever pushed it": h.on(auth.EvidencePusher, "web"),
		} {
			ev := h.submit(h.on(auth.EvidencePusher, "web"), note(name))
			if got, n, err := h.service.Withdraw(ctx, taking(ev)); err != nil || n != 0 || got.ID != ev.ID {
				t.Errorf("%s: %v, %d suspect, %v", name, got, n, err)
			}
		}
		h.withdraw(ofAll)
		before = h.rows()
		refused(h.admin(), taking(ofAll), fault.FailedPrecondition, "input.evidence", "withdrawn already")
	})
}

// note is a document about something, as nobody reads it.
func note(content string) evidence.SubmitEvidenceInput {
	in := document("text/plain", content, byDigest("a"))
	in.Document.PredicateType = ptr("urn:note")
	return in
}

func TestRule42_WithdrawnEvidenceStaysAndCountsNoLonger(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("a"))
		ci := newKey(t)
		h.trust("ci", ci)
		tests := signed(t, ci, statement(testsType, `{}`, "a"))
		sbom := cyclonedx(bill("urn:1", lib("a", "1", "MIT")), byDigest("a"))
		index := document(indexMedia, imageIndex("a=linux/amd64"))
		wrong, list, of := h.submit(h.pusher(), tests), h.submit(h.pusher(), sbom), h.submit(h.pusher(), index)
		aboutIndex := h.submit(h.pusher(), signed(t, ci, about(testsType, `{"of":"index"}`, fmt.Sprintf(`{"digest":{"sha256":%q}}`, strings.TrimPrefix(of.Digest, "sha256:")))))
		if seen, indexes := h.seen(v); len(seen) != 2 || len(indexes) != 2 {
			t.Fatalf("a gate sees %v and of indexes %v", seen, indexes)
		}
		before := []*db.Evidence{h.row(wrong), h.row(list), h.row(aboutIndex)}
		for _, ev := range []*db.Evidence{wrong, list, aboutIndex} {
			h.withdraw(ev)
		}
		if seen, indexes := h.seen(v); len(seen) != 0 || slices.Contains(indexes, aboutIndex.ID) {
			t.Errorf("a gate still sees %v and of indexes %v", seen, indexes)
		}
		if got, err := h.service.SbomOf(h.admin(), v); err != nil || got != nil {
			t.Errorf("the version's SBOM is %v, %v", got, err)
		}
		if page, err := h.service.OfVersion(h.admin(), v, nil, nil, nil, nil); err != nil || page.TotalCount != 2 {
			t.Errorf("%v is listed, %v", page, err)
		}
		if after := []*db.Evidence{h.row(wrong), h.row(list), h.row(aboutIndex)}; fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the rows changed:\n%v\n%v", before, after)
		}
		gone, err := h.service.WithdrawalsOf(h.on(auth.Viewer, "web"), []int{wrong.ID, list.ID, of.ID})
		if err != nil || len(gone) != 2 || gone[wrong.ID].Reason != "the scanner was broken" || !gone[wrong.ID].At.Equal(h.now) || gone[wrong.ID].WithdrawnBy != h.actor {
			t.Errorf("the withdrawals are %v, %v", gone, err)
		}
		if gone, err := h.service.WithdrawalsOf(h.on(auth.Viewer, "pay"), []int{wrong.ID}); err != nil || len(gone) != 0 {
			t.Errorf("out of reach %v, %v", gone, err)
		}
		// The same bytes again are the same evidence, which stays withdrawn.
		for _, in := range []evidence.SubmitEvidenceInput{tests, sbom} {
			if ev, known, err := h.service.Submit(h.pusher(), in); err != nil || !known || ev.ID != wrong.ID && ev.ID != list.ID {
				t.Errorf("again: %v, %v, %v", ev, known, err)
			}
		}
		h.mustTell(wrong)
	})
}

// seen are the pieces of evidence that a gate sees, by row, of the version and of image indexes.
func (h *house) seen(v *db.ApplicationVersion) (of, indexes []int) {
	h.tb.Helper()
	list, err := h.service.ForGate(context.Background(), v)
	if err != nil {
		h.tb.Fatal(err)
	}
	for _, e := range list {
		of = append(of, e.Row.ID)
	}
	about, err := h.service.IndexesForGate(context.Background(), v)
	if err != nil {
		h.tb.Fatal(err)
	}
	for _, e := range about {
		indexes = append(indexes, e.Row.ID)
	}
	return of, indexes
}

// row reads a piece of evidence as it is kept.
func (h *house) row(ev *db.Evidence) *db.Evidence {
	return h.store.Read().Evidence.GetX(auth.System(context.Background()), ev.ID)
}

// mustTell checks the event of a withdrawal.
func (h *house) mustTell(ev *db.Evidence) {
	h.tb.Helper()
	events := h.store.Read().ActivityEvent.Query().Where(activityevent.Type(string(activity.EvidenceWithdrawn)), activityevent.Subject(ev.Digest)).AllX(h.admin())
	if len(events) != 1 || !strings.Contains(string(events[0].Leaf), "the scanner was broken") || strings.Contains(string(events[0].Leaf), "robin") {
		h.tb.Errorf("the events are %v", events)
	}
}

// TestOfTwoWhoWithdrawAtOnceOneDoes also asks what a gate is told that looks meanwhile.
func TestOfTwoWhoWithdrawAtOnceOneDoes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ev := h.submit(h.pusher(), note("x"))
		counted := must(h.service.Counting(h.admin(), h.store.Read()))(t)
		const tries = 8
		var group sync.WaitGroup
		errs := make([]error, tries)
		for i := range tries {
			group.Go(func() { _, _, errs[i] = h.service.Withdraw(h.admin(), taking(ev)) })
		}
		group.Wait()
		done := 0
		for _, err := range errs {
			if f, ok := errors.AsType[*fault.Error](err); err == nil {
				done++
			} else if !ok || f.Kind != fault.FailedPrecondition {
				t.Errorf("got %v", err)
			}
		}
		if n := h.store.Read().EvidenceWithdrawal.Query().CountX(h.admin()); done != 1 || n != 1 {
			t.Errorf("%d did, and %d rows are there", done, n)
		}
		if now := must(h.service.Counting(h.admin(), h.store.Read()))(t); now <= counted {
			t.Errorf("it is counted %d, and was %d", now, counted)
		}
		h.mustTell(ev)
	})
}

func TestRule33_WhatARevokedSignerVouchedForIsNotVerifiedForGates(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("a"))
		ci, other := newKey(t), newKey(t)
		h.trust("ci", ci)
		h.trust("other", other)
		ev := h.submit(h.pusher(), signed(t, ci, statement(testsType, `{}`, "a")))
		h.submit(h.pusher(), signed(t, other, statement(testsType, `{}`, "a")))
		says := func() string {
			var list []string
			for _, e := range must(h.service.ForGate(context.Background(), v))(t) {
				list = append(list, fmt.Sprint(e.Verified, " ", e.Anchor))
			}
			return strings.Join(list, ", ")
		}
		if got := says(); got != "true ci, true other" {
			t.Errorf("a gate sees %s", got)
		}
		before := h.row(ev)
		if _, n, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"}); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		if got := says(); got != "false , true other" {
			t.Errorf("a gate sees %s", got)
		}
		if after := h.row(ev); !after.Verified || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("what is recorded changed: %v", after)
		}
	})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}
