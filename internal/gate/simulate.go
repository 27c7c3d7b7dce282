package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/policy"
)

// scene is a version on its way, as it is at one instant: what the gates would say if this or that were done is found out by
// doing it to the input and asking the rules again. Nothing is written.
type scene struct {
	*way
	s    *Service
	sub  *subject
	at   time.Time
	base map[string]part
	// said is what rules said already, by what they were asked on; reads are the parts of the input that a template looks at.
	said  map[string]*RuleResult
	reads map[int][]string
	// frozen are the policies of freezes, by the instant.
	frozen map[time.Time][]policy.Applicable
}

// asked is a rule of a policy at a gate.
type asked struct {
	gate         Gate
	policy, rule string
}

// finding is what a rule of a policy says at a gate on the way.
type finding struct {
	leg    int
	guard  *guard
	policy *db.GatePolicy
	rule   *db.Rule
	result *RuleResult
}

func (f *finding) asked() asked { return asked{f.guard.gate, f.policy.Name, f.rule.Name} }

// open are the violations that no waiver covers.
func (f *finding) open() []*Violation {
	var list []*Violation
	for _, v := range f.result.Violations {
		if v.WaiverID == 0 {
			list = append(list, v)
		}
	}
	return list
}

// newScene reads everything that the gates on a way are judged on, once. Without a version there is nothing to judge. Ctx is the
// system's.
func (s *Service) newScene(ctx context.Context, w *way) (*scene, error) {
	sc := &scene{
		way: w, s: s, sub: &subject{}, at: s.now().UTC(), base: map[string]part{}, said: map[string]*RuleResult{}, reads: map[int][]string{},
		frozen: map[time.Time][]policy.Applicable{},
	}
	if w.version != nil {
		var err error
		if sc.sub, err = s.load(ctx, w.version.ID, sc.at); err != nil {
			return nil, err
		}
		common, err := s.commonParts(ctx, sc.sub, sc.at)
		if err != nil {
			return nil, err
		}
		for _, p := range common {
			sc.base[p.key] = p
		}
	}
	return sc, s.guardWay(ctx, w, sc.sub, sc.at)
}

// now is what every rule on the way says of the version as it is and where it is.
func (sc *scene) now(ctx context.Context) (map[asked]*RuleResult, error) {
	said := map[asked]*RuleResult{}
	d := &doc{base: sc.base}
	for _, l := range sc.legs {
		for i := range l.guards {
			list, err := sc.ask(ctx, d, &l.guards[i], l.guards[i].policies, sc.sub.waivers)
			if err != nil {
				return nil, err
			}
			for _, f := range list {
				said[f.asked()] = f.result
			}
		}
	}
	return said, nil
}

// run goes the way with some acts done, move after move as if each succeeded, and returns what closes a gate: the rules of
// blocking policies that are not satisfied.
func (sc *scene) run(ctx context.Context, acts []*want) ([]*finding, error) {
	clock := sc.at
	var closed []*finding
	for i, l := range sc.legs {
		clock = waited(acts, i, clock)
		d := &doc{base: sc.base}
		if err := sc.stage(d, acts, i, clock); err != nil {
			return nil, err
		}
		frozen, err := sc.frozenAt(ctx, clock)
		if err != nil {
			return nil, err
		}
		for n := range l.guards {
			g := &l.guards[n]
			list, err := sc.ask(ctx, d, g, append(slices.Clone(frozen), g.own()...), waiversOf(acts, sc.sub.waivers, clock))
			if err != nil {
				return nil, err
			}
			for _, f := range list {
				if f.policy.Mode == gatepolicy.ModeBLOCK && !f.result.Outcome.Satisfies() {
					closed = append(closed, f)
				}
			}
		}
	}
	return closed, nil
}

// own are the policies but that of freezes.
func (g *guard) own() []policy.Applicable {
	return slices.DeleteFunc(slices.Clone(g.policies), func(a policy.Applicable) bool { return a.Policy.Name == policy.FreezeName })
}

// frozenAt is the policy of freezes as it stands at an instant.
func (sc *scene) frozenAt(ctx context.Context, clock time.Time) ([]policy.Applicable, error) {
	if known, ok := sc.frozen[clock]; ok {
		return known, nil
	}
	frozen, err := sc.s.frozen(ctx, sc.sub, clock)
	sc.frozen[clock] = frozen
	return frozen, err
}

// ask asks the rules of policies at a gate.
func (sc *scene) ask(ctx context.Context, d *doc, g *guard, policies []policy.Applicable, waivers []*EvaluatedWaiver) ([]*finding, error) {
	parts, err := d.parts()
	if err != nil {
		return nil, err
	}
	input, err := withGate(slices.Collect(maps.Values(parts)), g.gate, g.stage.Production)
	if err != nil {
		return nil, err
	}
	in, err := sc.s.regoInput(ctx, input, policies)
	if err != nil {
		return nil, err
	}
	var list []*finding
	for _, a := range policies {
		p := &EvaluatedPolicy{Name: a.Policy.Name, Revision: a.Policy.Revision, Mode: a.Policy.Mode, Because: a.Because}
		for _, rule := range a.Rules {
			key := sc.key(rule, input)
			if sc.said[key] == nil {
				sc.said[key] = sc.s.judgeRule(ctx, sc.sub, rule, in)
			}
			result := sc.said[key].under(p)
			if a.Policy.Waivable {
				result.waive(waivers)
			}
			list = append(list, &finding{leg: g.leg, guard: g, policy: a.Policy, rule: rule, result: result})
		}
	}
	return list, ctx.Err()
}

