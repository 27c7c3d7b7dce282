package catalog

import (
	"context"
	"fmt"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// DeprecatePackageInput is a package to deprecate, or to take that back from.
type DeprecatePackageInput struct {
	PURL string
	// Reason is 10 to 2,000 characters; nil when it is taken back.
	Reason     *string
	Deprecated bool
}

// DeprecatePackage says that a package should be used no longer, or that it may be again. Whoever may for the application
// that owns it; for a package that nobody owns, whoever may for the organisation. What is so already changes nothing.
func (s *Service) DeprecatePackage(ctx context.Context, in DeprecatePackageInput) (*db.Pkg, error) {
	named, err := purl.Parse(in.PURL)
	if err != nil {
		return nil, fault.At("input.purl", "%v", err)
	}
	if named.HasVersion() {
		return nil, fault.At("input.purl", "%q names a version: a package is deprecated as a whole", in.PURL)
	}
	reason, err := in.reason()
	if err != nil {
		return nil, err
	}
	id := 0
	err = s.write(ctx, func(tx *db.Client) error {
		// Most of what is deprecated is of others, and known from SBOMs alone. Whoever speaks for the whole organisation may
		// say so of any package, also of one that nobody uses yet.
		if _, forAll := auth.Allow(ctx, "deprecatePackage", auth.Organisation); forAll == nil && in.Deprecated {
			if _, err := ensurePkgs(ctx, tx, []string{named.WithoutVersion()}, s.now()); err != nil {
				return err
			}
		}
		p, err := tx.Pkg.Query().Where(pkg.Purl(named.WithoutVersion()), oneByOne).Only(ctx)
		if db.IsNotFound(err) {
			return missing("input.purl", "there is no package %s", named)
		}
		if err != nil {
			return fmt.Errorf("load package: %w", err)
		}
		id = p.ID
		app, err := mayDeprecate(ctx, tx, p.ID)
		if err != nil || in.Deprecated == (p.DeprecatedAt != nil) && p.DeprecatedReason == reason {
			return err
		}
		return s.deprecate(ctx, tx, p, app, reason)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Pkg.Get(ctx, id)
}

// reason is why the package is deprecated; empty when that is taken back.
func (in DeprecatePackageInput) reason() (string, error) {
	if !in.Deprecated {
		return "", nil
	}
	if in.Reason == nil {
		return "", fault.At("input.reason", "say why, and what to use instead")
	}
	return *in.Reason, check.Justification("input.reason", *in.Reason)
}

// oneByOne lets changes of one package wait for each other, so that the same one twice at once is one event. SQLite needs no
// lock: there, one transaction writes at a time.
func oneByOne(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockNoKeyUpdate)
	}
}

// mayDeprecate returns the application that owns the package; nil when none does.
func mayDeprecate(ctx context.Context, tx *db.Client, packageID int) (*db.Application, error) {
	held, err := tx.Binding.Query().
		Where(binding.PackageID(packageID), binding.PackageVersionIDIsNil(), binding.UntilIsNil()).
		WithApplication(func(q *db.ApplicationQuery) { q.WithProject() }).Only(auth.System(ctx))
	if db.IsNotFound(err) {
		_, err := auth.Allow(ctx, "deprecatePackage", auth.Organisation)
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("find owner of package: %w", err)
	}
	app := held.Edges.Application
	_, err = auth.Allow(ctx, "deprecatePackage", app.ProjectID)
	return app, err
}

func (s *Service) deprecate(ctx context.Context, tx *db.Client, p *db.Pkg, app *db.Application, reason string) error {
	update, did := p.Update().SetDeprecatedReason(reason), "deprecated: "+reason
	change := activity.Changed("deprecated", p.DeprecatedReason, reason) // another reason, and the same since
	switch {
	case reason == "":
		update.ClearDeprecatedAt()
		did, change = "deprecated no longer", activity.Removed("deprecated", activity.Text(p.DeprecatedReason))
	case p.DeprecatedAt == nil:
		update.SetDeprecatedAt(s.now())
		change = activity.Added("deprecated", activity.Text(reason))
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("deprecate package %s: %w", p.Purl, err)
	}
	e := activity.Event{
		Type: activity.PackageDeprecated, Subject: p.Purl, Summary: fmt.Sprintf("Package %s is %s", p.Purl, did),
		Changes: []activity.Change{change},
	}
	if app != nil {
		e.Project, e.Application = app.Edges.Project, app.Key
	}
	return s.log.Append(ctx, tx, e)
}

// DeprecatedPackages returns a page of the packages that should be used no longer, oldest first. They are few among many, so
// their own index says which, before the order of the list does.
func (s *Service) DeprecatedPackages(ctx context.Context, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.PackageConnection, error) {
	return s.store.Read().Pkg.Query().Where(Within[predicate.Pkg](pkg.FieldID, pkg.Table, pkg.FieldID, pkg.DeprecatedAtNotNil())).Paginate(ctx, after, first, before, last)
}
