package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestNewComponentsAreShownToTheMatcherOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		var told []string
		var failure error
		h.service = h.service.WithMatcher(evidence.Matcher{
			Begin: func(context.Context, *db.Client) error { told = append(told, "begin"); return nil },
			Key:   func(purl string) string { return "key of " + purl },
			Match: func(ctx context.Context, tx *db.Client, added map[string]int) error {
				for _, purl := range slices.Sorted(maps.Keys(added)) {
					if row := tx.Component.GetX(ctx, added[purl]); row.Identity != purl || row.PackageKey != "key of "+purl {
						t.Errorf("%s is %v", purl, row)
					}
					told = append(told, purl)
				}
				return failure
			},
		})
		h.submit(h.pusher(), cyclonedx(bill("urn:uuid:1", lib("a", "1", "MIT"), lib("b", "1", "MIT"), `{"type":"library","name":"no purl"}`), byDigest("x")))
		h.submit(h.pusher(), cyclonedx(bill("urn:uuid:2", lib("b", "1", "MIT"), lib("c", "1", "MIT")), byDigest("x")))
		h.submit(h.pusher(), cyclonedx(bill("urn:uuid:3", lib("b", "1", "MIT")), byDigest("x")))
		if got := strings.Join(told, " "); got != "begin pkg:npm/a@1 pkg:npm/b@1 begin pkg:npm/c@1 begin" {
			t.Errorf("told %s", got)
		}
		if n := h.store.Read().Component.Query().Where(component.PackageKey("")).CountX(auth.System(t.Context())); n != 1 {
			t.Errorf("%d components have no key, want that without a purl", n)
		}
		before := h.rows()
		failure = errors.New("no match today")
		if _, _, err := h.service.Submit(h.pusher(), cyclonedx(bill("urn:uuid:4", lib("d", "1", "MIT")), byDigest("x"))); !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
		if after := h.rows(); !maps.Equal(after, before) {
			t.Errorf("an SBOM that could not be matched left %v, before %v", after, before)
		}
	})
}

func TestRule31_VerifiedVexIsShownToTheMatcherOnceItIsWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		key := newKey(t)
		h.trust("builder", key)
		var told []string
		var failure error
		h.service = h.service.WithMatcher(evidence.Matcher{
			Begin: func(context.Context, *db.Client) error { told = append(told, "begin"); return nil },
			Said: func(ctx context.Context, tx *db.Client, list []int) error {
				for _, id := range list {
					row := tx.Evidence.GetX(auth.System(ctx), id)
					told = append(told, fmt.Sprint(row.SaysVex && row.Verified, " ", tx.EvidenceSubject.Query().CountX(auth.System(ctx)) > 0))
				}
				return failure
			},
		})
		const openVEX = "https://openvex.dev/ns/v0.2.0"
		vex := func(id string) string {
			return statement(openVEX, `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/`+id+
				`","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-1"},"status":"fixed"}]}`, "x")
		}
		h.submit(h.pusher(), signed(t, newKey(t), vex("unknown signer")))
		h.submit(h.pusher(), signed(t, key, statement("https://example.org/other", `{}`, "x")))
		if len(told) != 0 {
			t.Errorf("told %q of what nobody vouches for, or is no VEX", told)
		}
		h.submit(h.pusher(), signed(t, key, vex("1")))
		if _, again, err := h.service.Submit(h.pusher(), signed(t, key, vex("1"))); err != nil || !again {
			t.Errorf("the same again is new: %v", err)
		}
		if got := strings.Join(told, ", "); got != "begin, true true" && got != "begin, true true, begin" {
			t.Errorf("told %s", got)
		}
		before := h.rows()
		failure = errors.New("not today")
		if _, _, err := h.service.Submit(h.pusher(), signed(t, key, vex("2"))); !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
		if after := h.rows(); !maps.Equal(after, before) {
			t.Errorf("evidence that was not taken left %v, before %v", after, before)
		}
	})
}
