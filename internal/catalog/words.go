package catalog

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/searchword"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// wordBatch is how many records get their words in one transaction at start-up.
const wordBatch = 500

// words returns the runs of letters and digits of the texts in lower case, sorted, each once.
func words(texts ...string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		})...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// purlWords are the words of a purl as people say it: without the scheme that all have, and "%40acme" as "@acme".
func purlWords(text string) []string {
	text = strings.TrimPrefix(text, "pkg:")
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return words(text)
}

func applicationWords(a *db.Application) []string { return words(a.Key, a.Name) }

// searched returns the words of a text that somebody looks for.
func searched(path, text string, split func(string) []string) ([]string, error) {
	if err := check.Line(path, text, 1, check.MaxName); err != nil {
		return nil, err
	}
	found := split(text)
	if len(found) == 0 {
		return nil, fault.At(path, "it holds no word; give at least one letter or digit")
	}
	return found, nil
}

// begins holds for the words that begin like this one. No word holds the last code point there is, so that what lies
// between the two is a piece of the index.
func begins(word string) predicate.SearchWord {
	return searchword.And(searchword.WordGTE(word), searchword.WordLT(word+"\U0010FFFF"))
}

// renameWords gives an application the words of its new name and takes away those of the old one alone.
func renameWords(ctx context.Context, tx *db.Client, a *db.Application) error {
	now := applicationWords(a)
	_, err := tx.SearchWord.Delete().Where(searchword.ApplicationID(a.ID), searchword.WordNotIn(now...)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("remove words of application %s: %w", a.Key, err)
	}
	return writeApplicationWords(ctx, tx, a)
}

func writeApplicationWords(ctx context.Context, tx *db.Client, applications ...*db.Application) error {
	var rows []*db.SearchWordCreate
	for _, a := range applications {
		for _, w := range applicationWords(a) {
			rows = append(rows, tx.SearchWord.Create().SetApplicationID(a.ID).SetWord(w))
		}
	}
	return writeWords(ctx, tx, rows)
}

func writePackageWords(ctx context.Context, tx *db.Client, packages ...*db.Pkg) error {
	var rows []*db.SearchWordCreate
	for _, p := range packages {
		for _, w := range purlWords(p.Purl) {
			rows = append(rows, tx.SearchWord.Create().SetPackageID(p.ID).SetWord(w))
		}
	}
	return writeWords(ctx, tx, rows)
}

// writeWords leaves alone those that are there.
func writeWords(ctx context.Context, tx *db.Client, rows []*db.SearchWordCreate) error {
	for part := range slices.Chunk(rows, chunk) {
		if err := tx.SearchWord.CreateBulk(part...).OnConflict(sql.DoNothing()).Exec(ctx); err != nil {
			return fmt.Errorf("write words: %w", err)
		}
	}
	return nil
}

// IndexWords gives applications and packages that were made before there were words theirs. It goes from the newest of
// them to the oldest, so that what is older than everything that has words is what is left: finding that there is nothing
// left costs two look-ups. Several servers may do it at once.
func (s *Service) IndexWords(ctx context.Context) error {
	ctx = auth.System(ctx)
	for _, batch := range []func(context.Context, *db.Client) (int, error){indexApplications, indexPackages} {
		for n := wordBatch; n == wordBatch; {
			err := s.store.InTx(ctx, func(tx *db.Client) (err error) {
				n, err = batch(ctx, tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("index words: %w", err)
			}
		}
	}
	return nil
}

func indexApplications(ctx context.Context, tx *db.Client) (int, error) {
	// Held, so that none is renamed between reading and writing.
	q := tx.Application.Query().Where(hold).Order(db.Desc(application.FieldID)).Limit(wordBatch)
	oldest, err := tx.SearchWord.Query().Where(searchword.ApplicationIDNotNil()).Order(searchword.ByApplicationID()).First(ctx)
	if err == nil {
		q.Where(application.IDLT(*oldest.ApplicationID))
	} else if !db.IsNotFound(err) {
		return 0, err
	}
	rows, err := q.All(ctx)
	if err != nil {
		return 0, err
	}
	return len(rows), writeApplicationWords(ctx, tx, rows...)
}

func indexPackages(ctx context.Context, tx *db.Client) (int, error) {
	q := tx.Pkg.Query().Order(db.Desc(pkg.FieldID)).Limit(wordBatch)
	oldest, err := tx.SearchWord.Query().Where(searchword.PackageIDNotNil()).Order(searchword.ByPackageID()).First(ctx)
	if err == nil {
		q.Where(pkg.IDLT(*oldest.PackageID))
	} else if !db.IsNotFound(err) {
		return 0, err
	}
	rows, err := q.All(ctx)
	if err != nil {
		return 0, err
	}
	return len(rows), writePackageWords(ctx, tx, rows...)
}
