package blast_test

import (
	"testing"

	"github.com/plimsoll/plimsoll/internal/blast"
)

func TestCellsAreNoFormulas(t *testing.T) {
	for cell, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "a=1": "a=1", "": ""} {
		if got := blast.Inert(cell); got != want {
			t.Errorf("%q is written %q, want %q", cell, got, want)
		}
	}
}
