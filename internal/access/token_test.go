package access_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

func TestRule44_TokensAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		type in = access.CreateTokenInput
		shopAdmin := h.as(t, "shop-admin", auth.ProjectAdmin, "shop")
		everyProjectsAdmin := h.as(t, "every-project's-admin", auth.ProjectAdmin, "")
		auditor := h.as(t, "auditor", auth.Auditor, "")
		contributor := h.as(t, "contributor", auth.Contributor, "shop")
		types := func(n int, t string) []string { return slices.Repeat([]string{t}, n) }
		cases := []struct {
			name   string
			who    context.Context
			change func(*in)
			kind   fault.Kind
			path   string
			says   string
		}{
			{"an empty name", h.root, func(in *in) { in.Name = "" }, fault.BadInput, "input.name", "at least 1"},
			{"a long name", h.root, func(in *in) { in.Name = strings.Repeat("n", 256) }, fault.BadInput, "input.name", "at most 255"},
			{"a name of two lines", h.root, func(in *in) { in.Name = "a\nb" }, fault.BadInput, "input.name", "line breaks"},
			{"the name of those who are erased", h.root, func(in *in) { in.Name = "erased" }, fault.BadInput, "input.name", "erased"},
			{"no role", h.root, func(in *in) { in.Role = "" }, fault.BadInput, "input.role", "ORGANISATION_ADMIN"},
			{"an unknown role", h.root, func(in *in) { in.Role = "OWNER" }, fault.BadInput, "input.role", "OWNER"},
			{"a project's key that is none", h.root, func(in *in) { in.ProjectKey = ptr("") }, fault.BadInput, "input.projectKey", "2 to 64"},
			{"the organisation's admin on a project", h.root, func(in *in) { in.Role = auth.OrganisationAdmin }, fault.BadInput, "input.role", "whole organisation"},
			{"an end in the past", h.root, func(in *in) { in.ExpiresAt = ptr(start.Add(-time.Second)) }, fault.BadInput, "input.expiresAt", "future"},
			{"an end at this moment", h.root, func(in *in) { in.ExpiresAt = ptr(start) }, fault.BadInput, "input.expiresAt", "future"},
			{"51 evidence types", h.root, func(in *in) { in.EvidenceTypes = types(51, "a") }, fault.BadInput, "input.evidenceTypes", "at most 50"},
			{"an empty evidence type", h.root, func(in *in) { in.EvidenceTypes = []string{"a", ""} }, fault.BadInput, "input.evidenceTypes.1", "at least 1"},
			{"a long evidence type", h.root, func(in *in) { in.EvidenceTypes = types(1, strings.Repeat("a", 513)) }, fault.BadInput, "input.evidenceTypes.0", "at most 512"},
			{"a project that is not there", h.root, func(in *in) { in.ProjectKey = ptr("nowhere") }, fault.NotFound, "input.projectKey", "no project"},
			{"a project out of sight", shopAdmin, func(in *in) { in.ProjectKey = ptr("bank") }, fault.NotFound, "input.projectKey", "no project"},
			{"a name that is taken", h.root, func(in *in) { in.Name = "contributor" }, fault.Conflict, "input.name", "taken"},
			{"the name of the installation", h.root, func(in *in) { in.Name = "plimsoll" }, fault.Conflict, "input.name", "taken"},
			{"the name of the first admin", shopAdmin, func(in *in) { in.Name = "bootstrap" }, fault.Conflict, "input.name", "taken"},
			{"a project's admin asking for the organisation", shopAdmin, func(in *in) { in.ProjectKey = nil }, fault.Forbidden, "", "the organisation"},
			{"a project's admin asking for the organisation's admin", shopAdmin, func(in *in) { in.ProjectKey, in.Role = nil, auth.OrganisationAdmin }, fault.Forbidden, "", "the organisation"},
			{"every project's admin asking for the organisation", everyProjectsAdmin, func(in *in) { in.ProjectKey = nil }, fault.Forbidden, "", "the whole organisation"},
			{"every project's admin asking for the organisation's admin", everyProjectsAdmin, func(in *in) { in.ProjectKey, in.Role = nil, auth.OrganisationAdmin }, fault.Forbidden, "", "the whole organisation"},
			{"an auditor asking", auditor, func(*in) {}, fault.Forbidden, "", "PROJECT_ADMIN"},
			{"a contributor asking", contributor, func(*in) {}, fault.Forbidden, "", "PROJECT_ADMIN"},
			{"a contributor asking for a name that is taken", contributor, func(in *in) { in.Name = "auditor" }, fault.Forbidden, "", "PROJECT_ADMIN"},
			{"nobody asking", context.Background(), func(*in) {}, fault.NotFound, "input.projectKey", "no project"},
			{"nobody asking for the organisation", context.Background(), func(in *in) { in.ProjectKey = nil }, fault.Unauthenticated, "", "token"},
		}
		events, principals := len(h.events(t)), h.principals(t)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				in := in{Name: "new", Role: auth.Viewer, ProjectKey: ptr("shop")}
				c.change(&in)
				tok, secret, err := h.access.CreateToken(c.who, in)
				wantFault(t, err, c.kind, c.path, c.says)
				if tok != nil || secret != "" {
					t.Error("a token came back")
				}
			})
		}
		if n := len(h.events(t)); n != events {
			t.Errorf("%d events were written", n-events)
		}
		if n := h.principals(t); n != principals {
			t.Errorf("%d principals were made", n-principals)
		}
	})
}

