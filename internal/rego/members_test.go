package rego_test

import (
	"slices"
	"testing"
)

// TestMembersAreAllThatATemplateMayRead: what is left out would be undefined, so a member too few is a wrong answer.
func TestMembersAreAllThatATemplateMayRead(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
		all  bool
	}{
		"none":                  {"_x := 1", nil, false},
		"by name":               {"_x := input.components", []string{"components"}, false},
		"deep, twice":           {"_x := input.a.b[input.c.d]\n_y := input.a.e", []string{"a", "c"}, false},
		"in brackets":           {`_x := input["odd name"]`, []string{"odd name"}, false},
		"an import":             {"", []string{"labels"}, false},
		"in a comprehension":    {"_x := {c | some c in input.components; not c in input.known}", []string{"components", "known"}, false},
		"an argument":           {"_x := count(input.contents)", []string{"contents"}, false},
		"in a function":         {"_f(a) := a.b if input.version\n_x := _f(1)", []string{"version"}, false},
		"the whole":             {"_x := input", nil, true},
		"the whole, walked":     {"_x if { walk(input, [_, v]); v == 1 }", nil, true},
		"the whole, by a name":  {"_x if { whole := input; whole.a }", nil, true},
		"a computed name":       {"_x := input[data.parameters.name]", nil, true},
		"any name":              {"_x if { some k; input[k] == 1 }", nil, true},
		"the whole, as another": {"_y := input.a\n_x if _y with input as {\"a\": input}", nil, true},
		"one, as another":       {"_y := input.a\n_x if _y with input.a as input.b", []string{"a", "b"}, false},
		"a path in a list":      {`_x := object.get(input, ["a", "b"], 1)`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			head := "package a\n"
			if name == "an import" {
				head += "import input.labels as l\n"
				c.body = "_x := l.tier"
			}
			names, all := compile(t, head+sets+c.body+"\n", `{"name":"n"}`).Members()
			if all != c.all || !all && !slices.Equal(slices.DeleteFunc(names, func(n string) bool { return n == "wrong" }), c.want) {
				t.Errorf("got %v, all %v; want %v, all %v", names, all, c.want, c.all)
			}
		})
	}
}
