package version

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// writeContents writes everything in a version.
func (s *Service) writeContents(ctx context.Context, tx *db.Client, versionID int, g *gathered) error {
	parts := g.parts()
	packages, err := s.packages(ctx, tx, parts)
	if err != nil {
		return err
	}
	const chunk = 1000 // well under the number of variables that SQLite takes in one statement
	for batch := range slices.Chunk(parts, chunk) {
		rows := make([]*db.ReleasableCreate, len(batch))
		for i, p := range batch {
			from := g.origins[p]
			rows[i] = tx.Releasable.Create().SetVersionID(versionID).SetKind(p.Kind).SetName(p.Name).
				SetNillablePurl(optional(p.PURL)).SetNillableDigest(optional(p.Digest)).
				SetSourceKind(from.kind).SetNillableSourceBuildID(from.build).SetNillableSourceVersionID(from.version).
				SetNillableOriginApplicationID(from.application)
			if row, ok := packages[p.PURL]; ok {
				rows[i].SetPackageID(row.Package.ID).SetPackageVersionID(row.Version.ID)
			}
		}
		if err := tx.Releasable.CreateBulk(rows...).Exec(ctx); err != nil {
			return fmt.Errorf("write contents: %w", err)
		}
	}
	return nil
}

// clearContents removes everything in a draft.
func clearContents(ctx context.Context, tx *db.Client, versionID int) error {
	if _, err := tx.Releasable.Delete().Where(releasable.VersionID(versionID)).Exec(ctx); err != nil {
		return fmt.Errorf("remove contents of version %d: %w", versionID, err)
	}
	return nil
}

// packages makes sure that every package version of the contents has its row, and returns the rows by purl.
func (s *Service) packages(ctx context.Context, tx *db.Client, parts []Part) (map[string]catalog.Ensured, error) {
	var list []purl.PURL
	digests := map[string]string{}
	for _, p := range parts {
		if p.Kind != releasable.KindPACKAGE {
			continue
		}
		parsed, err := purl.Parse(p.PURL)
		if err != nil {
			return nil, fmt.Errorf("read purl of a part: %w", err)
		}
		list = append(list, parsed)
		if p.Digest != "" {
			digests[p.PURL] = p.Digest
		}
	}
	return s.catalog.EnsurePackages(ctx, tx, list, digests)
}

// forWriting finds a version, with its application and project, and keeps it from being changed or moved by others until
// the transaction ends, if whoever acts may send the mutation for it.
func forWriting(ctx context.Context, tx *db.Client, mutation, app, name string) (*db.ApplicationVersion, error) {
	v, err := tx.ApplicationVersion.Query().
		Where(applicationversion.Version(name), applicationversion.HasApplicationWith(application.Key(app)), change).
		WithApplication().WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, noVersion(app, name)
	}
	if err != nil {
		return nil, fmt.Errorf("load version %s of %s: %w", name, app, err)
	}
	_, err = auth.Allow(ctx, mutation, v.ProjectID)
	return v, err
}

// change locks the rows that are read. SQLite needs no lock: there, one transaction writes at a time. It is the strongest
// one, because a draft may be deleted while an attempt to promote it is recorded.
func change(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.ForUpdate()
	}
}

// nameOf is what a version is called in the log.
func nameOf(v *db.ApplicationVersion) string { return v.Edges.Application.Key + "@" + v.Version }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
