package gate_test

import (
	"strconv"
	"testing"

	"github.com/plimsoll/plimsoll/internal/gate"
)

func TestACacheOfPartsIsBoundedByWhatTheyTake(t *testing.T) {
	add, get := gate.Sized(1 << 20)
	part := make([]byte, 8<<10) // about 100 KB with what is parsed
	for i := range 100 {
		add(strconv.Itoa(i), part)
		get("0")
	}
	kept := 0
	for i := range 100 {
		if get(strconv.Itoa(i)) {
			kept++
		}
	}
	if kept < 5 || kept > 10 || !get("99") || !get("0") {
		t.Errorf("%d of 100 parts are kept; what came last: %t, what was used last: %t", kept, get("99"), get("0"))
	}
	add("huge", make([]byte, 100<<10))
	if get("huge") || !get("99") {
		t.Error("one part took the place of all others")
	}
}
