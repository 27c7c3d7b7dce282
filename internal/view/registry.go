package view

import (
	"fmt"
	"slices"
	"strings"
)

// reader reads one format into a view.
type reader func(content []byte) (View, error)

// kind is a predicate type whose evidence has a view.
type kind struct {
	// prefix is what the predicate type starts with: tools append versions.
	prefix string
	read   reader
}

// kinds lists the predicate types that are read.
func kinds() []kind {
	return slices.Concat(
		attestationKinds(),
		reportKinds(),
		scanKinds(),
		[]kind{{ImageIndexType, readIndex}},
	)
}

// Read reads the predicate of a statement, or a document, by its predicate type. Known is false for a type that has no
// view. The error is a sentence that says what is wrong and where, for the person who sent it.
func Read(predicateType string, content []byte) (v View, known bool, err error) {
	for _, k := range kinds() {
		if strings.HasPrefix(predicateType, k.prefix) {
			if len(content) > MaxDocument {
				return View{}, true, fmt.Errorf("the document is %d bytes long; at most %d are read", len(content), MaxDocument)
			}
			v, err = k.read(content)
			return v, true, err
		}
	}
	return View{}, false, nil
}
