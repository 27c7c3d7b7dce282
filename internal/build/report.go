package build

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

const verb = "reportBuild"

// Report records a build, and tells whether it was recorded before: the same report changes nothing, however often it is
// sent at once. Another build under the same name and number is a CONFLICT.
func (s *Service) Report(ctx context.Context, in ReportBuildInput) (_ *db.Build, alreadyKnown bool, err error) {
	r, err := in.check()
	if err != nil {
		return nil, false, err
	}
	home, actor, err := s.home(ctx, in.ProjectKey)
	if err != nil {
		return nil, false, err
	}
	digest, err := r.digest(realmOf(home))
	if err != nil {
		return nil, false, fmt.Errorf("digest build: %w", err)
	}
	var id int
	record := func(tx *db.Client) error {
		b, err := known(ctx, tx, r, home, digest)
		if err != nil {
			return err
		}
		if alreadyKnown = b != nil; alreadyKnown {
			id = b.ID
			return nil
		}
		if b, err = s.write(ctx, tx, r, home, digest, actor); err != nil {
			return err
		}
		id = b.ID
		return s.log.Append(ctx, tx, reported(b, home, len(r.artifacts)))
	}
	err = s.store.InTx(ctx, record)
	if store.IsUnique(err) { // somebody was faster, and is found now
		err = s.store.InTx(ctx, record)
	}
	if err != nil {
		return nil, false, err
	}
	b, err := s.store.Read().Build.Get(ctx, id)
	return b, alreadyKnown, err
}

// known returns the build of this name and number that is there already, if it is the same one.
func known(ctx context.Context, tx *db.Client, r report, home *db.Project, digest string) (*db.Build, error) {
	b, err := tx.Build.Query().Where(build.Name(r.name), build.Number(r.number), build.Realm(realmOf(home))).Only(ctx)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load build %s#%s: %w", r.name, r.number, err)
	}
	if b.Digest != digest {
		return nil, fault.New(fault.Conflict, "build %s#%s was reported already, with other content: give this one a number of its own", r.name, r.number).
			With("path", "input.number")
	}
	return b, nil
}

func (s *Service) write(ctx context.Context, tx *db.Client, r report, home *db.Project, digest string, actor auth.Principal) (*db.Build, error) {
	create := tx.Build.Create().SetName(r.name).SetNumber(r.number).SetRealm(realmOf(home)).SetDigest(digest).
		SetNillableStartedAt(r.startedAt).SetRepository(r.repository).SetRevision(r.revision).SetBranch(r.branch).
		SetCreatedBy(actor.ID).SetCreatedAt(s.now().UTC())
	if home != nil {
		create.SetProjectID(home.ID)
	}
	b, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write build: %w", err)
	}
	rows := make([]*db.BuildArtifactCreate, len(r.artifacts))
	for i, a := range r.artifacts {
		rows[i] = tx.BuildArtifact.Create().SetName(a.Name).SetDigest(a.Digest).SetBuildID(b.ID)
		if a.PURL != "" {
			rows[i].SetPurl(a.PURL)
		}
	}
	if err := tx.BuildArtifact.CreateBulk(rows...).Exec(ctx); err != nil {
		return nil, fmt.Errorf("write what build %s#%s made: %w", b.Name, b.Number, err)
	}
	return b, nil
}

func reported(b *db.Build, home *db.Project, artifacts int) activity.Event {
	return activity.Event{
		Type: activity.BuildReported, Project: home, Subject: b.Name + "#" + b.Number,
		Summary: fmt.Sprintf("build %s#%s was reported with %d artifacts", b.Name, b.Number, artifacts),
		Changes: []activity.Change{
			activity.Added("digest", activity.Text(b.Digest)), activity.Added("repository", activity.Text(b.Repository)),
			activity.Added("revision", activity.Text(b.Revision)),
		},
	}
}

// realmOf is what a build's name and number are unique in: the key of the project, or empty.
func realmOf(home *db.Project) string {
	if home == nil {
		return ""
	}
	return home.Key
}

// home finds where a build goes, nil for the organisation, and holds whoever reports to what they may do there.
func (s *Service) home(ctx context.Context, key *string) (*db.Project, auth.Principal, error) {
	if key != nil {
		return s.named(ctx, *key)
	}
	p, nowhere := auth.Allow(ctx, verb, auth.Organisation)
	if nowhere == nil {
		return nil, p, nil
	}
	p, err := auth.From(ctx)
	if err != nil {
		return nil, auth.Principal{}, err
	}
	var ids []int
	for _, g := range p.Grants {
		if _, err := auth.Allow(ctx, verb, g.Project); err == nil && !slices.Contains(ids, g.Project) {
			ids = append(ids, g.Project)
		}
	}
	if len(ids) == 0 {
		return nil, auth.Principal{}, nowhere
	}
	projects, err := s.store.Read().Project.Query().Where(project.IDIn(ids...)).Order(project.ByKey()).All(ctx)
	if err != nil {
		return nil, auth.Principal{}, fmt.Errorf("load projects to report to: %w", err)
	}
	if len(projects) == 1 {
		return projects[0], p, nil
	}
	keys := make([]string, len(projects))
	for i, found := range projects {
		keys[i] = found.Key
	}
	return nil, auth.Principal{}, fault.At("input.projectKey", "you may report builds to several projects: name one of %s", strings.Join(keys, ", "))
}

func (s *Service) named(ctx context.Context, key string) (*db.Project, auth.Principal, error) {
	found, err := s.store.Read().Project.Query().Where(project.Key(key)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, auth.Principal{}, &fault.Error{
			Kind: fault.NotFound, Path: "input.projectKey", Message: fmt.Sprintf("there is no project %q; name one that you can see", key),
		}
	}
	if err != nil {
		return nil, auth.Principal{}, fmt.Errorf("load project %s: %w", key, err)
	}
	p, err := auth.Allow(ctx, verb, found.ID)
	return found, p, err
}
