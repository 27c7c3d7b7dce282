package demo

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/plimsoll/plimsoll/schema"
)

//go:embed operations.graphql
var ownOperations string

// documents holds the text of every operation by its name, with the fragments that it needs.
type documents map[string]string

// readDocuments reads the public contract and the few operations of the demonstration itself. Each is sent alone: the
// contract also holds operations that a server may not offer yet.
func readDocuments() (documents, error) {
	docs := documents{}
	for name, text := range map[string]string{"the contract": schema.Contract, "the demonstration's operations": ownOperations} {
		parsed, err := parser.ParseQuery(&ast.Source{Name: name, Input: text})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		for _, operation := range parsed.Operations {
			var b strings.Builder
			formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(&ast.QueryDocument{
				Operations: ast.OperationList{operation},
				Fragments:  fragmentsOf(operation.SelectionSet, parsed.Fragments, nil),
			})
			docs[operation.Name] = b.String()
		}
	}
	return docs, nil
}

// fragmentsOf adds to found the fragments that the selections spread, and those that these spread, each once.
func fragmentsOf(selections ast.SelectionSet, all, found ast.FragmentDefinitionList) ast.FragmentDefinitionList {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			found = fragmentsOf(s.SelectionSet, all, found)
		case *ast.InlineFragment:
			found = fragmentsOf(s.SelectionSet, all, found)
		case *ast.FragmentSpread:
			if fragment := all.ForName(s.Name); fragment != nil && found.ForName(s.Name) == nil {
				found = fragmentsOf(fragment.SelectionSet, all, append(found, fragment))
			}
		}
	}
	return found
}
