package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// InputSchema names the layout of policy inputs; see docs/policy-input.md.
const InputSchema = "plimsoll.policy-input/v1"

// subject is everything the gates of one version are judged on, read in one go.
type subject struct {
	version  *db.ApplicationVersion
	owners   []*db.Owner
	labels   []labels.Label
	evidence []evidence.GateEvidence
	indexes  []evidence.IndexEvidence
	contents []content
	history  []historyEntry
	// known is which vulnerabilities are in the version, and from where that is known.
	known *vulnerability.GateView
	// waivers are in force for the version, freezes cover its application and are not over, both by row.
	waivers []*EvaluatedWaiver
	// earlier covered something when the version came where it is.
	earlier []*EvaluatedWaiver
	freezes []*db.Freeze
	// approvals are what people said of it, author is who made it.
	approvals []approval.Said
	author    approval.Person
}

// name is what a version is called among others.
func (sub *subject) name() string {
	return sub.version.Edges.Application.Key + "@" + sub.version.Version
}

// load reads the subject as it is to be judged at an instant. Ctx is the system's: what a gate says must not depend on who asks.
func (s *Service) load(ctx context.Context, versionID int, at time.Time) (*subject, error) {
	v, err := s.store.Read().ApplicationVersion.Query().Where(applicationversion.ID(versionID)).
		WithApplication(func(q *db.ApplicationQuery) {
			// In one order everywhere, so that the same state of affairs has one digest.
			q.WithProject().WithLabels(func(l *db.LabelQuery) { l.Order(label.ByKey(), label.ByValue()) }).
				WithOwnerships(func(o *db.OwnershipQuery) { o.Where(ownership.UntilIsNil()).Order(ownership.ByOwnerID()).WithOwner() })
		}).WithCurrentStage().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load version %d: %w", versionID, err)
	}
	sub := &subject{version: v, labels: []labels.Label{}}
	for _, l := range v.Edges.Application.Edges.Labels {
		sub.labels = append(sub.labels, labels.Label{Key: l.Key, Value: l.Value})
	}
	for _, o := range v.Edges.Application.Edges.Ownerships {
		sub.owners = append(sub.owners, o.Edges.Owner)
	}
	if sub.contents, err = s.contents(ctx, v); err != nil {
		return nil, err
	}
	if sub.history, err = s.history(ctx, v); err != nil {
		return nil, err
	}
	if sub.evidence, err = s.evidence.ForGate(ctx, v); err != nil {
		return nil, fmt.Errorf("load evidence of version %d: %w", versionID, err)
	}
	if sub.indexes, err = s.evidence.IndexesForGate(ctx, v); err != nil {
		return nil, fmt.Errorf("load evidence of image indexes of version %d: %w", versionID, err)
	}
	if sub.known, err = s.vulnerabilities.ForGate(ctx, v, at); err != nil {
		return nil, fmt.Errorf("load vulnerabilities of version %d: %w", versionID, err)
	}
	return sub, s.loadDecided(ctx, sub, at)
}

// loadDecided reads what people decided for the version: waivers, freezes, approvals.
func (s *Service) loadDecided(ctx context.Context, sub *subject, at time.Time) error {
	waivers, err := s.waivers.InForce(ctx, s.store.Read(), sub.version, at)
	if err != nil {
		return err
	}
	if sub.earlier, err = s.earlier(ctx, sub.version.ID); err != nil {
		return err
	}
	if sub.waivers, err = s.evaluated(ctx, waivers); err != nil {
		return err
	}
	if sub.freezes, err = s.freezes.Covering(ctx, s.store.Read(), sub.version.Edges.Application, sub.labels, at); err != nil {
		return err
	}
	sub.approvals, sub.author, err = s.approvals.ForGate(ctx, sub.version)
	return err
}

type content struct {
	Name              string  `json:"name"`
	PURL              *string `json:"purl"`
	Digest            *string `json:"digest"`
	Kind              string  `json:"kind"`
	ConnectionLevel   string  `json:"connection_level"`
	OwningApplication *string `json:"owning_application"`
}

func (s *Service) contents(ctx context.Context, v *db.ApplicationVersion) ([]content, error) {
	rows, err := s.store.Read().Releasable.Query().Where(releasable.VersionID(v.ID)).Order(releasable.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load contents of version %d: %w", v.ID, err)
	}
	claims := make([]version.Claim, len(rows))
	for i, r := range rows {
		claims[i] = version.ClaimOf(r)
	}
	owning, err := version.OwnersOfParts(ctx, s.store.Read(), claims)
	if err != nil {
		return nil, err
	}
	out := make([]content, len(rows))
	for i, r := range rows {
		app := owning[claims[i]]
		out[i] = content{
			Name: r.Name, PURL: r.Purl, Digest: r.Digest, Kind: string(r.Kind),
			ConnectionLevel: string(version.LevelOf(v.ApplicationID, app)),
		}
		if app != nil {
			out[i].OwningApplication = &app.Key
		}
	}
	return out, nil
}