func TestRule44_AProjectsAdminGivesRolesOnThatProject(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		shopAdmin := h.as(t, "shop-admin", auth.ProjectAdmin, "shop")
		for i, role := range []auth.Role{auth.Viewer, auth.Releaser, auth.ProjectAdmin} {
			tok, secret, err := h.access.CreateToken(shopAdmin, access.CreateTokenInput{Name: fmt.Sprint("t", i), Role: role, ProjectKey: ptr("shop")})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := auth.From(h.enter(t, secret))
			if tok.Role != role || *tok.ProjectID != h.shop.ID || !slices.Equal(p.Grants, []auth.Grant{{Role: role, Project: h.shop.ID}}) {
				t.Errorf("got %v, %v", tok, p.Grants)
			}
		}
	})
}

func TestRule40_MakingAndRevokingATokenAreEventsWithoutItsSecret(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		n := len(h.events(t))
		tok, secret, err := h.access.CreateToken(h.root, access.CreateTokenInput{
			Name: "ci", Role: auth.EvidencePusher, ProjectKey: ptr("shop"), ExpiresAt: ptr(start.Add(time.Hour)), EvidenceTypes: []string{"a", "b"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time changes nothing
			h.clock.set(h.clock.now().Add(time.Minute))
			revoked, err := h.access.RevokeToken(h.root, access.RevokeTokenInput{ID: tok.GlobalID()})
			if err != nil || revoked.RevokedAt == nil || !revoked.RevokedAt.Equal(start.Add(time.Minute)) {
				t.Errorf("got %v, %v", revoked, err)
			}
		}
		events := h.events(t)[n:]
		if len(events) != 2 {
			t.Fatalf("%d events", len(events))
		}
		if e := events[0]; e.Type != "TOKEN_CREATED" || e.ProjectKey != "shop" || e.Subject != "ci" ||
			changes(t, e) != "role: EVIDENCE_PUSHER\nexpiresAt: 2026-11-21T04:00:00Z\nevidenceTypes: a\nevidenceTypes: b" {
			t.Errorf("got %s of %q about %q: %s", e.Type, e.ProjectKey, e.Subject, changes(t, e))
		}
		if e := events[1]; e.Type != "TOKEN_REVOKED" || e.ProjectKey != "shop" || e.Subject != "ci" {
			t.Errorf("got %s of %q about %q", e.Type, e.ProjectKey, e.Subject)
		}
		for _, e := range events {
			if strings.Contains(string(e.Leaf), secret[4:]) || strings.Contains(string(e.Leaf), tok.Hash) {
				t.Errorf("event %s holds the secret or its hash", e.Type)
			}
			if actor, err := activity.Actor(h.root, e); actor != "bootstrap" {
				t.Errorf("event %s is by %s, %v", e.Type, actor, err)
			}
		}
	})
}

func TestRule44_RevokingIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		shopToken, shopSecret := h.token(t, "shop-ci", auth.Contributor, "shop")
		bankToken, bankSecret := h.token(t, "bank-ci", auth.Contributor, "bank")
		orgToken, orgSecret := h.token(t, "auditor", auth.Auditor, "")
		shopAdmin := h.as(t, "shop-admin", auth.ProjectAdmin, "shop")
		everyProjectsAdmin := h.as(t, "every-project's-admin", auth.ProjectAdmin, "")
		auditor := h.enter(t, orgSecret)
		cases := []struct {
			name string
			who  context.Context
			id   string
			kind fault.Kind
			path string
		}{
			{"no id", h.root, "", fault.NotFound, "input.id"},
			{"an id that is none", h.root, "17", fault.NotFound, "input.id"},
			{"the id of a project", h.root, h.shop.GlobalID(), fault.NotFound, "input.id"},
			{"a token that is not there", h.root, id.Global("Token", 4711), fault.NotFound, "input.id"},
			{"a token out of sight", shopAdmin, bankToken.GlobalID(), fault.NotFound, "input.id"},
			{"a token of the organisation, by a project's admin", shopAdmin, orgToken.GlobalID(), fault.NotFound, "input.id"},
			{"a token of the organisation, by every project's admin", everyProjectsAdmin, orgToken.GlobalID(), fault.Forbidden, ""},
			{"a token of the project, by one who may not list it", h.enter(t, shopSecret), shopToken.GlobalID(), fault.NotFound, "input.id"},
			{"a token that an auditor sees", auditor, shopToken.GlobalID(), fault.Forbidden, ""},
			{"nobody asking", context.Background(), shopToken.GlobalID(), fault.Unauthenticated, ""},
		}
		n := len(h.events(t))
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				_, err := h.access.RevokeToken(c.who, access.RevokeTokenInput{ID: c.id})
				wantFault(t, err, c.kind, c.path, "")
			})
		}
		if len(h.events(t)) != n {
			t.Error("events were written")
		}
		for _, secret := range []string{shopSecret, bankSecret, orgSecret} {
			h.enter(t, secret)
		}
		for _, who := range []context.Context{shopAdmin, everyProjectsAdmin} {
			if _, err := h.access.RevokeToken(who, access.RevokeTokenInput{ID: shopToken.GlobalID()}); err != nil {
				t.Errorf("shop's admin is refused: %v", err)
			}
		}
	})
}

