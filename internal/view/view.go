// Package view says in one shape a category what evidence says in many formats: provenance, tests, static analysis,
// vulnerabilities, VEX and approvals. Policies and the API see the same view, beside the predicate as it came. Bills of
// materials are read by package bom.
//
// Read takes the predicate of a statement or the bytes of a document, which come from outside and may be hostile. It
// checks them as a whole first (size, strict JSON or XML without entities, depth), reads only what a view holds,
// and bounds what it keeps: lists are cut at MaxEntries with the worst first, texts at MaxText, and the numbers beside
// them count everything. Equal bytes give equal views.
package view

import "time"

const (
	// MaxDocument is the largest document that is read, in bytes.
	MaxDocument = 32 << 20
	// MaxDepth is the deepest nesting of a document, in levels.
	MaxDepth = 128
	// MaxEntries is how many entries of a list a view keeps.
	MaxEntries = 1000
	// MaxText is the longest text that a view keeps whole, in bytes; a longer one is cut, with "…" at its end.
	MaxText = 1024
)

// View is what a piece of evidence says. Most evidence says one thing; what it does not say is nil.
type View struct {
	Provenance      *Provenance      `json:"provenance,omitempty"`
	Tests           *Tests           `json:"tests,omitempty"`
	StaticAnalysis  *StaticAnalysis  `json:"static_analysis,omitempty"`
	Vulnerabilities *Vulnerabilities `json:"vulnerabilities,omitempty"`
	Vex             *Vex             `json:"vex,omitempty"`
	Approval        *Approval        `json:"approval,omitempty"`
}

// Provenance says how something was built: from SLSA provenance, and what SCAI reports of it.
type Provenance struct {
	// BuilderID is the URI of who built it, BuildType that of how, InvocationID that of the run.
	BuilderID    string `json:"builder_id"`
	BuildType    string `json:"build_type"`
	InvocationID string `json:"invocation_id"`
	// SourceRepository is a URI without revision; SourceRevision is the commit, in hexadecimal; SourceRef a branch or tag.
	SourceRepository string     `json:"source_repository"`
	SourceRevision   string     `json:"source_revision"`
	SourceRef        string     `json:"source_ref"`
	StartedAt        *time.Time `json:"started_at"`
	FinishedAt       *time.Time `json:"finished_at"`
	// Materials are what went in, in the document's order, cut at MaxEntries; MaterialCount counts all.
	Materials     []Material `json:"materials"`
	MaterialCount int        `json:"material_count"`
	// Attributes are what a SCAI report asserts, such as "HAS_SLSA_PROVENANCE".
	Attributes []string `json:"attributes"`
}

// Material is one thing that went into a build.
type Material struct {
	URI string `json:"uri"`
	// Digest is "algorithm:hex", the strongest that is given; empty when none is.
	Digest string `json:"digest"`
}

// Result is how a test run or a quality gate ended.
type Result string

// The results.
const (
	Passed Result = "PASSED"
	Failed Result = "FAILED"
	Warned Result = "WARNED"
)

// Tests says how tests ran, and how much of the code they ran through.
type Tests struct {
	Tool   string `json:"tool"`
	Result Result `json:"result"`
	Total  int    `json:"total"`
	Passed int    `json:"passed"`
	// Failed counts failures and errors.
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	// DurationMs is how long they took, in milliseconds; 0 when nothing says.
	DurationMs int64 `json:"duration_ms"`
	// Failures are cut at MaxEntries.
	Failures []Failure `json:"failures"`
	// Coverage is nil when nothing was measured.
	Coverage *Coverage `json:"coverage"`
}

