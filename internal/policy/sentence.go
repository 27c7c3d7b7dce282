package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// Bounds of the values in a sentence: a list of two hundred licences is not read by anybody.
const (
	maxNamed   = 5
	maxInWords = 100
)

// Sentences says in plain words what revisions of policies ask, for those that exist for whoever asks. Four queries are made,
// however many there are.
func (s *Service) Sentences(ctx context.Context, policyIDs []int) (map[int]string, error) {
	found, err := whole(s.store.Read().GatePolicy.Query().Where(gatepolicy.IDIn(policyIDs...))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	sentences := make(map[int]string, len(found))
	for _, p := range found {
		sentences[p.ID] = s.sentence(p)
	}
	return sentences, nil
}

// sentence says what a policy asks that was read whole.
func (s *Service) sentence(p *db.GatePolicy) string {
	does := map[gatepolicy.Mode]string{gatepolicy.ModeBLOCK: "Blocks", gatepolicy.ModeWARN: "Warns at"}[p.Mode]
	if !p.Enabled {
		does = "Switched off; it would be: " + does
	}
	rules := make([]string, len(p.Edges.Rules))
	for i, r := range p.Edges.Rules {
		rules[i] = s.RuleSentence(r)
	}
	must := "this rule must hold: "
	if len(rules) > 1 {
		must = "every rule must hold: "
	}
	return fmt.Sprintf("%s the %s gate of %s for %s: %s%s.", does, strings.ToLower(string(p.GateKind)), p.StageName,
		scopeOf(p, p.Edges.Targets).inWords(), must, strings.Join(rules, "; "))
}

// inWords says whom the scope reaches.
func (sc Scope) inWords() string {
	words := "every application"
	switch sc.Type {
	case gatepolicy.ScopeTypeGLOBAL:
	case gatepolicy.ScopeTypePROJECT:
		words = "every application of " + counted("project", sc.ProjectKeys)
	case gatepolicy.ScopeTypeAPPLICATION:
		words = counted("application", sc.ApplicationKeys)
	}
	if len(sc.Labels) > 0 {
		words += ", " + counted("label", labelTexts(sc.Labels))
	}
	if len(sc.Criticality) > 0 {
		words += ", criticality " + strings.Join(sc.Criticality, " or ")
	}
	return words
}

// counted names one thing or several.
func counted(what string, names []string) string {
	switch len(names) {
	case 0:
		return what + "s out of your reach"
	case 1:
		return what + " " + names[0]
	}
	return what + "s " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// RuleSentence says in plain words what a rule asks that was read with its template: what custom.sentence in the template's
// METADATA says, with {parameters.…} filled in, and otherwise its title and the parameters.
func (s *Service) RuleSentence(r *db.Rule) string {
	t := r.Edges.Template
	if t == nil {
		return r.Name
	}
	var parameters map[string]any
	_ = json.Unmarshal([]byte(r.Parameters), &parameters) // canonical JSON of our own; without it nothing is filled in
	if sentence := s.sentenceOf(t); sentence != "" {
		return fillSentence(sentence, parameters)
	}
	says := strings.TrimSuffix(t.Title, ".")
	if says == "" {
		says = t.Name
	}
	titles := titlesOf(t.ParametersSchema)
	var with []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if value := inWords(parameters[name]); value != "" {
			with = append(with, titles.of(name)+": "+value)
		}
	}
	if len(with) == 0 {
		return says
	}
	return says + " (" + strings.Join(with, "; ") + ")"
}

// sentenceOf returns the custom.sentence of a template; reading it takes parsing, so it is kept.
func (s *Service) sentenceOf(t *db.PolicyTemplate) string {
	if sentence, ok := s.sentences.Get(t.Digest); ok {
		return sentence
	}
	sentence := strings.TrimSuffix(rego.Describe([]byte(t.Rego)).Sentence, ".")
	s.sentences.Add(t.Digest, sentence)
	return sentence
}

var parameterPlace = regexp.MustCompile(`\{parameters\.([a-zA-Z0-9_]+)\}`)

// fillSentence puts parameters in their places. A place whose parameter is not there says so.
func fillSentence(text string, parameters map[string]any) string {
	return parameterPlace.ReplaceAllStringFunc(text, func(place string) string {
		value, there := parameters[parameterPlace.FindStringSubmatch(place)[1]]
		if words := inWords(value); there && words != "" {
			return words
		}
		return "any"
	})
}

// inWords spells a value for people; empty for what says nothing: null, an empty list.
func inWords(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return shortened(value)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[value]
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []any:
		words := make([]string, 0, min(len(value), maxNamed))
		for _, item := range value[:min(len(value), maxNamed)] {
			words = append(words, inWords(item))
		}
		said := strings.Join(words, ", ")
		if more := len(value) - maxNamed; more > 0 {
			said += fmt.Sprintf(" and %d more", more)
		}
		return said
	default:
		b, err := json.Marshal(value)
		if err != nil {
			return ""
		}
		return shortened(string(b))
	}
}

func shortened(s string) string {
	if utf8.RuneCountInString(s) <= maxInWords {
		return s
	}
	return string([]rune(s)[:maxInWords]) + "…"
}

// parameterTitles are what the parameters of a template are called in a form.
type parameterTitles map[string]struct {
	Title string `json:"title"`
}

func titlesOf(schema string) parameterTitles {
	var doc struct {
		Properties parameterTitles `json:"properties"`
	}
	_ = json.Unmarshal([]byte(schema), &doc) // of a property that is no object there is no title
	return doc.Properties
}

func (t parameterTitles) of(name string) string {
	if title := t[name].Title; title != "" {
		return title
	}
	return name
}
