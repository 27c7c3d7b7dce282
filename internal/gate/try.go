package gate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	entrule "github.com/plimsoll/plimsoll/ent/db/rule"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// TryPolicyInput is a rule to try, and what to try it on.
type TryPolicyInput struct {
	Rego           *string
	Parameters     json.RawMessage
	Rule           *string
	ApplicationKey *string
	Version        *string
	Gate           *policy.GateInput
	EvalID         *string
}

// PolicyTrial is what a rule said when it was tried.
type PolicyTrial struct {
	Outcome     Outcome
	Examined    []string
	Violations  []*Violation
	Error       *string
	Result      *string
	InputDigest string
}

// TryPolicy asks a rule about a version as it is, or about the input of a recorded decision; nothing is written. The rule is one
// that is there, or Rego that is not there yet. Whoever sees the version may ask. Rego of one's own can say all that is in the
// input: whoever tries one must see every application that the input names, as for reading it. Trials take turns, and each has
// the bounds of a rule.
//
// Faults: BAD_USER_INPUT for neither or both of what excludes each other, and at "input.rego", with its problems; NOT_FOUND for
// what does not exist for the caller; FORBIDDEN when the input names applications out of reach.
func (s *Service) TryPolicy(ctx context.Context, in TryPolicyInput) (*PolicyTrial, error) {
	if _, err := auth.From(ctx); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	t, err := s.triedRule(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.EvalID != nil {
		err = s.onRecorded(ctx, *in.EvalID, t)
	} else {
		err = s.onVersion(ctx, in, t)
	}
	if err != nil {
		return nil, err
	}
	leave, err := s.policies.TakeTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r := s.ask(ctx, t.sub, t.rule, t.compiled, t.input, &RuleResult{Rule: &EvaluatedRule{Name: t.rule.Name}})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("try policy: %w", err)
	}
	return &PolicyTrial{
		Outcome: r.Outcome, Examined: append([]string{}, r.Examined...), Violations: append([]*Violation{}, r.Violations...),
		Error: r.Error, Result: r.Result, InputDigest: t.inputDigest,
	}, nil
}

// check refuses what excludes each other, and what says nothing.
func (in TryPolicyInput) check() error {
	switch {
	case (in.Rego == nil) == (in.Rule == nil):
		return fault.At("input", "give either rego or rule: what to try")
	case in.Rule != nil && in.Parameters != nil:
		return fault.At("input.parameters", "a rule that is there has its parameters; leave them out, or give rego")
	case (in.EvalID == nil) == (in.ApplicationKey == nil && in.Version == nil && in.Gate == nil):
		return fault.At("input", "give either evalId, or applicationKey, version and gate: what to try it on")
	case in.EvalID != nil:
		return nil
	case in.ApplicationKey == nil:
		return fault.At("input.applicationKey", "say which application the version is of")
	case in.Version == nil:
		return fault.At("input.version", "say which version")
	case in.Gate == nil:
		return fault.At("input.gate", "say which gate is asked: a rule may look at it")
	}
	return nil
}

// trial is a rule with what it is asked about.
type trial struct {
	rule     *db.Rule
	compiled *rego.Policy
	// own tells that the Rego is of whoever asks.
	own bool

	sub         *subject
	input       rego.Input
	inputDigest string
}

// triedRule finds or compiles what is tried.
func (s *Service) triedRule(ctx context.Context, in TryPolicyInput) (*trial, error) {
	if in.Rule != nil {
		rule, err := s.store.Read().Rule.Query().Where(entrule.Name(*in.Rule)).WithTemplate().Only(ctx)
		if db.IsNotFound(err) {
			return nil, notThere("input.rule", "rule %q", *in.Rule)
		}
		if err != nil {
			return nil, fmt.Errorf("load rule: %w", err)
		}
		compiled, err := s.policies.Compiled(ctx, rule)
		return &trial{rule: rule, compiled: compiled}, err
	}
	parameters := in.Parameters
	if parameters == nil {
		parameters = json.RawMessage(`{}`)
	}
	compiled, info, err := s.policies.Draft(ctx, *in.Rego, parameters)
	if err != nil {
		return nil, err
	}
	rule := &db.Rule{Name: "draft", Parameters: string(parameters)}
	rule.Edges.Template = &db.PolicyTemplate{Name: "draft", Remediation: info.Remediation}
	return &trial{rule: rule, compiled: compiled, own: true}, nil
}

