package gate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	entrule "github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// bench is a scene, and who takes the next step.
type bench struct {
	*scene
	// owners are the first owners of applications, by key.
	owners map[string]*db.Owner
}

// ownersForNext finds the first owner of the application, and of those in reach that own parts of the version.
func (s *Service) ownersForNext(ctx context.Context, sc *scene) (map[string]*db.Owner, error) {
	keys := []string{sc.application.Key}
	for _, c := range sc.sub.contents {
		if c.OwningApplication != nil {
			keys = append(keys, *c.OwningApplication)
		}
	}
	slices.Sort(keys)
	apps, err := s.store.Read().Application.Query().Where(application.KeyIn(slices.Compact(keys)...)).
		WithOwnerships(func(q *db.OwnershipQuery) { q.Where(ownership.UntilIsNil()).Order(ownership.ByOwnerID()).WithOwner() }).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load owners of parts: %w", err)
	}
	owners := map[string]*db.Owner{}
	for _, a := range apps {
		if len(a.Edges.Ownerships) > 0 {
			owners[a.Key] = a.Edges.Ownerships[0].Edges.Owner
		}
	}
	return owners, nil
}

// ownerFor is who takes the next step about something: an owner of the application that owns it, or else of this one.
func (b *bench) ownerFor(subject string) *db.Owner {
	for _, c := range b.sub.contents {
		about := c.Digest != nil && *c.Digest == subject || c.PURL != nil && (*c.PURL == subject || withoutVersion(*c.PURL) == subject)
		if subject != "" && about && c.OwningApplication != nil && b.owners[*c.OwningApplication] != nil {
			return b.owners[*c.OwningApplication]
		}
	}
	return b.owners[b.application.Key]
}

// needed says what a rule needs at all: what has to be attached, or, for one that looks at what is known here, what it asks.
func (b *bench) needed(rule *db.Rule) string {
	if evidence := rego.Describe([]byte(rule.Edges.Template.Rego)).Evidence; evidence != "" && !strings.HasPrefix(evidence, "None") {
		return evidence
	}
	return b.s.policies.RuleSentence(rule)
}

// everywhereWaivable tells whether no policy in force that has a rule refuses waivers.
func (s *Service) everywhereWaivable(ctx context.Context, ruleID int) (bool, error) {
	refused, err := s.store.Read().GatePolicy.Query().
		Where(gatepolicy.Latest(true), gatepolicy.Enabled(true), gatepolicy.Waivable(false), gatepolicy.HasRulesWith(entrule.ID(ruleID))).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for policies without waivers: %w", err)
	}
	return !refused, nil
}

// sorted puts acts in the order in which they are told: waivers last.
func sorted(acts []*want) []*want {
	order := []greenKind{doEvidence, doGate, doApproval, doRecord, doMend, doWait, doWaiver}
	return slices.SortedStableFunc(slices.Values(acts), func(a, b *want) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.kind), slices.Index(order, b.kind)), a.leg-b.leg, cmp.Compare(a.id(), b.id()))
	})
}

// action tells an act.
func (b *bench) action(a *want) *GreenAction {
	what := map[greenKind]func(*want) string{
		doEvidence: b.sayEvidence, doGate: b.sayGate, doApproval: b.sayApproval, doRecord: b.sayRecord, doMend: b.sayMend,
		doWait: b.sayWait, doWaiver: b.sayWaiver,
	}[a.kind](a)
	return &GreenAction{Kind: string(a.kind), What: what, Command: b.command(a), Owner: b.ownerFor(a.addressed), Rules: a.rules}
}

func (b *bench) sayEvidence(a *want) string {
	if a.about == aboutFeed {
		return fmt.Sprintf("Import the advisories of the feed %s anew.", a.thing)
	}
	said := "Push evidence of type " + a.predicateType()
	if a.types == nil {
		said = "Push something signed"
	}
	said += " about " + b.nameOf(a.subject(b.scene))
	switch {
	case len(a.signers) > 0:
		said += ", signed by " + strings.Join(a.signers, " or ")
	case a.signed:
		said += ", signed by a trust anchor"
	}
	names := map[string]string{
		"builder": "built by", "source": "from", "ref": "at", "tool": "by", "license": "with components of the licence",
	}
	for _, name := range slices.Sorted(maps.Keys(a.says)) {
		said += fmt.Sprintf(", %s %s", names[name], strings.Join(a.says[name], " or "))
	}
	for _, least := range []struct{ of, text string }{
		{"level", "SLSA build level %.0f or more"},
		{"passed", "%.0f tests or more that passed"},
		{"components", "%.0f components or more"},
	} {
		if n := a.least[least.of]; n > 0 {
			said += ", with " + fmt.Sprintf(least.text, n)
		}
	}
	return said + "."
}

// nameOf is what a part of the version is called.
func (b *bench) nameOf(digest string) string {
	for _, c := range b.sub.contents {
		if c.Digest != nil && *c.Digest == digest {
			return fmt.Sprintf("%s (%s)", c.Name, digest)
		}
	}
	return fmt.Sprintf("the version (%s)", digest)
}

func (b *bench) sayGate(a *want) string {
	said := fmt.Sprintf("Bring the version through %s first", a.thing)
	if h := a.least["hours"]; h > 0 {
		said += fmt.Sprintf(", and leave it there for %s", time.Duration(h*float64(time.Hour)))
	}
	return said + "."
}

