package gate

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// PathToGreen is what to do so that a version gets to a stage.
type PathToGreen struct {
	Open        bool
	Actions     []*GreenAction
	Unreachable []string
}

// GreenAction is something to do so that a gate opens.
type GreenAction struct {
	Kind, What, Command string
	Owner               *db.Owner
	Rules               []string
}

const (
	// maxRounds is how often what is still wrong after everything known was done is looked at: a rule may ask for the next thing
	// once it was given the first.
	maxRounds = 10
	// maxTried is how many acts are left out one by one to see whether a gate closes. What is beyond is kept: the price of a
	// superfluous act is less than that of an answer that does not come.
	maxTried = 64
)

// PathToGreen finds the smallest set of actions that opens every gate between a version and a stage, as far as policies that block
// are concerned: what only warns leaves a gate open. Every set was tried: with all of it done to the input the rules say that the
// gates are open, and without any one of it that one is closed.
//
// Faults: those of Required, and NOT_FOUND when the version does not exist for whoever asks.
func (s *Service) PathToGreen(ctx context.Context, application, version, toStage string) (*PathToGreen, error) {
	w, err := s.findWay(ctx, application, &version, toStage)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fault.New(fault.NotFound, "there is no version %q of an application %q", version, application)
	}
	out := &PathToGreen{Open: true, Actions: []*GreenAction{}, Unreachable: []string{}}
	if len(w.legs) == 0 {
		return out, nil
	}
	p, acts, err := s.planFor(ctx, w)
	if err != nil {
		return nil, err
	}
	for _, a := range sorted(acts) {
		out.Actions = append(out.Actions, p.action(a))
	}
	for _, sentence := range p.hopeless {
		out.Unreachable = append(out.Unreachable, sentence)
	}
	if w.version.ArchivedAt != nil {
		out.Unreachable = append(out.Unreachable, fmt.Sprintf("version %s of %s is archived: bring it back first", version, application))
	}
	slices.Sort(out.Unreachable)
	out.Unreachable = slices.Compact(out.Unreachable)
	out.Open = len(out.Actions) == 0 && len(out.Unreachable) == 0
	return out, nil
}

// planFor finds the acts that open the gates on a way.
func (s *Service) planFor(ctx context.Context, w *way) (*plan, []*want, error) {
	sys := auth.System(ctx)
	sc, err := s.newScene(sys, w)
	if err != nil {
		return nil, nil, err
	}
	p := &plan{bench: &bench{scene: sc}, known: map[string]bool{}, hopeless: map[asked]string{}}
	if p.owners, err = s.ownersForNext(ctx, sc); err != nil {
		return nil, nil, err
	}
	acts, err := p.find(sys)
	return p, acts, err
}

// plan is a set of acts in the making.
type plan struct {
	*bench
	wants []*want
	known map[string]bool
	// hopeless says what no act here can mend, by the rule that asks it.
	hopeless map[asked]string
}

// find looks for acts: first for what mends, then, for what is left, for waivers.
func (p *plan) find(ctx context.Context) ([]*want, error) {
	closed, err := p.run(ctx, nil)
	if err != nil || len(closed) == 0 {
		return nil, err
	}
	var acts []*want
	mend := func(f *finding) ([]*want, error) { return p.mends(f), nil }
	waive := func(f *finding) ([]*want, error) { return p.waivers(ctx, f) }
	for _, learn := range []func(f *finding) ([]*want, error){mend, waive} {
		for range maxRounds {
			more, err := p.learn(closed, learn)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			acts = cover(p.together())
			if closed, err = p.run(ctx, acts); err != nil {
				return nil, err
			}
		}
	}
	for _, f := range closed {
		p.hopeless[f.asked()] = unreachable(f)
	}
	return p.needed(ctx, acts)
}

// learn takes up what is wanted of what closes gates; false when nothing of it is new.
func (p *plan) learn(closed []*finding, wants func(f *finding) ([]*want, error)) (bool, error) {
	more := false
	for _, f := range closed {
		list, err := wants(f)
		if err != nil {
			return false, err
		}
		for _, w := range list {
			if id := w.id(); !p.known[id] {
				p.known[id], more = true, true
				p.wants = append(p.wants, w)
			}
		}
	}
	return more, nil
}

