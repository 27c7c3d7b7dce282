package gate

import (
	"context"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// RequiredGate is a gate on the way to a stage, and what guards it.
type RequiredGate struct {
	Gate     *Gate
	Policies []*RequiredPolicy
}

// RequiredPolicy is a policy that guards a gate.
type RequiredPolicy struct {
	Policy  *db.GatePolicy
	Because string
	Rules   []*RequiredRule
}

// RequiredRule is a rule to meet. Satisfied and Outcome are nil without a version.
type RequiredRule struct {
	Name, Title, Sentence string
	Satisfied             *bool
	Outcome               *Outcome
	Missing               []*MissingPiece
}

// MissingPiece is something that a rule misses.
type MissingPiece struct {
	What, Command string
	Owner         *db.Owner
}

// Required says what a version, or any version, of an application has to meet to get to a stage: the gates on the way, in the
// order in which they are asked, what guards each, and what is missing now. A version that is in the stage already, or beyond it,
// has nothing to meet; nor has one that does not exist for whoever asks.
//
// Faults: BAD_USER_INPUT at "toStage" when that is no stage of the lifecycle, FAILED_PRECONDITION when there is no lifecycle, or
// the version is in a stage that is not in it.
func (s *Service) Required(ctx context.Context, application string, version *string, toStage string) ([]*RequiredGate, error) {
	w, err := s.findWay(ctx, application, version, toStage)
	if err != nil || w == nil || len(w.legs) == 0 {
		return []*RequiredGate{}, err
	}
	sys := auth.System(ctx)
	sc, err := s.newScene(sys, w)
	if err != nil {
		return nil, err
	}
	b := &bench{scene: sc}
	if b.owners, err = s.ownersForNext(ctx, sc); err != nil {
		return nil, err
	}
	var said map[asked]*RuleResult
	if w.version != nil {
		if said, err = sc.now(sys); err != nil {
			return nil, err
		}
	}
	list := []*RequiredGate{}
	for _, l := range w.legs {
		for i := range l.guards {
			list = append(list, b.requiredGate(&l.guards[i], said))
		}
	}
	return list, nil
}

func (b *bench) requiredGate(g *guard, said map[asked]*RuleResult) *RequiredGate {
	out := &RequiredGate{Gate: &g.gate, Policies: []*RequiredPolicy{}}
	for _, p := range g.policies {
		required := &RequiredPolicy{Policy: p.Policy, Because: p.Because, Rules: []*RequiredRule{}}
		for _, rule := range p.Rules {
			r := &RequiredRule{
				Name: rule.Name, Title: rule.Edges.Template.Title, Sentence: b.s.policies.RuleSentence(rule), Missing: []*MissingPiece{},
			}
			if r.Title == "" {
				r.Title = rule.Edges.Template.Name
			}
			f := &finding{leg: g.leg, guard: g, policy: p.Policy, rule: rule}
			if said == nil {
				r.Missing = append(r.Missing, b.needs(f)...)
			} else {
				f.result = said[asked{g.gate, p.Policy.Name, rule.Name}]
				satisfied := f.result.Outcome.Satisfies()
				r.Outcome, r.Satisfied = &f.result.Outcome, &satisfied
				r.Missing = append(r.Missing, b.missing(f)...)
			}
			required.Rules = append(required.Rules, r)
		}
		out.Policies = append(out.Policies, required)
	}
	return out
}

// missing are the pieces that a rule misses of the version, as it says itself.
func (b *bench) missing(f *finding) []*MissingPiece {
	if f.result.Outcome.Satisfies() {
		return nil
	}
	var list []*MissingPiece
	for _, v := range f.open() {
		list = append(list, &MissingPiece{What: v.Message, Command: b.commandFor(f, v), Owner: b.ownerFor(v.Subject)})
	}
	switch {
	case f.result.Outcome == Faulted:
		list = append(list, &MissingPiece{What: "the rule could not be judged: " + *f.result.Error, Owner: b.ownerFor("")})
	case len(list) == 0:
		list = b.needs(f)
	}
	return list
}

// needs is what a rule needs of any version.
func (b *bench) needs(f *finding) []*MissingPiece {
	return []*MissingPiece{{What: b.needed(f.rule), Command: b.commandFor(f, nil), Owner: b.ownerFor("")}}
}
