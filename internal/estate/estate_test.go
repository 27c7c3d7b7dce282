package estate_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/estate"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const admin = "the-organisation-admins-token"

// open starts the whole service on a database, and acts as its admin.
func open(t testing.TB, dsn string) (context.Context, *app.App) {
	t.Helper()
	data := t.TempDir()
	a, err := app.New(t.Context(), config.Config{
		Data: data, Database: dsn, ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test",
		VerifierID: "https://example.test/verifier", BootstrapToken: admin,
	}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, err := a.Services().Access.Authenticate(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, a
}

func load(ctx context.Context, t testing.TB, a *app.App, shape estate.Shape) *estate.Loaded {
	t.Helper()
	do := a.Services()
	done, err := estate.Load(ctx, estate.Services{
		Catalog: do.Catalog, Versions: do.Versions, Evidence: do.Evidence, Releases: do.Releases,
		Deployments: do.Deployments, Vulnerabilities: do.Vulnerabilities, Now: time.Now,
	}, shape, func(s estate.Step) { t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// TestTheBlastRadiusIsWhatTheEstateSays asks for everything that the maker of the estate counted itself.
func TestTheBlastRadiusIsWhatTheEstateSays(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		shape := estate.Shape{
			Applications: 12, Versions: 6, Artifacts: 4, Changed: 1, Components: 40, Pool: 1000, Zipf: 0.9, Advisories: 50, Seed: 7,
		}
		ctx, a := open(t, dsn)
		done := load(ctx, t, a, shape)
		if len(done.Targets) != 3 {
			t.Fatalf("%d targets", len(done.Targets))
		}
		for _, target := range done.Targets {
			for _, scope := range []blast.BlastRadiusScope{{}, {LiveOnly: true}} {
				want := target.Versions
				if scope.LiveOnly {
					want = target.Live
				}
				for _, of := range []blast.BlastRadiusInput{{Purl: &target.Purl}, {Vulnerability: &target.Vulnerability}} {
					r, err := a.Services().Blasts.Of(ctx, of, &scope)
					if err != nil {
						t.Fatal(err)
					}
					got, err := r.Summary(ctx)
					if err != nil || got.Versions != want || got.Components != 1 {
						t.Errorf("%+v, live only %t: %+v, %v; want %d versions through one component", target, scope.LiveOnly, got, err, want)
					}
				}
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	shape := estate.Small()
	shape.Applications, shape.Versions, shape.Components, shape.Pool = 60, 10, 150, 20_000
	for b.Loop() {
		ctx, a := open(b, testdb.SQLite(b))
		done := load(ctx, b, a, shape)
		b.ReportMetric(done.Steps[1].PerSecond(), "edges/s")
	}
}
