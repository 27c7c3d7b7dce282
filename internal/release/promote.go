package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/version"
)

// errStale says that what the gates judged on changed before the decision was recorded: they are asked again.
var errStale = errors.New("policies, lifecycle or draft changed while the gates were asked")

// maxJudgements is how often the gates are asked before a caller is told that the ground keeps moving.
const maxJudgements = 5

// move is one attempt to bring a version into a stage.
type move struct {
	kind     promotion.Kind
	version  *db.ApplicationVersion
	to       *db.Stage
	gateKind gatepolicy.GateKind // of the stage moved into
	actor    auth.Principal
	comment  string
}

// Promote moves a version into a stage of its lifecycle that is not the release stage, if the exit gate of the stage it
// is in and the entry gate of the target let it. Both are asked, also when the first says no.
func (s *Service) Promote(ctx context.Context, in PromoteApplicationVersionInput) (*Result, error) {
	comment, err := checkComment(in.Comment)
	if err != nil {
		return nil, err
	}
	return s.attempt(ctx, in.DryRun, func() (*move, error) {
		v, actor, err := s.find(ctx, "promoteApplicationVersion", in.ApplicationKey, in.Version)
		if err != nil {
			return nil, err
		}
		if err := notArchived(v); err != nil {
			return nil, err
		}
		to, err := s.target(ctx, v, in.ToStage)
		if err != nil {
			return nil, err
		}
		return &move{kind: promotion.KindPROMOTE, version: v, to: to, gateKind: gatepolicy.GateKindENTRY, actor: actor, comment: comment}, nil
	})
}

// Release moves a version into the release stage of its lifecycle, if the exit gate of the stage it is in and the release
// gate let it. When at least one policy guards the release gate and the gate's decision is PASS, it becomes a trusted
// release and is signed for.
func (s *Service) Release(ctx context.Context, in ReleaseApplicationVersionInput) (*Result, error) {
	comment, err := checkComment(in.Comment)
	if err != nil {
		return nil, err
	}
	return s.attempt(ctx, in.DryRun, func() (*move, error) {
		v, actor, err := s.find(ctx, "releaseApplicationVersion", in.ApplicationKey, in.Version)
		if err != nil {
			return nil, err
		}
		if err := notArchived(v); err != nil {
			return nil, err
		}
		stages, err := s.stages(ctx, v)
		if err != nil {
			return nil, err
		}
		to := stages[len(stages)-1]
		if err := inOrder(v, stages, to); err != nil {
			return nil, err
		}
		return &move{kind: promotion.KindRELEASE, version: v, to: to, gateKind: gatepolicy.GateKindRELEASE, actor: actor, comment: comment}, nil
	})
}

// attempt asks the gates and records what became of it. Find is called again when what the gates were asked on changed
// meanwhile.
func (s *Service) attempt(ctx context.Context, dryRun bool, find func() (*move, error)) (*Result, error) {
	for range maxJudgements {
		m, err := find()
		if err != nil {
			return nil, err
		}
		j, err := s.judge(ctx, m)
		if err != nil {
			return nil, err
		}
		if dryRun {
			for _, e := range j.Evaluations {
				e.EvalID = nil
			}
			return &Result{Version: m.version, Evaluations: j.Evaluations}, nil
		}
		p, err := s.record(ctx, m, j)
		if errors.Is(err, errStale) {
			continue
		}
		if err != nil {
			return nil, err
		}
		result, err := s.reload(ctx, p)
		if err != nil {
			return nil, err
		}
		result.Evaluations = j.Evaluations
		return result, nil
	}
	return nil, fault.New(fault.Conflict, "policies or the draft kept changing while the gates were asked: try again")
}

// judge asks the exit gate of the stage the version is in, if it is in one, and the gate of the target.
func (s *Service) judge(ctx context.Context, m *move) (*gate.Judgement, error) {
	stages, kinds := []*db.Stage{m.to}, []gatepolicy.GateKind{m.gateKind}
	if from := m.version.Edges.CurrentStage; from != nil {
		stages = slices.Insert(stages, 0, from)
		kinds = slices.Insert(kinds, 0, gatepolicy.GateKindEXIT)
	}
	return s.gates.Judge(ctx, m.version.ID, stages, kinds)
}

// record writes what became of a move: the record, the evaluations, the signed statements and the event, and moves the
// version when every gate is open. All of it is there, or none. A draft that moves is locked with the same stroke.
func (s *Service) record(ctx context.Context, m *move, j *gate.Judgement) (*db.Promotion, error) {
	status, result := outcome(j)
	var statements []signing.Signed
	var lock *version.Lock
	trust := applicationversion.TrustPRE_RELEASE
	if status == promotion.StatusCOMPLETED {
		trust = earned(m, j)
		var err error
		if statements, err = s.sign(ctx, m, j, trust); err != nil {
			return nil, err
		}
		if lock, err = s.lock(ctx, m.version); err != nil {
			return nil, err
		}
	}
	var p *db.Promotion
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		if err := s.unchanged(ctx, tx, m, j); err != nil {
			return err
		}
		if err := s.place(ctx, tx, m, status, trust, lock); err != nil {
			return err
		}
		var err error
		create := tx.Promotion.Create().SetKind(m.kind).SetStatus(status).SetComment(m.comment).SetAt(s.now().UTC()).
			SetProjectID(m.version.ProjectID).SetVersionID(m.version.ID).SetToStageID(m.to.ID).SetActorID(m.actor.ID).
			SetNillableFromStageID(m.version.StageID)
		if p, err = create.Save(ctx); err != nil {
			return fmt.Errorf("write promotion: %w", err)
		}
		if err := s.gates.Record(ctx, tx, p, j); err != nil {
			return err
		}
		if err := s.signing.Record(ctx, tx, m.version, p, statements...); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, happened(m, j, result, trust, statements))
	})
	return p, err
}