func TestRule45_TokensExistForWhoAdministersOrAudits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		shopToken, _ := h.token(t, "shop-ci", auth.Contributor, "shop")
		shopAdmin := h.as(t, "shop-admin", auth.ProjectAdmin, "shop")
		bankAuditor := h.as(t, "bank-auditor", auth.Auditor, "bank")
		auditor := h.as(t, "auditor", auth.Auditor, "")
		viewer := h.as(t, "viewer", auth.Viewer, "")
		contributor := h.as(t, "shop-ci-2", auth.Contributor, "shop")
		// A viewer of the organisation who runs one project administers the tokens of that one.
		p, _ := auth.From(viewer)
		p.Grants = append(p.Grants, auth.Grant{Role: auth.ProjectAdmin, Project: h.bank.ID})
		bankAdminAndViewer := auth.With(t.Context(), p)

		cases := []struct {
			who  string
			ctx  context.Context
			want string
		}{
			{"the organisation's admin", h.root, "bootstrap shop-ci shop-admin bank-auditor auditor viewer shop-ci-2"},
			{"an auditor of the organisation", auditor, "bootstrap shop-ci shop-admin bank-auditor auditor viewer shop-ci-2"},
			{"shop's admin", shopAdmin, "shop-ci shop-admin shop-ci-2"},
			{"bank's auditor", bankAuditor, "bank-auditor"},
			{"a viewer of the organisation", viewer, ""},
			{"a viewer of the organisation who runs bank", bankAdminAndViewer, "bank-auditor"},
			{"shop's contributor", contributor, ""},
		}
		for _, c := range cases {
			page, err := h.access.Tokens(c.ctx, nil, ptr(100), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range page.Edges {
				names = append(names, e.Node.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%s sees %q, want %q", c.who, got, c.want)
			}
			tok, err := h.access.Token(c.ctx, shopToken.ID)
			if err != nil || (tok != nil) != slices.Contains(names, "shop-ci") {
				t.Errorf("%s: one token is %v, %v", c.who, tok, err)
			}
		}
		_, err := h.access.Tokens(t.Context(), nil, ptr(100), nil, nil)
		wantFault(t, err, fault.Unauthenticated, "", "token")
	})
}

func TestOfEightTokensWithOneNameAtOnceOneIsMade(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var made atomic.Int64
		atOnce(8, func(int) {
			_, _, err := h.access.CreateToken(h.root, access.CreateTokenInput{Name: "ci", Role: auth.Viewer})
			if err == nil {
				made.Add(1)
				return
			}
			wantFault(t, err, fault.Conflict, "input.name", "taken")
		})
		if made.Load() != 1 {
			t.Errorf("%d were made", made.Load())
		}
	})
}

func TestOfEightRevocationsAtOnceOneIsAnEvent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tok, _ := h.token(t, "ci", auth.Viewer, "shop")
		n := len(h.events(t))
		atOnce(8, func(int) {
			if _, err := h.access.RevokeToken(h.root, access.RevokeTokenInput{ID: tok.GlobalID()}); err != nil {
				t.Error(err)
			}
		})
		if got := len(h.events(t)) - n; got != 1 {
			t.Errorf("%d events", got)
		}
	})
}

func TestPrincipalNames(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tok, _ := h.token(t, "ci", auth.Viewer, "bank")
		names, err := h.access.PrincipalNames(h.as(t, "viewer", auth.Viewer, "shop"), []int{tok.PrincipalID, 4711})
		if err != nil || len(names) != 1 || names[tok.PrincipalID] != "ci" {
			t.Errorf("got %v, %v", names, err)
		}
	})
}
