package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// PolicyScopeInput is how far a policy shall reach.
type PolicyScopeInput struct {
	Type            gatepolicy.ScopeType
	ProjectKeys     []string
	ApplicationKeys []string
	Labels          []*labels.Label
	Criticality     []string
}

// Scope is how far a policy reaches and what narrows it, as far as it exists for whoever asks. The lists are sorted and
// never nil.
type Scope struct {
	Type            gatepolicy.ScopeType
	ProjectKeys     []string
	ApplicationKeys []string
	// Labels must all be on the application.
	Labels []labels.Label
	// Criticality must be one of these; empty means any.
	Criticality []string
}

// Scope returns how far p reaches. A policy that this package returned brings its targets along; for another they are read.
func (s *Service) Scope(ctx context.Context, p *db.GatePolicy) (Scope, error) {
	targets, err := p.Edges.TargetsOrErr()
	if db.IsNotLoaded(err) {
		targets, err = s.store.Read().PolicyTarget.Query().Where(ofPolicy(p.ID)).WithProject().WithApplication().All(ctx)
	}
	if err != nil {
		return Scope{}, fmt.Errorf("read targets of policy: %w", err)
	}
	return scopeOf(p, targets), nil
}

// scopeOf says in keys what a policy's row and targets say. A target whose project or application did not come along is
// one that does not exist for the reader.
func scopeOf(p *db.GatePolicy, targets []*db.PolicyTarget) Scope {
	sc := Scope{
		Type: p.ScopeType, ProjectKeys: []string{}, ApplicationKeys: []string{},
		Labels: append([]labels.Label{}, p.LabelSelectors...), Criticality: append([]string{}, p.CriticalitySelectors...),
	}
	for _, t := range targets {
		switch {
		case t.ApplicationID == nil && t.Edges.Project != nil:
			sc.ProjectKeys = append(sc.ProjectKeys, t.Edges.Project.Key)
		case t.ApplicationID != nil && t.Edges.Application != nil:
			sc.ApplicationKeys = append(sc.ApplicationKeys, t.Edges.Application.Key)
		}
	}
	slices.Sort(sc.ProjectKeys)
	slices.Sort(sc.ApplicationKeys)
	return sc
}

// String says the scope in one line, for events.
func (sc Scope) String() string {
	parts := []string{string(sc.Type)}
	add := func(what string, values []string) {
		if len(values) > 0 {
			parts = append(parts, what+" "+strings.Join(values, ", "))
		}
	}
	add("projects", sc.ProjectKeys)
	add("applications", sc.ApplicationKeys)
	add("labels", labelTexts(sc.Labels))
	add("criticality", sc.Criticality)
	return strings.Join(parts, "; ")
}

func labelTexts(list []labels.Label) []string {
	texts := make([]string, len(list))
	for i, l := range list {
		texts[i] = l.Key + "=" + l.Value
	}
	return texts
}

// area is a scope with the rows that it names.
type area struct {
	scope        Scope
	projects     map[string]*db.Project
	applications map[string]*db.Application // with their projects
}

// areaOf resolves a scope that a user sent. It refuses what does not exist for them, and whoever may not send the mutation
// for all that the scope reaches; without a mutation nothing is to be written, and no right is asked for.
func (s *Service) areaOf(ctx context.Context, mutation string, in PolicyScopeInput) (area, error) {
	sc, err := readScope(in)
	if err != nil {
		return area{}, err
	}
	a := area{scope: sc, projects: map[string]*db.Project{}, applications: map[string]*db.Application{}}
	switch sc.Type {
	case gatepolicy.ScopeTypePROJECT:
		err = s.findProjects(ctx, mutation, in.ProjectKeys, a)
	case gatepolicy.ScopeTypeAPPLICATION:
		err = s.findApplications(ctx, mutation, in.ApplicationKeys, a)
	default:
		err = allowAt(ctx, "", mutation, auth.Organisation)
	}
	return a, err
}

