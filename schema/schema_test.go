package schema_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/plimsoll/plimsoll/schema"
)

// load parses and validates the schema's files together.
func load(t *testing.T) *ast.Schema {
	t.Helper()
	names, err := fs.Glob(schema.SDL, "*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range names {
		b, err := fs.ReadFile(schema.SDL, name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(b)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ours returns the types that the files define, by name.
func ours(s *ast.Schema) []*ast.Definition {
	var list []*ast.Definition
	for name, d := range s.Types {
		if !d.BuiltIn && !strings.HasPrefix(name, "__") {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// fieldsOf leaves out the fields that every GraphQL server adds.
func fieldsOf(d *ast.Definition) []*ast.FieldDefinition {
	return slices.DeleteFunc(slices.Clone(d.Fields), func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })
}

func TestEverythingIsDescribed(t *testing.T) {
	said := func(what, description string) {
		t.Helper()
		switch {
		case strings.TrimSpace(description) == "":
			t.Errorf("%s has no description", what)
		case !strings.ContainsAny(description[len(description)-1:], ".`"):
			t.Errorf("%s: its description is no sentence: %q", what, description)
		}
	}
	for _, d := range ours(load(t)) {
		said(d.Name, d.Description)
		for _, f := range fieldsOf(d) {
			said(d.Name+"."+f.Name, f.Description)
			for _, a := range f.Arguments {
				said(fmt.Sprintf("%s.%s(%s:)", d.Name, f.Name, a.Name), a.Description)
			}
		}
		for _, v := range d.EnumValues {
			said(d.Name+"."+v.Name, v.Description)
		}
	}
}

func TestNamesAreSpelledOneWay(t *testing.T) {
	pascal := regexp.MustCompile(`^[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)*$`)
	camel := regexp.MustCompile(`^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)*$`)
	screaming := regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)
	acronyms := []string{"PURL", "JSON", "ID"} // scalars by the names that the world knows
	spelled := func(form *regexp.Regexp, name, what string) {
		t.Helper()
		if !form.MatchString(name) && !slices.Contains(acronyms, name) {
			t.Errorf("%s: want %s", what, form)
		}
	}
	for _, d := range ours(load(t)) {
		spelled(pascal, d.Name, d.Name)
		for _, f := range fieldsOf(d) {
			spelled(camel, f.Name, d.Name+"."+f.Name)
			for _, a := range f.Arguments {
				spelled(camel, a.Name, fmt.Sprintf("%s.%s(%s:)", d.Name, f.Name, a.Name))
			}
		}
		for _, v := range d.EnumValues {
			spelled(screaming, v.Name, d.Name+"."+v.Name)
		}
	}
}

func TestListsThatGrowAreConnections(t *testing.T) {
	s := load(t)
	for _, d := range ours(s) {
		if name, ok := strings.CutSuffix(d.Name, "Connection"); ok {
			wantField(t, d, "edges", "["+name+"Edge!]!")
			wantField(t, d, "pageInfo", "PageInfo!")
			wantField(t, d, "totalCount", "Int!")
		}
		if name, ok := strings.CutSuffix(d.Name, "Edge"); ok {
			wantField(t, d, "cursor", "Cursor!")
			if name == "BlastRadius" {
				name = "ApplicationVersion" // the contract asks for versions, and beside each for the ways on which it is hit
			}
			wantField(t, d, "node", name+"!")
		}
		for _, f := range fieldsOf(d) {
			if !strings.HasSuffix(f.Type.Name(), "Connection") {
				continue
			}
			if got := f.Type.String(); got != f.Type.Name()+"!" {
				t.Errorf("%s.%s is %s: an empty connection says more than null", d.Name, f.Name, got)
			}
			for name, want := range map[string]string{"first": "Int", "after": "String", "last": "Int", "before": "String"} {
				if a := f.Arguments.ForName(name); a == nil || a.Type.String() != want {
					t.Errorf("%s.%s takes no %s: %s", d.Name, f.Name, name, want)
				}
			}
		}
	}
}

func wantField(t *testing.T, d *ast.Definition, name, want string) {
	t.Helper()
	if f := d.Fields.ForName(name); f == nil || f.Type.String() != want {
		t.Errorf("%s: want a field %s: %s", d.Name, name, want)
	}
}

func TestMutationsTakeOneInputAndGiveOnePayload(t *testing.T) {
	s := load(t)
	for _, f := range fieldsOf(s.Mutation) {
		name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
		if len(f.Arguments) != 1 || f.Arguments[0].Name != "input" || f.Arguments[0].Type.String() != name+"Input!" {
			t.Errorf("%s: want one argument, input: %sInput!", f.Name, name)
		}
		if got := f.Type.String(); got != name+"Payload!" {
			t.Errorf("%s gives %s, want %sPayload!", f.Name, got, name)
		}
	}
}

// TestOneNameMeansOneThing: a name that says what it holds holds that, everywhere.
func TestOneNameMeansOneThing(t *testing.T) {
	means := []struct {
		name   *regexp.Regexp
		holds  string
		except map[string]string
	}{
		{regexp.MustCompile(`^id$`), "ID", nil},
		{regexp.MustCompile(`(?:^a|A)t$`), "DateTime", nil},
		{regexp.MustCompile(`^purl$`), "PURL", nil},
		{regexp.MustCompile(`(?:^d|D)igest$`), "Digest", map[string]string{
			"EvidenceSubject.digest":    "in-toto subjects may have digests of any algorithm",
			"ProvenanceMaterial.digest": "so may what went into a build",
		}},
		{regexp.MustCompile(`^(?:key|name|version|summary|description|comment|message)$`), "String", map[string]string{
			"BlastRadius.summary": "the contract calls so what is counted",
			"PolicyFlip.version":  "the contract calls so the whole version",
		}},
		{regexp.MustCompile(`^(?:application|owningApplication)$`), "Application", map[string]string{
			"ActivityEvent.application": "an event holds values, not references",
		}},
	}
	for _, d := range ours(load(t)) {
		for _, f := range fieldsOf(d) {
			for _, m := range means {
				if m.name.MatchString(f.Name) && f.Type.Name() != m.holds && m.except[d.Name+"."+f.Name] == "" {
					t.Errorf("%s.%s is %s: everywhere else %s means %s", d.Name, f.Name, f.Type, f.Name, m.holds)
				}
			}
		}
	}
}

// TestNodesCanBeAskedFor: whoever has an id may ask for the record; whatever has none is a value.
func TestNodesCanBeAskedFor(t *testing.T) {
	for _, d := range ours(load(t)) {
		if d.Kind != ast.Object || d.Fields.ForName("id") == nil || d.Name == "Waiver" { // waivers are to come
			continue
		}
		if !slices.Contains(d.Interfaces, "Node") {
			t.Errorf("%s has an id, but is no Node", d.Name)
		}
	}
}
