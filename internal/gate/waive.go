package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/override"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// CodeNotEvidenced stands, where waivers and what they covered are listed, for a rule that found nothing to look at.
const CodeNotEvidenced = "NOT_EVIDENCED"

// evaluated gives waivers in force the shape in which a gate looks at them, in the order of their rows.
func (s *Service) evaluated(ctx context.Context, list []*db.Waiver) ([]*EvaluatedWaiver, error) {
	names, err := s.waivers.Names(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]*EvaluatedWaiver, len(list))
	for i, w := range list {
		out[i] = &EvaluatedWaiver{
			ID: w.ID, Policy: w.Policy, Rule: w.Rule, Code: w.Code, Subject: w.Subject, Vulnerabilities: names[w.Vulnerability],
			Package: w.Purl, ExpiresAt: w.ExpiresAt.UTC(),
		}
	}
	return out, nil
}

// waive marks what waivers cover of what a rule said under a policy that takes them: each violation by the first that does. The
// rule is waived when nothing is left. One that found nothing to look at is waived by a waiver of the whole rule alone, and one
// that could not be judged by none.
func (r *RuleResult) waive(waivers []*EvaluatedWaiver) {
	left := false
	for _, v := range r.Violations {
		i := slices.IndexFunc(waivers, func(w *EvaluatedWaiver) bool { return w.about(r) && w.covers(v) })
		if i < 0 {
			left = true
			continue
		}
		v.WaiverID = waivers[i].ID
	}
	switch {
	case r.Outcome == Violated && !left:
		r.Outcome = Waived
	case r.Outcome == NotEvidenced:
		i := slices.IndexFunc(waivers, func(w *EvaluatedWaiver) bool { return w.about(r) && w.whole() })
		if i >= 0 {
			r.Outcome, r.WaiverID = Waived, waivers[i].ID
		}
	}
}

// about tells whether a waiver is about the policy or the rule.
func (w *EvaluatedWaiver) about(r *RuleResult) bool {
	if w.Policy != "" {
		return w.Policy == r.Policy.Name
	}
	return w.Rule == r.Rule.Name
}

// whole tells whether a waiver is about everything that a rule may say.
func (w *EvaluatedWaiver) whole() bool {
	return w.Code == "" && w.Subject == "" && len(w.Vulnerabilities) == 0 && w.Package == ""
}

// covers tells whether all that a waiver names is what a violation is about.
func (w *EvaluatedWaiver) covers(v *Violation) bool {
	switch {
	case w.Code != "" && w.Code != v.Code, w.Subject != "" && w.Subject != v.Subject:
		return false
	case len(w.Vulnerabilities) > 0 && (v.Vulnerability == nil || !slices.Contains(w.Vulnerabilities, vulnerability.Spelled(*v.Vulnerability))):
		return false
	}
	return w.Package == "" || v.Purl != nil && samePackage(w.Package, *v.Purl)
}

// samePackage tells whether a violation is about the package that a waiver names: about that version of it, when it names one.
func samePackage(waived, about string) bool {
	if waived == about {
		return true
	}
	w, err := purl.Parse(waived)
	if err != nil {
		return false
	}
	v, err := purl.Parse(about)
	if err != nil {
		return false
	}
	return v.String() == w.String() || !w.HasVersion() && v.WithoutVersion() == w.WithoutVersion()
}

// earlier finds the waivers that covered something in the decisions that moved a version.
func (s *Service) earlier(ctx context.Context, versionID int) ([]*EvaluatedWaiver, error) {
	rows, err := s.store.Read().Override.Query().
		Where(override.VersionID(versionID), override.HasEvaluationWith(evaluation.HasPromotionWith(promotion.StatusEQ(promotion.StatusCOMPLETED)))).
		WithWaiver().Order(override.ByWaiverID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what waivers covered in version %d: %w", versionID, err)
	}
	var list []*db.Waiver
	for i, row := range rows {
		if i == 0 || rows[i-1].WaiverID != row.WaiverID {
			list = append(list, row.Edges.Waiver)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return s.evaluated(ctx, list)
}

// Waivers are those that covered something at one of the gates, or at a gate that the version came through before, by their
// rows.
func (j *Judgement) Waivers() []*EvaluatedWaiver {
	counted := map[int]bool{}
	for _, e := range j.Evaluations {
		for _, r := range e.results {
			counted[r.WaiverID] = true
			for _, v := range r.Violations {
				counted[v.WaiverID] = true
			}
		}
	}
	out := []*EvaluatedWaiver{}
	out = append(out, j.sub.earlier...)
	for _, w := range j.sub.earlier {
		delete(counted, w.ID)
	}
	for _, w := range j.sub.waivers {
		if counted[w.ID] {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b *EvaluatedWaiver) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// overridden is one line of what a waiver covered.
type overridden struct {
	waiver                                       int
	code, subject, vulnerability, purl, packaged string
}

// overrides writes what waivers covered in recorded evaluations, each violation once.
func (s *Service) overrides(ctx context.Context, tx *db.Client, p *db.Promotion, j *Judgement) error {
	rows := store.Rows{Table: override.Table, Columns: []string{
		override.FieldCode, override.FieldSubject, override.FieldVulnerability, override.FieldPurl, override.FieldPackage,
		override.FieldWaiverID, override.FieldEvaluationID, override.FieldVersionID, override.FieldProjectID,
	}}
	for _, e := range j.Evaluations {
		for _, o := range e.overridden(j.sub.name()) {
			rows.Add(o.code, o.subject, o.vulnerability, o.purl, o.packaged, o.waiver, e.row.ID, p.VersionID, p.ProjectID)
		}
	}
	if len(rows.Values) == 0 {
		return nil
	}
	if err := s.store.Insert(ctx, tx, rows, nil); err != nil {
		return fmt.Errorf("write what waivers covered: %w", err)
	}
	return nil
}

// overridden lists what waivers covered, each line once: two policies may share a rule.
func (e *Evaluation) overridden(version string) []overridden {
	var out []overridden
	add := func(o overridden) {
		if !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	for _, r := range e.results {
		if r.WaiverID != 0 && len(r.Violations) == 0 {
			add(overridden{waiver: r.WaiverID, code: CodeNotEvidenced, subject: version})
		}
		for _, v := range r.Violations {
			if v.WaiverID != 0 {
				add(v.overridden())
			}
		}
	}
	return out
}

// overridden is what the waiver covered in a violation.
func (v *Violation) overridden() overridden {
	o := overridden{waiver: v.WaiverID, code: v.Code, subject: v.Subject}
	if v.Vulnerability != nil {
		o.vulnerability = vulnerability.Spelled(*v.Vulnerability)
	}
	if v.Purl == nil {
		return o
	}
	o.purl = *v.Purl
	if p, err := purl.Parse(o.purl); err == nil {
		o.purl, o.packaged = p.String(), p.WithoutVersion()
	}
	return o
}
