package evidence_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// rest fills a house with trusted releases of three artifacts each, for every one of which an anchor of its own vouches.
func (h *house) rest(releases, anchor int) {
	h.tb.Helper()
	versions := store.Rows{Table: "application_versions", Columns: []string{
		"id", "version", "tag", "status", "trust", "standing", "manifest_digest", "manifest", "properties", "context", "releasable_count", "moves", "created_at",
		"project_id", "application_id", "created_by",
	}}
	parts := store.Rows{Table: "releasables", Columns: []string{"name", "kind", "source_kind", "digest", "version_id"}}
	moves := store.Rows{Table: "promotions", Columns: []string{"kind", "status", "comment", "at", "project_id", "version_id", "actor_id"}}
	said := store.Rows{Table: "evidence", Columns: []string{
		"id", "digest", "signer_key", "realm", "raw_digest", "media_type", "size", "predicate_type", "category", "verified", "verification", "anchor_id", "created_at", "created_by",
	}}
	subjects := store.Rows{Table: "evidence_subjects", Columns: []string{"name", "digest", "evidence_id"}}
	for n := 1; n <= releases; n++ {
		name := fmt.Sprint("v", n)
		versions.Add(n, name, "", "LOCKED", "TRUSTED_RELEASE", "GOOD", digestOf(name), "{}", "[]", "{}", 3, 1, h.now, h.projects["web"].ID, h.apps["web"].ID, h.actor)
		moves.Add("RELEASE", "COMPLETED", "", h.now.Add(time.Hour), h.projects["web"].ID, n, h.actor)
		said.Add(n, digestOf("said of "+name), "k", "", "d", "m", 1, testsType, "QUALITY", true, "v", anchor, h.now, h.actor)
		for i := range 3 {
			digest := digestOf(fmt.Sprint(name, " part ", i))
			parts.Add("part", "ARTIFACT", "ARTIFACT", digest, n)
			subjects.Add("part", digest, n)
		}
	}
	h.write(func(ctx context.Context, tx *db.Client) error {
		for _, rows := range []store.Rows{versions, parts, moves, said, subjects} {
			if err := h.store.Insert(ctx, tx, rows, nil); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "ANALYZE")
		return err
	})
}

// BenchmarkRevokingAnAnchor on whose word 3,000 trusted releases rest.
func BenchmarkRevokingAnAnchor(b *testing.B) {
	const releases = 3000
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": testdb.SQLite, "postgres": testdb.Postgres} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				h := newCollecting(b, dsn(b))
				anchor := h.trust("ci", newKey(b))
				h.rest(releases, anchor.ID)
				var statements atomic.Int64
				ctx := store.Watch(h.admin(), func(string, []any) { statements.Add(1) })
				b.StartTimer()
				_, n, err := h.service.RevokeTrustAnchor(ctx, evidence.RevokeTrustAnchorInput{Alias: "ci"})
				if err != nil || n != releases {
					b.Fatal(n, err)
				}
				b.ReportMetric(float64(statements.Load()), "statements")
			}
		})
	}
}
