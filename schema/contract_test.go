package schema_test

import (
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/plimsoll/plimsoll/schema"
)

// notYet names the operations of the public contract that the schema does not answer yet, and what they wait for.
// Everything else in the contract must validate; when one of these does, its row goes.
func notYet() map[string]string {
	return map[string]string{
		"RecordIncident":   "incidents are not recorded yet",
		"DoraMetrics":      "incidents are not recorded yet, and nothing counts deployments",
		"PolicyCoverage":   "it is a question about all applications, which are asked one by one yet",
		"ComplianceReport": "it is a question about all applications, which are asked one by one yet",
		"Activity":         "there are no subscriptions yet",
	}
}

func TestTheContractIsAnswered(t *testing.T) {
	s := load(t)
	contract, err := parser.ParseQuery(&ast.Source{Name: "contract/operations.graphql", Input: schema.Contract})
	if err != nil {
		t.Fatal(err)
	}
	waiting := notYet()
	for _, operation := range contract.Operations {
		problems := validator.ValidateWithRules(s, alone(operation, contract.Fragments), nil)
		switch reason, waits := waiting[operation.Name]; {
		case waits && len(problems) == 0:
			t.Errorf("%s validates: take it out of notYet (%s)", operation.Name, reason)
		case !waits && len(problems) > 0:
			t.Errorf("%s does not validate: %v", operation.Name, problems)
		}
		delete(waiting, operation.Name)
	}
	for name := range waiting {
		t.Errorf("notYet names %s, which the contract does not have", name)
	}
}

// alone returns a document of one operation and the fragments that it spreads.
func alone(operation *ast.OperationDefinition, all ast.FragmentDefinitionList) *ast.QueryDocument {
	document := &ast.QueryDocument{Operations: ast.OperationList{operation}}
	var spread func(ast.SelectionSet)
	spread = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				spread(s.SelectionSet)
			case *ast.InlineFragment:
				spread(s.SelectionSet)
			case *ast.FragmentSpread:
				fragment := all.ForName(s.Name)
				if fragment != nil && !slices.Contains(document.Fragments, fragment) {
					document.Fragments = append(document.Fragments, fragment)
					spread(fragment.SelectionSet)
				}
			}
		}
	}
	spread(operation.SelectionSet)
	return document
}
