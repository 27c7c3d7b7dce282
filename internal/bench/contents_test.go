package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

const page = `query { applicationVersion(application: "gateway", version: "1.0.0") { version trust manifestDigest
	contents(first: 50) { totalCount pageInfo { hasNextPage endCursor }
		edges { node { purl name digest connectionLevel owningApplication { key owners { ref } } source { kind } } } } } }`

// pageSQL asks the database for what the page shows, and for nothing twice.
const pageSQL = `SELECT r.purl, r.name, r.digest, r.kind, a.key, o.ref,
		(SELECT count(*) FROM releasables c WHERE c.version_id = r.version_id)
	FROM releasables r
	LEFT JOIN bindings bv ON bv.package_version_id = r.package_version_id AND bv.until IS NULL
	LEFT JOIN bindings bp ON bp.package_id = r.package_id AND bp.package_version_id IS NULL AND bp.until IS NULL
	LEFT JOIN applications a ON a.id = coalesce(bv.application_id, bp.application_id)
	LEFT JOIN ownerships w ON w.application_id = a.id AND w.until IS NULL
	LEFT JOIN owners o ON o.id = w.owner_id
	WHERE r.version_id = (SELECT v.id FROM application_versions v JOIN applications va ON va.id = v.application_id WHERE va.key = 'gateway' AND v.version = '1.0.0')
	ORDER BY r.id LIMIT 50`

// BenchmarkContentsPage is a page of 50 of 500 packages with their owners, as the API gives it. Its bound is one
// statement that reads the same.
func BenchmarkContentsPage(b *testing.B) {
	s := newService(b)
	s.fill(500)
	var bound time.Duration
	b.Run("sql-alone", func(b *testing.B) {
		side, err := store.Open(b.Context(), s.dsn, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		defer side.Close()
		ctx := auth.System(context.Background())
		for b.Loop() {
			if n, _ := readPage(ctx, b, side); n != 50 {
				b.Fatalf("%d rows, want 50", n)
			}
		}
		bound = b.Elapsed() / time.Duration(b.N)
	})
	b.Run("plimsoll", func(b *testing.B) {
		body := request(b, page, nil)
		for b.Loop() {
			s.send(body)
		}
		if bound > 0 {
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(bound), "×sql")
		}
	})
}

// readPage returns how many parts the page has, and how many of them somebody owns.
func readPage(ctx context.Context, b testing.TB, side *store.Store) (n, owned int) {
	b.Helper()
	rows, err := side.Read().QueryContext(ctx, pageSQL)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var purl, name, digest, kind, key, ref *string
		var total int
		if err := rows.Scan(&purl, &name, &digest, &kind, &key, &ref, &total); err != nil {
			b.Fatal(err)
		}
		n++
		if key != nil {
			owned++
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n, owned
}

// fill makes a version of n packages, of which every second one is owned.
func (s *service) fill(n int) {
	s.b.Helper()
	s.settle()
	s.do("createApplication", "CreateApplicationInput", object{"projectKey": "payments", "key": "common", "name": "Common", "owners": []string{"team:platform"}})
	var packages []object
	for i := range n {
		purl := fmt.Sprintf("pkg:npm/%%40acme/part-%d", i)
		packages = append(packages, object{"purl": purl + "@1.0.0"})
		if i%2 == 0 {
			s.do("bindPackage", "BindPackageInput", object{"applicationKey": "common", "purl": purl})
		}
	}
	s.do("createApplicationVersion", "CreateApplicationVersionInput", object{"applicationKey": "gateway", "version": "1.0.0", "sources": object{"packages": packages}})
}

func TestBothPagesShowTheSame(t *testing.T) {
	s := newService(t)
	s.fill(60)
	side, err := store.Open(t.Context(), s.dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer side.Close()
	n, owned := readPage(auth.System(context.Background()), t, side)
	if n != 50 || owned < 20 {
		t.Errorf("the statement reads %d rows, %d of them owned; want 50, and about half", n, owned)
	}
	got := s.send(request(t, page, nil))
	if shown := bytes.Count(got, []byte("SECOND_PARTY")); shown != owned || !bytes.Contains(got, []byte(`"totalCount":60`)) {
		t.Errorf("the API shows %d owned parts, the statement %d: %.300s", shown, owned, got)
	}
}

// TestAPageTakesFewerStatementsThanItHasParts counts what the database is asked for a short page and for a long one. On a
// busy machine what the parts ask for is gathered in a few lots rather than in one.
func TestAPageTakesFewerStatementsThanItHasParts(t *testing.T) {
	s := newService(t)
	s.fill(60)
	count := func(size int) int {
		var n atomic.Int64
		ctx := store.Watch(t.Context(), func(string, []any) { n.Add(1) })
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(request(t, strings.Replace(page, "first: 50", fmt.Sprintf("first: %d", size), 1), nil)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+admin)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if got := bytes.Count(w.Body.Bytes(), []byte(`"source"`)); got != size {
			t.Fatalf("%d parts, want %d: %.300s", got, size, w.Body.Bytes())
		}
		return int(n.Load())
	}
	short, long := count(5), count(50)
	if short == 0 || long-short > 20 {
		t.Errorf("a page of 50 takes %d statements, one of 5 takes %d", long, short)
	}
}
