package rego

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Members returns the members of the input that the module names, sorted. All tells that it may read any: it takes the input
// as a whole, or by a name that is computed.
func (p *Policy) Members() (names []string, all bool) { return slices.Clone(p.members), p.allMembers }

// membersRead looks at every reference that starts at input, in the module as it was compiled: imports and other names for
// the input are resolved there.
func membersRead(m *ast.Module) (names []string, all bool) {
	read := map[string]bool{}
	var look func(x any) bool
	look = func(x any) bool {
		switch x := x.(type) {
		case ast.Var:
			all = all || x.Equal(ast.InputRootDocument.Value)
		case ast.Ref:
			if !x[0].Equal(ast.InputRootDocument) {
				return false
			}
			name, named := ast.String(""), false
			if len(x) > 1 {
				name, named = x[1].Value.(ast.String)
			}
			all = all || !named
			read[string(name)] = true
			for _, t := range x[1:] {
				ast.NewGenericVisitor(look).Walk(t)
			}
			return true
		}
		return false
	}
	ast.NewGenericVisitor(look).Walk(m)
	return slices.Sorted(maps.Keys(read)), all
}
