package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/packageversion"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// BindPackageInput names a package, or with a version in the purl that version only, and its owner to be.
type BindPackageInput struct {
	ApplicationKey string
	PURL           string
}

// UnbindPackageInput names a package, or with a version in the purl that version only, and its owner so far.
type UnbindPackageInput struct {
	ApplicationKey string
	PURL           string
}

// BindPackage makes an application the owner of a package or of one version of it. It fails with CONFLICT when another
// application owns exactly that, and names it to whoever may see it (detail "owningApplication").
func (s *Service) BindPackage(ctx context.Context, in BindPackageInput) (*db.Pkg, error) {
	what, err := checkBinding(in.ApplicationKey, in.PURL)
	if err != nil {
		return nil, err
	}
	var p *db.Pkg
	err = s.write(ctx, func(tx *db.Client) error {
		a, err := applicationForWriting(ctx, tx, "input.applicationKey", in.ApplicationKey)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "bindPackage", a.ProjectID)
		if err != nil {
			return err
		}
		var v *db.PackageVersion
		if p, v, err = s.EnsurePackage(ctx, tx, what); err != nil {
			return err
		}
		open, err := openBinding(ctx, tx, p, v)
		if err != nil {
			return err
		}
		if open == nil {
			return s.bind(ctx, tx, a, actor, p, v, what)
		}
		if open.ApplicationID != a.ID {
			return ownedByAnother(ctx, tx, open.ApplicationID, what)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Pkg.Get(ctx, p.ID)
}

func checkBinding(applicationKey, text string) (purl.PURL, error) {
	if err := check.Key("input.applicationKey", applicationKey); err != nil {
		return purl.PURL{}, err
	}
	p, err := purl.Parse(text)
	if err != nil {
		return purl.PURL{}, fault.At("input.purl", "%s", err)
	}
	if !p.HasVersion() && p.String() != p.WithoutVersion() {
		return purl.PURL{}, fault.At("input.purl", "without a version it names the package as a whole, which has no qualifiers and no subpath; leave them out or add the version")
	}
	return p, nil
}

// openBinding returns the binding of exactly the package (v is nil) or exactly the version that has not ended; nil when
// there is none. It reads past the reach of whoever acts.
func openBinding(ctx context.Context, tx *db.Client, p *db.Pkg, v *db.PackageVersion) (*db.Binding, error) {
	q := tx.Binding.Query().Where(binding.UntilIsNil())
	if v == nil {
		q.Where(binding.PackageID(p.ID), binding.PackageVersionIDIsNil())
	} else {
		q.Where(binding.PackageVersionID(v.ID))
	}
	b, err := q.Only(auth.System(ctx))
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load binding of %s: %w", p.Purl, err)
	}
	return b, nil
}

func ownedByAnother(ctx context.Context, tx *db.Client, applicationID int, what purl.PURL) error {
	other, err := tx.Application.Query().Where(application.ID(applicationID)).Only(ctx)
	if db.IsNotFound(err) {
		return taken("input.purl", "%s belongs to another application; it must be unbound from there first", what)
	}
	if err != nil {
		return fmt.Errorf("load owner of %s: %w", what, err)
	}
	return (&fault.Error{
		Kind: fault.Conflict, Path: "input.purl",
		Message: fmt.Sprintf("%s belongs to application %s; unbind it from there first", what, other.Key),
	}).With("owningApplication", other.Key)
}

func (s *Service) bind(ctx context.Context, tx *db.Client, a *db.Application, actor auth.Principal, p *db.Pkg, v *db.PackageVersion, what purl.PURL) error {
	create := tx.Binding.Create().SetApplicationID(a.ID).SetPackageID(p.ID).SetSince(s.now()).SetBoundBy(actor.ID)
	if v != nil {
		create.SetPackageVersionID(v.ID)
	}
	if err := create.Exec(ctx); err != nil {
		return fmt.Errorf("write binding of %s: %w", what, err)
	}
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.PackageBound, Project: a.Edges.Project, Application: a.Key, Subject: what.String(),
		Summary: fmt.Sprintf("Application %s became the owner of %s.", a.Key, what),
		Changes: []activity.Change{activity.Added("owningApplication", activity.Text(a.Key))},
	})
}

// UnbindPackage ends an application's ownership of a package or of one version of it. It fails with FAILED_PRECONDITION
// when the application does not own exactly that.
func (s *Service) UnbindPackage(ctx context.Context, in UnbindPackageInput) (*db.Pkg, error) {
	what, err := checkBinding(in.ApplicationKey, in.PURL)
	if err != nil {
		return nil, err
	}
	var p *db.Pkg
	err = s.write(ctx, func(tx *db.Client) error {
		a, err := applicationForWriting(ctx, tx, "input.applicationKey", in.ApplicationKey)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "unbindPackage", a.ProjectID)
		if err != nil {
			return err
		}
		var open *db.Binding
		if p, open, err = bindingOf(ctx, tx, a, what); err != nil {
			return err
		}
		return s.unbind(ctx, tx, a, actor, open, what)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Pkg.Get(ctx, p.ID)
}

// bindingOf finds the binding to end. Whether another application owns the package is not told.
func bindingOf(ctx context.Context, tx *db.Client, a *db.Application, what purl.PURL) (*db.Pkg, *db.Binding, error) {
	notBound := &fault.Error{
		Kind: fault.FailedPrecondition, Path: "input.purl",
		Message: fmt.Sprintf("%s is not bound to application %s; unbind exactly what was bound", what, a.Key),
	}
	p, err := tx.Pkg.Query().Where(pkg.Purl(what.WithoutVersion())).Only(auth.System(ctx))
	if db.IsNotFound(err) {
		return nil, nil, notBound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load package %s: %w", what, err)
	}
	var v *db.PackageVersion
	if what.HasVersion() {
		v, err = tx.PackageVersion.Query().Where(packageversion.Purl(what.String())).Only(auth.System(ctx))
		if db.IsNotFound(err) {
			return nil, nil, notBound
		}
		if err != nil {
			return nil, nil, fmt.Errorf("load package version %s: %w", what, err)
		}
	}
	open, err := openBinding(ctx, tx, p, v)
	if err != nil {
		return nil, nil, err
	}
	if open == nil || open.ApplicationID != a.ID {
		return nil, nil, notBound
	}
	return p, open, nil
}

func (s *Service) unbind(ctx context.Context, tx *db.Client, a *db.Application, actor auth.Principal, open *db.Binding, what purl.PURL) error {
	n, err := tx.Binding.Update().Where(binding.ID(open.ID), binding.UntilIsNil()).SetUntil(s.now()).SetUnboundBy(actor.ID).Save(ctx)
	if err != nil {
		return fmt.Errorf("end binding of %s: %w", what, err)
	}
	if n == 0 {
		return errRaced
	}
	return s.log.Append(ctx, tx, activity.Event{
		Type: activity.PackageUnbound, Project: a.Edges.Project, Application: a.Key, Subject: what.String(),
		Summary: fmt.Sprintf("Application %s ceased to own %s.", a.Key, what),
		Changes: []activity.Change{activity.Removed("owningApplication", activity.Text(a.Key))},
	})
}
