package release

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/logcheckpoint"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/signing"
)

type activityResult = activityevent.Result

// TrustedLevel is the level that a SLSA Verification Summary of a trusted release states.
const TrustedLevel = "PLIMSOLL_TRUSTED_RELEASE"

// ResourceURI is what SLSA Verification Summaries call a version.
func ResourceURI(app, version string) string { return "plimsoll://" + app + "/" + version }

// releasePredicate is our own predicate, of promotions and releases: what was decided, on what.
type releasePredicate struct {
	Application    applicationContext `json:"application"`
	Version        string             `json:"version"`
	ManifestDigest string             `json:"manifestDigest"`
	FromStage      *string            `json:"fromStage"`
	ToStage        string             `json:"toStage"`
	DecidedAt      string             `json:"decidedAt"`
	Trust          string             `json:"trust"`
	Gates          []gateSummary      `json:"gates"`
	Evidence       []string           `json:"evidence"`
	// Waivers are those that covered something at one of the gates, or at one that the version came through before.
	Waivers []waiverSummary `json:"waivers"`
	// LogCheckpoint is the newest checkpoint of the log before the decision; empty when there is none yet.
	LogCheckpoint string `json:"logCheckpoint"`
}

// waiverSummary is a waiver as it stood when the gates were asked. What it does not name is not there.
type waiverSummary struct {
	ID            string `json:"id"`
	Policy        string `json:"policy,omitempty"`
	Rule          string `json:"rule,omitempty"`
	Code          string `json:"code,omitempty"`
	Subject       string `json:"subject,omitempty"`
	Vulnerability string `json:"vulnerability,omitempty"`
	Package       string `json:"package,omitempty"`
	ExpiresAt     string `json:"expiresAt"`
}

type applicationContext struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Project     string `json:"project"`
	Criticality string `json:"criticality"`
	Maturity    string `json:"maturity"`
}

type gateSummary struct {
	Stage        string          `json:"stage"`
	Kind         string          `json:"kind"`
	EvalID       string          `json:"evalId"`
	Decision     string          `json:"decision"`
	InputDigest  string          `json:"inputDigest"`
	Capabilities string          `json:"capabilitiesDigest"`
	Policies     []policySummary `json:"policies"`
}

type policySummary struct {
	Name     string        `json:"name"`
	Revision int           `json:"revision"`
	Mode     string        `json:"mode"`
	Rules    []ruleSummary `json:"rules"`
}

type ruleSummary struct {
	Name             string `json:"name"`
	TemplateDigest   string `json:"templateDigest"`
	ParametersDigest string `json:"parametersDigest"`
}

// sign makes the statements that a completed move leaves: a trusted release is signed as a SLSA Verification Summary and
// with our own predicate, every other move with the latter alone.
func (s *Service) sign(ctx context.Context, m *move, j *gate.Judgement, trust applicationversion.Trust) ([]signing.Signed, error) {
	subjects, err := s.subjects(ctx, m.version)
	if err != nil {
		return nil, err
	}
	own := summarise(m, j, trust)
	if own.LogCheckpoint, err = s.logCheckpoint(ctx); err != nil {
		return nil, err
	}
	if trust != applicationversion.TrustTRUSTED_RELEASE {
		signed, err := s.signing.Sign(ctx, subjects, attest.PredicatePromotion, own)
		return []signing.Signed{signed}, err
	}
	summary, err := s.verificationSummary(m, own, j.Evaluations[0].EvaluatedAt).Statement(subjects)
	if err != nil {
		return nil, fmt.Errorf("make verification summary: %w", err)
	}
	vsa, err := s.signing.SignStatement(ctx, summary)
	if err != nil {
		return nil, err
	}
	signed, err := s.signing.Sign(ctx, subjects, attest.PredicateRelease, own)
	return []signing.Signed{vsa, signed}, err
}

// logCheckpoint returns the newest checkpoint of the log, a signed note: whatever is in its tree happened before.
func (s *Service) logCheckpoint(ctx context.Context) (string, error) {
	newest, err := s.store.Read().LogCheckpoint.Query().Order(db.Desc(logcheckpoint.FieldSize)).First(auth.System(ctx))
	if db.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("load the newest checkpoint of the log: %w", err)
	}
	return newest.Note, nil
}

func (s *Service) subjects(ctx context.Context, v *db.ApplicationVersion) ([]attest.Subject, error) {
	contents, err := s.contents(ctx, v)
	if err != nil {
		return nil, err
	}
	return signing.VersionSubjects(v.Edges.Application.Key, v.Version, v.ManifestDigest, contents)
}

// contents are what in a version has a digest.
func (s *Service) contents(ctx context.Context, v *db.ApplicationVersion) ([]*db.Releasable, error) {
	contents, err := s.store.Read().Releasable.Query().
		Where(releasable.VersionID(v.ID), releasable.DigestNotNil()).Order(releasable.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load contents of version %d: %w", v.ID, err)
	}
	return contents, nil
}

