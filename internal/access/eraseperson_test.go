package access_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// person makes a token that a person holds, and returns the context that it gives.
func (h *house) person(t *testing.T, name string, role auth.Role) (context.Context, string) {
	t.Helper()
	_, secret, err := h.access.CreateToken(h.root, access.CreateTokenInput{Name: name, Role: role, Person: true})
	if err != nil {
		t.Fatal(err)
	}
	return h.enter(t, secret), secret
}

// owner makes an owner who owns nothing.
func (h *house) owner(t *testing.T, ref, pseudonym string) {
	t.Helper()
	err := h.store.InTx(h.root, func(tx *db.Client) error {
		return tx.Owner.Create().SetRef(ref).SetPseudonym(pseudonym).SetDisplayName("Ada of " + ref).SetContact(ref).SetCreatedAt(start).Exec(h.root)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) erase(t *testing.T, name string) access.Erased {
	t.Helper()
	erased, err := h.access.ErasePerson(h.root, access.ErasePersonInput{Name: name, Reason: "REQ-1"})
	if err != nil {
		t.Fatalf("erase %s: %v", name, err)
	}
	return erased
}

func TestRule40_ErasingIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		gone := func() string {
			h.person(t, "gone", auth.Viewer)
			return h.erase(t, "gone").Pseudonym
		}()
		h.person(t, "ada", auth.Viewer)
		h.token(t, "ci", auth.Viewer, "")
		h.token(t, "both", auth.Viewer, "")
		h.owner(t, "user:both", "person:7")
		h.owner(t, "team:pay", "team:pay")
		h.owner(t, "user:eve", "person:8")
		h.erase(t, "user:eve")
		type in = access.ErasePersonInput
		cases := []struct {
			name string
			who  context.Context
			in   in
			kind fault.Kind
			path string
			says string
		}{
			{"no name", h.root, in{"", "REQ-1"}, fault.BadInput, "input.name", "at least 1"},
			{"no reason", h.root, in{"ada", ""}, fault.BadInput, "input.reason", "at least 1"},
			{"a long reason", h.root, in{"ada", strings.Repeat("a", 1001)}, fault.BadInput, "input.reason", "at most 1000"},
			{"a reason that names the person", h.root, in{"ada", "Asked for by Ada, who left."}, fault.BadInput, "input.reason", "leave the name out"},
			{"a prefix alone", h.root, in{"user:", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"a name that nobody has", h.root, in{"zoe", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"an owner that nobody is", h.root, in{"user:ada", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"an owner without user:", h.root, in{"eve", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"a name with a wildcard", h.root, in{"%", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"a team that is none", h.root, in{"team:x", "REQ-1"}, fault.NotFound, "input.name", "nobody"},
			{"a service account", h.root, in{"ci", "REQ-1"}, fault.FailedPrecondition, "input.name", "service account"},
			{"a service account called as an owner", h.root, in{"both", "REQ-1"}, fault.FailedPrecondition, "input.name", "service account"},
			{"the installation", h.root, in{"plimsoll", "REQ-1"}, fault.FailedPrecondition, "input.name", "service account"},
			{"a team", h.root, in{"Team:pay", "REQ-1"}, fault.FailedPrecondition, "input.name", "is a team"},
			{"somebody erased", h.root, in{gone, "REQ-1"}, fault.FailedPrecondition, "input.name", "already"},
			{"an owner erased", h.root, in{"person:8", "REQ-1"}, fault.FailedPrecondition, "input.name", "already"},
			{"a project's admin", h.as(t, "shop-admin", auth.ProjectAdmin, "shop"), in{"ada", "REQ-1"}, fault.Forbidden, "", "ORGANISATION_ADMIN"},
			{"every project's admin", h.as(t, "every-admin", auth.ProjectAdmin, ""), in{"ada", "REQ-1"}, fault.Forbidden, "", "ORGANISATION_ADMIN"},
			{"an auditor, of a name that nobody has", h.as(t, "auditor", auth.Auditor, ""), in{"zoe", "REQ-1"}, fault.Forbidden, "", "ORGANISATION_ADMIN"},
			{"nobody", context.Background(), in{"ada", "REQ-1"}, fault.Unauthenticated, "", "token"},
		}
		n := len(h.events(t))
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				_, err := h.access.ErasePerson(c.who, c.in)
				wantFault(t, err, c.kind, c.path, c.says)
			})
		}
		if len(h.events(t)) != n {
			t.Error("events were written")
		}
	})
}

func TestRule40_WhoOwnsAndActsIsErasedAsBoth(t *testing.T) {
	for _, by := range []string{"ada@example.org", "user:ada@example.org", "USER:Ada@example.org", "Ada@Example.org"} {
		t.Run(by, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				ctx, secret := h.person(t, "ada@example.org", auth.OrganisationAdmin)
				h.person(t, "Ada@Example.org", auth.Viewer) // the same, as directories see it
				h.owner(t, "user:ada@example.org", "person:7")
				if _, _, err := h.access.CreateToken(ctx, access.CreateTokenInput{Name: "ci", Role: auth.Viewer}); err != nil {
					t.Fatal(err)
				}
				before := h.events(t)
				erased := h.erase(t, by)
				if erased.Pseudonym != "person:7" || erased.Events != 3 {
					t.Errorf("got %+v", erased)
				}
				wantFault(t, second(h.access.Authenticate(t.Context(), secret)), fault.Unauthenticated, "", "revoked")
				for _, text := range []string{"ada@", "Ada@", "Ada of"} {
					if stored(t, h, text) {
						t.Errorf("%q is stored", text)
					}
				}
				after := h.events(t)
				for i, e := range before {
					if string(after[i].Leaf) != string(e.Leaf) || activity.Differs(after[i]) != "" {
						t.Errorf("event %s is not as it was: %s", e.Type, activity.Differs(after[i]))
					}
				}
				made := after[len(before)-1]
				if actor, err := activity.Actor(h.root, made); actor != activity.Erased || err != nil {
					t.Errorf("its actor is %q, %v", actor, err)
				}
				e := after[len(before)]
				if len(after) != len(before)+1 || e.Type != "PERSON_ERASED" || e.Category != "ACCESS" || e.Subject != "person:7" || changes(t, e) != "reason: REQ-1" {
					t.Errorf("got %s of %s about %s: %s", e.Type, e.Category, e.Subject, changes(t, e))
				}
				o := h.store.Read().Owner.Query().Where(owner.Ref("person:7")).OnlyX(auth.System(t.Context()))
				p := h.store.Read().Principal.Query().Where(principal.Name("person:7")).OnlyX(auth.System(t.Context()))
				if o.ErasedAt == nil || o.DisplayName+o.Contact != "" || p.ErasedAt == nil {
					t.Errorf("got %v and %v", o, p)
				}
			})
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestRule40_ANameIsUsedAgainBySomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, old := h.person(t, "ada", auth.Viewer)
		first := h.erase(t, "ada")
		_, secret := h.person(t, "ada", auth.Viewer)
		h.enter(t, secret)
		wantFault(t, second(h.access.Authenticate(t.Context(), old)), fault.Unauthenticated, "", "revoked")
		if again := h.erase(t, "ada"); again.Pseudonym == first.Pseudonym || again.Events != 1 {
			t.Errorf("got %+v after %+v", again, first)
		}
		for _, name := range []string{first.Pseudonym, "person:x", "Person:" + first.Pseudonym[7:]} {
			_, _, err := h.access.CreateToken(h.root, access.CreateTokenInput{Name: name, Role: auth.Viewer, Person: true})
			wantFault(t, err, fault.BadInput, "input.name", "erased")
		}
	})
}

