package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/rolebinding"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestRule43_ATokenStandsForItsPrincipal(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in := access.CreateTokenInput{Name: "ci", Role: auth.EvidencePusher, ProjectKey: ptr("shop"), EvidenceTypes: []string{"https://example.org/test/v1"}}
		tok, secret, err := h.access.CreateToken(h.root, in)
		if err != nil {
			t.Fatal(err)
		}
		p, err := auth.From(h.enter(t, secret))
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != "ci" || p.ID != tok.PrincipalID || !slices.Equal(p.Grants, []auth.Grant{{Role: auth.EvidencePusher, Project: h.shop.ID}}) || !slices.Equal(p.EvidenceTypes, in.EvidenceTypes) {
			t.Errorf("got %+v", p)
		}
		root, err := auth.From(h.root)
		if err != nil || root.Name != "bootstrap" || !slices.Equal(root.Grants, []auth.Grant{{Role: auth.OrganisationAdmin, Project: auth.Organisation}}) || len(root.EvidenceTypes) != 0 {
			t.Errorf("got %+v, %v", root, err)
		}
	})
}

func TestRule43_WhatOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		expiring := access.CreateTokenInput{Name: "expiring", Role: auth.Viewer, ExpiresAt: ptr(start.Add(time.Hour))}
		_, expired, err := h.access.CreateToken(h.root, expiring)
		if err != nil {
			t.Fatal(err)
		}
		h.clock.set(start.Add(time.Hour - time.Microsecond))
		h.enter(t, expired)
		h.clock.set(start.Add(time.Hour))
		revokedToken, revoked := h.token(t, "revoked", auth.Viewer, "shop")
		h.enter(t, revoked)
		if _, err := h.access.RevokeToken(h.root, access.RevokeTokenInput{ID: revokedToken.GlobalID()}); err != nil {
			t.Fatal(err)
		}
		cases := []struct{ name, secret string }{
			{"nothing", ""},
			{"an unknown secret", "plm_" + strings.Repeat("a", 43)},
			{"an expired token", expired},
			{"a revoked token", revoked},
			{"a secret and a space", h.bootstrap + " "},
			{"a secret and a NUL byte", h.bootstrap + "\x00"},
			{"a secret without its last character", h.bootstrap[:len(h.bootstrap)-1]},
			{"a secret in upper case", strings.ToUpper(h.bootstrap)},
			{"the hash of a secret", strings.Repeat("0f", 32)},
			{"a megabyte", strings.Repeat("a", 1<<20)},
			{"a condition of SQL", "' OR 1=1 -- "},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				ctx, err := h.access.Authenticate(t.Context(), c.secret)
				if ctx != nil {
					t.Error("a context came back")
				}
				wantFault(t, err, fault.Unauthenticated, "", "unknown, has expired or was revoked")
				if c.secret != "" && strings.Contains(err.Error(), c.secret) {
					t.Error("the answer repeats the secret")
				}
			})
		}
	})
}

func TestRule44_ATokenWhosePrincipalHoldsNothingOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tok, secret := h.token(t, "ci", auth.Contributor, "shop")
		h.enter(t, secret)
		err := h.store.InTx(h.root, func(tx *db.Client) error {
			_, err := tx.RoleBinding.Delete().Where(rolebinding.PrincipalID(tok.PrincipalID)).Exec(h.root)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.access.Authenticate(t.Context(), secret)
		wantFault(t, err, fault.Unauthenticated, "", "unknown, has expired or was revoked")
	})
}

func TestRule43_AuthenticatingTakesOneQueryByIndex(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, secret := h.token(t, "ci", auth.Contributor, "shop")
		enter := func(ctx context.Context) error {
			_, err := h.access.Authenticate(ctx, secret)
			return err
		}
		if n := len(testdb.Plans(t.Context(), t, h.dsn, enter)); n != 1 {
			t.Errorf("%d queries", n)
		}
		testdb.NoScans(t.Context(), t, h.dsn, enter)
		unknown := 0
		ctx := store.Watch(t.Context(), func(string, []any) { unknown++ })
		if _, err := h.access.Authenticate(ctx, "plm_"+strings.Repeat("a", 43)); err == nil || unknown != 1 {
			t.Errorf("%d queries for an unknown token, %v", unknown, err)
		}
	})
}

func TestRule43_OfASecretTheHashAloneIsStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tok, secret := h.token(t, "ci", auth.Contributor, "shop")
		if !regexp.MustCompile(`^plm_[A-Za-z0-9_-]{43}$`).MatchString(secret) {
			t.Errorf("the secret has another form: %d characters", len(secret))
		}
		if secret == h.bootstrap {
			t.Error("two tokens have one secret")
		}
		shown, err := json.Marshal(tok)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(tok.String(), tok.Hash) || strings.Contains(tok.Hash, secret[4:]) || bytes.Contains(shown, []byte(secret)) {
			t.Error("the token shows its secret or its hash")
		}
		for _, secret := range []string{secret, h.bootstrap} {
			if stored(t, h, secret[4:]) {
				t.Error("the secret is stored")
			}
		}
		if !stored(t, h, tok.Hash) {
			t.Error("the hash is not found where it must be: this test looks in the wrong place")
		}
	})
}

// stored tells whether a text stands anywhere in the database: in a file of SQLite's, or in a row of Postgres'.
func stored(t *testing.T, h *house, text string) bool {
	t.Helper()
	if path, ok := strings.CutPrefix(h.dsn, "sqlite:"); ok {
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files at %s: %v", path, err)
		}
		return slices.ContainsFunc(files, func(name string) bool {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Contains(b, []byte(text))
		})
	}
	for _, table := range []string{"tokens", "principals", "owners", "role_bindings", "activity_events", "activity_openings"} {
		rows, err := h.store.Read().QueryContext(h.root, "SELECT 1 FROM "+table+" t WHERE position($1 in t::text) > 0", text)
		if err != nil {
			t.Fatal(err)
		}
		found := rows.Next()
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if found {
			return true
		}
	}
	// Events hold bytes, which Postgres writes as hexadecimal digits.
	for _, e := range h.events(t) {
		if bytes.Contains(e.Leaf, []byte(text)) {
			return true
		}
	}
	return false
}

func TestViewerSaysWhoActs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v, err := h.access.Viewer(h.as(t, "ci", auth.Contributor, "shop"))
		if err != nil || v.Principal != "ci" || len(v.Roles) != 1 || v.Roles[0].Role != auth.Contributor || v.Roles[0].Project.Key != "shop" {
			t.Errorf("got %+v, %v", v, err)
		}
		v, err = h.access.Viewer(h.root)
		if err != nil || v.Principal != "bootstrap" || len(v.Roles) != 1 || v.Roles[0].Role != auth.OrganisationAdmin || v.Roles[0].Project != nil {
			t.Errorf("got %+v, %v", v, err)
		}
		_, err = h.access.Viewer(t.Context())
		wantFault(t, err, fault.Unauthenticated, "", "token")
	})
}
