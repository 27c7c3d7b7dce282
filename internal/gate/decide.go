package gate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evaluation"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

const decisionError = evaluation.DecisionERROR

// decide says what a gate says: a blocking policy that is not satisfied closes it (ERROR when what kept it from being
// satisfied was a fault alone), a warning one leaves it open with a warning.
func decide(g Gate, policies []*EvaluatedPolicy, results []*RuleResult) (evaluation.Decision, string) {
	var blocked, faulted, warned []string
	for _, r := range results {
		if r.Outcome.Satisfies() {
			continue
		}
		said := fmt.Sprintf("%s of policy %s: %s", r.Rule.Name, r.Policy.Name, r.Outcome)
		switch {
		case r.Policy.Mode != gatepolicy.ModeBLOCK:
			warned = append(warned, said)
		case r.Outcome == Faulted:
			faulted = append(faulted, said)
		default:
			blocked = append(blocked, said)
		}
	}
	gate := fmt.Sprintf("the %s gate of %s", strings.ToLower(string(g.Kind)), g.Stage)
	switch {
	case len(blocked) > 0:
		return evaluation.DecisionFAIL, fmt.Sprintf("%s is closed: %s", gate, list(append(blocked, faulted...)))
	case len(faulted) > 0:
		return evaluation.DecisionERROR, fmt.Sprintf("%s stays closed because it could not be judged: %s", gate, list(faulted))
	case len(warned) > 0:
		return evaluation.DecisionWARN, fmt.Sprintf("%s is open with warnings: %s", gate, list(warned))
	case len(policies) == 0:
		return evaluation.DecisionPASS, fmt.Sprintf("%s is open: no policy applies", gate)
	default:
		return evaluation.DecisionPASS, fmt.Sprintf("%s is open: %d of %d rules are satisfied", gate, len(results), len(results))
	}
}

// list names the first few and counts the rest.
func list(items []string) string {
	const shown = 5
	if len(items) <= shown {
		return strings.Join(items, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(items[:shown], "; "), len(items)-shown)
}

// explain adds to what a rule found what to do next, and who does it.
func explain(sub *subject, rule *db.Rule, v rego.Violation) *Violation {
	out := &Violation{Code: v.Code, Subject: v.Subject, Message: v.Message, Remediation: v.Remediation, Vulnerability: known(v.Vulnerability), Purl: known(v.Purl)}
	if out.Remediation == "" {
		out.Remediation = fill(rule.Edges.Template.Remediation, rule.Parameters, map[string]string{
			"subject": v.Subject, "application": sub.version.Edges.Application.Key, "version": sub.version.Version,
		})
	}
	for _, o := range sub.owners {
		out.OwnerIDs = append(out.OwnerIDs, o.ID)
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-zA-Z.]+\}`)

// fill replaces {subject}, {application}, {version} and {parameters.…} in a template's remediation. A placeholder that
// names nothing stays as it is.
func fill(text, parameters string, values map[string]string) string {
	var params map[string]any
	_ = json.Unmarshal([]byte(parameters), &params) // canonical JSON of our own; without it the placeholders stay
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[1 : len(p)-1]
		if value, ok := values[name]; ok {
			return value
		}
		key, ok := strings.CutPrefix(name, "parameters.")
		if !ok {
			return p
		}
		switch value := params[key].(type) {
		case nil:
			return p
		case []any:
			words := make([]string, len(value))
			for i, v := range value {
				words[i] = fmt.Sprint(v)
			}
			return strings.Join(words, ", ")
		default:
			return fmt.Sprint(value)
		}
	})
}
