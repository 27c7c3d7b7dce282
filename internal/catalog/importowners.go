package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxUnmatched is how much of what is no application an import tells.
const maxUnmatched = 100

// ImportOwners sets the owners of applications as a file says. Applications that it does not speak of stay as they are, and
// so do archived ones that it does not name by their whole key. It is one transaction, and one event for each application
// that it changes.
func (s *Service) ImportOwners(ctx context.Context, in ImportOwnersInput) (*ImportOwnersPayload, error) {
	if in.ProjectKey != nil {
		if err := check.Key("input.projectKey", *in.ProjectKey); err != nil {
			return nil, err
		}
	}
	rules, err := parseOwners(in.Format, in.Content)
	if err != nil {
		return nil, err
	}
	var done *ImportOwnersPayload
	err = s.write(ctx, func(tx *db.Client) error {
		known, err := importable(ctx, tx, in.ProjectKey)
		if err != nil {
			return err
		}
		owners, unmatched := match(rules, known.administered)
		if err := known.refuse(rules); err != nil {
			return err
		}
		done = &ImportOwnersPayload{Changes: []*OwnersChange{}, Unmatched: unmatched}
		return s.setOwners(ctx, tx, owners, in.DryRun, done)
	})
	if err != nil {
		return nil, err
	}
	return done, s.reread(ctx, done.Changes)
}

// importables are the applications that an import may speak of, and those that it may not although they can be seen.
type importables struct {
	administered []*db.Application
	others       []*db.Application
}

// importable finds them in a project, or in all that whoever acts can see.
func importable(ctx context.Context, tx *db.Client, projectKey *string) (found importables, err error) {
	q := tx.Application.Query().Order(application.ByID())
	if projectKey != nil {
		p, err := projectForWriting(ctx, tx, *projectKey, hold)
		if err != nil {
			return found, err
		}
		if _, err := auth.Allow(ctx, "importOwners", p.ID); err != nil {
			return found, err
		}
		q.Where(application.ProjectID(p.ID))
	}
	all, err := q.All(ctx)
	if err != nil {
		return found, fmt.Errorf("load applications: %w", err)
	}
	for _, a := range all {
		if _, err := auth.Allow(ctx, "importOwners", a.ProjectID); err == nil {
			found.administered = append(found.administered, a)
		} else {
			found.others = append(found.others, a)
		}
	}
	return found, nil
}

// refuse fails when the file names applications that whoever acts can see and does not administer. A pattern speaks of
// those alone that they administer.
func (known importables) refuse(rules []ownersRule) error {
	named := map[string]bool{}
	for _, r := range rules {
		named[r.pattern] = true
	}
	var keys []string
	for _, a := range known.others {
		if named[a.Key] && len(keys) < maxUnmatched {
			keys = append(keys, a.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	return &fault.Error{
		Kind: fault.Forbidden, Path: "input.content",
		Message: fmt.Sprintf("importOwners needs one of the roles %s, %s on the projects of %s; leave them out", auth.OrganisationAdmin, auth.ProjectAdmin, strings.Join(keys, ", ")),
	}
}

// match returns the owners that the last rule that fits gives each of the applications, and which patterns fit none.
func match(rules []ownersRule, applications []*db.Application) (map[*db.Application][]string, []string) {
	last := map[*db.Application]int{}
	exact := map[string]*db.Application{}
	for _, a := range applications {
		exact[a.Key] = a
	}
	unmatched := []string{}
	for i, r := range rules {
		fitted := false
		if a := exact[r.pattern]; a != nil {
			last[a], fitted = i, true
		} else if r.wild() {
			for _, a := range applications {
				if a.ArchivedAt == nil && r.fits(a.Key) {
					last[a], fitted = i, true
				}
			}
		}
		if !fitted && len(unmatched) < maxUnmatched && !slices.Contains(unmatched, r.pattern) {
			unmatched = append(unmatched, r.pattern)
		}
	}
	owners := map[*db.Application][]string{}
	for a, i := range last {
		owners[a] = rules[i].owners
	}
	return owners, unmatched
}

// setOwners replaces the owners of applications, in the order of their row numbers, in which everybody locks them.
func (s *Service) setOwners(ctx context.Context, tx *db.Client, owners map[*db.Application][]string, dryRun bool, done *ImportOwnersPayload) error {
	actor, err := auth.From(ctx)
	if err != nil {
		return err
	}
	byID := map[int][]string{}
	for a, refs := range owners {
		byID[a.ID] = refs
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byID)), chunk) {
		applications, err := tx.Application.Query().Where(application.IDIn(ids...), change).Order(application.ByID()).WithProject().All(ctx)
		if err != nil {
			return fmt.Errorf("load applications: %w", err)
		}
		there, err := s.ownersNow(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, a := range applications {
			lists := applicationChanges{addOwners: without(byID[a.ID], there[a.ID]), removeOwners: without(there[a.ID], byID[a.ID])}
			if len(lists.addOwners)+len(lists.removeOwners) == 0 {
				done.Unchanged++
				continue
			}
			done.Changes = append(done.Changes, &OwnersChange{Application: a, Added: lists.addOwners, Removed: lists.removeOwners})
			if dryRun {
				continue
			}
			if err := s.setOwnersOf(ctx, tx, a, actor, lists); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(done.Changes, func(a, b *OwnersChange) int { return cmp.Compare(a.Application.Key, b.Application.Key) })
	return nil
}

func (s *Service) ownersNow(ctx context.Context, tx *db.Client, applicationIDs []int) (map[int][]string, error) {
	rows, err := openOwnerships(ctx, tx, applicationIDs)
	if err != nil {
		return nil, err
	}
	refs := map[int][]string{}
	for _, o := range rows {
		refs[o.ApplicationID] = append(refs[o.ApplicationID], o.Edges.Owner.Ref)
	}
	return refs, nil
}

// without returns those of a that are not in b; never nil.
func without(a, b []string) []string {
	rest := []string{}
	for _, ref := range a {
		if !slices.Contains(b, ref) {
			rest = append(rest, ref)
		}
	}
	return rest
}

func (s *Service) setOwnersOf(ctx context.Context, tx *db.Client, a *db.Application, actor auth.Principal, lists applicationChanges) error {
	changes, err := s.updateOwners(ctx, tx, a.ID, actor.ID, lists)
	if err != nil {
		return err
	}
	return s.log.Append(ctx, tx, applicationUpdated(a, changes))
}

// applicationUpdated is the event that an application was changed.
func applicationUpdated(a *db.Application, changes []activity.Change) activity.Event {
	return activity.Event{
		Type: activity.ApplicationUpdated, Project: a.Edges.Project, Application: a.Key, Subject: a.Key, Changes: changes,
		Summary: fmt.Sprintf("Application %s was changed.", a.Key),
	}
}

// reread puts the applications as they are now, for whoever acts, in the place of those that a transaction has read.
func (s *Service) reread(ctx context.Context, changes []*OwnersChange) error {
	byID := map[int]*OwnersChange{}
	for _, c := range changes {
		byID[c.Application.ID] = c
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byID)), chunk) {
		rows, err := s.store.Read().Application.Query().Where(application.IDIn(ids...)).All(ctx)
		if err != nil {
			return fmt.Errorf("load applications: %w", err)
		}
		for _, a := range rows {
			byID[a.ID].Application = a
		}
	}
	return nil
}
