package bench_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/estate"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/schema"
)

// estateOf906000 is an estate of 2,000 versions and 6,000 artifacts, each with a bill of 150 components.
func estateOf906000() estate.Shape {
	return estate.Shape{Applications: 200, Versions: 10, Artifacts: 3, Components: 150, Pool: 20_000, Zipf: 0.9, Advisories: 1000, Seed: 1}
}

// BenchmarkEstate loads an estate and asks, in one call of the API, what a vulnerability hits: something rare, in 1 % and in
// 30 % of the versions, the first page and all counts; and for the first page of the applications.
func BenchmarkEstate(b *testing.B) {
	databases := map[string]func(testing.TB) string{"sqlite": testdb.SQLite}
	if os.Getenv(testdb.ServerVariable) != "" {
		databases["postgres"] = testdb.Postgres
	}
	for name, database := range databases {
		s, done := loaded(b, database(b), estateOf906000())
		analyse(b, s.dsn)
		for _, t := range done.Targets {
			for scope, in := range map[string]object{"all": {}, "live": {"liveOnly": true}} {
				want := t.Versions
				if scope == "live" {
					want = t.Live
				}
				body := request(b, operation(b, "BlastRadius"), object{"of": object{"vulnerability": t.Vulnerability}, "in": in, "first": 20})
				b.Run(fmt.Sprintf("blast/%s/%s/%d versions/%s", name, strings.ReplaceAll(t.Name, " ", ""), want, scope), func(b *testing.B) {
					for b.Loop() {
						if !bytes.Contains(s.send(body), fmt.Appendf(nil, `"summary":{"applicationVersions":%d,`, want)) {
							b.Fatalf("not %d versions", want)
						}
					}
				})
			}
		}
		list := request(b, "{ applications(first: 50) { totalCount edges { node { key name owners { ref } } } } }", nil)
		b.Run("applications/"+name, func(b *testing.B) {
			for b.Loop() {
				s.send(list)
			}
		})
	}
}

// analyse tells the planner of Postgres what there is, as its own worker does soon after.
func analyse(b testing.TB, dsn string) {
	b.Helper()
	if strings.HasPrefix(dsn, "sqlite:") {
		return
	}
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// operation is a document of the public contract.
func operation(b testing.TB, name string) string {
	b.Helper()
	_, after, found := strings.Cut(schema.Contract, "\nquery "+name+"(")
	text, _, ends := strings.Cut(after, "\n}\n")
	if !found || !ends {
		b.Fatalf("the contract has no query %s", name)
	}
	return "query " + name + "(" + text + "\n}\n"
}

func loaded(b testing.TB, dsn string, shape estate.Shape) (*service, *estate.Loaded) {
	b.Helper()
	data := b.TempDir()
	cfg := config.Config{
		Data: data, Database: dsn, ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test",
		VerifierID: "https://example.test/verifier", BootstrapToken: admin,
	}
	a, err := app.New(b.Context(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	})
	do := a.Services()
	ctx, err := do.Access.Authenticate(b.Context(), admin)
	if err != nil {
		b.Fatal(err)
	}
	done, err := estate.Load(ctx, estate.Services{
		Catalog: do.Catalog, Versions: do.Versions, Evidence: do.Evidence, Releases: do.Releases,
		Deployments: do.Deployments, Vulnerabilities: do.Vulnerabilities, Now: time.Now,
	}, shape, func(s estate.Step) { b.Log(s) })
	if err != nil {
		b.Fatal(err)
	}
	return &service{b, a.Handler(), dsn}, done
}