// Failure is a test that failed.
type Failure struct {
	Suite   string `json:"suite"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Coverage is how much of the code the tests ran through.
type Coverage struct {
	Lines           int `json:"lines"`
	LinesCovered    int `json:"lines_covered"`
	Branches        int `json:"branches"`
	BranchesCovered int `json:"branches_covered"`
}

// Level is how bad a finding of static analysis is (SARIF 2.1.0, section 3.27.10).
type Level string

// The levels, worst first.
const (
	Error   Level = "ERROR"
	Warning Level = "WARNING"
	Note    Level = "NOTE"
	None    Level = "NONE"
)

// StaticAnalysis says what a tool found by reading code.
type StaticAnalysis struct {
	Tool    string `json:"tool"`
	Version string `json:"version"`
	// Result is the verdict of the tool's own gate; empty when it gives none.
	Result Result `json:"result"`
	// Counts counts the findings of each level, those that were suppressed aside.
	Counts     LevelCounts `json:"counts"`
	Suppressed int         `json:"suppressed"`
	// Findings leave out what was suppressed; worst first, cut at MaxEntries.
	Findings []Finding `json:"findings"`
	// Conditions are those of a quality gate, in the document's order.
	Conditions []Condition `json:"conditions"`
}

// LevelCounts counts findings by level.
type LevelCounts struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Note    int `json:"note"`
	None    int `json:"none"`
}

// Finding is one finding of static analysis.
type Finding struct {
	Rule    string `json:"rule"`
	Level   Level  `json:"level"`
	Message string `json:"message"`
	// File is where it is, Line its first line, 0 when unknown.
	File string `json:"file"`
	Line int    `json:"line"`
}

// Condition is one condition of a quality gate.
type Condition struct {
	Metric    string `json:"metric"`
	Result    Result `json:"result"`
	Value     string `json:"value"`
	Threshold string `json:"threshold"`
}

// Severity is how bad a vulnerability is (CVSS v3.1, section 5).
type Severity string

// The severities, worst first. Unknown is what nobody has rated.
const (
	Critical   Severity = "CRITICAL"
	High       Severity = "HIGH"
	Medium     Severity = "MEDIUM"
	Low        Severity = "LOW"
	Negligible Severity = "NEGLIGIBLE"
	Unknown    Severity = "UNKNOWN"
)

// Vulnerabilities says what a scanner found. No findings means that it looked and found none.
type Vulnerabilities struct {
	Scanner        string     `json:"scanner"`
	ScannerVersion string     `json:"scanner_version"`
	DatabaseDate   *time.Time `json:"database_date"`
	ScannedAt      *time.Time `json:"scanned_at"`
	// Counts counts all findings.
	Counts SeverityCounts `json:"counts"`
	// Findings are worst first, then by id and package, cut at MaxEntries.
	Findings []VulnerabilityFinding `json:"findings"`
}

// SeverityCounts counts findings by severity.
type SeverityCounts struct {
	Critical   int `json:"critical"`
	High       int `json:"high"`
	Medium     int `json:"medium"`
	Low        int `json:"low"`
	Negligible int `json:"negligible"`
	Unknown    int `json:"unknown"`
}

// VulnerabilityFinding says that something holds a vulnerability.
type VulnerabilityFinding struct {
	ID      string   `json:"id"`
	Aliases []string `json:"aliases"` // sorted
	// Severity is the scanner's; Score the highest CVSS base score it gives, 0 when none.
	Severity Severity `json:"severity"`
	Score    float64  `json:"score"`
	// Package is the name, PURL the canonical package URL where one is given, Version the installed one.
	Package       string   `json:"package"`
	PURL          string   `json:"purl"`
	Version       string   `json:"version"`
	FixedVersions []string `json:"fixed_versions"` // sorted
}

// VexStatus says whether something is affected (OpenVEX 0.2.0).
type VexStatus string

// The statuses.
const (
	NotAffected        VexStatus = "NOT_AFFECTED"
	Affected           VexStatus = "AFFECTED"
	Fixed              VexStatus = "FIXED"
	UnderInvestigation VexStatus = "UNDER_INVESTIGATION"
)

// Vex says whether vulnerabilities matter: from OpenVEX, CSAF and CycloneDX.
type Vex struct {
	Author string `json:"author"`
	// Statements are in the document's order, cut at MaxEntries; StatementCount counts all.
	Statements     []VexStatement `json:"statements"`
	StatementCount int            `json:"statement_count"`
}

// VexStatement says whether a vulnerability matters to products.
type VexStatement struct {
	Vulnerability string    `json:"vulnerability"`
	Aliases       []string  `json:"aliases"` // sorted
	Status        VexStatus `json:"status"`
	// Justification is OpenVEX's label, such as "component_not_present"; empty when none is given.
	Justification string `json:"justification"`
	// Statement is the impact or action statement.
	Statement string     `json:"statement"`
	At        *time.Time `json:"at"`
	// Products are purls or other identifiers, sorted, cut at MaxEntries.
	Products []string `json:"products"`
}

// Decision is what somebody decided.
type Decision string

// The decisions.
const (
	Approved Decision = "APPROVED"
	Rejected Decision = "REJECTED"
)

// Approval says that somebody looked and decided: a review, a change ticket, a verification summary.
type Approval struct {
	Decision Decision `json:"decision"`
	// By says who decided, as the evidence names them: people, or the URI of a verifier.
	By []string `json:"by"`
	// What says what was decided on: a resource, a change, a pull request.
	What string `json:"what"`
	// Policy names by what it was decided; Levels are what was reached (SLSA VSA verifiedLevels, SVR properties).
	Policy    string     `json:"policy"`
	Levels    []string   `json:"levels"`
	At        *time.Time `json:"at"`
	ExpiresAt *time.Time `json:"expires_at"`
	Comment   string     `json:"comment"`
}
