package gate

import (
	"encoding/json"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// Gate is a side of a stage.
type Gate struct {
	Stage string              `json:"stage"`
	Kind  gatepolicy.GateKind `json:"kind"`
}

// Outcome is what one rule says.
type Outcome string

// The outcomes. Only Pass and Waived satisfy a rule.
const (
	Pass         Outcome = "PASS"
	Violated     Outcome = "VIOLATION"
	Waived       Outcome = "WAIVED"
	NotEvidenced Outcome = "NOT_EVIDENCED"
	Faulted      Outcome = "ERROR"
)

// String returns the outcome as it is recorded.
func (o Outcome) String() string { return string(o) }

// Satisfies tells whether a rule with this outcome is met.
func (o Outcome) Satisfies() bool { return o == Pass || o == Waived }

// Evaluation is one decision of one gate.
type Evaluation struct {
	// EvalID is nil for a dry run.
	EvalID             *string
	Gate               *Gate
	Decision           evaluation.Decision
	Explanation        string
	EvaluatedAt        time.Time
	InputDigest        string
	CapabilitiesDigest string
	Policies           []*EvaluatedPolicy
	// Waivers were in force for the version, whether they covered anything or not.
	Waivers []*EvaluatedWaiver
	// Feeds are the snapshots that the vulnerabilities in the input are from, by name.
	Feeds []*vulnerability.FeedSnapshot

	// results are known when the evaluation was just made, and otherwise read when asked for.
	results []*RuleResult
	// row is nil for what is not recorded.
	row *db.Evaluation
}

// Open tells whether the gate lets the version through.
func (e *Evaluation) Open() bool {
	return e.Decision == evaluation.DecisionPASS || e.Decision == evaluation.DecisionWARN
}

// EvaluatedPolicy is a policy as it stood when the gate was judged.
type EvaluatedPolicy struct {
	Name     string           `json:"name"`
	Revision int              `json:"revision"`
	Mode     gatepolicy.Mode  `json:"mode"`
	Because  string           `json:"because"`
	Rules    []*EvaluatedRule `json:"rules"`
}

// EvaluatedRule is a rule as it stood when the gate was judged.
type EvaluatedRule struct {
	Name             string          `json:"name"`
	Template         string          `json:"template"`
	TemplateRevision int             `json:"templateRevision"`
	TemplateDigest   string          `json:"templateDigest"`
	Parameters       json.RawMessage `json:"parameters"`
	Query            string          `json:"query"`
}

// RuleResult is what one rule of one policy said.
type RuleResult struct {
	Rule       *EvaluatedRule   `json:"-"`
	Policy     *EvaluatedPolicy `json:"-"`
	Outcome    Outcome          `json:"outcome"`
	Violations []*Violation     `json:"violations,omitempty"`
	Error      *string          `json:"error,omitempty"`
	// Result is what the Rego said, canonical JSON; nil when the outcome is ERROR.
	Result   *string  `json:"result,omitempty"`
	Examined []string `json:"-"`
	// WaiverID is the row of the waiver that lets it pass although it found nothing to look at; 0 when none does.
	WaiverID int `json:"waiver,omitempty"`
}

// Violation is one thing that is wrong or missing, with what to do next and who does it.
type Violation struct {
	Code        string `json:"code"`
	Subject     string `json:"subject"`
	Message     string `json:"message"`
	Remediation string `json:"remediation"`
	// OwnerIDs are the rows of the owners to do it: the names lie where they can be erased.
	OwnerIDs []int `json:"owners,omitempty"`
	// Vulnerability and Purl are what it is about, when it is about one: a waiver may name them.
	Vulnerability *string `json:"vulnerability,omitempty"`
	Purl          *string `json:"purl,omitempty"`
	// WaiverID is the row of the waiver that covers it; 0 when none does.
	WaiverID int `json:"waiver,omitempty"`
}

// EvaluatedWaiver is a waiver as it stood when a gate was judged. It covers a violation when everything that is given is equal
// to what the violation has.
type EvaluatedWaiver struct {
	// ID is its row.
	ID      int    `json:"id"`
	Policy  string `json:"policy,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Code    string `json:"code,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Vulnerabilities are all names of the one that it is about, first that which stands in the waiver.
	Vulnerabilities []string  `json:"vulnerabilities,omitempty"`
	Package         string    `json:"package,omitempty"`
	ExpiresAt       time.Time `json:"expires_at"`
}
