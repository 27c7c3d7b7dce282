package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/plimsoll/plimsoll/internal/fault"
)

func TestAFaultSaysWhatAndWhere(t *testing.T) {
	at := fault.At("input.name", "at most %d characters", 255)
	if at.Kind != fault.BadInput || at.Error() != "input.name: at most 255 characters" {
		t.Errorf("%s: %v", at.Kind, at)
	}
	conflict := fault.New(fault.Conflict, "in %s", "QA").With("currentStage", "QA").With("attempt", 2)
	if conflict.Error() != "in QA" || conflict.Path != "" || fmt.Sprint(conflict.Details) != "map[attempt:2 currentStage:QA]" {
		t.Errorf("%v at %q with %v", conflict, conflict.Path, conflict.Details)
	}
	if found, ok := errors.AsType[*fault.Error](fmt.Errorf("create: %w", conflict)); !ok || found != conflict {
		t.Error("a wrapped fault is not found")
	}
}
