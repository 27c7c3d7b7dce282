package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// apply does an act to the input, as it is at an instant.
func (sc *scene) apply(d *doc, a *want, clock time.Time) error {
	switch {
	case a.about == aboutPush:
		return sc.pushed(d, a, clock)
	case a.about == aboutFeed:
		return sc.fed(d, a, clock)
	case a.kind == doApproval:
		return sc.approved(d, a, clock)
	case a.about == aboutComponent, a.about == aboutPackage:
		return mended(d, a)
	case a.about == aboutReports:
		return repaired(d)
	case a.kind == doRecord:
		return recorded(d, a)
	case a.kind == doGate:
		return sc.passed(d, a)
	case a.kind == doWait:
		sc.waitedFor(d, clock)
	}
	return nil
}

// pushed adds evidence that says what is wanted.
func (sc *scene) pushed(d *doc, a *want, clock time.Time) error {
	list, err := d.list("evidence")
	if err != nil {
		return err
	}
	digest := canonical.Digest([]byte("to be pushed: " + a.id()))
	subject := a.subject(sc)
	item := map[string]any{
		"digest": digest, "predicate_type": a.predicateType(), "category": "CUSTOM", "verified": a.signed, "collected": false, "signer": a.signer(),
		"provider": nil, "stage": stageName(sc.sub.version.Edges.CurrentStage), "created_at": instant(clock), "subjects": []any{subject},
		"predicate": nil, "view": a.view(),
	}
	d.setList("evidence", append(list, item))
	format := billFormat(a.predicateType())
	if format == "" {
		return nil
	}
	return sc.billed(d, a, format, digest, subject)
}

// billed adds an SBOM with one component, of a licence that is wanted.
func (sc *scene) billed(d *doc, a *want, format, digest, subject string) error {
	sboms, err := d.list("sboms")
	if err != nil {
		return err
	}
	d.setList("sboms", append(sboms, map[string]any{
		"digest": digest, "format": format, "spec_version": "1", "subjects": []any{subject}, "component_count": max(1, a.least["components"]),
		"verified": a.signed, "signer": a.signer(),
	}))
	components, err := d.list("components")
	if err != nil {
		return err
	}
	licences := []any{}
	if allowed := a.says["license"]; allowed != nil {
		licences = append(licences, plain(allowed))
	}
	d.setList("components", append(components, map[string]any{
		"purl": "pkg:generic/to-be-listed@1", "name": "to-be-listed", "version": "1", "licenses": licences, "sboms": []any{digest},
	}))
	return nil
}

// view is what the evidence says, in the shape of each category that something is wanted of.
func (w *want) view() map[string]any {
	v := map[string]any{}
	kind := w.predicateType()
	switch {
	case strings.HasPrefix(kind, provenanceTypes):
		v["provenance"] = map[string]any{
			"builder_id": plain(w.says["builder"]), "source_repository": plain(w.says["source"]), "source_ref": plain(w.says["ref"]),
		}
	case kind == summaryType:
		v["approval"] = map[string]any{"decision": "APPROVED", "levels": []any{fmt.Sprintf("SLSA_BUILD_LEVEL_%.0f", max(1, w.least["level"]))}}
	case kind == sarifType, kind == sonarType:
		v["static_analysis"] = map[string]any{
			"tool": plain(w.says["tool"]), "result": "PASSED", "counts": map[string]any{"error": 0, "warning": 0, "note": 0}, "conditions": []any{},
		}
	default:
		passed := max(1, w.least["passed"])
		tests := map[string]any{"tool": nil, "result": "PASSED", "total": passed, "passed": passed, "failed": 0, "skipped": 0, "coverage": nil}
		if w.least["coverage"] > 0 {
			lines := w.least["lines"]
			tests["coverage"] = map[string]any{"lines": lines, "lines_covered": lines}
		}
		if slices.Contains(testTypes(), kind) || slices.Contains(coverageTypes(), kind) {
			v["tests"] = tests
		}
	}
	return v
}

// fed has a feed checked at this moment.
func (sc *scene) fed(d *doc, a *want, clock time.Time) error {
	feeds, err := d.list("feeds")
	if err != nil {
		return err
	}
	there := false
	for _, f := range feeds {
		if f["name"] == a.thing {
			f["checked_at"], there = instant(clock), true
		}
	}
	if !there {
		feeds = append(feeds, map[string]any{
			"name": strings.ToLower(a.thing), "format": a.thing, "digest": canonical.Digest([]byte(a.thing)), "changed_at": instant(clock), "checked_at": instant(clock),
		})
	}
	d.setList("feeds", feeds)
	return nil
}

// approved adds the approvals of as many people as are wanted, each of whom is what approvers have to be, and turns rejections.
func (sc *scene) approved(d *doc, a *want, clock time.Time) error {
	list, err := d.list("approvals")
	if err != nil {
		return err
	}
	for _, said := range list {
		if by, _ := said["by"].(string); slices.Contains(a.notes, "rejected by "+by) {
			said["decision"] = "APPROVED"
		}
	}
	people := []string{}
	refs, roles := []any{}, []any{}
	for _, who := range a.approvers {
		switch {
		case strings.HasPrefix(who, "person:"):
			people = append(people, who)
		case strings.Contains(who, ":"):
			refs = append(refs, who)
		default:
			roles = append(roles, who)
		}
	}
	if len(people) < len(a.approvers) { // some may be anybody
		for n := range int(a.least["count"]) {
			people = append(people, fmt.Sprintf("person:to-be-%d", n))
		}
	}
	for _, by := range people {
		list = append(list, map[string]any{
			"by": by, "roles": roles, "owner": true, "owner_refs": refs, "decision": "APPROVED", "at": instant(clock),
			"statement": canonical.Digest([]byte(by)), "counts": true,
		})
	}
	d.setList("approvals", list)
	return nil
}

