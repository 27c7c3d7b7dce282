package catalog

import "github.com/plimsoll/plimsoll/internal/labels"

// ApplicationFilter says which applications to list. What is given must all hold; of the values in one list, one.
type ApplicationFilter struct {
	// Text is words of the key or name, or what they begin with, in any order.
	Text        *string
	ProjectKeys []string
	// Labels must all be there.
	Labels      []*labels.Label
	Criticality []string
	Maturity    []string
	// Owners are references of who answers for it now.
	Owners []string
	// Trust and Stages hold when one version of the application has come this far, or is in such a stage.
	Trust  []string
	Stages []string
	// Archived lists those that are archived, and no others.
	Archived bool
}

// PackageFilter says which packages to list. What is given must all hold; of the values in one list, one.
type PackageFilter struct {
	// Text is words of the purl, or what they begin with, in any order.
	Text *string
	// Types are types of purl, such as "npm".
	Types                 []string
	OwningApplicationKeys []string
	Owned                 *bool
	Owners                []string
}
