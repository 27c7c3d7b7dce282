package demo

import "context"

// guard is a policy of one rule, at one gate of the project.
type guard struct {
	name, mode, stage, kind string
	template                string
	parameters              object
	narrowed                object // what else its scope says
	asks                    string // in a few words
}

// guards are warnings where work begins and demands where it counts, as the release model has it.
func (s *story) guards() []guard {
	critical := object{{"criticality", []string{"CRITICAL"}}}
	return []guard{
		{
			"security-scan", "WARN", qaStage, "ENTRY", "evidence-present",
			object{{"predicateType", scan}},
			nil,
			"a security scan was done",
		},
		{
			"licences", "WARN", qaStage, "ENTRY", "license-allowed",
			object{{"deny", []string{"AGPL-3.0-only", "AGPL-3.0-or-later", "SSPL-1.0"}}},
			nil,
			"no component is under a network copyleft",
		},
		{
			"bills-of-materials", "BLOCK", qaStage, "ENTRY", "sbom-complete",
			object{{"minComponents", 10}},
			nil,
			"everything has a bill of materials",
		},
		{
			"tested", "BLOCK", staging, "ENTRY", "evidence-present",
			object{{"predicateType", testResult}, {"signers", []string{s.name(qaLab)}}},
			critical,
			"the laboratory tested it; for CRITICAL applications",
		},
		{
			"came-through-staging", "BLOCK", prod, "RELEASE", "gate-certified",
			object{{"stage", staging}, {"gate", "ENTRY"}},
			nil,
			"it passed the gate of " + staging,
		},
		{
			"built-by-ci", "BLOCK", prod, "RELEASE", "evidence-present",
			object{{"predicateType", provenance}, {"signers", []string{s.name(ciBuilder)}}},
			nil,
			"the CI system signed where it comes from",
		},
	}
}

func (s *story) setPolicies(ctx context.Context) error {
	s.page.begin("Governance writes down what each gate asks: built-in templates with parameters, warning early, blocking late.")
	var rules, policies []object
	for _, g := range s.guards() {
		rules = append(rules, object{{"name", s.name(g.name)}, {"template", g.template}, {"parameters", g.parameters}})
		scope := append(object{{"type", "PROJECT"}, {"projectKeys", []string{s.name(project)}}}, g.narrowed...)
		policies = append(policies, object{
			{"name", s.name(g.name)},
			{"rules", []string{s.name(g.name)}},
			{"mode", g.mode},
			{"gate", object{{"stage", g.stage}, {"kind", g.kind}}},
			{"scope", scope},
		})
	}
	type rulePayload struct {
		CreateRule struct {
			Rule struct {
				Template struct{ Name string }
			}
		}
	}
	made, err := sendAll[rulePayload](ctx, s, admin, "CreateRule", rules)
	if err != nil {
		return err
	}
	type policyPayload struct {
		CreatePolicy struct {
			Policy struct {
				Name, Mode string
				Enabled    bool
				Gate       gateName
			}
		}
	}
	set, err := sendAll[policyPayload](ctx, s, admin, "CreatePolicy", policies)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, g := range s.guards() {
		p := set[i].CreatePolicy.Policy
		if !p.Enabled || p.Mode != g.mode || p.Gate != (gateName{g.stage, g.kind}) {
			return s.unexpected("does not set %s as asked", g.name)
		}
		rows = append(rows, []string{p.Gate.Stage + " " + p.Gate.Kind, p.Mode, p.Name, made[i].CreateRule.Rule.Template.Name, g.asks})
	}
	s.page.table(rows)
	return nil
}