func (b *bench) sayApproval(a *want) string {
	var said []string
	if n := a.least["count"]; n > 0 {
		said = append(said, fmt.Sprintf("Have the version approved by %.0f of %s", n, strings.Join(a.approvers, ", ")))
	}
	for _, note := range a.notes {
		if by, ok := strings.CutPrefix(note, "rejected by "); ok {
			said = append(said, by+" has to approve it after all")
		}
	}
	text := strings.Join(said, "; ") + "."
	if b.sub.version.Status == applicationversion.StatusDRAFT {
		text += " It is a draft: lock it first."
	}
	return text
}

func (b *bench) sayRecord(a *want) string {
	if a.about == aboutMaturity {
		return fmt.Sprintf("Say of application %s where it stands in its life; it is not to be at its end.", b.application.Key)
	}
	said := fmt.Sprintf("Name owners of application %s", b.application.Key)
	if n := a.least["owners"]; n > 0 {
		said += fmt.Sprintf(", %.0f in all", n)
	}
	if a.least["team"] > 0 {
		said += ", a team among them"
	}
	return said + "."
}

func (b *bench) sayMend(a *want) string {
	switch a.about {
	case aboutReports:
		return "Mend what tests and tools found in the code, and make a version that holds the fix."
	case aboutPackage:
		return fmt.Sprintf("Replace %s, which is deprecated, and make a version without it.", a.thing)
	}
	if slices.Contains(a.notes, noteLicence) {
		return fmt.Sprintf("Replace %s by a component whose licence is allowed, or correct its licence in the SBOM, and make a version with that.", a.thing)
	}
	if to := b.upgrade(a.thing); to != "" {
		return fmt.Sprintf("Upgrade %s to %s, and make a version that holds it.", a.thing, to)
	}
	return fmt.Sprintf("Replace %s, of which no version is known that mends all its vulnerabilities, and make a version without it; "+
		"or say in a VEX document or by triage why they do not matter here.", a.thing)
}

func (b *bench) sayWait(a *want) string {
	to := b.legs[a.leg].to.Name
	switch {
	case a.wait == 0:
		return fmt.Sprintf("Wait until %s before the version goes to %s.", instant(a.until), to)
	case a.until.IsZero():
		return fmt.Sprintf("Leave the version in %s for %s before it goes to %s.", b.legs[a.leg].from.Name, a.wait, to)
	default:
		return fmt.Sprintf("Leave the version in %s for %s, and until %s, before it goes to %s.", b.legs[a.leg].from.Name, a.wait, instant(a.until), to)
	}
}

func (b *bench) sayWaiver(a *want) string {
	about := "rule " + a.waiver.Rule
	if a.waiver.Policy != "" {
		about = "policy " + a.waiver.Policy
	}
	said := fmt.Sprintf("Get a waiver of %s for %s %s", about, b.application.Key, b.version.Version)
	if a.waiver.Code != "" {
		said += fmt.Sprintf(", for %s of %s", a.waiver.Code, a.waiver.Subject)
	}
	if len(a.notes) > 0 {
		said += ": " + a.notes[0]
	}
	return said + "."
}

// upgrade is the nearest version of a component that mends all its vulnerabilities, by the versions that are known to; "" when
// none does.
func (b *bench) upgrade(component string) string {
	var current string
	var fixes [][]string
	for _, v := range vulnerabilityParts(b.sub.known.Findings) {
		if v.Component != component || v.State != "AFFECTED" && v.State != "UNDER_INVESTIGATION" {
			continue
		}
		if v.ComponentVersion != nil {
			current = *v.ComponentVersion
		}
		fixes = append(fixes, v.FixedIn)
	}
	var candidates []string
	for _, list := range fixes {
		candidates = append(candidates, list...)
	}
	slices.SortFunc(candidates, natural)
	for _, c := range candidates {
		mends := func(list []string) bool { return fixedBy(list, c) }
		if natural(c, current) > 0 && !slices.ContainsFunc(fixes, func(list []string) bool { return !mends(list) }) {
			return c
		}
	}
	return ""
}

// fixedBy tells whether a version has a fix that is in each of several lines of versions: it has when it comes after the one of its
// own line, or after all of them.
func fixedBy(fixedIn []string, version string) bool {
	if len(fixedIn) == 0 {
		return false
	}
	line, _, _ := strings.Cut(version, ".")
	all := true
	for _, f := range fixedIn {
		after := natural(version, f) >= 0
		if own, _, _ := strings.Cut(f, "."); own == line && after {
			return true
		}
		all = all && after
	}
	return all
}

// natural compares versions as people read them: numbers in them by their value. It only chooses among versions that are known to
// mend something; whether one is affected is never decided by it.
func natural(a, b string) int {
	as, bs := numbersApart(a), numbersApart(b)
	for i := range min(len(as), len(bs)) {
		x, y := strings.TrimLeft(as[i], "0"), strings.TrimLeft(bs[i], "0")
		if isNumber(as[i]) && isNumber(bs[i]) && len(x) != len(y) {
			return len(x) - len(y)
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	return len(as) - len(bs)
}

func numbersApart(s string) []string {
	var list []string
	for i, r := range s {
		if i == 0 || isNumber(s[i-1:i]) != isNumber(string(r)) {
			list = append(list, "")
		}
		list[len(list)-1] += string(r)
	}
	return list
}

func isNumber(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
