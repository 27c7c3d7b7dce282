package view_test

import (
	"slices"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

// A statement that one part of a product is not affected must not be read as one about the whole product.
func TestAStatementAboutPartsOfAProductNamesTheParts(t *testing.T) {
	const content = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://acme.test/vex/1","author":"acme","timestamp":"2026-01-01T00:00:00Z","version":1,
		"statements":[{"vulnerability":{"name":"CVE-2026-1"},"status":"not_affected","justification":"vulnerable_code_not_present","products":[
			{"@id":"pkg:oci/shop","hashes":{"sha-256":"00"},"subcomponents":[{"@id":"pkg:npm/one@1.0.0"},{"@id":"pkg:npm/two@1.0.0"}]},
			{"@id":"pkg:oci/till"}]}]}`
	v, known, err := view.Read("https://openvex.dev/ns/v0.2.0", []byte(content))
	if err != nil || !known {
		t.Fatal(known, err)
	}
	want := []string{"pkg:npm/one@1.0.0", "pkg:npm/two@1.0.0", "pkg:oci/till"}
	if got := v.Vex.Statements[0].Products; !slices.Equal(got, want) {
		t.Errorf("it is about %q, want %q", got, want)
	}
}
