package blast

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxLines is how many lines an export has.
const maxLines = 100_000

// The formats of an export.
const (
	csvFormat  = "CSV"
	jsonFormat = "JSON_LINES"
)

// line is a version and a way on which it is hit.
type line struct {
	Application    string   `json:"application"`
	Version        string   `json:"version"`
	Project        string   `json:"project"`
	Stage          string   `json:"stage"`
	Trust          string   `json:"trust"`
	Owners         []string `json:"owners"`
	Environments   []string `json:"environments"`
	Component      string   `json:"component"`
	Releasable     string   `json:"releasable"`
	ReleasablePurl string   `json:"releasablePurl"`
	Digest         string   `json:"digest"`
	Direct         bool     `json:"direct"`
}

// Export writes all of it as text, a line a version and way.
func (r *Radius) Export(ctx context.Context, format string) (string, error) {
	if format != csvFormat && format != jsonFormat {
		return "", fault.At("format", "want %s or %s, got %q", csvFormat, jsonFormat, format)
	}
	f, err := r.answer(ctx)
	if err != nil {
		return "", err
	}
	ways, n := make([][]way, len(f.versions)), 0
	for i, h := range f.versions {
		ways[i] = h.ways(0)
		if n += len(ways[i]); n > maxLines {
			return "", fault.New(fault.ResourceExhausted, "there are more than %d lines: export project by project, or stage by stage", maxLines)
		}
	}
	facts, err := r.facts(ctx, ways)
	if err != nil {
		return "", err
	}
	lines := make([]line, 0, n)
	for i, h := range f.versions {
		for _, w := range ways[i] {
			lines = append(lines, facts.line(h, w))
		}
	}
	if format == csvFormat {
		return asCSV(lines)
	}
	return asJSON(lines)
}

// facts are what lines say, by row numbers.
type facts struct {
	versions     map[int]line // but for the way
	components   map[int]string
	parts        map[int]line // what a releasable says
	environments map[int][]string
	owners       map[int][]string
	stages       map[int]string
}

func (f facts) line(h Hit, w way) line {
	l, part := f.versions[h.Version], f.parts[w.releasable]
	l.Stage, l.Owners, l.Environments = f.stages[h.Stage], f.owners[h.Application], f.environments[h.Version]
	l.Component, l.Direct = f.components[w.component], w.direct
	l.Releasable, l.ReleasablePurl, l.Digest = part.Releasable, part.ReleasablePurl, part.Digest
	return l
}

// facts loads what the lines say, a statement for each kind of thing.
func (r *Radius) facts(ctx context.Context, ways [][]way) (facts, error) {
	f := facts{
		versions: map[int]line{}, components: map[int]string{}, parts: map[int]line{},
		environments: map[int][]string{}, owners: map[int][]string{}, stages: map[int]string{},
	}
	stages, err := r.stages(ctx)
	if err != nil {
		return f, err
	}
	for id, s := range stages {
		f.stages[id] = s.Name
	}
	for _, o := range r.answered.found.owners { // by reference
		f.owners[o.application] = append(f.owners[o.application], o.ref)
	}
	var parts, components []int
	for _, list := range ways {
		for _, w := range list {
			parts, components = append(parts, w.releasable), append(components, w.component)
		}
	}
	q := r.service.query
	for _, load := range []struct {
		query *query
		row   func(scan func(...any) error) error
	}{
		{q().add("SELECT v.id, a.key, v.version, p.key, v.trust FROM application_versions v JOIN applications a ON a.id = v.application_id"+
			" JOIN projects p ON p.id = v.project_id WHERE v.id %", r.ids()), f.version},
		{q().add("SELECT id, identity FROM components WHERE id %", unique(components)), f.component},
		{q().add("SELECT id, name, COALESCE(purl, ''), COALESCE(digest, '') FROM releasables WHERE id %", unique(parts)), f.part},
		{r.where.running(q().add("SELECT d.version_id, d.environment, d.cluster FROM deployments d WHERE d.version_id % AND ", r.ids())).
			add(" ORDER BY d.environment, d.cluster"), f.environment},
	} {
		if err := r.service.each(ctx, load.query, load.row); err != nil {
			return f, fmt.Errorf("load what is exported: %w", err)
		}
	}
	return f, nil
}

func (f facts) version(scan func(...any) error) error {
	var id int
	var l line
	err := scan(&id, &l.Application, &l.Version, &l.Project, &l.Trust)
	f.versions[id] = l
	return err
}

func (f facts) component(scan func(...any) error) error {
	var id int
	var identity string
	err := scan(&id, &identity)
	f.components[id] = identity
	return err
}

func (f facts) part(scan func(...any) error) error {
	var id int
	var l line
	err := scan(&id, &l.Releasable, &l.ReleasablePurl, &l.Digest)
	f.parts[id] = l
	return err
}

func (f facts) environment(scan func(...any) error) error {
	var id int
	var environment, cluster string
	err := scan(&id, &environment, &cluster)
	if cluster != "" {
		environment += "/" + cluster
	}
	f.environments[id] = append(f.environments[id], environment)
	return err
}

func unique(ids []int) []int {
	slices.Sort(ids)
	return slices.Compact(ids)
}