// verificationSummary says, in SLSA's words, that the version passed the policies of the release gate.
func (s *Service) verificationSummary(m *move, own releasePredicate, at time.Time) attest.VSA {
	release := own.Gates[len(own.Gates)-1]
	policies, _ := canonical.JSON(release.Policies) // plain strings and numbers marshal
	return attest.VSA{
		Verifier:     s.verifier,
		TimeVerified: at,
		ResourceURI:  ResourceURI(m.version.Edges.Application.Key, m.version.Version),
		Policy: attest.Resource{
			URI:    "plimsoll://gates/" + release.Stage + "/" + strings.ToLower(release.Kind),
			Digest: map[string]string{"sha256": strings.TrimPrefix(canonical.Digest(policies), "sha256:")},
		},
		InputAttestations: resources(own.Evidence),
		Result:            attest.Passed,
		VerifiedLevels:    []string{TrustedLevel},
		SLSAVersion:       "1.1",
	}
}

func resources(digests []string) []attest.Resource {
	out := make([]attest.Resource, len(digests))
	for i, d := range digests {
		out[i] = attest.Resource{Digest: map[string]string{"sha256": strings.TrimPrefix(d, "sha256:")}}
	}
	return out
}

func summarise(m *move, j *gate.Judgement, trust applicationversion.Trust) releasePredicate {
	v := m.version
	app := v.Edges.Application
	p := releasePredicate{
		Application: applicationContext{
			Key: app.Key, Name: app.Name, Project: v.Edges.Project.Key, Criticality: string(app.Criticality), Maturity: string(app.Maturity),
		},
		Version: v.Version, ManifestDigest: v.ManifestDigest, ToStage: m.to.Name, Trust: string(trust),
		DecidedAt: j.Evaluations[0].EvaluatedAt.Format(time.RFC3339Nano), Evidence: j.EvidenceDigests, Waivers: summariseWaivers(j.Waivers()),
	}
	if from := v.Edges.CurrentStage; from != nil {
		p.FromStage = &from.Name
	}
	for _, e := range j.Evaluations {
		p.Gates = append(p.Gates, summariseGate(e))
	}
	return p
}

func summariseWaivers(list []*gate.EvaluatedWaiver) []waiverSummary {
	out := make([]waiverSummary, len(list))
	for i, w := range list {
		out[i] = waiverSummary{
			ID: id.Global("Waiver", w.ID), Policy: w.Policy, Rule: w.Rule, Code: w.Code, Subject: w.Subject, Package: w.Package,
			ExpiresAt: w.ExpiresAt.Format(time.RFC3339Nano),
		}
		if len(w.Vulnerabilities) > 0 {
			out[i].Vulnerability = w.Vulnerabilities[0]
		}
	}
	return out
}

func summariseGate(e *gate.Evaluation) gateSummary {
	g := gateSummary{
		Stage: e.Gate.Stage, Kind: string(e.Gate.Kind), EvalID: *e.EvalID, Decision: string(e.Decision),
		InputDigest: e.InputDigest, Capabilities: e.CapabilitiesDigest, Policies: []policySummary{},
	}
	for _, p := range e.Policies {
		ps := policySummary{Name: p.Name, Revision: p.Revision, Mode: string(p.Mode)}
		for _, r := range p.Rules {
			ps.Rules = append(ps.Rules, ruleSummary{Name: r.Name, TemplateDigest: r.TemplateDigest, ParametersDigest: canonical.Digest(r.Parameters)})
		}
		g.Policies = append(g.Policies, ps)
	}
	return g
}

// happened is the event of an attempt.
func happened(m *move, j *gate.Judgement, result activityResult, trust applicationversion.Trust, statements []signing.Signed) activity.Event {
	v := m.version
	name := v.Edges.Application.Key + "@" + v.Version
	e := activity.Event{
		Type: activity.VersionPromoted, Result: result, Project: v.Edges.Project, Application: v.Edges.Application.Key, Subject: name,
	}
	did, meant := "was promoted to", "was not promoted to"
	if m.kind == promotion.KindRELEASE {
		e.Type, did, meant = activity.VersionReleased, "was released to", "was not released to"
	}
	if result == activity.Success {
		e.Summary = fmt.Sprintf("%s %s %s", name, did, m.to.Name)
		from := activity.Change{Field: "stage", To: activity.Text(m.to.Name)}
		if v.Edges.CurrentStage != nil {
			from.From = activity.Text(v.Edges.CurrentStage.Name)
		}
		e.Changes = append(e.Changes, from)
		if m.kind == promotion.KindRELEASE {
			e.Changes = append(e.Changes, activity.Changed("trust", string(v.Trust), string(trust)))
		}
	} else {
		e.Summary = fmt.Sprintf("%s %s %s: a gate is closed", name, meant, m.to.Name)
	}
	for _, ev := range j.Evaluations {
		e.Changes = append(e.Changes, activity.Added(
			fmt.Sprintf("gate %s %s", ev.Gate.Stage, ev.Gate.Kind), activity.Text(fmt.Sprintf("%s (%s)", ev.Decision, *ev.EvalID))))
	}
	e.Changes = append(e.Changes, signing.Changes(statements)...)
	return e
}
