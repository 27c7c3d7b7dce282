package gate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// vulnerabilityPart is a vulnerability of a component in the input.
type vulnerabilityPart struct {
	ID          string   `json:"id"`
	Aliases     []string `json:"aliases"`
	Severity    string   `json:"severity"`
	Cvss        *float64 `json:"cvss"`
	CvssVector  *string  `json:"cvss_vector"`
	Kev         bool     `json:"kev"`
	KevDue      *string  `json:"kev_due"`
	Epss        *float64 `json:"epss"`
	PublishedAt *string  `json:"published_at"`

	Component        string  `json:"component"`
	ComponentName    string  `json:"component_name"`
	ComponentVersion *string `json:"component_version"`
	Direct           bool    `json:"direct"`

	State     string       `json:"state"`
	Because   string       `json:"because"`
	Undecided bool         `json:"undecided"`
	FixedIn   []string     `json:"fixed_in"`
	Vex       []vexPart    `json:"vex"`
	Triage    []triagePart `json:"triage"`
}

// vexPart is what a VEX statement says of it.
type vexPart struct {
	Status        string  `json:"status"`
	Justification *string `json:"justification"`
	Statement     *string `json:"statement"`
	Applied       bool    `json:"applied"`
	Evidence      string  `json:"evidence"`
	Verified      bool    `json:"verified"`
}

// triagePart is what was decided about it.
type triagePart struct {
	Status        string  `json:"status"`
	Justification string  `json:"justification"`
	DecidedAt     string  `json:"decided_at"`
	ExpiresAt     *string `json:"expires_at"`
	Applied       bool    `json:"applied"`
	// Owner is a pseudonym.
	Owner *string `json:"owner"`
}

// feedPart is the snapshot of a feed.
type feedPart struct {
	Name      string `json:"name"`
	Format    string `json:"format"`
	Digest    string `json:"digest"`
	ChangedAt string `json:"changed_at"`
	CheckedAt string `json:"checked_at"`
}

// vulnerabilityParts are sorted by the vulnerability and the component.
func vulnerabilityParts(list []vulnerability.GateFinding) []vulnerabilityPart {
	parts := make([]vulnerabilityPart, len(list))
	for i, f := range list {
		parts[i] = vulnerabilityPartOf(f)
	}
	slices.SortStableFunc(parts, func(a, b vulnerabilityPart) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Component, b.Component))
	})
	return parts
}

func vulnerabilityPartOf(f vulnerability.GateFinding) vulnerabilityPart {
	v, c, m := f.Vulnerability, f.Component.Component, f.Component.Match
	p := vulnerabilityPart{
		ID: v.Name, Aliases: f.Aliases, Severity: string(v.Severity), Cvss: v.Cvss, CvssVector: known(v.CvssVector),
		Kev: v.Kev, KevDue: since(v.KevDue), Epss: v.Epss, PublishedAt: since(v.PublishedAt),
		Component: c.Identity, ComponentName: c.Name, ComponentVersion: known(c.Version), Direct: f.Direct,
		State: f.State, Because: m.Because, Undecided: m.Undecided, FixedIn: append([]string{}, m.FixedIn...),
		Vex: make([]vexPart, len(f.Vex)), Triage: make([]triagePart, len(f.Triage)),
	}
	if c.Purl != nil {
		p.Component = *c.Purl
	}
	for i, st := range f.Vex {
		p.Vex[i] = vexPart{
			Status: st.Status, Justification: known(st.Justification), Statement: known(st.Statement),
			Applied: st.Applied, Evidence: st.Evidence, Verified: st.Verified,
		}
	}
	for i, t := range f.Triage {
		p.Triage[i] = triagePart{
			Status: string(t.Decision.Status), Justification: t.Decision.Justification, DecidedAt: instant(t.Decision.DecidedAt),
			ExpiresAt: since(t.Decision.ExpiresAt), Applied: t.Applied, Owner: known(f.Owners[i]),
		}
	}
	return p
}

func feedParts(list []*vulnerability.FeedSnapshot) []feedPart {
	parts := make([]feedPart, len(list))
	for i, f := range list {
		parts[i] = feedPart{Name: f.Name, Format: f.Format, Digest: f.Digest, ChangedAt: instant(f.ChangedAt), CheckedAt: instant(f.CheckedAt)}
	}
	return parts
}

// since is an instant, or nil for none.
func since(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := instant(*t)
	return &text
}
