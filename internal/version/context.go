package version

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// Inherited is what was said of the application when a version was locked. People stand in it by the row of their
// owner record, so that a name can be erased.
type Inherited struct {
	Criticality application.Criticality `json:"criticality"`
	Maturity    application.Maturity    `json:"maturity"`
	Labels      []labels.Label          `json:"labels"`
	Owners      []int                   `json:"owners"`
}

// InheritedBy reads what a version recorded of its application.
func InheritedBy(v *db.ApplicationVersion) (Inherited, error) {
	var in Inherited
	if err := json.Unmarshal([]byte(v.Context), &in); err != nil {
		return Inherited{}, fmt.Errorf("read context of version %d: %w", v.ID, err)
	}
	return in, nil
}

// contextOf reads the application inside the transaction, so that what is recorded is what holds at that moment.
func contextOf(ctx context.Context, tx *db.Client, applicationID int) (string, error) {
	app, err := tx.Application.Query().Where(application.ID(applicationID)).
		WithLabels(func(q *db.LabelQuery) { q.Order(label.ByKey(), label.ByValue()) }).
		WithOwnerships(func(q *db.OwnershipQuery) { q.Where(ownership.UntilIsNil()).Order(ownership.ByOwnerID()) }).Only(ctx)
	if err != nil {
		return "", fmt.Errorf("load application context: %w", err)
	}
	in := Inherited{Criticality: app.Criticality, Maturity: app.Maturity, Labels: []labels.Label{}, Owners: []int{}}
	for _, l := range app.Edges.Labels {
		in.Labels = append(in.Labels, labels.Label{Key: l.Key, Value: l.Value})
	}
	for _, o := range app.Edges.Ownerships {
		in.Owners = append(in.Owners, o.OwnerID)
	}
	b, err := canonical.JSON(in)
	return string(b), err
}
