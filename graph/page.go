package graph

import (
	"fmt"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/graph/generated"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/blast"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// cursor is a position in a connection.
type cursor = entgql.Cursor[int]

// page checks the size that is asked for and fills in the default: the first DefaultPageSize.
func page(first, last *int) (*int, *int, error) {
	if first != nil && last != nil {
		return nil, nil, fault.At("first", "give first or last, not both")
	}
	for name, n := range map[string]*int{"first": first, "last": last} {
		if n != nil && (*n < 1 || *n > MaxPageSize) {
			return nil, nil, fault.At(name, "want 1 to %d, got %d", MaxPageSize, *n)
		}
	}
	if first == nil && last == nil {
		size := DefaultPageSize
		first = &size
	}
	return first, last, nil
}

// paginate calls a domain's list with a checked page.
func paginate[C any](list func(after *cursor, first *int, before *cursor, last *int) (C, error), first *int, after *string, last *int, before *string) (C, error) {
	var none C
	first, last, err := page(first, last)
	if err != nil {
		return none, err
	}
	from, err := position("after", after)
	if err != nil {
		return none, err
	}
	to, err := position("before", before)
	if err != nil {
		return none, err
	}
	return list(from, first, to, last)
}

// position reads a cursor that a connection gave.
func position(path string, text *string) (*cursor, error) {
	if text == nil {
		return nil, nil
	}
	var c cursor
	if err := c.UnmarshalGQL(*text); err != nil || *text == "" {
		return nil, fault.At(path, "not a cursor of this connection: pass an endCursor or startCursor as it was given")
	}
	return &c, nil
}

// complexity counts every list at its page size; everything else counts one a field.
func complexity() generated.ComplexityRoot {
	var c generated.ComplexityRoot
	list := func(child int, first *int, _ *string, last *int, _ *string) int { return ListCost(child, first, last) }
	c.Query.Projects, c.Query.Tokens, c.Query.TrustAnchors = list, list, list
	c.Query.Policies, c.Query.PolicyTemplates, c.Query.Rules = list, list, list
	c.Query.Applications, c.Query.Packages, c.Query.ApplicationVersions, c.Query.SearchEvidence = filtered, filtered, filtered, filtered
	c.Query.Vulnerabilities, c.Query.DeprecatedPackages = filtered, list
	c.Query.Deployments = func(child int, _ *deployment.DeploymentFilter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.Query.TriageDecisions = func(child int, _ *vulnerability.TriageFilter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.Query.Notices = func(child int, _ *vulnerability.NoticeFilter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.Notice.Entries, c.BlastRadius.ByApplication, c.BlastRadius.ByComponent = list, list, some
	c.NoticeEntry.ApplicationVersions = some
	c.Query.Waivers = func(child int, _ *waiver.WaiverFilter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.Query.Overrides = func(child int, _ blast.BlastRadiusInput, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.Query.Freezes = func(child int, _ *freeze.FreezeFilter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	c.PolicyBacktest.Flips, c.Override.Evaluations = some, some
	c.Vulnerability.Components, c.ApplicationVersion.Vulnerabilities, c.BlastRadius.ApplicationVersions = list, list, list
	c.ApplicationVersion.Deployments, c.Query.VulnerabilityOrigin = some, func(child int, _, _, _ string) int { return some(child) }
	c.Query.Builds, c.Build.ApplicationVersions = filtered, list
	c.VersionSbom.Components, c.VersionSbom.Dependencies, c.ComponentChanges.List = list, list, list
	c.Application.Versions, c.TrustAnchor.Evidence, c.TrustAnchor.ApplicationVersions = filtered, list, list
	c.Project.Applications, c.Application.OwnerHistory, c.Package.Bindings = list, list, list
	c.ApplicationVersion.Contents, c.ApplicationVersion.Promotions, c.ApplicationVersion.Evidence = list, list, list
	c.Query.ActivityLog = func(child int, _ *activity.Filter, first *int, _ *string, last *int, _ *string) int {
		return ListCost(child, first, last)
	}
	// Lists without pages: what they may hold is bounded by the domain, what they usually hold is this.
	c.EvidenceChanges.Added, c.EvidenceChanges.Removed, c.EvidenceChanges.Changed = some, some, some
	return c
}

// some is the cost of a list without pages.
func some(child int) int { return DefaultPageSize * child }

// filtered is the cost of a list with a filter and an order.
func filtered[F, O any](child int, _ F, _ O, first *int, _ *string, last *int, _ *string) int {
	return ListCost(child, first, last)
}

// texts writes each of a list.
func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.String()
	}
	return out
}
