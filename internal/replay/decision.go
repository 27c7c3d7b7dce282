package replay

import (
	"encoding/json"
	"time"
)

// Decision is a recorded decision, with the names that the API gives its fields.
type Decision struct {
	EvalID             string    `json:"evalId"`
	Decision           string    `json:"decision"`
	Explanation        string    `json:"explanation"`
	EvaluatedAt        time.Time `json:"evaluatedAt"`
	Gate               Gate      `json:"gate"`
	InputDigest        string    `json:"inputDigest"`
	Input              *string   `json:"input"`
	CapabilitiesDigest string    `json:"capabilitiesDigest"`
	Capabilities       *string   `json:"capabilities"`
	Feeds              []Feed    `json:"feeds"`
	Waivers            []Waiver  `json:"waivers"`
	Policies           []Policy  `json:"policies"`
	Results            []Result  `json:"results"`
	// InputWithheld says that whoever the files are for may not have the input: it is listed, and not there.
	InputWithheld bool `json:"-"`
}

// Gate is the gate that decided.
type Gate struct {
	Stage string `json:"stage"`
	Kind  string `json:"kind"`
}

// Feed is a snapshot of a feed of advisories that the decision was made on.
type Feed struct {
	Name      string    `json:"name"`
	Format    string    `json:"format"`
	Digest    string    `json:"digest"`
	ChangedAt time.Time `json:"changedAt"`
	CheckedAt time.Time `json:"checkedAt"`
}

// Waiver is a waiver that was in force.
type Waiver struct {
	// Waiver is its id.
	Waiver          string    `json:"waiver"`
	Policy          string    `json:"policy"`
	Rule            string    `json:"rule"`
	Code            string    `json:"code"`
	Subject         string    `json:"subject"`
	Vulnerabilities []string  `json:"vulnerabilities"`
	Package         string    `json:"package"`
	ExpiresAt       time.Time `json:"expiresAt"`
}

// Policy is a policy that applied.
type Policy struct {
	Name     string `json:"name"`
	Revision int    `json:"revision"`
	Mode     string `json:"mode"`
	Because  string `json:"because"`
}

// Result is what one rule of one policy said.
type Result struct {
	Policy     Named       `json:"policy"`
	Outcome    string      `json:"outcome"`
	Error      *string     `json:"error"`
	Result     *string     `json:"result"`
	Violations []Violation `json:"violations"`
	Rule       Rule        `json:"rule"`
}

// Named is a thing by its name.
type Named struct {
	Name string `json:"name"`
}

// Violation is one thing that was wrong; all that matters here is whether a waiver covered it.
type Violation struct {
	Waiver *struct{} `json:"waiver"`
}

// Rule is a rule as it stood.
type Rule struct {
	Name             string          `json:"name"`
	Template         string          `json:"template"`
	TemplateRevision int             `json:"templateRevision"`
	TemplateDigest   string          `json:"templateDigest"`
	Rego             *string         `json:"rego"`
	Parameters       json.RawMessage `json:"parameters"`
	Query            string          `json:"query"`
}