func TestRule40_WhoIsErasedWhileTheyActIsNotNamedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, _ := h.person(t, "zoltan", auth.OrganisationAdmin)
		h.erase(t, "zoltan")
		if _, _, err := h.access.CreateToken(ctx, access.CreateTokenInput{Name: "ci", Role: auth.Viewer}); err != nil {
			t.Fatal(err)
		}
		events := h.events(t)
		if actor, err := activity.Actor(h.root, events[len(events)-1]); actor != activity.Erased || err != nil {
			t.Errorf("the actor is %q, %v", actor, err)
		}
		if stored(t, h, "zoltan") {
			t.Error("the name came back")
		}
	})
}

func TestRule40_AnAdminErasesThemselvesUnlessTheyAreTheLast(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, _ := h.person(t, "zoltan", auth.OrganisationAdmin)
		in := access.ErasePersonInput{Name: "zoltan", Reason: "REQ-1"}
		for _, tok := range h.store.Read().Token.Query().AllX(h.root) {
			if tok.Name == access.BootstrapName {
				if _, err := h.access.RevokeToken(h.root, access.RevokeTokenInput{ID: tok.GlobalID()}); err != nil {
					t.Fatal(err)
				}
			}
		}
		wantFault(t, second(h.access.ErasePerson(ctx, in)), fault.FailedPrecondition, "input.name", "last")
		expiring := access.CreateTokenInput{Name: "next", Role: auth.OrganisationAdmin, ExpiresAt: ptr(start.Add(time.Hour))}
		if _, _, err := h.access.CreateToken(ctx, expiring); err != nil {
			t.Fatal(err)
		}
		if _, err := h.access.ErasePerson(ctx, in); err != nil {
			t.Fatal(err)
		}
		if stored(t, h, "zoltan") {
			t.Error("the name is stored, be it as that of who erased")
		}
	})
}

