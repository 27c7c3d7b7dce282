package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// promote asks for a stage and shows what the gates say.
func (s *story) promote(ctx context.Context, toStage string, dryRun bool) (move, error) {
	input := object{{"applicationKey", s.name(gateway)}, {"version", version}, {"toStage", toStage}}
	if dryRun {
		input = append(input, member{"dryRun", true})
	}
	var out struct{ PromoteApplicationVersion move }
	if err := s.send(ctx, ci, "Promote", object{{"input", input}}, &out); err != nil {
		return move{}, err
	}
	s.showGates(out.PromoteApplicationVersion)
	return out.PromoteApplicationVersion, nil
}

// showGates shows what became of a move and what each gate said.
func (s *story) showGates(m move) {
	became := "dry run: nothing was recorded, promotion is null"
	if m.Promotion != nil {
		became = m.Promotion.Kind + " " + m.Promotion.Status
	}
	s.page.result(became)
	for _, e := range m.Evaluations {
		id := "not recorded"
		if e.EvalID != nil {
			id = *e.EvalID
		}
		s.page.write(s.page.verdicts(fmt.Sprintf("%s%-13s %-5s %s\n", indent, e.Gate.Stage+" "+e.Gate.Kind, e.Decision, s.page.paint(faint, id))))
		if len(e.Results) == 0 {
			s.page.write(indent + "  " + s.page.paint(faint, e.Explanation) + "\n")
		}
		for _, r := range e.Results {
			s.page.write(s.page.verdicts(fmt.Sprintf("%s  %-5s %-22s %s\n", indent, r.Policy.Mode, r.Policy.Name, r.Outcome)))
			s.showViolations(r.Violations)
		}
	}
}

// showViolations shows the first violation of each kind, with what to do, and counts the others.
func (s *story) showViolations(violations []violation) {
	counted := map[string]int{}
	for _, v := range violations {
		counted[v.Code]++
	}
	shown := map[string]bool{}
	for _, v := range violations {
		if shown[v.Code] {
			continue
		}
		shown[v.Code] = true
		text := v.Code + ": " + v.Message
		if n := counted[v.Code] - 1; n > 0 {
			text += fmt.Sprintf(" (and %d more)", n)
		}
		for i, line := range wrap(text, width-14) {
			lead := strings.Repeat(" ", 9)
			if i > 0 {
				lead += "  "
			}
			s.page.write(indent + lead + line + "\n")
		}
		for _, line := range wrap("next: "+v.Remediation, width-14) {
			s.page.write(indent + strings.Repeat(" ", 9) + s.page.paint(faint, line) + "\n")
		}
	}
}

// wantMove checks how an attempt ended: the promotion's status ("" for a dry run) and the decision of the last gate.
func (s *story) wantMove(m move, status, decision string) error {
	got := ""
	if m.Promotion != nil {
		got = m.Promotion.Status
	}
	if err := s.want("the promotion", got, status); err != nil {
		return err
	}
	if len(m.Evaluations) == 0 {
		return s.unexpected("has no evaluation")
	}
	last := m.Evaluations[len(m.Evaluations)-1]
	if (last.EvalID == nil) != (status == "") {
		return s.unexpected("has an evalId where nothing is recorded, or none where something is")
	}
	return s.want("the decision of "+last.Gate.Stage+" "+last.Gate.Kind, last.Decision, decision)
}

// wantViolation checks that a policy objects with a code to something whose name contains a text.
func (s *story) wantViolation(m move, policy, code, subject string) error {
	for _, e := range m.Evaluations {
		for _, r := range e.Results {
			if r.Policy.Name == s.name(policy) && slices.ContainsFunc(r.Violations, func(v violation) bool {
				return v.Code == code && strings.Contains(v.Subject, subject)
			}) {
				return nil
			}
		}
	}
	return s.unexpected("has no %s of %s about %q", code, policy, subject)
}

func (s *story) enterDev(ctx context.Context) error {
	s.page.begin("The version enters DEV, where no policy stands.")
	m, err := s.promote(ctx, dev, false)
	if err != nil {
		return err
	}
	return s.wantMove(m, "COMPLETED", "PASS")
}

func (s *story) enterQA(ctx context.Context) error {
	s.page.begin("The way into QA warns: nobody scanned it, and a library in notifications is under the AGPL. It may move on.")
	m, err := s.promote(ctx, qaStage, false)
	if err != nil {
		return err
	}
	if err := s.wantViolation(m, "security-scan", "EVIDENCE_MISSING", ""); err != nil {
		return err
	}
	if err := s.wantViolation(m, "licences", "LICENSE_DENIED", "pkg:npm/pm2@"); err != nil {
		return err
	}
	return s.wantMove(m, "COMPLETED", "WARN")
}

