package catalog

import (
	"reflect"

	"entgo.io/ent"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// CheckCursors refuses positions of a list in another order. Sample is a value that the list is ordered by, of any row;
// nil when the list is ordered by row number alone.
func CheckCursors(sample ent.Value, after, before *db.Cursor) error {
	for path, c := range map[string]*db.Cursor{"after": after, "before": before} {
		if c != nil && reflect.TypeOf(c.Value) != reflect.TypeOf(sample) {
			return fault.At(path, "this cursor is of a list in another order; pass one that the list in this order gave")
		}
	}
	return nil
}
