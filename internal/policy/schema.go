package policy

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

const (
	draft2020 = "https://json-schema.org/draft/2020-12/schema"
	// schemaURL is the base of a schema's own references. Nothing is ever loaded from there.
	schemaURL = "https://plimsoll.invalid/parameters"
	// maxDepth is how deep schemas and parameters may nest.
	maxDepth = 32
	// maxWeight bounds the subschemas that one value can be held against once references are followed. References
	// that are used twice double with every level: without it 30 of them would keep a processor busy for hours.
	maxWeight = 10_000
	// maxProblems is how many problems of a document are reported.
	maxProblems = 20
)

// Problem is something wrong with a JSON document, and where: an RFC 6901 pointer, empty for the whole.
//
//nolint:errname // it is a detail of an answer first, and an error on the way there
type Problem struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// Error implements the error interface.
func (p Problem) Error() string {
	if p.Pointer == "" {
		return p.Message
	}
	return p.Pointer + ": " + p.Message
}

// problemList is several problems of one document, at least one.
//
//nolint:errname // as Problem
type problemList []Problem

// Error implements the error interface with the first.
func (l problemList) Error() string { return l[0].Error() }

// problemsIn returns the problems that an error of readSchema is.
func problemsIn(err error) []Problem {
	if list, ok := errors.AsType[problemList](err); ok {
		return list
	}
	if one, ok := errors.AsType[Problem](err); ok {
		return []Problem{one}
	}
	return []Problem{{"", err.Error()}}
}

// readSchema checks the JSON Schema of a template's parameters and returns its canonical JSON. The error
// is one for problemsIn: not JSON, not of an object, another draft, a reference that leads out of the schema, too many
// parameters, a default that does not obey.
func readSchema(raw []byte) ([]byte, error) {
	if len(raw) > MaxSchema {
		return nil, Problem{"", fmt.Sprintf("the schema has %d bytes, the limit is %d", len(raw), MaxSchema)}
	}
	text, doc, err := readJSON(raw)
	if err != nil {
		return nil, Problem{"", err.Error()}
	}
	object, ok := doc.(map[string]any)
	if !ok || object["type"] != "object" {
		return nil, Problem{"/type", `the schema must be an object with "type": "object": parameters are an object`}
	}
	if err := standsAlone(doc, ""); err != nil {
		return nil, err
	}
	schema, err := compileSchema(doc)
	if err != nil {
		return nil, err
	}
	if n := len(schema.Properties); n > MaxParameters {
		return nil, Problem{"/properties", fmt.Sprintf("at most %d parameters are allowed and %d were given", MaxParameters, n)}
	}
	w := weigher{weight: map[*jsonschema.Schema]int{}, open: map[*jsonschema.Schema]bool{}}
	if _, err := w.weigh(schema); err != nil {
		return nil, err
	}
	return text, checkDefaults(slices.Collect(maps.Keys(w.weight)))
}

// readJSON returns a document in canonical form and as a tree whose numbers are json.Number.
func readJSON(raw []byte) (text []byte, doc any, err error) {
	if err := canonical.Check(raw, maxDepth); err != nil {
		return nil, nil, err
	}
	if text, err = canonical.Normalize(raw); err != nil {
		return nil, nil, err
	}
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	return text, doc, err
}

// standsAlone refuses what would lead out of the schema or change what its references mean. It looks at examples and
// defaults too, where such words would mean nothing: they can be done without.
func standsAlone(v any, at string) error {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := standsAlone(item, fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			here := at + "/" + escape(name)
			if text, ok := v[name].(string); ok {
				if why := leadsOut(name, text); why != "" {
					return Problem{here, why}
				}
			}
			if err := standsAlone(v[name], here); err != nil {
				return err
			}
		}
	}
	return nil
}

func leadsOut(keyword, value string) string {
	switch keyword {
	case "$schema":
		if strings.TrimSuffix(value, "#") != draft2020 {
			return "the schema must be of JSON Schema 2020-12: " + draft2020
		}
	case "$ref":
		if !strings.HasPrefix(value, "#") {
			return "a reference must stay within the schema: start it with #"
		}
	case "$id", "$dynamicRef", "$recursiveRef":
		return keyword + " is not supported: refer to parts of the schema with $ref and #"
	}
	return ""
}