// mends are the wants of what a rule says.
func (p *plan) mends(f *finding) []*want {
	open := f.open()
	if f.result.Outcome == Faulted {
		return nil
	}
	if len(open) == 0 {
		return p.bench.wants(f, nil)
	}
	var list []*want
	for _, v := range open {
		list = append(list, p.bench.wants(f, v)...)
	}
	return list
}

// together is the wants, those of a component as ones of its package where that has to be replaced as a whole.
func (p *plan) together() []*want {
	replaced := map[string]bool{}
	for _, w := range p.wants {
		if w.about == aboutPackage {
			replaced[w.thing] = true
		}
	}
	list := make([]*want, len(p.wants))
	for i, w := range p.wants {
		list[i] = w
		if w.about == aboutComponent && replaced[withoutVersion(w.thing)] {
			whole := *w
			whole.about, whole.thing = aboutPackage, withoutVersion(w.thing)
			list[i] = &whole
		}
	}
	return list
}

// waivers are the waivers to ask for, of what a rule says; none where the policy takes none or nothing was said.
func (p *plan) waivers(ctx context.Context, f *finding) ([]*want, error) {
	if !f.policy.Waivable || f.result.Outcome == Faulted {
		return nil, nil
	}
	shared, err := p.sharedWaiver(ctx, f)
	if err != nil {
		return nil, err
	}
	ask := func(v *Violation) *want {
		w := &EvaluatedWaiver{Rule: f.rule.Name}
		if !shared {
			w.Rule, w.Policy = "", f.policy.Name
		}
		out := &want{kind: doWaiver, about: aboutViolations, rules: []string{f.rule.Name}, waiver: w}
		if v != nil {
			w.Code, w.Subject, out.addressed = v.Code, v.Subject, v.Subject
			if v.Vulnerability != nil {
				w.Vulnerabilities = []string{*v.Vulnerability}
			}
			if v.Purl != nil {
				w.Package = *v.Purl
			}
			out.notes = []string{v.Message}
		}
		out.thing = fmt.Sprintf("%+v", *w)
		return out
	}
	if f.result.Outcome == NotEvidenced {
		return []*want{ask(nil)}, nil
	}
	var list []*want
	for _, v := range f.open() {
		list = append(list, ask(v))
	}
	return list, nil
}

// sharedWaiver tells whether a waiver of the rule, which counts in whatever policy, is better than one of the policy: several
// policies on the way have the rule, and none that has it refuses waivers.
func (p *plan) sharedWaiver(ctx context.Context, f *finding) (bool, error) {
	having := map[string]bool{}
	for _, l := range p.legs {
		for _, g := range l.guards {
			for _, a := range g.policies {
				if slices.ContainsFunc(a.Rules, func(r *db.Rule) bool { return r.ID == f.rule.ID }) {
					having[a.Policy.Name] = true
				}
			}
		}
	}
	if len(having) < 2 {
		return false, nil
	}
	return p.s.everywhereWaivable(ctx, f.rule.ID)
}

// unreachable says why nothing here opens a gate.
func unreachable(f *finding) string {
	said := "it found nothing to look at"
	if f.result.Outcome == Faulted {
		said = "it could not be judged: " + *f.result.Error
	} else if open := f.open(); len(open) > 0 {
		said = open[0].Message + ": " + open[0].Remediation
		if len(open) > 1 {
			said += fmt.Sprintf(" (and %d more)", len(open)-1)
		}
	}
	return fmt.Sprintf("%s of policy %s, at the %s gate of %s: %s", f.rule.Name, f.policy.Name, f.guard.gate.Kind, f.guard.gate.Stage, said)
}

// needed leaves out, one by one, what is not needed: waivers first, because a real remedy is better.
func (p *plan) needed(ctx context.Context, acts []*want) ([]*want, error) {
	acts = sorted(acts)
	for i, tried := len(acts)-1, 0; i >= 0 && tried < maxTried; i, tried = i-1, tried+1 {
		without := slices.Delete(slices.Clone(acts), i, i+1)
		closed, err := p.run(ctx, without)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(closed, func(f *finding) bool { return p.hopeless[f.asked()] == "" }) {
			acts = without
		}
	}
	return acts, nil
}