// onVersion makes the input of a version as it is, as a gate does.
func (s *Service) onVersion(ctx context.Context, in TryPolicyInput, t *trial) error {
	v, err := s.store.Read().ApplicationVersion.Query().
		Where(applicationversion.Version(*in.Version), applicationversion.HasApplicationWith(application.Key(*in.ApplicationKey))).
		WithApplication().Only(ctx)
	if db.IsNotFound(err) {
		return notThere("input.version", "version %q of an application %q", *in.Version, *in.ApplicationKey)
	}
	if err != nil {
		return fmt.Errorf("load version: %w", err)
	}
	at, err := s.stageCalled(ctx, in.Gate, v.Edges.Application.ProjectID)
	if err != nil {
		return err
	}
	// With the service's own eyes, as a gate.
	system, now := auth.System(ctx), s.now().UTC()
	if t.sub, err = s.load(system, v.ID, now); err != nil {
		return err
	}
	common, err := s.commonParts(system, t.sub, now)
	if err != nil {
		return err
	}
	parts, err := withGate(common, Gate{Stage: at.Name, Kind: in.Gate.Kind}, at.Production)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if t.own && p.key == "contents" {
			if err := s.mayRead(ctx, p.bytes); err != nil {
				return err
			}
		}
	}
	t.inputDigest = inputDigest(parts)
	t.input, err = parsed(parts, func(string) bool { return true })
	return err
}

// stageCalled finds the stage whose gate is asked: the project's own before one of the organisation.
func (s *Service) stageCalled(ctx context.Context, g *policy.GateInput, projectID int) (*db.Stage, error) {
	if err := gatepolicy.GateKindValidator(g.Kind); err != nil {
		return nil, fault.At("input.gate.kind", "it is none of the values that are allowed here")
	}
	found, err := s.store.Read().Stage.Query().
		Where(stage.Name(g.Stage), stage.Or(stage.ProjectID(projectID), stage.ProjectIDIsNil())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load stage: %w", err)
	}
	if len(found) == 0 {
		return nil, notThere("input.gate.stage", "stage %q", g.Stage)
	}
	for _, st := range found {
		if st.ProjectID != nil {
			return st, nil
		}
	}
	return found[0], nil
}

// onRecorded takes the input that a decision was made on, byte for byte.
func (s *Service) onRecorded(ctx context.Context, evalID string, t *trial) error {
	e, err := s.Evaluation(ctx, evalID)
	if err != nil {
		return err
	}
	if e == nil {
		return notThere("input.evalId", "evaluation %q", evalID)
	}
	text, err := s.Input(ctx, e)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(*text), &members); err != nil {
		return fmt.Errorf("read input of evaluation %s: %w", evalID, err)
	}
	values := make(map[string]rego.Value, len(members))
	for key, member := range members {
		if values[key], err = rego.ParseValue(member); err != nil {
			return fmt.Errorf("read input of evaluation %s: %w", evalID, err)
		}
	}
	t.input, t.inputDigest = rego.NewInput(values), e.InputDigest
	t.sub, err = s.answering(ctx, e.row.VersionID)
	return err
}

// answering is the little of a subject that explaining a violation takes: the version's names, and who answers for it now.
func (s *Service) answering(ctx context.Context, versionID int) (*subject, error) {
	v, err := s.store.Read().ApplicationVersion.Query().Where(applicationversion.ID(versionID)).
		WithApplication(func(q *db.ApplicationQuery) {
			q.WithOwnerships(func(o *db.OwnershipQuery) { o.Where(ownership.UntilIsNil()).Order(ownership.ByOwnerID()).WithOwner() })
		}).Only(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load version %d: %w", versionID, err)
	}
	sub := &subject{version: v}
	for _, o := range v.Edges.Application.Edges.Ownerships {
		sub.owners = append(sub.owners, o.Edges.Owner)
	}
	return sub, nil
}

func notThere(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.NotFound, Path: path, Message: "there is no " + fmt.Sprintf(format, args...)}
}
