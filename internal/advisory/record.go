package advisory

import "time"

const (
	// MaxRecord is the largest advisory that is read, in bytes.
	MaxRecord = 4 << 20
	// MaxDepth is the deepest nesting of an advisory, in levels.
	MaxDepth = 64
	// MaxAffected, MaxVersions and MaxAliases bound what one advisory names: entries, versions in all of them, other ids.
	MaxAffected = 10_000
	MaxVersions = 100_000
	MaxAliases  = 1_000
	// MaxID, MaxName and MaxVersion are the longest identifier, package name and version that are read, in bytes.
	MaxID      = 256
	MaxName    = 1024
	MaxVersion = 512
	// MaxSummary and MaxDetails are the longest texts that are kept whole, in bytes; longer ones are cut.
	MaxSummary = 1 << 10
	MaxDetails = 64 << 10
)

const (
	maxEvents     = 100_000 // in all ranges of an advisory, as are ranges
	maxRelated    = 10_000
	maxSeverities = 10_000
)

// Record is what is read of an advisory (OSV schema 1.x). Lists are in the order of the document.
type Record struct {
	ID string
	// Aliases are other names of the same vulnerability; Upstream of those that it stems from; Related of others.
	Aliases, Upstream, Related []string
	// Published, Modified and Withdrawn are in UTC, and zero when not given. Modified always is, and by the source files
	// of Go's database, which leave the date to its publication, as zero.
	Published, Modified, Withdrawn time.Time
	// Summary and Details are free text without control characters but line ends and tabs. Details are Markdown.
	Summary, Details string
	Severities       []Severity
	// SeverityText is a word that the database gives, such as "MODERATE"; or "".
	SeverityText string
	Affected     []Affected
}

// Severity is a severity as the advisory writes it: Type such as "CVSS_V3" or "Ubuntu", Score a vector or a word.
type Severity struct{ Type, Score string }

// Affected says which versions of one package are affected: those in any range and those listed.
type Affected struct {
	// Ecosystem is as written, with the release of a distribution: "npm", "Debian:12". Empty when no package is named.
	Ecosystem string
	Name      string
	// PURL is in canonical form and without a version, or "" when there is none or a wrong one.
	PURL         string
	Ranges       []Range
	Versions     []string
	Severities   []Severity
	SeverityText string
}

// RangeType says by which rules the events of a range are ordered.
type RangeType string

const (
	// RangeSemver orders by Semantic Versioning 2.0.0.
	RangeSemver RangeType = "SEMVER"
	// RangeEcosystem orders by the rules of the ecosystem.
	RangeEcosystem RangeType = "ECOSYSTEM"
	// RangeGit orders by the history of a repository, which is not known here: only listed versions count.
	RangeGit RangeType = "GIT"
)

// Range is a line of versions with the points where the vulnerability came and went.
type Range struct {
	Type   RangeType
	Repo   string // of a RangeGit
	Events []Event
}

// EventKind says what happened at a version.
type EventKind string

const (
	// Introduced begins an interval; the version "0" stands before every other.
	Introduced EventKind = "introduced"
	// Fixed ends an interval before its version.
	Fixed EventKind = "fixed"
	// LastAffected ends an interval after its version.
	LastAffected EventKind = "last_affected"
	// Limit bounds all intervals of its range from above; the version "*" does not.
	Limit EventKind = "limit"
)

// Event is one point of a Range.
type Event struct {
	Kind    EventKind
	Version string
}