func (s *Service) findProjects(ctx context.Context, mutation string, keys []string, a area) error {
	found, err := s.store.Read().Project.Query().Where(project.KeyIn(keys...)).All(ctx)
	if err != nil {
		return fmt.Errorf("read projects of scope: %w", err)
	}
	for _, p := range found {
		a.projects[p.Key] = p
	}
	for i, key := range keys {
		path := fmt.Sprintf("input.scope.projectKeys.%d", i)
		p := a.projects[key]
		if p == nil {
			return fault.At(path, "there is no project %q", key)
		}
		if err := allowAt(ctx, path, mutation, p.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) findApplications(ctx context.Context, mutation string, keys []string, a area) error {
	found, err := s.store.Read().Application.Query().Where(application.KeyIn(keys...)).WithProject().All(ctx)
	if err != nil {
		return fmt.Errorf("read applications of scope: %w", err)
	}
	for _, app := range found {
		a.applications[app.Key] = app
	}
	for i, key := range keys {
		path := fmt.Sprintf("input.scope.applicationKeys.%d", i)
		app := a.applications[key]
		if app == nil {
			return fault.At(path, "there is no application %q", key)
		}
		if err := allowAt(ctx, path, mutation, app.ProjectID); err != nil {
			return err
		}
	}
	return nil
}

// allowAt asks for the right to send the mutation on a project, and says which element of the input lacks it.
func allowAt(ctx context.Context, path, mutation string, project int) error {
	if mutation == "" {
		return nil
	}
	_, err := auth.Allow(ctx, mutation, project)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		f.Path = path
	}
	return err
}

// readScope checks a scope as far as it can be without looking anything up, and gives it in normal form.
func readScope(in PolicyScopeInput) (Scope, error) {
	err := check.First(
		oneOf("input.scope.type", gatepolicy.ScopeTypeValidator(in.Type)),
		checkKeys("input.scope.projectKeys", in.ProjectKeys, in.Type, gatepolicy.ScopeTypePROJECT),
		checkKeys("input.scope.applicationKeys", in.ApplicationKeys, in.Type, gatepolicy.ScopeTypeAPPLICATION),
		check.List("input.scope.labels", len(in.Labels), MaxScopeLabels),
		checkSelectors(in),
	)
	if err != nil {
		return Scope{}, err
	}
	sc := Scope{
		Type: in.Type, ProjectKeys: slices.Sorted(slices.Values(in.ProjectKeys)), ApplicationKeys: slices.Sorted(slices.Values(in.ApplicationKeys)),
		Labels: []labels.Label{}, Criticality: []string{},
	}
	for _, l := range in.Labels {
		sc.Labels = append(sc.Labels, *l)
	}
	slices.SortFunc(sc.Labels, func(a, b labels.Label) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Value, b.Value))
	})
	sc.Labels = slices.Compact(sc.Labels)
	for _, c := range criticalities() {
		if slices.Contains(in.Criticality, string(c)) {
			sc.Criticality = append(sc.Criticality, string(c))
		}
	}
	return sc, nil
}

// criticalities are the criticalities from the least to the greatest.
func criticalities() []application.Criticality {
	return []application.Criticality{
		application.CriticalityUNSPECIFIED, application.CriticalityLOW, application.CriticalityMEDIUM,
		application.CriticalityHIGH, application.CriticalityCRITICAL,
	}
}

// checkKeys asks for keys when the scope is of the type that takes them, and refuses them otherwise.
func checkKeys(path string, keys []string, typ, takes gatepolicy.ScopeType) error {
	switch {
	case typ != takes && len(keys) > 0:
		return fault.At(path, "a scope of type %s does not take these keys; leave them out or use type %s", typ, takes)
	case typ == takes && len(keys) == 0:
		return fault.At(path, "a scope of type %s needs 1 to %d keys", typ, MaxScopeKeys)
	}
	if err := check.List(path, len(keys), MaxScopeKeys); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, key := range keys {
		at := fmt.Sprintf("%s.%d", path, i)
		if err := check.Key(at, key); err != nil {
			return err
		}
		if seen[key] {
			return fault.At(at, "%q is there twice; name it once", key)
		}
		seen[key] = true
	}
	return nil
}

func checkSelectors(in PolicyScopeInput) error {
	for i, l := range in.Labels {
		if err := check.Label(fmt.Sprintf("input.scope.labels.%d", i), l.Key, l.Value); err != nil {
			return err
		}
	}
	for i, c := range in.Criticality {
		if err := oneOf(fmt.Sprintf("input.scope.criticality.%d", i), application.CriticalityValidator(application.Criticality(c))); err != nil {
			return err
		}
	}
	return nil
}

// projectIDs returns the projects whose applications the area holds, or nil for all.
func (a area) projectIDs() []int {
	var ids []int
	for _, p := range a.projects {
		ids = append(ids, p.ID)
	}
	for _, app := range a.applications {
		ids = append(ids, app.ProjectID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// only returns the one project that the area lies in, or nil, and the key of its one application, or "": where its events
// belong, so that they are seen by those whom the policy binds.
func (a area) only() (*db.Project, string) {
	if len(a.projectIDs()) != 1 {
		return nil, ""
	}
	for _, p := range a.projects {
		return p, ""
	}
	key := ""
	var in *db.Project
	for _, app := range a.applications {
		in = app.Edges.Project
		if len(a.applications) == 1 {
			key = app.Key
		}
	}
	return in, key
}
