package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/lifecycle"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// maxDescription is how long a description may be, in code points.
const maxDescription = 4000

// CreateApplicationInput is an application to register. Criticality and Maturity are UNSPECIFIED when empty; without
// Lifecycle it follows the project's DefaultLifecycle, now or as soon as there is one.
type CreateApplicationInput struct {
	ProjectKey  string
	Key         string
	Name        string
	Description *string
	Criticality application.Criticality
	Maturity    application.Maturity
	Labels      []*labels.Label
	Owners      []string
	Lifecycle   *string
}

// CreateApplication registers an application. It fails with CONFLICT when the key is taken anywhere, or the name in the
// project.
func (s *Service) CreateApplication(ctx context.Context, in CreateApplicationInput) (*db.Application, error) {
	refs, err := in.check()
	if err != nil {
		return nil, err
	}
	var a *db.Application
	err = s.write(ctx, func(tx *db.Client) error {
		p, err := projectForWriting(ctx, tx, in.ProjectKey, hold)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "createApplication", p.ID)
		if err != nil {
			return err
		}
		a, err = s.createApplication(ctx, tx, p, actor, in, refs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Application.Get(ctx, a.ID)
}

// check fills in what may be left out, and returns the owners' canonical references.
func (in *CreateApplicationInput) check() ([]string, error) {
	if in.Description == nil {
		in.Description = new(string)
	}
	if in.Criticality == "" {
		in.Criticality = application.DefaultCriticality
	}
	if in.Maturity == "" {
		in.Maturity = application.DefaultMaturity
	}
	err := check.First(
		check.Key("input.projectKey", in.ProjectKey),
		check.Key("input.key", in.Key),
		check.Name("input.name", in.Name),
		check.Text("input.description", *in.Description, 0, maxDescription),
		checkCriticality(in.Criticality),
		checkMaturity(in.Maturity),
		checkLabels("input.labels", in.Labels),
	)
	if err != nil {
		return nil, err
	}
	if in.Lifecycle != nil {
		if err := check.Name("input.lifecycle", *in.Lifecycle); err != nil {
			return nil, err
		}
	}
	return ownerRefs("input.owners", in.Owners, OwnerRef)
}

func checkCriticality(c application.Criticality) error {
	if application.CriticalityValidator(c) != nil {
		return fault.At("input.criticality", "criticality is UNSPECIFIED, LOW, MEDIUM, HIGH or CRITICAL; give one of them")
	}
	return nil
}

func checkMaturity(m application.Maturity) error {
	if application.MaturityValidator(m) != nil {
		return fault.At("input.maturity", "maturity is UNSPECIFIED, EXPERIMENTAL, PRODUCTION or END_OF_LIFE; give one of them")
	}
	return nil
}

func (s *Service) createApplication(ctx context.Context, tx *db.Client, p *db.Project, actor auth.Principal, in CreateApplicationInput, refs []string) (*db.Application, error) {
	keyTaken, err := tx.Application.Query().Where(application.Key(in.Key)).Exist(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for application %s: %w", in.Key, err)
	}
	if keyTaken {
		return nil, taken("input.key", "the key %q is taken; choose another one", in.Key)
	}
	if err := checkNameFree(ctx, tx, p, in.Name); err != nil {
		return nil, err
	}
	follows, err := lifecycleToFollow(ctx, tx, p, in.Lifecycle)
	if err != nil {
		return nil, err
	}
	create := tx.Application.Create().SetProjectID(p.ID).SetKey(in.Key).SetName(in.Name).SetDescription(*in.Description).
		SetCriticality(in.Criticality).SetMaturity(in.Maturity).SetCreatedAt(s.now())
	if follows != nil {
		create.SetLifecycleID(follows.ID)
	}
	a, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write application %s: %w", in.Key, err)
	}
	if err := writeApplicationWords(ctx, tx, a); err != nil {
		return nil, err
	}
	given := distinct(in.Labels)
	if err := addLabels(ctx, tx, a.ID, given); err != nil {
		return nil, err
	}
	if err := s.assign(ctx, tx, a.ID, actor.ID, refs, a.CreatedAt); err != nil {
		return nil, err
	}
	return a, s.log.Append(ctx, tx, activity.Event{
		Type: activity.ApplicationCreated, Project: p, Application: a.Key, Subject: a.Key,
		Summary: fmt.Sprintf("Application %s was registered in project %s.", a.Key, p.Key),
		Changes: registered(a, follows, given, refs),
	})
}

// registered is what the event says of a new application.
func registered(a *db.Application, follows *db.Lifecycle, given []labels.Label, refs []string) []activity.Change {
	changes := []activity.Change{activity.Added("name", activity.Text(a.Name))}
	if a.Description != "" {
		changes = append(changes, activity.Added("description", activity.Text(a.Description)))
	}
	changes = append(changes,
		activity.Added("criticality", activity.Text(string(a.Criticality))),
		activity.Added("maturity", activity.Text(string(a.Maturity))))
	if follows != nil {
		changes = append(changes, activity.Added("lifecycle", activity.Text(follows.Name)))
	}
	for _, l := range given {
		changes = append(changes, activity.Added("labels", labelText(l)))
	}
	for _, ref := range refs {
		changes = append(changes, activity.Added("owners", ownerValue(ref)))
	}
	return changes
}

func checkNameFree(ctx context.Context, tx *db.Client, p *db.Project, name string) error {
	nameTaken, err := tx.Application.Query().Where(application.ProjectID(p.ID), application.Name(name)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for an application called %s: %w", name, err)
	}
	if nameTaken {
		return taken("input.name", "project %s has an application called %q already; choose another name", p.Key, name)
	}
	return nil
}

// lifecycleToFollow finds the lifecycle that is named, or else the default one, which may not be there yet.
func lifecycleToFollow(ctx context.Context, tx *db.Client, p *db.Project, named *string) (*db.Lifecycle, error) {
	name := DefaultLifecycle
	if named != nil {
		name = *named
	}
	l, err := tx.Lifecycle.Query().Where(lifecycle.ProjectID(p.ID), lifecycle.Name(name)).Only(ctx)
	switch {
	case db.IsNotFound(err) && named == nil:
		return nil, nil
	case db.IsNotFound(err):
		return nil, fault.At("input.lifecycle", "project %s has no lifecycle %q; make it with setLifecycle first, or leave it out", p.Key, name)
	case err != nil:
		return nil, fmt.Errorf("load lifecycle %s: %w", name, err)
	}
	return l, nil
}