type historyEntry struct {
	Kind      promotion.Kind   `json:"kind"`
	Status    promotion.Status `json:"status"`
	FromStage *string          `json:"from_stage"`
	ToStage   *string          `json:"to_stage"`
	At        string           `json:"at"`
	Undone    bool             `json:"undone"`
	Gates     []historyGate    `json:"gates"`
}

type historyGate struct {
	Stage    string              `json:"stage"`
	Kind     string              `json:"kind"`
	Decision evaluation.Decision `json:"decision"`
	EvalID   string              `json:"eval_id"`
}

// maxHistory bounds how many attempts a rule sees: the newest. A version that was refused a thousand times does not
// make its next gate slower.
const maxHistory = 200

func (s *Service) history(ctx context.Context, v *db.ApplicationVersion) ([]historyEntry, error) {
	rows, err := s.store.Read().Promotion.Query().Where(promotion.VersionID(v.ID)).
		WithFromStage().WithToStage().WithUndoneBy().
		WithEvaluations(func(q *db.EvaluationQuery) {
			q.Select(evaluation.FieldStageName, evaluation.FieldGateKind, evaluation.FieldDecision, evaluation.FieldEvalID, evaluation.FieldPromotionID).Order(evaluation.ByID())
		}).Order(db.Desc(promotion.FieldID)).Limit(maxHistory).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load history of version %d: %w", v.ID, err)
	}
	out := make([]historyEntry, 0, len(rows))
	for _, p := range slices.Backward(rows) {
		entry := historyEntry{
			Kind: p.Kind, Status: p.Status, FromStage: stageName(p.Edges.FromStage), ToStage: stageName(p.Edges.ToStage),
			At: instant(p.At), Undone: p.Edges.UndoneBy != nil, Gates: []historyGate{},
		}
		for _, e := range p.Edges.Evaluations {
			entry.Gates = append(entry.Gates, historyGate{Stage: e.StageName, Kind: string(e.GateKind), Decision: e.Decision, EvalID: e.EvalID})
		}
		out = append(out, entry)
	}
	return out, nil
}

type applicationPart struct {
	Key         string              `json:"key"`
	Name        string              `json:"name"`
	Project     string              `json:"project"`
	Criticality string              `json:"criticality"`
	Maturity    string              `json:"maturity"`
	Labels      map[string][]string `json:"labels"`
	Owners      []ownerRef          `json:"owners"`
}

// ownerRef names an owner by pseudonym: the reference for a team, "person:…" for a person.
type ownerRef struct {
	Ref string `json:"ref"`
}

func (sub *subject) applicationPart() applicationPart {
	app := sub.version.Edges.Application
	return applicationPart{
		Key: app.Key, Name: app.Name, Project: app.Edges.Project.Key, Criticality: string(app.Criticality),
		Maturity: string(app.Maturity), Labels: labels.Map(sub.labels), Owners: refs(sub.owners),
	}
}

type versionPart struct {
	Version        string         `json:"version"`
	Tag            *string        `json:"tag"`
	ManifestDigest string         `json:"manifest_digest"`
	CreatedAt      string         `json:"created_at"`
	CreatedBy      string         `json:"created_by"`
	CurrentStage   *string        `json:"current_stage"`
	Inherited      inheritedPart  `json:"inherited"`
	History        []historyEntry `json:"history"`
}

type inheritedPart struct {
	Criticality string              `json:"criticality"`
	Maturity    string              `json:"maturity"`
	Labels      map[string][]string `json:"labels"`
	Owners      []ownerRef          `json:"owners"`
}

func (s *Service) versionPart(ctx context.Context, sub *subject) (versionPart, error) {
	v := sub.version
	in, err := version.InheritedBy(v)
	if err != nil {
		return versionPart{}, err
	}
	owners, err := s.store.Read().Owner.Query().Where(owner.IDIn(in.Owners...)).Order(owner.ByID()).All(ctx)
	if err != nil {
		return versionPart{}, fmt.Errorf("load inherited owners: %w", err)
	}
	return versionPart{
		Version: v.Version, Tag: known(v.Tag), ManifestDigest: v.ManifestDigest, CreatedAt: instant(v.CreatedAt), CreatedBy: sub.author.Pseudonym,
		CurrentStage: stageName(v.Edges.CurrentStage), History: sub.history,
		Inherited: inheritedPart{
			Criticality: string(in.Criticality), Maturity: string(in.Maturity), Labels: labels.Map(in.Labels), Owners: refs(owners),
		},
	}, nil
}

func refs(owners []*db.Owner) []ownerRef {
	out := make([]ownerRef, len(owners))
	for i, o := range owners {
		out[i] = ownerRef{o.Pseudonym}
	}
	return out
}

func stageName(s *db.Stage) *string {
	if s == nil {
		return nil
	}
	return &s.Name
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