// place moves the version when the attempt was successful, and locks it if it was a draft; otherwise it makes sure that the
// version is where the gates saw it.
func (s *Service) place(ctx context.Context, tx *db.Client, m *move, status promotion.Status, trust applicationversion.Trust, lock *version.Lock) error {
	if status != promotion.StatusCOMPLETED {
		return s.unmoved(ctx, tx, m.version)
	}
	var inherited string
	if lock != nil {
		var err error
		if inherited, err = lock.Inherit(ctx, tx); err != nil {
			return err
		}
	}
	err := s.claim(ctx, tx, m.version, func(u *db.ApplicationVersionUpdate) {
		u.SetStageID(m.to.ID).SetTrust(trust).Where(applicationversion.ArchivedAtIsNil())
		if trust == applicationversion.TrustTRUSTED_RELEASE {
			u.SetStanding(applicationversion.StandingGOOD)
		}
		if lock != nil {
			lock.Set(u, inherited)
		}
	})
	if err != nil || lock == nil {
		return err
	}
	return lock.Record(ctx, tx, s.signing, s.log)
}

// lock signs the manifest of a draft, because its first promotion locks it; nil for a version that is locked.
func (s *Service) lock(ctx context.Context, v *db.ApplicationVersion) (*version.Lock, error) {
	if v.Status == applicationversion.StatusLOCKED {
		return nil, nil
	}
	contents, err := s.contents(ctx, v)
	if err != nil {
		return nil, err
	}
	return version.SignLock(ctx, s.signing, v, contents, s.now().UTC())
}

// outcome says how an attempt ends: what a gate could not judge is not the same as what it refused.
func outcome(j *gate.Judgement) (promotion.Status, activityResult) {
	switch {
	case j.Open():
		return promotion.StatusCOMPLETED, activity.Success
	case slices.ContainsFunc(j.Evaluations, func(e *gate.Evaluation) bool { return e.Decision == evaluation.DecisionFAIL }):
		return promotion.StatusBLOCKED, activity.Blocked
	default:
		return promotion.StatusFAILED, activity.Failed
	}
}

// earned is the trust that a completed move brings.
func earned(m *move, j *gate.Judgement) applicationversion.Trust {
	if m.kind != promotion.KindRELEASE {
		return applicationversion.TrustPRE_RELEASE
	}
	release := j.Evaluations[len(j.Evaluations)-1]
	if len(release.Policies) > 0 && release.Decision == evaluation.DecisionPASS {
		return applicationversion.TrustTRUSTED_RELEASE
	}
	return applicationversion.TrustRELEASED
}

// unchanged checks, inside the transaction, that policies and lifecycle are still those that the gates were asked on.
func (s *Service) unchanged(ctx context.Context, tx *db.Client, m *move, j *gate.Judgement) error {
	stale, err := s.gates.Stale(ctx, tx, j)
	if err != nil {
		return err
	}
	before := m.version.Edges.Application.Edges.Lifecycle
	now, err := catalog.HoldLifecycle(ctx, tx, before.ID)
	if err != nil {
		return err
	}
	if stale || now.Revision != before.Revision {
		return errStale
	}
	return nil
}

// target finds the stage to promote into.
func (s *Service) target(ctx context.Context, v *db.ApplicationVersion, name string) (*db.Stage, error) {
	stages, err := s.stages(ctx, v)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(stages, func(st *db.Stage) bool { return st.Name == name })
	if i < 0 {
		return nil, fault.At("input.toStage", "%q is not a stage of the lifecycle: %s", name, names(stages))
	}
	if stages[i].Category == stage.CategoryRELEASE {
		return nil, fault.New(fault.FailedPrecondition, "%s is the release stage: use releaseApplicationVersion", name).With("path", "input.toStage")
	}
	return stages[i], inOrder(v, stages, stages[i])
}

// inOrder refuses a move to where the version is already, and, where the lifecycle says so, one that skips a stage.
func inOrder(v *db.ApplicationVersion, stages []*db.Stage, to *db.Stage) error {
	app := v.Edges.Application
	at := -1
	if from := v.Edges.CurrentStage; from != nil {
		if from.ID == to.ID {
			return moved(app.Key, v.Version, from)
		}
		if at = slices.IndexFunc(stages, func(st *db.Stage) bool { return st.ID == from.ID }); at < 0 {
			return fault.New(fault.FailedPrecondition, "version %s of %s is in %s, which is not in its lifecycle: %s", v.Version, app.Key, from.Name, names(stages))
		}
	}
	if !app.Edges.Lifecycle.EnforceOrder {
		return nil
	}
	if at == len(stages)-1 {
		return fault.New(fault.FailedPrecondition, "version %s of %s is released: roll it back to move it", v.Version, app.Key)
	}
	if next := stages[at+1]; next.ID != to.ID {
		return fault.New(fault.FailedPrecondition, "stages are passed in order: after %s comes %s, not %s",
			position(v.Edges.CurrentStage), next.Name, to.Name).With("nextStage", next.Name)
	}
	return nil
}

func position(s *db.Stage) string {
	if s == nil {
		return "the report"
	}
	return s.Name
}

func names(stages []*db.Stage) string {
	list := make([]string, len(stages))
	for i, s := range stages {
		list[i] = s.Name
	}
	return strings.Join(list, " → ")
}
