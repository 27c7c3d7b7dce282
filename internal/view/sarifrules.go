package view

import (
	"fmt"
	"strings"
)

// sarifRules finds rules by their indexes, ids and GUIDs. Those of a component that nobody names are the driver's.
type sarifRules struct {
	run        *sarifRun
	extensions map[string]int          // their places among the components, by name and GUID
	components []map[string]*sarifRule // by id and GUID; the driver's first
}

// rules indexes the rules of a run and applies what its invocations overrode. Where several invocations override one rule,
// the last counts: results seldom say which invocation they come from.
func (r *sarifRun) rules() *sarifRules {
	rules := &sarifRules{run: r, extensions: map[string]int{}}
	for i := range len(r.Tool.Extensions) + 1 {
		rules.add(i)
	}
	for _, invocation := range r.Invocations {
		for _, o := range invocation.Overrides {
			if rule := rules.find(o.Descriptor); rule != nil && o.Configuration.Level != "" {
				rule.DefaultConfiguration.Level = o.Configuration.Level
			}
		}
	}
	return rules
}

// add indexes the rules of a component. Of several with one name the first counts.
func (s *sarifRules) add(at int) {
	c := s.component(at)
	for _, key := range []string{c.Name, c.GUID} {
		if _, taken := s.extensions[key]; !taken && at > 0 && key != "" {
			s.extensions[key] = at
		}
	}
	known := map[string]*sarifRule{}
	for i := range c.Rules {
		rule := &c.Rules[i]
		for _, key := range []string{rule.ID, rule.GUID} {
			if key != "" && known[key] == nil {
				known[key] = rule
			}
		}
	}
	s.components = append(s.components, known)
}

// component gives the driver (0) or an extension.
func (s *sarifRules) component(i int) *sarifComponent {
	if i == 0 {
		return &s.run.Tool.Driver
	}
	return &s.run.Tool.Extensions[i-1]
}

// find gives the rule a reference means; nil when it is not described. An id may have further parts after a slash that
// the rule's has not (section 3.27.5).
func (s *sarifRules) find(ref sarifReference) *sarifRule {
	at, t := 0, ref.ToolComponent
	switch {
	case t.Index != nil && *t.Index >= 0 && *t.Index < len(s.run.Tool.Extensions):
		at = *t.Index + 1
	case t.GUID != "":
		at = s.extensions[t.GUID]
	case t.Name != "":
		at = s.extensions[t.Name]
	}
	if rules := s.component(at).Rules; ref.Index != nil && *ref.Index >= 0 && *ref.Index < len(rules) {
		return &rules[*ref.Index]
	}
	known := s.components[at]
	if rule := known[ref.GUID]; ref.GUID != "" && rule != nil {
		return rule
	}
	for id := ref.ID; id != "" && len(id) <= MaxText; {
		if rule := known[id]; rule != nil {
			return rule
		}
		cut := strings.LastIndex(id, "/")
		if cut < 0 {
			break
		}
		id = id[:cut]
	}
	return nil
}

// sarifLevel resolves the level of a failure (section 3.27.10): its own, else what its rule is configured to, else
// "warning".
func sarifLevel(r *sarifResult, rule *sarifRule) (Level, error) {
	said := r.Level
	if said == "" && rule != nil {
		said = rule.DefaultConfiguration.Level
	}
	switch said {
	case "error":
		return Error, nil
	case "warning", "":
		return Warning, nil
	case "note":
		return Note, nil
	case "none":
		return None, nil
	}
	return "", fmt.Errorf("level is %q; it is one of none, note, warning, error", scanText(said))
}