func TestRule40_OfEightErasuresAtOnceOneIsAnEvent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(t, "ada", auth.Viewer)
		h.owner(t, "user:ada", "person:7")
		n := len(h.events(t))
		var done atomic.Int64
		atOnce(8, func(i int) {
			_, err := h.access.ErasePerson(h.root, access.ErasePersonInput{Name: []string{"ada", "user:ada"}[i%2], Reason: "REQ-1"})
			if err == nil {
				done.Add(1)
				return
			}
			wantFault(t, err, fault.NotFound, "input.name", "nobody")
		})
		if got := len(h.events(t)) - n; got != 1 || done.Load() != 1 {
			t.Errorf("%d events, %d succeeded", got, done.Load())
		}
	})
}

// TestRule40_WhatAKillLeftIsFinishedAtTheStart undoes what comes after the commit, as if the server had been killed there.
func TestRule40_WhatAKillLeftIsFinishedAtTheStart(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(t, "ada", auth.Viewer)
		h.owner(t, "user:ada", "person:7")
		h.erase(t, "ada")
		finished := func() int {
			sys := auth.System(t.Context())
			return h.store.Read().Principal.Query().Where(principal.ErasedAtNotNil()).CountX(sys) + h.store.Read().Owner.Query().Where(owner.ErasedAtNotNil()).CountX(sys)
		}
		if finished() != 2 {
			t.Fatalf("%d are finished", finished())
		}
		err := h.store.InTx(h.root, func(tx *db.Client) error {
			sys := auth.System(h.root)
			if err := tx.Owner.Update().ClearErasedAt().Exec(sys); err != nil {
				return err
			}
			if err := tx.Principal.Update().ClearErasedAt().Exec(sys); err != nil {
				return err
			}
			return tx.Owner.Update().SetContact("left-behind").Exec(sys)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = h.store.InTx(h.root, func(tx *db.Client) error { return tx.Owner.Update().SetContact("").Exec(auth.System(h.root)) })
		if err != nil {
			t.Fatal(err)
		}
		if err := h.access.FinishErasures(h.root); err != nil {
			t.Fatal(err)
		}
		if finished() != 2 || stored(t, h, "left-behind") {
			t.Errorf("%d are finished", finished())
		}
	})
}
