package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/packageversion"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// chunk bounds the rows of one statement. A row has up to four values, and SQLite takes 32,766 in a statement.
const chunk = 5000

// Ensured are the rows of a package and, when its purl names one, of its version.
type Ensured struct {
	Package *db.Pkg
	Version *db.PackageVersion
}

// EnsurePackage returns the rows of a package and of the version that p names (nil when it names none), made on first use.
func (s *Service) EnsurePackage(ctx context.Context, tx *db.Client, p purl.PURL) (*db.Pkg, *db.PackageVersion, error) {
	rows, err := s.EnsurePackages(ctx, tx, []purl.PURL{p}, nil)
	if err != nil {
		return nil, nil, err
	}
	e := rows[p.String()]
	return e.Package, e.Version, nil
}

// EnsurePackages returns the rows of packages and of the versions that the purls name, by the purl's text, made on first
// use. Digests, by the purl's text too, are kept for versions that have none yet: the first one reported stays.
//
// It takes a few statements for thousands of purls, and reads past the reach of whoever acts, because a package that
// nobody has bound or released yet is in nobody's reach. What it returns is for writing, not for showing.
func (s *Service) EnsurePackages(ctx context.Context, tx *db.Client, purls []purl.PURL, digests map[string]string) (map[string]Ensured, error) {
	ctx = auth.System(ctx)
	packageOf := map[string]string{} // text of a purl → its package's
	packages, versions := map[string]bool{}, map[string]bool{}
	for _, p := range purls {
		text, whole := p.String(), p.WithoutVersion()
		packageOf[text], packages[whole] = whole, true
		if p.HasVersion() {
			versions[text] = true
		}
	}
	packageRows, err := ensurePkgs(ctx, tx, sorted(packages), s.now())
	if err != nil {
		return nil, err
	}
	versionRows, err := s.ensureVersions(ctx, tx, sorted(versions), digests, func(text string) int { return packageRows[packageOf[text]].ID })
	if err != nil {
		return nil, err
	}
	ensured := make(map[string]Ensured, len(packageOf))
	for text, whole := range packageOf {
		ensured[text] = Ensured{Package: packageRows[whole], Version: versionRows[text]}
	}
	return ensured, nil
}

// sorted gives rows one order in which they are written, so that transactions that write the same ones do not wait for
// each other in a circle.
func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func ensurePkgs(ctx context.Context, tx *db.Client, texts []string, now time.Time) (map[string]*db.Pkg, error) {
	rows := make(map[string]*db.Pkg, len(texts))
	load := func(texts []string) error {
		found, err := tx.Pkg.Query().Where(pkg.PurlIn(texts...)).All(ctx)
		for _, row := range found {
			rows[row.Purl] = row
		}
		return err
	}
	write := func(texts []string) error {
		creates := make([]*db.PkgCreate, len(texts))
		for i, text := range texts {
			creates[i] = tx.Pkg.Create().SetPurl(text).SetCreatedAt(now)
		}
		return tx.Pkg.CreateBulk(creates...).OnConflict(sql.DoNothing()).Exec(ctx)
	}
	var made []string
	there := func(text string) bool { return rows[text] != nil }
	noted := func(texts []string) error {
		made = append(made, texts...)
		return write(texts)
	}
	if err := ensure(texts, there, load, noted); err != nil {
		return nil, fmt.Errorf("write packages: %w", err)
	}
	packages := make([]*db.Pkg, len(made))
	for i, text := range made {
		packages[i] = rows[text]
	}
	return rows, writePackageWords(ctx, tx, packages...)
}

func (s *Service) ensureVersions(ctx context.Context, tx *db.Client, texts []string, digests map[string]string, packageID func(string) int) (map[string]*db.PackageVersion, error) {
	rows := make(map[string]*db.PackageVersion, len(texts))
	load := func(texts []string) error {
		found, err := tx.PackageVersion.Query().Where(packageversion.PurlIn(texts...)).All(ctx)
		for _, row := range found {
			rows[row.Purl] = row
		}
		return err
	}
	write := func(texts []string) error {
		creates := make([]*db.PackageVersionCreate, len(texts))
		for i, text := range texts {
			creates[i] = tx.PackageVersion.Create().SetPurl(text).SetPackageID(packageID(text)).SetCreatedAt(s.now())
			if d := digests[text]; d != "" {
				creates[i].SetDigest(d)
			}
		}
		return tx.PackageVersion.CreateBulk(creates...).OnConflict(sql.DoNothing()).Exec(ctx)
	}
	there := func(text string) bool { return rows[text] != nil }
	if err := ensure(texts, there, load, write); err != nil {
		return nil, fmt.Errorf("write package versions: %w", err)
	}
	for _, text := range texts {
		if err := keepDigest(ctx, tx, rows[text], digests[text]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// keepDigest gives a version that was made without a digest the first one that is reported.
func keepDigest(ctx context.Context, tx *db.Client, v *db.PackageVersion, digest string) error {
	if digest == "" || v.Digest != nil {
		return nil
	}
	n, err := tx.PackageVersion.Update().Where(packageversion.ID(v.ID), packageversion.DigestIsNil()).SetDigest(digest).Save(ctx)
	if err != nil {
		return fmt.Errorf("write digest of %s: %w", v.Purl, err)
	}
	if n > 0 {
		v.Digest = &digest
	}
	return nil
}

// ensure loads rows by their texts, writes those that are not there, and loads them, chunk by chunk. Writing leaves alone
// what others have written meanwhile.
func ensure(texts []string, there func(string) bool, load, write func([]string) error) error {
	for texts := range slices.Chunk(texts, chunk) {
		if err := load(texts); err != nil {
			return err
		}
		absent := slices.DeleteFunc(slices.Clone(texts), there)
		if len(absent) == 0 {
			continue
		}
		if err := write(absent); err != nil {
			return err
		}
		if err := load(absent); err != nil {
			return err
		}
		if slices.ContainsFunc(absent, func(text string) bool { return !there(text) }) {
			return errRaced
		}
	}
	return nil
}
