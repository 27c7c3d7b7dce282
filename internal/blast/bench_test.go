package blast_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// large is an estate of 200 applications with 2,000 versions of three artifacts each, whose SBOMs list 50 components: one of
// them in one version, one in every hundredth, one in three of ten.
func large() *estate {
	const versions, perBill = 2000, 50
	e := &estate{components: []string{"pkg:npm/rare@1.0.0", "pkg:npm/some@1.0.0", "pkg:npm/many@1.0.0"}}
	for i := range 5000 {
		e.components = append(e.components, fmt.Sprintf("pkg:npm/lib-%d@1.0.0", i))
	}
	for a := range 200 {
		e.apps = append(e.apps, app{project: a%projects + 1})
		e.ownerships = append(e.ownerships, period{a%owners + 1, a + 1, start, time.Time{}})
	}
	for v := range versions {
		e.versions = append(e.versions, version{app: v/10 + 1, stage: v % (stages + 1), created: hour(v), manifest: digest("manifest", v)})
		if v%10 == 9 {
			e.rollouts = append(e.rollouts, rollout{version: v + 1, environment: "prod", status: "SUCCEEDED", finished: hour(v), live: true})
		}
		for p := range 3 {
			d := digest("artifact", 3*v+p)
			e.parts = append(e.parts, part{version: v + 1, digest: d})
			var bill []entry
			for c, in := range []bool{v == 77 && p == 0, v%100 == 0, v%10 < 3} {
				if in {
					bill = append(bill, entry{c + 1, p == 0})
				}
			}
			for c := len(bill); c < perBill; c++ {
				bill = append(bill, entry{4 + (v*7+p*1613+c*101)%5000, false})
			}
			e.sboms = append(e.sboms, bill)
			e.evidence = append(e.evidence, statement{sbom: len(e.sboms), created: hour(v), subjects: []string{d}})
		}
	}
	return e
}

// BenchmarkBlastRadius asks for the summary and the first page, each followed by its bound: the same facts by statements
// written for this one question.
func BenchmarkBlastRadius(b *testing.B) {
	databases := map[string]func(testing.TB) string{"sqlite": testdb.SQLite}
	if os.Getenv(testdb.ServerVariable) != "" {
		databases["postgres"] = testdb.Postgres
	}
	e := large()
	for name, database := range databases {
		s := testdb.Open(b, database(b))
		e.settle(b, s)
		analysed(b, s)
		for _, c := range []struct {
			purl string
			want int
		}{{"pkg:npm/rare@1.0.0", 1}, {"pkg:npm/some@1.0.0", 20}, {"pkg:npm/many@1.0.0", 600}} {
			b.Run(fmt.Sprintf("service/%s/%d versions", name, c.want), func(b *testing.B) {
				service, ctx := blast.New(s, time.Now), viewer(auth.Organisation)
				for b.Loop() {
					if n := firstPage(ctx, b, service, c.purl); n != c.want {
						b.Fatalf("%d versions, want %d", n, c.want)
					}
				}
			})
			b.Run(fmt.Sprintf("bound/%s/%d versions", name, c.want), func(b *testing.B) {
				for b.Loop() {
					if n := byHand(b, s, c.purl); n != c.want {
						b.Fatalf("%d versions, want %d", n, c.want)
					}
				}
			})
		}
	}
}

// analysed tells the planner of Postgres what there is, as its own worker does soon after.
func analysed(b *testing.B, s *store.Store) {
	b.Helper()
	if s.Dialect() != dialect.Postgres {
		return
	}
	err := s.InTx(auth.System(context.Background()), func(tx *db.Client) error {
		_, err := tx.ExecContext(context.Background(), "ANALYZE")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func firstPage(ctx context.Context, b *testing.B, service *blast.Service, purl string) int {
	b.Helper()
	r, err := service.Of(ctx, blast.BlastRadiusInput{Purl: &purl}, nil)
	if err != nil {
		b.Fatal(err)
	}
	sum, err := r.Summary(ctx)
	if err != nil {
		b.Fatal(err)
	}
	hits, _, err := r.Hits(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Show(ctx, hits[:min(20, len(hits))]); err != nil {
		b.Fatal(err)
	}
	return sum.Versions
}

// byHand asks one statement for the counts and one for the page.
func byHand(b *testing.B, s *store.Store, purl string) int {
	b.Helper()
	const hits = `WITH said AS MATERIALIZED (
		SELECT es.digest, e.project_id, c.id component, sc.id entry FROM components c
		JOIN sbom_components sc ON sc.component_id = c.id JOIN evidence e ON e.sbom_id = sc.sbom_id
		JOIN evidence_subjects es ON es.evidence_id = e.id WHERE c.identity = $1),
	hit AS MATERIALIZED (
		SELECT v.id, v.application_id, s.component, s.entry, r.id part FROM said s JOIN releasables r ON r.digest = s.digest
		JOIN application_versions v ON v.id = r.version_id WHERE v.archived_at IS NULL AND COALESCE(s.project_id, v.project_id) = v.project_id
		UNION SELECT v.id, v.application_id, s.component, s.entry, 0 FROM said s JOIN application_versions v ON v.manifest_digest = s.digest
		WHERE v.archived_at IS NULL AND COALESCE(s.project_id, v.project_id) = v.project_id
		UNION SELECT v.id, v.application_id, s.component, s.entry, r.id FROM said s JOIN builds b ON b.digest = s.digest
		JOIN releasables r ON r.source_build_id = b.id JOIN application_versions v ON v.id = r.version_id
		WHERE v.archived_at IS NULL AND COALESCE(s.project_id, v.project_id) = v.project_id)`
	const counts = hits + ` SELECT COUNT(DISTINCT id), COUNT(DISTINCT application_id), COUNT(DISTINCT component),
		(SELECT COUNT(DISTINCT owner_id) FROM ownerships WHERE until IS NULL AND application_id IN (SELECT application_id FROM hit)),
		(SELECT COUNT(*) FROM deployments WHERE live AND version_id IN (SELECT id FROM hit)) FROM hit`
	const page = hits + `, page AS MATERIALIZED (SELECT DISTINCT hit.id, a.key FROM hit JOIN applications a ON a.id = hit.application_id
		ORDER BY a.key, hit.id DESC LIMIT 20)
		SELECT p.id, p.key, v.version, v.trust, v.stage_id, v.manifest, v.context, c.purl, c.name, c.version, sc.licenses, sc.direct, r.name, r.purl, r.digest
		FROM page p JOIN application_versions v ON v.id = p.id JOIN hit h ON h.id = p.id JOIN components c ON c.id = h.component
		JOIN sbom_components sc ON sc.id = h.entry LEFT JOIN releasables r ON r.id = h.part ORDER BY p.key, p.id DESC`
	var numbers [5]int
	scanned(b, s, counts, purl, &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4])
	var texts [15]any
	dest := make([]any, len(texts))
	for i := range texts {
		dest[i] = &texts[i]
	}
	scanned(b, s, page, purl, dest...)
	return numbers[0]
}

func scanned(b *testing.B, s *store.Store, statement, purl string, dest ...any) {
	b.Helper()
	rows, err := s.Read().QueryContext(auth.System(context.Background()), statement, purl)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}
