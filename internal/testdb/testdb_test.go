package testdb_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestPlansTellAnIndexFromAScan(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		ctx := auth.System(t.Context())
		statements := testdb.Plans(ctx, t, dsn, func(ctx context.Context) error {
			if _, err := s.Read().Project.Query().Where(project.Key("a")).Exist(ctx); err != nil {
				return err
			}
			_, err := s.Read().Application.Query().Where(application.Description("nothing has an index on this")).Count(ctx)
			return err
		})
		if len(statements) != 2 {
			t.Fatalf("%d statements were seen, want 2: %+v", len(statements), statements)
		}
		if scans := statements[0].Scans(); len(scans) != 0 {
			t.Errorf("a look-up by a unique key counts as a scan of %v:\n%s", scans, statements[0].Plan)
		}
		if scans := statements[1].Scans(); len(scans) != 1 || scans[0] != "applications" {
			t.Errorf("a scan of applications was found in %v:\n%s", scans, statements[1].Plan)
		}
	})
}

func TestPostgresDatabasesAreOnesOwnAndDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Postgres")
	}
	var names []string
	t.Run("in use", func(t *testing.T) {
		for range 2 {
			dsn := testdb.Postgres(t)
			testdb.Open(t, dsn)
			names = append(names, dsn[strings.LastIndex(dsn, "/")+1:strings.Index(dsn, "?")])
		}
	})
	if names[0] == names[1] {
		t.Error("two databases have one name")
	}
	bare := testdb.BarePostgres(t)
	pool, err := sql.Open("pgx", bare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	var left int
	if err := pool.QueryRow("SELECT count(*) FROM pg_database WHERE datname IN ($1, $2)", names[0], names[1]).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("%d databases of a finished test are left", left)
	}
}
