package access_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestRule43_AnEmptyDatabaseGetsOneAdmin(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := empty(t, dsn)
		made, err := h.access.Bootstrap(t.Context(), "")
		if err != nil || !strings.HasPrefix(made, "plm_") {
			t.Fatalf("got %d characters, %v", len(made), err)
		}
		p, err := auth.From(h.enter(t, made))
		if err != nil || !p.Holds(auth.Organisation, auth.OrganisationAdmin) {
			t.Errorf("got %+v, %v", p, err)
		}
		events := h.events(t)
		if len(events) != 1 || events[0].Type != "ORGANISATION_FOUNDED" || events[0].ProjectID != nil ||
			changes(t, events[0]) != "token: bootstrap\nrole: ORGANISATION_ADMIN" {
			t.Fatalf("got %d events", len(events))
		}
		if actor, err := activity.Actor(auth.System(t.Context()), events[0]); actor != "plimsoll" {
			t.Errorf("founded by %s, %v", actor, err)
		}
		for _, secret := range []string{"", "another-secret"} {
			if made, err := h.access.Bootstrap(t.Context(), secret); err != nil || made != "" {
				t.Errorf("founding again gave %d characters, %v", len(made), err)
			}
		}
		if _, err := h.access.Authenticate(t.Context(), "another-secret"); err == nil {
			t.Error("a bootstrap token given later opens")
		}
		if len(h.events(t)) != 1 || h.principals(t) != 2 {
			t.Errorf("%d events and %d principals", len(h.events(t)), h.principals(t))
		}
	})
}

func TestRule43_TheBootstrapTokenMayBeGiven(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := empty(t, dsn)
		for _, secret := range []string{"with a space", "line-break\n", "größer-als", strings.Repeat("a", 513)} {
			if made, err := h.access.Bootstrap(t.Context(), secret); err == nil || made != "" || strings.Contains(err.Error(), secret) {
				t.Errorf("a secret of %d bytes is accepted, or repeated: %v", len(secret), err)
			}
		}
		if h.principals(t) != 0 {
			t.Error("a refused secret leaves a principal")
		}
		made, err := h.access.Bootstrap(t.Context(), "given-secret")
		if err != nil || made != "" {
			t.Errorf("got %d characters, %v", len(made), err)
		}
		h.enter(t, "given-secret")
	})
}

func TestRule43_OfEightServersThatStartAtOnceOneFoundsTheOrganisation(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := empty(t, dsn)
		var secrets atomic.Pointer[string]
		var founders atomic.Int64
		atOnce(8, func(int) {
			made, err := h.access.Bootstrap(t.Context(), "")
			if err != nil {
				t.Error(err)
			}
			if made != "" {
				founders.Add(1)
				secrets.Store(&made)
			}
		})
		if founders.Load() != 1 {
			t.Fatalf("%d founders", founders.Load())
		}
		h.enter(t, *secrets.Load())
		if len(h.events(t)) != 1 || h.principals(t) != 2 {
			t.Errorf("%d events and %d principals", len(h.events(t)), h.principals(t))
		}
	})
}

func TestTheInstallationActsUnderItsName(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := empty(t, dsn)
		atOnce(8, func(int) {
			ctx, err := h.access.Installation(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if p, err := auth.From(ctx); err != nil || p.Name != "plimsoll" || p.ID == 0 || len(p.Grants) != 0 {
				t.Errorf("got %+v, %v", p, err)
			}
			if r := auth.ReachOf(ctx); r.All || len(r.Projects) != 0 {
				t.Errorf("it reaches %+v", r)
			}
		})
		if h.principals(t) != 1 {
			t.Errorf("%d principals", h.principals(t))
		}
		// Who acts by itself before anybody was let in does not keep the organisation from being founded.
		if made, err := h.access.Bootstrap(t.Context(), ""); err != nil || made == "" {
			t.Errorf("got %d characters, %v", len(made), err)
		}
	})
}
