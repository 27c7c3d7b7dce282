package policy

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// readParameters fills defaults in, holds the result against the schema and returns it as canonical JSON, or what is wrong
// with it. A name that is none of the schema's properties is refused even where the schema would let it pass.
func readParameters(schema *jsonschema.Schema, raw []byte) ([]byte, []Problem) {
	if len(raw) > MaxParameterDoc {
		return nil, []Problem{{"", fmt.Sprintf("the parameters have %d bytes, the limit is %d", len(raw), MaxParameterDoc)}}
	}
	_, doc, err := readJSON(raw)
	if err != nil {
		return nil, []Problem{{"", err.Error()}}
	}
	given, ok := doc.(map[string]any)
	if !ok {
		return nil, []Problem{{"", "the parameters must be a JSON object; send {} for none"}}
	}
	var unknown []Problem
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := schema.Properties[name]; !known {
			unknown = append(unknown, Problem{"/" + escape(name), "the template has no such parameter; " + those(schema)})
		}
	}
	if unknown != nil {
		return nil, unknown[:min(len(unknown), maxProblems)]
	}
	filled := fill(schema, given)
	if err := schema.Validate(filled); err != nil {
		return nil, problemsOf(err)
	}
	text, err := canonical.JSON(filled)
	if err != nil {
		return nil, []Problem{{"", err.Error()}}
	}
	return text, nil
}

func those(schema *jsonschema.Schema) string {
	if len(schema.Properties) == 0 {
		return "it takes none"
	}
	return "it takes " + strings.Join(slices.Sorted(maps.Keys(schema.Properties)), ", ")
}

// fill puts defaults where v has nothing: for properties of objects that are there, at any depth, through items and
// references. An object that is absent and has no default of its own stays absent. The schema must not refer to itself.
func fill(s *jsonschema.Schema, v any) any {
	if s.Ref != nil {
		v = fill(s.Ref, v)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if _, given := v[name]; !given {
				d := defaultOf(property)
				if d == nil {
					continue
				}
				v[name] = clone(*d)
			}
			v[name] = fill(property, v[name])
		}
	case []any:
		if s.Items2020 != nil {
			for i := range v {
				v[i] = fill(s.Items2020, v[i])
			}
		}
	}
	return v
}

// defaultOf returns the nearest default along a chain of references, or nil.
func defaultOf(s *jsonschema.Schema) *any {
	for ; s != nil; s = s.Ref {
		if s.Default != nil {
			return s.Default
		}
	}
	return nil
}

// clone copies a JSON tree, so that filling in one rule's parameters leaves the schema's defaults alone.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, item := range v {
			c[name] = clone(item)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = clone(item)
		}
		return c
	default:
		return v
	}
}

// compileStored compiles a schema that readSchema accepted when it was stored.
func compileStored(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		return nil, fmt.Errorf("read stored schema of parameters: %w", err)
	}
	return compileSchema(doc)
}