// escape writes a name as a part of an RFC 6901 pointer.
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// compileSchema compiles a schema that stands alone. Formats are asserted: a date that is none must not reach a rule.
func compileSchema(doc any) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nothingOutside{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, fmt.Errorf("add schema of parameters: %w", err)
	}
	schema, err := c.Compile(schemaURL)
	if invalid, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		return nil, problemList(problemsOf(invalid.Err))
	}
	if err != nil {
		return nil, Problem{"", strings.ReplaceAll(err.Error(), schemaURL, "")}
	}
	return schema, nil
}

// nothingOutside is a loader that refuses to load.
type nothingOutside struct{}

// Load implements jsonschema.URLLoader.
func (nothingOutside) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside the schema, which must stand alone", url)
}

// weigher counts, for each subschema, what a value can be held against.
type weigher struct {
	weight map[*jsonschema.Schema]int
	open   map[*jsonschema.Schema]bool
}

func (w weigher) weigh(s *jsonschema.Schema) (int, error) {
	if n, done := w.weight[s]; done {
		return n, nil
	}
	if w.open[s] {
		return 0, Problem{pointerOf(s), "the schema refers to itself: parameters have a fixed depth, write it out"}
	}
	w.open[s] = true
	defer delete(w.open, s)
	total := 1
	for _, part := range partsOf(s) {
		n, err := w.weigh(part)
		if err != nil {
			return 0, err
		}
		if total += n; total > maxWeight {
			return 0, Problem{pointerOf(s), fmt.Sprintf("with its references followed the schema has more than %d parts: make it simpler", maxWeight)}
		}
	}
	w.weight[s] = total
	return total, nil
}

// partsOf returns the subschemas of s, those of the same value and those of values within.
func partsOf(s *jsonschema.Schema) []*jsonschema.Schema {
	parts := slices.Concat(s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems)
	parts = append(parts, s.Ref, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020,
		s.UnevaluatedItems, s.ContentSchema)
	if more, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		parts = append(parts, more)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		parts = append(parts, s.Properties[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependentSchemas)) {
		parts = append(parts, s.DependentSchemas[name])
	}
	for _, part := range s.PatternProperties {
		parts = append(parts, part)
	}
	for _, part := range s.Dependencies {
		if dependent, ok := part.(*jsonschema.Schema); ok {
			parts = append(parts, dependent)
		}
	}
	return slices.DeleteFunc(parts, func(p *jsonschema.Schema) bool { return p == nil })
}

// pointerOf returns where a subschema stands.
func pointerOf(s *jsonschema.Schema) string {
	_, pointer, _ := strings.Cut(s.Location, "#")
	return pointer
}

// checkDefaults refuses a default that its own schema refuses.
func checkDefaults(schemas []*jsonschema.Schema) error {
	slices.SortFunc(schemas, func(a, b *jsonschema.Schema) int { return strings.Compare(a.Location, b.Location) })
	for _, s := range schemas {
		if s.Default == nil {
			continue
		}
		if err := s.Validate(fill(s, clone(*s.Default))); err != nil {
			return Problem{pointerOf(s) + "/default", "the default does not obey its own schema: " + problemsOf(err)[0].Error()}
		}
	}
	return nil
}

// problemsOf returns what a validation found, the innermost causes, in order of their places, at most maxProblems.
func problemsOf(err error) []Problem {
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []Problem{{"", err.Error()}}
	}
	found := causesOf(invalid)
	slices.SortStableFunc(found, func(a, b Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
	found = slices.Compact(found)
	return found[:min(len(found), maxProblems)]
}

func causesOf(e *jsonschema.ValidationError) []Problem {
	if len(e.Causes) > 0 {
		var found []Problem
		for _, cause := range e.Causes {
			found = append(found, causesOf(cause)...)
		}
		return found
	}
	var pointer strings.Builder
	for _, name := range e.InstanceLocation {
		pointer.WriteString("/" + escape(name))
	}
	message := "it does not obey the schema"
	if said := e.BasicOutput().Error; said != nil {
		message = said.String()
	}
	return []Problem{{pointer.String(), message}}
}
