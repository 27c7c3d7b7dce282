package advisory

import "time"

const (
	// MaxRecord is the largest advisory that is read, in bytes.
	MaxRecord = 4 << 20
	// MaxDepth is the deepest nesting of an advisory, in levels.
	MaxDepth = 64
	// MaxAffected is the largest number of entries of an advisory.
	MaxAffected = 10_000
	// MaxVersions is the largest number of versions that all its entries list.
	MaxVersions = 100_000
	// MaxAliases is the largest number of other ids that it names.
	MaxAliases = 1_000
	// MaxID is the longest identifier that is read, in bytes.
	MaxID = 256
	// MaxName is the longest name of a package that is read, in bytes.
	MaxName = 1024
	// MaxVersion is the longest version that is read or compared, in bytes.
	MaxVersion = 512
	// MaxSummary is the longest summary that is kept whole, in bytes; a longer one is cut.
	MaxSummary = 1 << 10
	// MaxDetails is the same for details.
	MaxDetails = 64 << 10
)

const (
	maxEvents     = 20_000 // in all ranges of an advisory; and as many ranges
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