func (s *story) standBeforeStaging(ctx context.Context) error {
	s.page.begin("The way into STAGING is closed: the laboratory has not tested it. That is an answer, and a record, not an error.")
	m, err := s.promote(ctx, staging, false)
	if err != nil {
		return err
	}
	if err := s.wantMove(m, "BLOCKED", "FAIL"); err != nil {
		return err
	}
	if err := s.wantViolation(m, "tested", "EVIDENCE_MISSING", ""); err != nil {
		return err
	}
	return s.whoActs(ctx, *m.Evaluations[len(m.Evaluations)-1].EvalID)
}

// whoActs asks who owns the next step.
func (s *story) whoActs(ctx context.Context, evalID string) error {
	var out struct {
		Evaluation *struct {
			Results []struct{ Violations []violation }
		}
	}
	if err := s.send(ctx, ci, "WhoActs", object{{"evalId", evalID}}, &out); err != nil {
		return err
	}
	if out.Evaluation == nil {
		return s.unexpected("does not know the evaluation")
	}
	for _, r := range out.Evaluation.Results {
		for _, v := range r.Violations {
			s.page.result("the next step is that of " + refs(v.Owners))
			return s.want("who acts", refs(v.Owners), "team:payments")
		}
	}
	return s.unexpected("has no violation")
}

func (s *story) tryUnknownSigner(ctx context.Context) error {
	s.page.begin("Somebody in a hurry signs a test report on a laptop. It is kept, and counts for nothing, as a dry run shows.")
	if err := s.pushTestReport(ctx, ci, laptop, ""); err != nil {
		return err
	}
	m, err := s.promote(ctx, staging, true)
	if err != nil {
		return err
	}
	if err := s.wantViolation(m, "tested", "EVIDENCE_UNVERIFIED", ""); err != nil {
		return err
	}
	return s.wantMove(m, "", "FAIL")
}

func (s *story) enterStaging(ctx context.Context) error {
	s.page.begin("The laboratory tests the gateway and signs the result with its own key: STAGING opens.")
	if err := s.pushTestReport(ctx, qa, qaLab, s.name(qaLab)); err != nil {
		return err
	}
	m, err := s.promote(ctx, staging, false)
	if err != nil {
		return err
	}
	return s.wantMove(m, "COMPLETED", "PASS")
}

func (s *story) pushTestReport(ctx context.Context, who, key, anchor string) error {
	envelope, err := s.sign(ctx, key, "manifest.json", s.result.ManifestDigest, testResult, testReport())
	if err != nil {
		return err
	}
	taken, err := sendAll[submitted](ctx, s, who, "SubmitEvidence", []object{{{"envelope", envelope}, {"provider", key}}})
	if err != nil {
		return err
	}
	return s.showEvidence(taken, anchor)
}

func (s *story) tryWithoutRight(ctx context.Context) error {
	s.page.begin("CI may promote, but not release: the right to release is a right of its own.")
	variables := object{{"input", object{{"applicationKey", s.name(gateway)}, {"version", version}}}}
	s.page.call(ci, "Release", variables, s.documents["Release"])
	a, err := s.ask(ctx, ci, "Release", variables)
	if err != nil {
		return err
	}
	if len(a.Errors) != 1 {
		return s.unexpected("was not refused")
	}
	s.page.result(a.Errors[0].Code + ": " + a.Errors[0].Message)
	return s.want("the code", a.Errors[0].Code, "FORBIDDEN")
}

func (s *story) release(ctx context.Context) error {
	s.page.begin("The release manager releases it. Every policy of the release gate is satisfied, so it is a trusted release, and signed.")
	var out struct{ ReleaseApplicationVersion move }
	err := s.send(ctx, releaser, "Release", object{{"input", object{
		{"applicationKey", s.name(gateway)}, {"version", version}, {"comment", "Program increment 2026.4"},
	}}}, &out)
	if err != nil {
		return err
	}
	m := out.ReleaseApplicationVersion
	s.showGates(m)
	s.result.Trust = m.ApplicationVersion.Trust
	if m.ApplicationVersion.Standing != nil {
		s.result.Standing = *m.ApplicationVersion.Standing
	}
	s.page.result(s.name(gateway) + " " + version + " is " + s.result.Trust + ", its standing " + s.result.Standing)
	if err := s.wantMove(m, "COMPLETED", "PASS"); err != nil {
		return err
	}
	return s.want("the release", s.result.Trust+" "+s.result.Standing, "TRUSTED_RELEASE GOOD")
}
