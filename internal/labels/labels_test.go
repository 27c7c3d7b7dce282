package labels_test

import (
	"fmt"
	"testing"

	"github.com/plimsoll/plimsoll/internal/labels"
)

func TestMapGroupsByKey(t *testing.T) {
	list := []labels.Label{{Key: "tier", Value: "web"}, {Key: "pci", Value: "yes"}, {Key: "tier", Value: "edge"}}
	if got := fmt.Sprint(labels.Map(list)); got != "map[pci:[yes] tier:[web edge]]" {
		t.Errorf("the labels are %s", got)
	}
	if got := labels.Map(nil); got == nil || len(got) != 0 {
		t.Errorf("no labels are %v", got)
	}
}
