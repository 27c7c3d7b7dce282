package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// Judgement is what the gates said about a version at one instant, and on which state of affairs. It is not recorded yet.
type Judgement struct {
	Evaluations []*Evaluation
	// EvidenceDigests name the evidence that the gates saw, sorted.
	EvidenceDigests []string
	// Generation is the policies' at the time: when it is another at commit, the judgement is stale.
	Generation int
	// Counting is how often evidence had ceased to count at the time: likewise.
	Counting int

	inputs [][]part
	// sub is what was judged on: waivers and freezes that are others at commit make the judgement stale, too.
	sub *subject
}

// Open tells whether every gate lets the version through.
func (j *Judgement) Open() bool {
	for _, e := range j.Evaluations {
		if !e.Open() {
			return false
		}
	}
	return true
}

// Faulted tells whether a gate could not be judged.
func (j *Judgement) Faulted() bool {
	for _, e := range j.Evaluations {
		if e.Decision == decisionError {
			return true
		}
	}
	return false
}

// Judge asks the gates about a version. Every gate is asked, also after the first no. What they say does not depend on
// who asks; whether whoever asks may know is for the caller to have checked.
func (s *Service) Judge(ctx context.Context, versionID int, gates []*db.Stage, kinds []gatepolicy.GateKind) (*Judgement, error) {
	ctx = auth.System(ctx)
	generation, err := s.policies.Generation(ctx, s.store.Read())
	if err != nil {
		return nil, err
	}
	counting, err := s.evidence.Counting(ctx, s.store.Read())
	if err != nil {
		return nil, err
	}
	at := s.now().UTC()
	sub, err := s.load(ctx, versionID, at)
	if err != nil {
		return nil, err
	}
	common, err := s.commonParts(ctx, sub, at)
	if err != nil {
		return nil, err
	}
	j := &Judgement{Generation: generation, Counting: counting, EvidenceDigests: digests(sub), sub: sub}
	for i, stage := range gates {
		g := Gate{Stage: stage.Name, Kind: kinds[i]}
		input, err := withGate(common, g, stage.Production)
		if err != nil {
			return nil, err
		}
		e, err := s.judgeGate(ctx, sub, g, at, input)
		if err != nil {
			return nil, fmt.Errorf("judge gate %s %s: %w", g.Stage, g.Kind, err)
		}
		j.Evaluations = append(j.Evaluations, e)
		j.inputs = append(j.inputs, input)
	}
	return j, nil
}

func (s *Service) judgeGate(ctx context.Context, sub *subject, g Gate, at time.Time, input []part) (*Evaluation, error) {
	app := sub.version.Edges.Application
	frozen, err := s.frozen(ctx, sub, at)
	if err != nil {
		return nil, err
	}
	applying, err := s.policies.Applying(ctx, s.store.Read(), policy.Subject{
		ProjectID: app.ProjectID, ApplicationID: app.ID, Criticality: string(app.Criticality), Labels: sub.labels,
	}, g.Stage, g.Kind)
	if err != nil {
		return nil, err
	}
	evalID := newEvalID(g.Kind)
	e := &Evaluation{
		EvalID: &evalID, Gate: &g, EvaluatedAt: at, InputDigest: inputDigest(input), CapabilitiesDigest: rego.CapabilitiesDigest(),
		Feeds: sub.known.Feeds, Waivers: sub.waivers, Policies: []*EvaluatedPolicy{}, results: []*RuleResult{},
	}
	applying = append(frozen, applying...)
	in, err := s.regoInput(ctx, input, applying)
	if err != nil {
		return nil, err
	}
	judged := map[int]*RuleResult{} // a rule that two policies share is evaluated once
	for _, a := range applying {
		p := &EvaluatedPolicy{Name: a.Policy.Name, Revision: a.Policy.Revision, Mode: a.Policy.Mode, Because: a.Because}
		e.Policies = append(e.Policies, p)
		for _, rule := range a.Rules {
			if judged[rule.ID] == nil {
				judged[rule.ID] = s.judgeRule(ctx, sub, rule, in)
			}
			result := judged[rule.ID].under(p)
			if a.Policy.Waivable {
				result.waive(e.Waivers)
			}
			p.Rules = append(p.Rules, result.Rule)
			e.results = append(e.results, result)
		}
	}
	e.Decision, e.Explanation = decide(g, e.Policies, e.results)
	return e, nil
}

// judgeRule never fails: what keeps a rule from being judged is its outcome, ERROR.
func (s *Service) judgeRule(ctx context.Context, sub *subject, rule *db.Rule, in rego.Input) *RuleResult {
	t := rule.Edges.Template
	r := &RuleResult{Rule: &EvaluatedRule{
		Name: rule.Name, Template: t.Name, TemplateRevision: t.Revision, TemplateDigest: t.Digest, Parameters: []byte(rule.Parameters),
	}}
	compiled, err := s.policies.Compiled(ctx, rule)
	if err != nil {
		return r.faulted(err)
	}
	return s.ask(ctx, sub, rule, compiled, in, r)
}

// ask evaluates a compiled rule, and writes into r what it says.
func (s *Service) ask(ctx context.Context, sub *subject, rule *db.Rule, compiled *rego.Policy, in rego.Input, r *RuleResult) *RuleResult {
	r.Rule.Query = compiled.Query()
	result, err := compiled.Evaluate(ctx, in, s.limits)
	if err != nil {
		return r.faulted(err)
	}
	raw := string(result.Raw)
	r.Result, r.Examined = &raw, result.Examined
	for _, v := range result.Violations {
		r.Violations = append(r.Violations, explain(sub, rule, v))
	}
	switch {
	case len(result.Examined) == 0:
		r.Outcome = NotEvidenced
	case len(result.Violations) > 0:
		r.Outcome = Violated
	default:
		r.Outcome = Pass
	}
	return r
}

// under is what a rule said as a policy's own: what is waived under one policy may be held against the version under another.
func (r *RuleResult) under(p *EvaluatedPolicy) *RuleResult {
	own := *r
	own.Policy, own.Violations = p, make([]*Violation, len(r.Violations))
	for i, v := range r.Violations {
		copied := *v
		own.Violations[i] = &copied
	}
	return &own
}

func (r *RuleResult) faulted(err error) *RuleResult {
	message := err.Error()
	r.Outcome, r.Error = Faulted, &message
	return r
}

// newEvalID names an evaluation, e.g. eval-release-1a2b3c4d5e6f7081: 64 random bits, so that none is met twice.
func newEvalID(kind gatepolicy.GateKind) string {
	name := map[gatepolicy.GateKind]string{
		gatepolicy.GateKindENTRY: "entry", gatepolicy.GateKindEXIT: "exit", gatepolicy.GateKindRELEASE: "release",
	}[kind]
	return "eval-" + name + "-" + id.Random(8)
}
