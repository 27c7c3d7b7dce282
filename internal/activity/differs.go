package activity

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// Differs says what of an event is not as its leaf says; empty when everything is. The openings must be loaded. Openings
// that are lacking were erased, which is no difference.
func Differs(e *db.ActivityEvent) string {
	if hash := tlog.LeafHash(e.Leaf); string(hash[:]) != string(e.LeafHash) {
		return "its leaf has another hash than is kept"
	}
	var l leaf
	if json.Unmarshal(e.Leaf, &l) != nil {
		return "its leaf cannot be read"
	}
	for _, c := range []struct{ what, row, leaf string }{
		{"at", e.At.UTC().Format(time.RFC3339Nano), l.At},
		{"type", e.Type, string(l.Type)},
		{"category", string(e.Category), string(l.Type.category())},
		{"result", string(e.Result), l.Result},
		{"project_key", e.ProjectKey, l.Project},
		{"application_key", e.ApplicationKey, l.Application},
		{"subject", e.Subject, l.Subject},
		{"summary", e.Summary, l.Summary},
	} {
		if c.row != c.leaf {
			return "its " + c.what + " is not that of its leaf"
		}
	}
	for _, o := range e.Edges.Openings {
		if Commitment(o.Salt, o.Name) != o.Commitment || !strings.Contains(string(e.Leaf), `"`+o.Commitment+`"`) {
			return "a person it names is not the one of its leaf"
		}
		if o.Actor != (o.Commitment == l.Actor.Commitment) {
			return "its actor is not that of its leaf"
		}
	}
	return ""
}
