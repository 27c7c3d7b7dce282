package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/searchword"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func (w *world) words(t *testing.T, applicationID int) string {
	t.Helper()
	all := must(w.client.SearchWord.Query().Where(searchword.ApplicationID(applicationID)).Order(searchword.ByWord()).All(auth.System(t.Context())))(t)
	var texts []string
	for _, row := range all {
		texts = append(texts, row.Word)
	}
	return strings.Join(texts, " ")
}

func TestApplicationsAreFoundByTheirNewName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if got := w.words(t, w.checkout.ID); got != "checkout" {
			t.Errorf("the words are %q", got)
		}
		for name, want := range map[string]string{"Kasse 2 (neu)": "2 checkout kasse neu", "Checkout": "checkout"} {
			must(w.catalog.UpdateApplication(w.root, catalog.UpdateApplicationInput{Key: "checkout", Name: &name}))(t)
			if got := w.words(t, w.checkout.ID); got != want {
				t.Errorf("called %s, the words are %q, want %q", name, got, want)
			}
		}
	})
}

// TestOlderRecordsGetTheirWords takes words away as if there had never been any, and starts several servers at once.
func TestOlderRecordsGetTheirWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const packages = 1200
		w.write(t, func(ctx context.Context, tx *db.Client) error {
			texts := make([]string, packages)
			for i := range texts {
				texts[i] = fmt.Sprintf("pkg:npm/p%d", i)
			}
			if _, err := w.catalog.EnsurePackages(ctx, tx, purls(t, texts...), nil); err != nil {
				return err
			}
			_, err := tx.SearchWord.Delete().Exec(ctx)
			return err
		})
		// What is made before the rest is indexed must not hide it.
		if err := bind(root, "checkout", "pkg:npm/new")(w); err != nil {
			t.Fatal(err)
		}
		must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "bank", Key: "new", Name: "New"}))(t)
		var servers sync.WaitGroup
		for range 3 {
			servers.Go(func() {
				if err := w.catalog.IndexWords(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		servers.Wait()
		if got := must(w.client.SearchWord.Query().Count(auth.System(t.Context())))(t); got != 2*(packages+1)+3 {
			t.Errorf("there are %d words", got)
		}
		if got := w.words(t, w.ledger.ID); got != "ledger" {
			t.Errorf("the words of ledger are %q", got)
		}
		again := func(ctx context.Context) error { return w.catalog.IndexWords(ctx) }
		testdb.NoScans(context.Background(), t, w.dsn, again)
		if n := len(testdb.Plans(context.Background(), t, w.dsn, again)); n > 4 {
			t.Errorf("with nothing to do, it makes %d queries", n)
		}
	})
}
