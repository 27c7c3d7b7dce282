package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// deprecatedPart is a package in the version that should be used no longer, in the input.
type deprecatedPart struct {
	// Purl has no version.
	Purl   string  `json:"purl"`
	Reason string  `json:"reason"`
	Since  *string `json:"since"`
	In     string  `json:"in"`
}

// deprecated looks up which packages among the contents, and which that the SBOMs list, should be used no longer. They are few
// among many: what is asked for is which there are at all.
func (s *Service) deprecated(ctx context.Context, contents []content, components []string) ([]deprecatedPart, error) {
	rows, err := s.store.Read().Pkg.Query().Where(pkg.DeprecatedAtNotNil()).Order(pkg.ByPurl()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load deprecated packages: %w", err)
	}
	parts := []deprecatedPart{}
	if len(rows) == 0 {
		return parts, nil
	}
	purls := make([]*string, len(contents))
	for i, c := range contents {
		purls[i] = c.PURL
	}
	held := packagesOf(purls)
	for _, p := range rows {
		part := deprecatedPart{Purl: p.Purl, Reason: p.DeprecatedReason, Since: since(p.DeprecatedAt)}
		if _, there := slices.BinarySearch(held, p.Purl); there {
			part.In = "CONTENTS"
			parts = append(parts, part)
		}
		if _, there := slices.BinarySearch(components, p.Purl); there {
			part.In = "COMPONENTS"
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// packagesOf are the packages of purls, without versions, sorted; what is no purl is of none.
func packagesOf(purls []*string) []string {
	found := map[string]bool{}
	for _, text := range purls {
		if text == nil {
			continue
		}
		if p, err := purl.Parse(*text); err == nil {
			found[p.WithoutVersion()] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
