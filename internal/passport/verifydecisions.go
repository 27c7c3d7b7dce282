package passport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/replay"
)

// misfit is a file of a decision that does not fit.
type misfit struct{ file, why string }

// Error implements error.
func (m misfit) Error() string { return m.file + ": " + m.why }

// checkDecisions makes every decision again that a statement names.
func (v *verifier) checkDecisions() {
	for _, s := range v.statements {
		if !s.decides() {
			continue
		}
		for _, g := range s.predicate.Gates {
			v.decided[g.EvalID] = true
			v.checkDecision(g, s.predicate.Waivers)
		}
	}
	for _, f := range v.index.Files {
		if f.Kind == KindDecision && !v.decided[strings.Split(f.Path, "/")[1]] {
			v.report.wrong(f.Path, "decision", "no statement names this decision")
		}
	}
}

func (v *verifier) checkDecision(g gateNamed, waivers []waiverNamed) {
	folder := "decisions/" + g.EvalID
	listed, leftOut := false, false
	for _, f := range v.index.Files {
		if strings.HasPrefix(f.Path, folder+"/") {
			listed, leftOut = true, leftOut || f.LeftOut
		}
	}
	if !listed {
		v.report.wrong(folder, "decision", "a statement names it, and it is not in the passport")
		return
	}
	err := v.layers(folder, g)
	if err == nil && !leftOut {
		err = v.again(folder, g, waivers)
	}
	var m misfit
	switch {
	case errors.As(err, &m):
		v.report.wrong(m.file, "decision", m.why)
	case err != nil:
		v.report.wrong(folder, "decision", err.Error())
	case leftOut:
		v.report.notChecked(folder, "decision", "it cannot be made again without what was left out")
	default:
		v.report.Decisions++
		v.report.ok(folder, "decision")
	}
}

// layers holds the files of a decision against its manifest, and this one against the statement. What was left out is compared by
// the digest in passport.json.
func (v *verifier) layers(folder string, g gateNamed) error {
	name := folder + "/manifest.json"
	if !v.has(name) {
		if _, leftOut := v.files[name]; !leftOut {
			return misfit{name, "is not in the passport"}
		}
		return nil
	}
	var m replay.Manifest
	if err := v.readJSON(name, &m); err != nil {
		return misfit{name, err.Error()}
	}
	if m.Schema != replay.Schema || m.Evaluation != g.EvalID || m.Gate.Stage != g.Stage || m.Gate.Kind != g.Kind || m.Input != g.InputDigest || m.Capabilities != g.CapabilitiesDigest {
		return misfit{name, "names another gate, input or capabilities than the signed statement"}
	}
	named := map[string]ruleNamed{}
	for _, p := range g.Policies {
		for _, r := range p.Rules {
			named[r.Name] = r
		}
	}
	sums := map[string]string{
		"input.json": m.Input, "capabilities.json": m.Capabilities, "policies.json": m.Policies, "waivers.json": m.Waivers,
		"result.json": m.Result, "decide.jq": m.Decide,
	}
	for _, r := range m.Rules {
		if _, ok := named[r.Name]; !ok || named[r.Name].TemplateDigest != r.TemplateDigest {
			return misfit{name, fmt.Sprintf("has rule %q with another Rego than the signed statement names", r.Name)}
		}
		delete(named, r.Name)
		if CheckPath(r.Folder) != nil || path.Dir(r.Folder) != "rules" {
			return misfit{name, "puts a rule into a folder where none is"}
		}
		sums[r.Folder+"/policy.rego"], sums[r.Folder+"/data.json"], sums[r.Folder+"/query.txt"] = r.TemplateDigest, r.Parameters, r.Query
		if r.Expected != nil {
			sums[r.Folder+"/expected.json"] = *r.Expected
		}
	}
	if len(named) > 0 {
		return misfit{name, "does not have all rules that the signed statement names"}
	}
	return v.layout(folder, m, sums)
}

// layout compares digests, and the list of sums, with what is there.
func (v *verifier) layout(folder string, m replay.Manifest, sums map[string]string) error {
	for file, sum := range sums {
		if f, listed := v.files[folder+"/"+file]; !listed || f.Digest != sum {
			return misfit{folder + "/" + file, "is not the file that the manifest of the decision names"}
		}
	}
	for _, file := range m.Files {
		if _, listed := v.files[folder+"/"+file]; !listed {
			return misfit{folder + "/" + file, "is not in the passport"}
		}
	}
	for _, f := range v.index.Files {
		file, inside := strings.CutPrefix(f.Path, folder+"/")
		if inside && file != "manifest.json" && file != "SHA256SUMS" && !slices.Contains(m.Files, file) {
			return misfit{f.Path, "is not named by the manifest of the decision"}
		}
	}
	name := folder + "/SHA256SUMS"
	if !v.has(name) {
		return nil
	}
	text, err := v.readFile(name)
	if err != nil {
		return misfit{name, err.Error()}
	}
	var want strings.Builder
	for _, file := range append(slices.Clone(m.Files), "manifest.json") {
		fmt.Fprintf(&want, "%s  %s\n", strings.TrimPrefix(v.files[folder+"/"+file].Digest, "sha256:"), file)
	}
	if want.String() != string(text) {
		return misfit{name, "does not list the files of the decision with their digests"}
	}
	return nil
}

// recorded is what of a decision is read to make it again.
type recorded struct {
	manifest     replay.Manifest
	policies     []replay.PolicyEntry
	waivers      []replay.Waiver
	result       decision
	capabilities []byte
	input        rego.Value
}

