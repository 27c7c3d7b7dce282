package blast

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

const (
	maxRange = 1000 // characters
	// perStatement is how many packages one statement looks for: four selects each, of which SQLite unites 500.
	perStatement = 50
	// last is the code point after which nothing comes, so that what lies between a text and the text with it begins with the
	// text. By some collations more lies there: what is found is looked at again.
	last = "\U0010FFFF"
)

// wanted is a package, or some of its versions. Qualifiers and subpaths do not matter: whoever asks for a package of a
// distribution means it on every architecture.
type wanted struct {
	base    string
	version string               // as a purl; empty for more than one
	holds   func(purl.PURL) bool // nil for all
}

func exactly(p purl.PURL) wanted {
	plain := purl.PURL{Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version}
	return wanted{base: p.WithoutVersion(), version: plain.String(), holds: func(o purl.PURL) bool { return o.Version == p.Version }}
}

func (w wanted) is(text string) bool {
	p, err := purl.Parse(text)
	return err == nil && w.takes(p)
}

// takes tells of a purl that was read what is tells of its text.
func (w wanted) takes(p purl.PURL) bool {
	return p.WithoutVersion() == w.base && (w.holds == nil || w.holds(p))
}

// wanted is the package that is asked about, or those of its versions.
func (of BlastRadiusInput) wanted() (wanted, error) {
	if of.PurlRange != nil {
		return of.PurlRange.wanted()
	}
	p, err := purl.Parse(*of.Purl)
	if err != nil {
		return wanted{}, fault.At("of.purl", "%v", err)
	}
	if p.HasVersion() {
		return exactly(p), nil
	}
	return wanted{base: p.WithoutVersion()}, nil
}

// wanted compares by the rules of the package's ecosystem.
func (in PurlRangeInput) wanted() (wanted, error) {
	p, err := purl.Parse(in.Purl)
	if err != nil {
		return wanted{}, fault.At("of.purlRange.purl", "%v", err)
	}
	if p.HasVersion() {
		return wanted{}, fault.At("of.purlRange.purl", "give the package without a version: the range says which")
	}
	if err := check.Line("of.purlRange.range", in.Range, 1, maxRange); err != nil {
		return wanted{}, err
	}
	r, err := advisory.ParseVERS(in.Range, p)
	if err != nil {
		return wanted{}, fault.At("of.purlRange.range", "%v", err)
	}
	return wanted{base: p.WithoutVersion(), holds: func(o purl.PURL) bool {
		in, _ := r.Contains(o)
		return in
	}}, nil
}

// holding finds a package, or the versions of it, in SBOMs and among the packages that versions contain.
func (s *Service) holding(ctx context.Context, w wanted) (start, error) {
	var from start
	var err error
	if from.components, err = s.components(ctx, []wanted{w}); err != nil {
		return from, err
	}
	packages, err := s.ids(ctx, s.query().add("SELECT id FROM packages WHERE purl = %", w.base))
	if err != nil || len(packages) == 0 {
		return from, err
	}
	if w.holds == nil {
		from.packages = packages
		return from, nil
	}
	from.packageVersions, err = s.matching(ctx, s.query().add("SELECT id, purl FROM package_versions WHERE package_id %", packages), w)
	return from, err
}

// components finds the components that SBOMs list of packages.
func (s *Service) components(ctx context.Context, list []wanted) ([]int, error) {
	var ids []int
	for some := range slices.Chunk(list, perStatement) {
		q := s.query()
		for i, w := range some {
			if i > 0 {
				q.add(" UNION ALL ")
			}
			w.spelled(q)
		}
		found, err := s.matching(ctx, q, some...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// spelled selects the components of the package: each way to go on after its purl is a piece of the index.
func (w wanted) spelled(q *query) {
	const selected = "SELECT id, identity FROM components WHERE purl IS NOT NULL AND identity "
	text, more := w.base, []string{"@", "?", "#"}
	if w.version != "" {
		text, more = w.version, more[1:]
	}
	q.add(selected+"= %", text)
	for _, next := range more {
		q.add(" UNION ALL "+selected+">= % AND identity < %", text+next, text+next+last)
	}
}

// matching gives the ids of the rows, each an id and a purl, that are wanted.
func (s *Service) matching(ctx context.Context, q *query, list ...wanted) (ids []int, err error) {
	by := map[string][]wanted{}
	for _, w := range list {
		by[w.base] = append(by[w.base], w)
	}
	err = s.each(ctx, q, func(scan func(...any) error) error {
		var id int
		var text string
		if err := scan(&id, &text); err != nil {
			return err
		}
		if slices.ContainsFunc(by[baseOf(text)], func(w wanted) bool { return w.is(text) }) {
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find versions of a package: %w", err)
	}
	return ids, nil
}

// baseOf cuts a canonical purl where its version, qualifiers or subpath begin: there these signs stand for nothing else.
func baseOf(text string) string {
	if i := strings.IndexAny(text, "@?#"); i >= 0 {
		return text[:i]
	}
	return text
}