var inputRead = regexp.MustCompile(`\binput\b(\.([a-z_]+))?`)

// key names what a rule is asked on: the same rule on the same parts says the same.
func (sc *scene) key(rule *db.Rule, input []part) string {
	reads, known := sc.reads[rule.ID]
	if !known {
		for _, m := range inputRead.FindAllStringSubmatch(rule.Edges.Template.Rego, -1) {
			if reads = append(reads, m[2]); m[2] == "" { // input as a whole
				reads = nil
				break
			}
		}
		sc.reads[rule.ID] = reads
	}
	var key strings.Builder
	key.WriteString(strconv.Itoa(rule.ID))
	for _, p := range input {
		if reads == nil || slices.Contains(reads, p.key) {
			key.WriteString(" " + p.key + p.digest)
		}
	}
	return key.String()
}

// doc is an input that is being changed.
type doc struct {
	base    map[string]part
	changed map[string]any
	made    map[string]part
}

// member returns a member to be changed, as encoding/json reads it.
func (d *doc) member(key string) (any, error) {
	if v, ok := d.changed[key]; ok {
		return v, nil
	}
	dec := json.NewDecoder(bytes.NewReader(d.base[key].bytes))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read input part %s: %w", key, err)
	}
	d.set(key, v)
	return v, nil
}

// set replaces a member.
func (d *doc) set(key string, v any) {
	if d.changed == nil {
		d.changed = map[string]any{}
	}
	d.changed[key], d.made = v, nil
}

// list is a member that is a list of objects.
func (d *doc) list(key string) ([]map[string]any, error) {
	v, err := d.member(key)
	if err != nil {
		return nil, err
	}
	items, _ := v.([]any)
	out := make([]map[string]any, 0, len(items))
	for _, item := range items {
		if o, ok := item.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out, nil
}

// setList replaces a member that is a list.
func (d *doc) setList(key string, list []map[string]any) {
	items := make([]any, len(list))
	for i, o := range list {
		items[i] = o
	}
	d.set(key, items)
}

// parts are the members of the input but the gate.
func (d *doc) parts() (map[string]part, error) {
	if d.made != nil {
		return d.made, nil
	}
	made := maps.Clone(d.base)
	for key, v := range d.changed {
		b, err := canonical.JSON(v)
		if err != nil {
			return nil, fmt.Errorf("spell input part %s: %w", key, err)
		}
		if p := newPart(key, b); p.digest != d.base[key].digest {
			made[key] = p
		}
	}
	d.made = made
	return made, nil
}

// stage makes the input as it is when the i-th move is tried: the acts are done, and the moves before were.
func (sc *scene) stage(d *doc, acts []*want, i int, clock time.Time) error {
	if clock != sc.at {
		d.set("evaluated_at", instant(clock))
	}
	if err := sc.arrived(d, acts, i); err != nil {
		return err
	}
	for _, a := range acts {
		if err := sc.apply(d, a, clock); err != nil {
			return fmt.Errorf("try to %s: %w", strings.ToLower(string(a.kind)), err)
		}
	}
	return nil
}

// arrived writes the moves before the i-th into the version's history.
func (sc *scene) arrived(d *doc, acts []*want, i int) error {
	if i == 0 {
		return nil
	}
	v, err := d.member("version")
	if err != nil {
		return err
	}
	version := v.(map[string]any)
	history, _ := version["history"].([]any)
	clock := sc.at
	for n, l := range sc.legs[:i] {
		clock = waited(acts, n, clock)
		history = append(history, moveEntry(l.from, l.to, clock, l.guards))
	}
	version["history"], version["current_stage"] = history[max(0, len(history)-maxHistory):], sc.legs[i].from.Name
	return nil
}

// moveEntry is a move that was completed, as a rule sees it.
func moveEntry(from, to *db.Stage, at time.Time, guards []guard) map[string]any {
	entry := map[string]any{
		"kind": "PROMOTE", "status": "COMPLETED", "from_stage": nil, "to_stage": to.Name, "at": instant(at), "undone": false,
	}
	if from != nil {
		entry["from_stage"] = from.Name
	}
	gates := make([]any, len(guards))
	for n, g := range guards {
		gates[n] = map[string]any{"stage": g.gate.Stage, "kind": string(g.gate.Kind), "decision": "PASS", "eval_id": fmt.Sprintf("eval-to-be-%s-%d", g.gate.Kind, n)}
		if g.gate.Kind == gatepolicy.GateKindRELEASE {
			entry["kind"] = "RELEASE"
		}
	}
	entry["gates"] = gates
	return entry
}
