package version

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/buildartifact"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// origin is how a part came into a version.
type origin struct {
	kind releasable.SourceKind
	// build and version are the sources, by row; application is the one whose version first brought the part.
	build, version, application *int
}

// gathered are the parts of a version that is being made, each with the first source that brought it.
type gathered struct {
	filter  filter
	origins map[Part]origin
	offered int // parts that the sources had, before the filter
}

func newGathered(f filter) *gathered { return &gathered{filter: f, origins: map[Part]origin{}} }

// add takes a part if the filter lets it through and no source brought it before.
func (g *gathered) add(p Part, from origin) {
	g.offered++
	if _, there := g.origins[p]; !there && g.filter.takes(p) {
		g.origins[p] = from
	}
}

// parts are those that were taken, in the manifest's order.
func (g *gathered) parts() []Part {
	list := make([]Part, 0, len(g.origins))
	for p := range g.origins {
		list = append(list, p)
	}
	return sorted(list)
}

func (g *gathered) check() error {
	switch {
	case len(g.origins) > MaxParts:
		return fault.At("input.sources", "at most %d parts, and the sources have more", MaxParts)
	case len(g.origins) == 0:
		return fault.At("input.filters", "nothing is left of the %d parts that the sources have: take more or leave out less", g.offered)
	}
	return nil
}

// gather resolves sources to parts for a version of an application: what is named, then what builds made, then what other
// versions contain. What whoever acts does not see is not there.
func (s *Service) gather(ctx context.Context, app *db.Application, name string, direct []Part, in *VersionSourcesInput, f filter) (*gathered, error) {
	g := newGathered(f)
	for _, p := range direct {
		g.add(p, origin{kind: releasable.SourceKind(p.Kind)})
	}
	for i, ref := range in.Builds {
		if err := s.fromBuild(ctx, g, app, *ref, fmt.Sprintf("input.sources.builds.%d", i)); err != nil {
			return nil, err
		}
	}
	for i, ref := range in.Versions {
		path := fmt.Sprintf("input.sources.versions.%d", i)
		if ref.ApplicationKey == app.Key && ref.Version == name {
			return nil, fault.At(path, "a version is no source of itself; leave it out")
		}
		if err := s.fromVersion(ctx, g, *ref, path); err != nil {
			return nil, err
		}
	}
	return g, g.check()
}

func (s *Service) fromBuild(ctx context.Context, g *gathered, app *db.Application, ref build.BuildRefInput, path string) error {
	b, err := build.Find(ctx, s.store.Read(), ref, &app.ProjectID)
	if err != nil {
		return err
	}
	if b == nil {
		return &fault.Error{Kind: fault.NotFound, Path: path, Message: fmt.Sprintf("there is no build %q with the number %q", ref.Name, ref.Number)}
	}
	made, err := s.store.Read().BuildArtifact.Query().Where(buildartifact.BuildID(b.ID)).Order(buildartifact.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load what build %d made: %w", b.ID, err)
	}
	for _, a := range made {
		part := Part{Kind: releasable.KindARTIFACT, Name: a.Name, Digest: a.Digest}
		if a.Purl != nil {
			p, err := purl.Parse(*a.Purl)
			if err != nil {
				return fmt.Errorf("read purl of artifact %d: %w", a.ID, err)
			}
			part = Part{Kind: releasable.KindPACKAGE, Name: p.Name, PURL: p.String(), Digest: a.Digest}
		}
		g.add(part, origin{kind: releasable.SourceKindBUILD, build: &b.ID})
	}
	return nil
}

func (s *Service) fromVersion(ctx context.Context, g *gathered, ref ApplicationVersionRefInput, path string) error {
	v, err := s.Version(ctx, ref.ApplicationKey, ref.Version)
	if err != nil {
		return err
	}
	if v == nil {
		return &fault.Error{Kind: fault.NotFound, Path: path, Message: noVersion(ref.ApplicationKey, ref.Version).Message}
	}
	if v.Status != applicationversion.StatusLOCKED {
		return fault.New(fault.FailedPrecondition, "version %s of %s is a draft, whose contents may change: lock it first", ref.Version, ref.ApplicationKey).
			With("path", path)
	}
	contents, err := s.contentsOf(ctx, s.store.Read(), v.ID)
	if err != nil {
		return err
	}
	for _, r := range contents {
		from := origin{kind: releasable.SourceKindVERSION, version: &v.ID, application: &v.ApplicationID}
		if r.OriginApplicationID != nil {
			from.application = r.OriginApplicationID
		}
		g.add(partOf(r), from)
	}
	return g.tooMany()
}

// tooMany keeps a hundred versions of the greatest size from being gathered before anybody says that they are too many.
func (g *gathered) tooMany() error {
	if len(g.origins) > MaxParts {
		return g.check()
	}
	return nil
}

// contentsOf returns everything in a version, in the manifest's order.
func (s *Service) contentsOf(ctx context.Context, c *db.Client, versionID int) ([]*db.Releasable, error) {
	rows, err := c.Releasable.Query().Where(releasable.VersionID(versionID)).Order(releasable.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load contents of version %d: %w", versionID, err)
	}
	return rows, nil
}

// partOf is the manifest's line of a releasable, and originOf how it came.
func partOf(r *db.Releasable) Part {
	p := Part{Kind: r.Kind, Name: r.Name}
	if r.Purl != nil {
		p.PURL = *r.Purl
	}
	if r.Digest != nil {
		p.Digest = *r.Digest
	}
	return p
}

func originOf(r *db.Releasable) origin {
	return origin{kind: r.SourceKind, build: r.SourceBuildID, version: r.SourceVersionID, application: r.OriginApplicationID}
}

func noVersion(app, version string) *fault.Error {
	return fault.New(fault.NotFound, "there is no version %q of an application %q", version, app)
}
