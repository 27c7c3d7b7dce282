package issuance

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/replay"
)

// gathering is a passport while it is gathered.
type gathering struct {
	s          *Service
	version    *db.ApplicationVersion
	statements []statement
	files      map[string]file
	page       passport.Page
}

// add adds a file; the same one twice is one.
func (g *gathering) add(f file) { g.files[f.Path] = f }

// everything gathers all files. Each kind is read with a few statements of SQL, however many there are.
func (g *gathering) everything(ctx context.Context) error {
	g.page.Index = g.about()
	for _, part := range []func(context.Context) error{
		g.readStatements,
		func(context.Context) error { g.addStatements(); return nil },
		g.addEvidence, g.addDecisions,
		g.addLog, // later than the statements, so that its checkpoint holds them
		g.addParts, g.addGuide,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	g.add(text("manifest.json", passport.KindManifest, []byte(g.version.Manifest)))
	g.describe()
	var page bytes.Buffer
	if err := g.page.Write(&page); err != nil {
		return err
	}
	g.add(text("index.html", passport.KindGuide, page.Bytes()))
	return nil
}

func (g *gathering) about() passport.Index {
	if g.page.MadeAt == "" {
		g.page.MadeAt = instant(g.s.now())
	}
	v := g.version
	return passport.Index{
		Schema: passport.Schema, Application: v.Edges.Application.Key, Version: v.Version, ManifestDigest: v.ManifestDigest,
		MadeAt: g.page.MadeAt, VerifierID: g.s.verifier,
	}
}

func (g *gathering) addGuide(context.Context) error {
	files, err := passport.Guide()
	if err != nil {
		return err
	}
	for name, content := range files {
		g.add(text(name, passport.KindGuide, content))
	}
	return nil
}

// addDecisions lays out every decision that the statements name.
func (g *gathering) addDecisions(ctx context.Context) error {
	ids := named(g.statements, func(st statement) []string {
		list := make([]string, len(st.predicate.Gates))
		for i, gt := range st.predicate.Gates {
			list[i] = gt.EvalID
		}
		return list
	})
	found, err := g.s.gates.Whole(ctx, ids)
	if err != nil {
		return err
	}
	if len(found) != len(ids) {
		return fmt.Errorf("of %d decisions that the statements name, %d are there", len(ids), len(found))
	}
	for _, w := range found {
		d := decision(w)
		files, err := d.Files()
		if err != nil {
			return err
		}
		for _, f := range files {
			one := text("decisions/"+d.EvalID+"/"+f.Name, passport.KindDecision, []byte(f.Text))
			one.Digest, one.LeftOut = f.Digest, f.Withheld
			g.add(one)
		}
	}
	return nil
}

// decision gives a recorded evaluation the form in which it is exported: that of the API.
func decision(w *gate.Whole) *replay.Decision {
	d := &replay.Decision{
		EvalID: *w.EvalID, Decision: string(w.Decision), Explanation: w.Explanation, EvaluatedAt: w.EvaluatedAt.UTC(),
		Gate:        replay.Gate{Stage: w.Gate.Stage, Kind: string(w.Gate.Kind)},
		InputDigest: w.InputDigest, Input: w.Input, InputWithheld: w.Input == nil,
		CapabilitiesDigest: w.CapabilitiesDigest, Capabilities: &w.Capabilities,
	}
	for _, f := range w.Feeds {
		d.Feeds = append(d.Feeds, replay.Feed{Name: f.Name, Format: f.Format, Digest: f.Digest, ChangedAt: f.ChangedAt.UTC(), CheckedAt: f.CheckedAt.UTC()})
	}
	for _, x := range w.Waivers {
		d.Waivers = append(d.Waivers, replay.Waiver{
			Waiver: id.Global("Waiver", x.ID), Policy: x.Policy, Rule: x.Rule, Code: x.Code, Subject: x.Subject,
			Vulnerabilities: x.Vulnerabilities, Package: x.Package, ExpiresAt: x.ExpiresAt.UTC(),
		})
	}
	for _, p := range w.Policies {
		d.Policies = append(d.Policies, replay.Policy{Name: p.Name, Revision: p.Revision, Mode: string(p.Mode), Because: p.Because})
	}
	for _, r := range w.Results {
		one := replay.Result{
			Policy: replay.Named{Name: r.Policy.Name}, Outcome: string(r.Outcome), Error: r.Error, Result: r.Result,
			Rule: replay.Rule{
				Name: r.Rule.Name, Template: r.Rule.Template, TemplateRevision: r.Rule.TemplateRevision, TemplateDigest: r.Rule.TemplateDigest,
				Rego: w.Rego(r.Rule), Parameters: r.Rule.Parameters, Query: r.Rule.Query,
			},
		}
		for _, v := range r.Violations {
			one.Violations = append(one.Violations, replay.Violation{})
			if v.WaiverID != 0 {
				one.Violations[len(one.Violations)-1].Waiver = &struct{}{}
			}
		}
		d.Results = append(d.Results, one)
	}
	return d
}

// addParts lists what is in the version.
func (g *gathering) addParts(ctx context.Context) error {
	rows, err := g.s.store.Read().Releasable.Query().Where(releasable.VersionID(g.version.ID)).Order(releasable.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load contents of version %d: %w", g.version.ID, err)
	}
	for _, r := range rows {
		part := passport.PagePart{Name: r.Name, Kind: strings.ToLower(string(r.Kind))}
		if r.Purl != nil {
			part.Purl = *r.Purl
		}
		if r.Digest != nil {
			part.Digest = *r.Digest
		}
		g.page.Parts = append(g.page.Parts, part)
	}
	return nil
}

// describe says on the page what the statements say.
func (g *gathering) describe() {
	p, v := &g.page, g.version
	p.Name, p.Project = v.Edges.Application.Name, v.Edges.Project.Key
	release, _ := g.newest(statement.releases) // there is one
	p.Trust = release.predicate.Trust
	if p.Trust == string(applicationversion.TrustTRUSTED_RELEASE) {
		p.Standing = string(applicationversion.StandingGOOD)
	}
	if last, said := g.newest(func(st statement) bool { return st.PredicateType == attest.PredicateStatus }); said && last.ID > release.ID {
		p.Standing, p.StandingSince, p.StandingCause = last.predicate.Standing, last.predicate.Since, last.predicate.Cause
	}
	for _, st := range g.statements {
		if !st.decides() {
			continue
		}
		m := passport.PageMove{To: st.predicate.ToStage, At: st.predicate.DecidedAt}
		if st.predicate.FromStage != nil {
			m.From = *st.predicate.FromStage
		}
		if st.releases() {
			m.Trust = st.predicate.Trust
		}
		for _, gt := range st.predicate.Gates {
			one := passport.PageGate{Stage: gt.Stage, Kind: gt.Kind, Decision: gt.Decision, EvalID: gt.EvalID}
			for _, pol := range gt.Policies {
				one.Policies = append(one.Policies, pol.Name)
			}
			m.Gates = append(m.Gates, one)
		}
		p.Moves = append(p.Moves, m)
	}
	for _, w := range release.predicate.Waivers {
		p.Waivers = append(p.Waivers, passport.PageWaiver{ID: w.ID, About: w.about(), ExpiresAt: w.ExpiresAt})
	}
}

// about says what a waiver is about.
func (w waived) about() string {
	var words []string
	for _, x := range [][2]string{
		{"policy ", w.Policy}, {"rule ", w.Rule}, {"code ", w.Code}, {"subject ", w.Subject}, {"", w.Vulnerability}, {"package ", w.Package},
	} {
		if x[1] != "" {
			words = append(words, x[0]+x[1])
		}
	}
	return strings.Join(words, ", ")
}
