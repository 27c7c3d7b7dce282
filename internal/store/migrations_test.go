package store_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db/migrate"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// The database that the migrations make is compared with the one that ent makes of ent/schema.
func TestMigrationsEqualSchema(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		name := testdb.Open(t, dsn).Dialect()
		fresh := testdb.SQLite(t) + "?_fk=1"
		if name == dialect.Postgres {
			fresh = testdb.BarePostgres(t)
		}
		pool := plainPool(t, fresh)
		if err := migrate.NewSchema(entsql.OpenDB(name, pool)).Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		driver, have := inspect(t, name, plainPool(t, dsn))
		_, want := inspect(t, name, pool)
		changes, err := driver.SchemaDiff(have, want)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			return
		}
		plan, err := driver.PlanChanges(t.Context(), "missing", changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range plan.Changes {
			t.Errorf("ent/schema and the migrations differ: run make migration NAME=…, which will write\n%s", c.Cmd)
		}
	})
}

// inspect reads the tables of a database, without goose's own.
func inspect(t *testing.T, name string, pool *sql.DB) (atlas.Driver, *schema.Schema) {
	t.Helper()
	open := sqlite.Open
	if name == dialect.Postgres {
		open = postgres.Open
	}
	driver, err := open(pool)
	if err != nil {
		t.Fatal(err)
	}
	s, err := driver.InspectSchema(t.Context(), "", &schema.InspectOptions{Exclude: []string{"goose_db_version"}})
	if err != nil {
		t.Fatal(err)
	}
	return driver, s
}

// The partial indexes hold what a plain one cannot say: at most one open row. They are asked of the database, because a
// difference in how it spells the condition would not show in a comparison of schemas.
func TestPartialIndexes(t *testing.T) {
	want := map[string]string{
		"binding_package_open":              "until IS NULL AND package_version_id IS NULL",
		"binding_version_open":              "until IS NULL",
		"ownership_application_id_owner_id": "until IS NULL",
		"policy_latest":                     "latest",
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		query := "SELECT indexdef FROM pg_indexes WHERE indexname = $1"
		if testdb.Open(t, dsn).Dialect() == dialect.SQLite {
			query = "SELECT sql FROM sqlite_master WHERE name = $1"
		}
		for name, condition := range want {
			var definition string
			if err := plainPool(t, dsn).QueryRow(query, name).Scan(&definition); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_, got, _ := strings.Cut(definition, " WHERE ")
			if strings.NewReplacer("(", "", ")", "").Replace(got) != condition || !strings.HasPrefix(definition, "CREATE UNIQUE") {
				t.Errorf("%s is %s", name, definition)
			}
		}
	})
}

func TestMigrationsAreInOrderAndGoForwardOnly(t *testing.T) {
	form := regexp.MustCompile(`^\d{4}_[a-z][a-z0-9_]*\.sql$`)
	var names [][]string
	for _, database := range []string{"sqlite", "postgres"} {
		files, err := fs.Glob(store.Migrations(), database+"/*")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, error %v", database, files, err)
		}
		var have []string
		for i, f := range files {
			content, err := fs.ReadFile(store.Migrations(), f)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(f)
			have = append(have, name)
			if !form.MatchString(name) || !strings.HasPrefix(name, fmt.Sprintf("%04d_", i+1)) {
				t.Errorf("%s is not number %d", f, i+1)
			}
			if strings.Contains(string(content), "+goose Down") {
				t.Errorf("%s has a way back: a database that went back would lose facts", f)
			}
		}
		names = append(names, have)
	}
	if strings.Join(names[0], " ") != strings.Join(names[1], " ") {
		t.Errorf("the databases differ in their steps: %v", names)
	}
}

// What was released is never edited: databases out there have run it.
func TestMigrationsMatchTheirChecksums(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		if _, err := os.Stat(filepath.Join("migrations", database, atlas.HashFileName)); err != nil {
			t.Fatal(err)
		}
		dir, err := atlas.NewLocalDir(filepath.Join("migrations", database))
		if err != nil {
			t.Fatal(err)
		}
		if err := atlas.Validate(dir); err != nil {
			t.Errorf("%s: %v: a migration was edited by hand; write a further one", database, err)
		}
	}
}
