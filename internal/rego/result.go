package rego

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Bounds of a result. Beyond them the evaluation is an error: a rule that says more than anybody reads is wrong, and
// its answer would be kept for ever.
const (
	MaxViolations = 1000    // violations of one evaluation
	MaxExamined   = 100_000 // things it looked at
	MaxCode       = 128     // bytes of a code
	MaxText       = 4096    // bytes of a subject, message, remediation or examined reference
)

// Violation is one thing that is wrong. Code is what a waiver may name, Subject what it is about.
type Violation struct {
	Code        string `json:"code"`
	Subject     string `json:"subject"`
	Message     string `json:"message"`
	Remediation string `json:"remediation,omitempty"` // may be empty: then that of the template holds
	// Vulnerability and Purl are what it is about, when it is about one: a waiver may name them, too.
	Vulnerability string `json:"vulnerability,omitempty"`
	Purl          string `json:"purl,omitempty"`
}

// Result is a complete answer.
type Result struct {
	Examined   []string    // sorted, without duplicates
	Violations []Violation // in Rego's order of objects: by code, then message
	// Raw is the canonical JSON of {"examined": […], "violations": […]}. Stock `opa eval --format raw` prints the same
	// bytes, but for a final newline and for <, >, &, U+2028 and U+2029, which it writes as \u escapes; its output in
	// RFC 8785 form is always Raw.
	Raw []byte
}

// readResult takes the value of the query apart and refuses everything that is not exactly of its shape.
func readResult(value any) (Result, error) {
	doc, ok := value.(map[string]any)
	if !ok {
		return Result{}, errors.New("the result is not an object")
	}
	examined, ok := doc["examined"].([]any)
	if !ok {
		return Result{}, errors.New("examined is not a set")
	}
	violations, ok := doc["violations"].([]any)
	if !ok {
		return Result{}, errors.New("violations is not a set")
	}
	if len(examined) > MaxExamined {
		return Result{}, fmt.Errorf("examined has %d elements, the limit is %d", len(examined), MaxExamined)
	}
	if len(violations) > MaxViolations {
		return Result{}, fmt.Errorf("there are %d violations, the limit is %d: let the rule sum them up", len(violations), MaxViolations)
	}
	result := Result{Examined: make([]string, 0, len(examined)), Violations: make([]Violation, 0, len(violations))}
	for i, e := range examined {
		s, err := readText(e, MaxText)
		if err != nil {
			return Result{}, fmt.Errorf("examined[%d] %w", i, err)
		}
		result.Examined = append(result.Examined, s)
	}
	for i, v := range violations {
		violation, err := readViolation(v)
		if err != nil {
			return Result{}, fmt.Errorf("violations[%d]%w", i, err)
		}
		result.Violations = append(result.Violations, violation)
	}
	raw, err := canonical.JSON(doc)
	if err != nil {
		return Result{}, fmt.Errorf("spell the result: %w", err)
	}
	result.Raw = raw
	return result, nil
}

func readViolation(value any) (Violation, error) {
	fields, ok := value.(map[string]any)
	if !ok {
		return Violation{}, errors.New(" is not an object")
	}
	var v Violation
	members := []struct {
		name     string
		to       *string
		max      int
		optional bool
	}{
		{"code", &v.Code, MaxCode, false},
		{"subject", &v.Subject, MaxText, false},
		{"message", &v.Message, MaxText, false},
		{"remediation", &v.Remediation, MaxText, true},
		{"vulnerability", &v.Vulnerability, MaxCode, true},
		{"purl", &v.Purl, MaxText, true},
	}
	known := make([]string, len(members))
	for i, f := range members {
		known[i] = f.name
		field, there := fields[f.name]
		if !there && f.optional {
			continue
		}
		s, err := readText(field, f.max)
		if err != nil {
			return Violation{}, fmt.Errorf(".%s %w", f.name, err)
		}
		*f.to = s
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return Violation{}, fmt.Errorf(".%s is not a field of a violation", name)
		}
	}
	return v, nil
}

func readText(value any, limit int) (string, error) {
	s, ok := value.(string)
	switch {
	case !ok:
		return "", errors.New("must be a string")
	case s == "":
		return "", errors.New("must not be empty")
	case len(s) > limit:
		return "", fmt.Errorf("has %d bytes, the limit is %d", len(s), limit)
	case !utf8.ValidString(s):
		return "", errors.New("is not valid UTF-8")
	}
	return s, nil
}
