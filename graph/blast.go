package graph

import (
	"context"

	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/evidence"
)

// place is where a version that is hit stands in its list.
type place struct {
	at  cursor
	hit blast.Hit
}

// placeOf gives what is paged the shape of a list's edge; what it shows is loaded for the whole page at once.
func placeOf(at cursor, h blast.Hit) place { return place{at, h} }

// shownHits loads a page of versions that are hit.
func shownHits(ctx context.Context, radius *blast.Radius, page []place) ([]*model.BlastRadiusEdge, error) {
	hits := make([]blast.Hit, len(page))
	for i, p := range page {
		hits[i] = p.hit
	}
	shown, err := radius.Show(ctx, hits)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.BlastRadiusEdge, len(page))
	for i, s := range shown {
		edges[i] = &model.BlastRadiusEdge{Cursor: page[i].at, Node: s.Version, Through: make([]*model.BlastRadiusWay, len(s.Through))}
		for j, w := range s.Through {
			edges[i].Through[j] = shownWay(w)
		}
	}
	return edges, nil
}

func shownWay(w blast.Way) *model.BlastRadiusWay {
	out := &model.BlastRadiusWay{Releasable: w.Releasable, Direct: w.Direct}
	if w.Component != nil {
		out.Component = shownComponent(w.Component)
	}
	return out
}

func shownComponent(c *blast.Component) *evidence.SbomComponent {
	return &evidence.SbomComponent{Purl: c.Purl, Name: c.Name, Version: c.Version, Licenses: c.Licenses, Direct: c.Direct}
}

// countOf is placeOf for the applications that are hit.
func countOf(at cursor, c blast.ApplicationCount) counted { return counted{at, c} }

type counted struct {
	at    cursor
	count blast.ApplicationCount
}

// shownCounts loads a page of applications that are hit.
func shownCounts(ctx context.Context, radius *blast.Radius, page []counted) ([]*model.BlastRadiusApplicationEdge, error) {
	counts := make([]blast.ApplicationCount, len(page))
	for i, p := range page {
		counts[i] = p.count
	}
	apps, err := radius.Applications(ctx, counts)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.BlastRadiusApplicationEdge, len(page))
	for i, p := range page {
		edges[i] = &model.BlastRadiusApplicationEdge{
			Cursor: p.at, Node: &model.BlastRadiusApplication{Application: apps[i], ApplicationVersions: p.count.Versions},
		}
	}
	return edges, nil
}