func (v *verifier) readDecision(folder string) (r recorded, err error) {
	for _, f := range []struct {
		name string
		into any
	}{{"manifest.json", &r.manifest}, {"policies.json", &r.policies}, {"waivers.json", &r.waivers}, {"result.json", &r.result}} {
		if err := v.readJSON(folder+"/"+f.name, f.into); err != nil {
			return r, misfit{folder + "/" + f.name, err.Error()}
		}
	}
	if r.capabilities, err = v.readFile(folder + "/capabilities.json"); err != nil {
		return r, misfit{folder + "/capabilities.json", err.Error()}
	}
	text, err := v.readFile(folder + "/input.json")
	if err == nil {
		r.input, err = rego.ParseValue(text)
	}
	if err != nil {
		return r, misfit{folder + "/input.json", err.Error()}
	}
	return r, nil
}

// again evaluates every rule, and makes outcomes and decision of the answers. Waivers that the statement does not list do not
// count.
func (v *verifier) again(folder string, g gateNamed, waivers []waiverNamed) error {
	r, err := v.readDecision(folder)
	if err != nil {
		return err
	}
	if err := samePolicies(r.policies, g.Policies); err != nil {
		return misfit{folder + "/policies.json", err.Error()}
	}
	answers := map[string]answer{}
	for _, rule := range r.manifest.Rules {
		a, judged, err := v.evaluate(folder, rule, r, g)
		if err != nil {
			return err
		}
		if judged {
			answers[rule.Name] = a
		}
	}
	got := decide(r.policies, r.waivers, answers)
	if r.result.Decision != g.Decision || got.Decision != g.Decision || !slices.Equal(got.Outcomes, r.result.Outcomes) {
		return misfit{folder + "/result.json", fmt.Sprintf("the decision made again is %s, recorded is %s, and signed for is %s; or outcomes differ", got.Decision, r.result.Decision, g.Decision)}
	}
	counted := slices.DeleteFunc(slices.Clone(r.waivers), func(w replay.Waiver) bool { return !slices.Contains(waivers, nameOf(w)) })
	if alone := decide(r.policies, counted, answers); !slices.Equal(alone.Outcomes, got.Outcomes) {
		return misfit{folder + "/waivers.json", "something is waived by what the signed statement does not list"}
	}
	return nil
}

// nameOf is a waiver as a statement names it.
func nameOf(w replay.Waiver) waiverNamed {
	named := waiverNamed{ID: w.Waiver, Policy: w.Policy, Rule: w.Rule, Code: w.Code, Subject: w.Subject, Package: w.Package}
	if len(w.Vulnerabilities) > 0 {
		named.Vulnerability = w.Vulnerabilities[0]
	}
	return named
}

func samePolicies(recorded []replay.PolicyEntry, signed []policyNamed) error {
	same := slices.EqualFunc(recorded, signed, func(r replay.PolicyEntry, s policyNamed) bool {
		return r.Name == s.Name && r.Revision == s.Revision && r.Mode == s.Mode &&
			slices.EqualFunc(r.Rules, s.Rules, func(name string, rule ruleNamed) bool { return name == rule.Name })
	})
	if !same {
		return errors.New("are not those of the signed statement")
	}
	return nil
}

// evaluate makes the answer of one rule again, and compares it byte for byte. Judged is false for one that could not be
// judged then.
func (v *verifier) evaluate(folder string, rule replay.ManifestRule, r recorded, g gateNamed) (a answer, judged bool, err error) {
	texts := map[string][]byte{}
	for _, name := range []string{"policy.rego", "data.json", "query.txt"} {
		if texts[name], err = v.readFile(path.Join(folder, rule.Folder, name)); err != nil {
			return a, false, misfit{path.Join(folder, rule.Folder, name), err.Error()}
		}
	}
	wrong := func(name, why string) error { return misfit{path.Join(folder, rule.Folder, name), why} }
	parameters, err := parametersOf(texts["data.json"])
	if err != nil {
		return a, false, wrong("data.json", err.Error())
	}
	for _, p := range g.Policies {
		for _, s := range p.Rules {
			if s.Name == rule.Name && s.ParametersDigest != canonical.Digest(parameters) {
				return a, false, wrong("data.json", "holds other parameters than the signed statement names")
			}
		}
	}
	if rule.Expected == nil { // it is an ERROR in the decision, whatever it would say now
		return a, false, nil
	}
	policy, err := rego.CompileRecorded(v.ctx, texts["policy.rego"], parameters, r.capabilities, v.opts.limits())
	if err != nil {
		return a, false, wrong("policy.rego", err.Error())
	}
	if policy.Query() != string(texts["query.txt"]) {
		return a, false, wrong("query.txt", "does not ask for what the Rego says")
	}
	expected, err := v.readFile(path.Join(folder, rule.Folder, "expected.json"))
	if err != nil {
		return a, false, wrong("expected.json", err.Error())
	}
	said, err := policy.Evaluate(v.ctx, r.input.AsInput(), v.opts.limits())
	if err != nil {
		return a, false, wrong("policy.rego", err.Error())
	}
	if !bytes.Equal(said.Raw, expected) {
		return a, false, wrong("expected.json", "the rule says something else now")
	}
	if err := json.Unmarshal(said.Raw, &a); err != nil {
		return a, false, wrong("expected.json", err.Error())
	}
	return a, true, nil
}

// parametersOf gives the canonical spelling of the parameters in data.json.
func parametersOf(data []byte) ([]byte, error) {
	if err := canonical.Check(data, maxNesting); err != nil {
		return nil, err
	}
	members, err := canonical.Members(data)
	if err != nil {
		return nil, err
	}
	if len(members) != 1 || members["parameters"] == nil {
		return nil, errors.New("holds something else than parameters")
	}
	return canonical.Normalize(members["parameters"])
}
