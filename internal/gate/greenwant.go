package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// greenKind is what kind of thing to do, as the API calls it.
type greenKind string

const (
	doEvidence greenKind = "EVIDENCE"
	doGate     greenKind = "GATE"
	doApproval greenKind = "APPROVAL"
	doMend     greenKind = "MEND"
	doWait     greenKind = "WAIT"
	doRecord   greenKind = "RECORD"
	doWaiver   greenKind = "WAIVER"
)

// What an act is about, among those of its kind: acts of one kind and about one thing may be done as one.
const (
	aboutPush       = "push"
	aboutFeed       = "feed"
	aboutComponent  = "component"
	aboutPackage    = "package"
	aboutReports    = "reports"
	aboutOwners     = "owners"
	aboutMaturity   = "maturity"
	aboutVersion    = "version"
	aboutStage      = "stage"
	aboutMove       = "move"
	aboutViolations = "violations"
)

// want is something that a rule asks to be done, and, when several were merged, one act that does it for all of them. A list that
// says what will do is nil when anything does; merging leaves what does for both.
type want struct {
	kind  greenKind
	about string
	// thing is the one that it is about: a component, a package, a feed, a stage; "" when there is but one.
	thing string
	rules []string

	// subjects, types and signers are those of the evidence of which one will do; signed asks for a trust anchor's signature.
	subjects, types, signers []string
	signed                   bool
	// says are the patterns of what evidence has to say; one that ends in * stands for all that begin so.
	says map[string][]string
	// least are numbers that have to be reached.
	least map[string]float64
	// approvers are those of all rules: whoever approves is to be each.
	approvers []string
	// apart keeps wants of one rule that must be met by different signers from being met by one.
	apart []string

	// leg is the move before which to wait, until an instant and for a time after the move before it.
	leg       int
	until     time.Time
	wait      time.Duration
	waiver    *EvaluatedWaiver
	addressed string   // the subject of the violation, whose owner is asked
	notes     []string // what else to say
}

// id tells wants apart.
func (w *want) id() string {
	return fmt.Sprint(w.kind, w.about, w.thing, w.rules, w.subjects, w.types, w.signers, w.signed, w.says, w.least, w.approvers, w.apart, w.leg, w.until, w.wait, w.waiver, w.notes)
}

// with merges two wants into one that does for both; false when none does.
func (w *want) with(o *want) (*want, bool) {
	if w.kind != o.kind || w.about != o.about || w.thing != o.thing || w.leg != o.leg || sharesAny(w.apart, o.apart) {
		return nil, false
	}
	m := *w
	m.rules, m.apart, m.notes, m.approvers = union(w.rules, o.rules), union(w.apart, o.apart), union(w.notes, o.notes), union(w.approvers, o.approvers)
	m.signed, m.until, m.wait = w.signed || o.signed, later(w.until, o.until), max(w.wait, o.wait)
	m.least, m.says = maps.Clone(w.least), maps.Clone(w.says)
	for name, value := range o.least {
		if m.least == nil {
			m.least = map[string]float64{}
		}
		m.least[name] = max(m.least[name], value)
	}
	for name, patterns := range o.says {
		if m.says == nil {
			m.says = map[string][]string{}
		}
		both, ok := patterns, true
		if mine, there := m.says[name]; there {
			both, ok = bothMatch(mine, patterns)
		}
		if !ok {
			return nil, false
		}
		m.says[name] = both
	}
	var ok [3]bool
	m.subjects, ok[0] = common(w.subjects, o.subjects)
	m.types, ok[1] = common(w.types, o.types)
	m.signers, ok[2] = common(w.signers, o.signers)
	if w.addressed == "" {
		m.addressed = o.addressed
	}
	return &m, ok[0] && ok[1] && ok[2]
}

// common is what is in both lists; nil is the list of everything.
func common(a, b []string) ([]string, bool) {
	if a == nil || b == nil {
		return slices.Concat(a, b), true
	}
	var both []string
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both, len(both) > 0
}

// bothMatch are patterns for what two lists of patterns stand for at once.
func bothMatch(a, b []string) ([]string, bool) {
	var both []string
	for _, p := range a {
		for _, q := range b {
			switch {
			case p == q, matches(q, p):
				both = append(both, p)
			case matches(p, q):
				both = append(both, q)
			}
		}
	}
	return both, len(both) > 0
}

// matches tells whether a pattern stands for everything that another one does.
func matches(pattern, text string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return open && strings.HasPrefix(text, prefix)
}

// plain is a text that a pattern stands for.
func plain(patterns []string) string {
	if len(patterns) == 0 {
		return ""
	}
	if text := strings.TrimSuffix(patterns[0], "*"); text != "" {
		return text
	}
	return "any"
}

// subject is what the evidence is about; "" when that is not known.
func (w *want) subject(sc *scene) string {
	switch {
	case len(w.subjects) > 0:
		return w.subjects[0]
	case sc.sub.version != nil:
		return sc.sub.version.ManifestDigest
	}
	return ""
}

// predicateType is that of the evidence; anything that is signed will do where none is asked for.
func (w *want) predicateType() string {
	if len(w.types) > 0 {
		return w.types[0]
	}
	return signatureType
}

// signer is who signs the evidence; nil when it need not be signed.
func (w *want) signer() any {
	switch {
	case !w.signed:
		return nil
	case len(w.signers) > 0:
		return w.signers[0]
	}
	return "a trust anchor"
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func sharesAny(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// waited is when a move is tried: after what is waited for before it.
func waited(acts []*want, leg int, clock time.Time) time.Time {
	for _, a := range acts {
		if a.kind == doWait && a.leg == leg {
			return later(clock.Add(a.wait), a.until)
		}
	}
	return clock
}

// waiversOf are the waivers in force at an instant, with those that acts ask for.
func waiversOf(acts []*want, inForce []*EvaluatedWaiver, clock time.Time) []*EvaluatedWaiver {
	var list []*EvaluatedWaiver
	for _, w := range inForce {
		if w.ExpiresAt.After(clock) {
			list = append(list, w)
		}
	}
	for _, a := range acts {
		if a.waiver != nil {
			list = append(list, a.waiver)
		}
	}
	return list
}