// mended replaces a component, or all versions of a package, by what nothing is known against.
func mended(d *doc, a *want) error {
	of := func(text any) bool {
		s, _ := text.(string)
		return s == a.thing || a.about == aboutPackage && withoutVersion(s) == a.thing
	}
	found, err := d.list("vulnerabilities")
	if err != nil {
		return err
	}
	d.setList("vulnerabilities", slices.DeleteFunc(found, func(o map[string]any) bool { return of(o["component"]) }))
	if a.about == aboutPackage {
		deprecated, err := d.list("deprecated")
		if err != nil {
			return err
		}
		d.setList("deprecated", slices.DeleteFunc(deprecated, func(o map[string]any) bool { return of(o["purl"]) }))
	}
	if a.says["license"] == nil {
		return nil
	}
	components, err := d.list("components")
	if err != nil {
		return err
	}
	for _, o := range components {
		if of(componentName(o)) {
			o["licenses"] = []any{plain(a.says["license"])}
		}
	}
	d.setList("components", components)
	return nil
}

func componentName(o map[string]any) string {
	if p, _ := o["purl"].(string); p != "" {
		return p
	}
	return fmt.Sprintf("%v@%v", o["name"], o["version"])
}

func withoutVersion(text string) string {
	p, err := purl.Parse(text)
	if err != nil {
		return text
	}
	return p.WithoutVersion()
}

// repaired makes every report say that nothing is wrong, as it would of a version that holds the fix.
func repaired(d *doc) error {
	list, err := d.list("evidence")
	if err != nil {
		return err
	}
	for _, e := range list {
		view, _ := e["view"].(map[string]any)
		if tests, ok := view["tests"].(map[string]any); ok {
			tests["result"], tests["failed"] = "PASSED", 0
			if total, _ := tests["total"].(json.Number); total != "" {
				tests["passed"] = total
			}
			if c, ok := tests["coverage"].(map[string]any); ok {
				c["lines_covered"] = c["lines"]
			}
		}
		if found, ok := view["static_analysis"].(map[string]any); ok {
			found["result"] = "PASSED"
			if counts, ok := found["counts"].(map[string]any); ok {
				counts["error"], counts["warning"] = 0, 0
			}
			if sarif, ok := e["predicate"].(map[string]any); ok {
				delete(sarif, "runs")
			}
		}
	}
	d.setList("evidence", list)
	return nil
}

// recorded changes what is recorded of the application.
func recorded(d *doc, a *want) error {
	m, err := d.member("application")
	if err != nil {
		return err
	}
	app := m.(map[string]any)
	if a.about == aboutMaturity {
		app["maturity"] = "PRODUCTION"
		return nil
	}
	owners, _ := app["owners"].([]any)
	missing := int(a.least["owners"]) - len(owners)
	if a.least["team"] > 0 {
		missing = max(1, missing)
	}
	for n := range max(0, missing) {
		owners = append(owners, map[string]any{"ref": fmt.Sprintf("team:to-be-%d", n)})
	}
	app["owners"] = owners
	return nil
}

// passed lets the version have been in a stage, and have passed its gates, before everything else.
func (sc *scene) passed(d *doc, a *want) error {
	in := sc.stages[sc.index(a.thing)]
	hop := sc.hop(in)
	v, err := d.member("version")
	if err != nil || hop == nil {
		return err
	}
	version := v.(map[string]any)
	history, _ := version["history"].([]any)
	left := sc.at
	if len(history) > 0 {
		if first, ok := history[0].(map[string]any); ok {
			at, _ := first["at"].(string)
			if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
				left = t
			}
		}
	}
	entered := left.Add(-time.Duration(a.least["hours"] * float64(time.Hour)))
	there := moveEntry(nil, in, entered, []guard{side(in, gatepolicy.GateKindENTRY)})
	on := moveEntry(in, hop, left, []guard{side(in, gatepolicy.GateKindEXIT), side(hop, gatepolicy.GateKindENTRY)})
	version["history"] = append([]any{there, on}, history...)
	return nil
}

// hop is another stage than the one that a version is in, to which it can go on from there; nil when there is none.
func (w *way) hop(in *db.Stage) *db.Stage {
	i := slices.IndexFunc(w.stages, func(st *db.Stage) bool { return st.ID != in.ID && st.Category != stage.CategoryRELEASE })
	if i < 0 {
		return nil
	}
	return w.stages[i]
}

// side is a gate of a stage that a move asks.
func side(st *db.Stage, kind gatepolicy.GateKind) guard {
	return guard{gate: Gate{st.Name, kind}, stage: st}
}

// waitedFor lets freezes begin and end.
func (sc *scene) waitedFor(d *doc, clock time.Time) {
	left := slices.DeleteFunc(slices.Clone(sc.sub.freezes), func(f *db.Freeze) bool { return !f.EndsAt.After(clock) })
	d.set("freezes", freezeParts(left, clock))
}
