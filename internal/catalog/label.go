package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// LabelInput is a label to set: a key, which may stand on one record with several values, and a value.
type LabelInput = labels.Label

// LabelChanges are labels to add and to remove. Adding what is there and removing what is not there change nothing.
type LabelChanges struct {
	Add    []*labels.Label
	Remove []*labels.Label
}

// labelText is a label as an event says it.
func labelText(l labels.Label) *activity.Value { return activity.Text(l.Key + "=" + l.Value) }

func checkLabels(path string, inputs []*labels.Label) error {
	if err := check.List(path, len(inputs), check.MaxLabels); err != nil {
		return err
	}
	for i, l := range inputs {
		if err := check.Label(fmt.Sprintf("%s.%d", path, i), l.Key, l.Value); err != nil {
			return err
		}
	}
	return nil
}

// distinct returns the labels in their order, each once.
func distinct(inputs []*labels.Label) []labels.Label {
	var out []labels.Label
	for _, in := range inputs {
		if l := (labels.Label{Key: in.Key, Value: in.Value}); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// LabelsOfProjects returns the labels of each of the projects, by key and value.
func (s *Service) LabelsOfProjects(ctx context.Context, projectIDs []int) (map[int][]*db.Label, error) {
	rows, err := s.store.Read().Label.Query().Where(label.ProjectIDIn(projectIDs...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load labels of projects: %w", err)
	}
	return grouped(rows, func(l *db.Label) int { return *l.ProjectID }), nil
}

// LabelsOfApplications returns the labels of each of the applications, by key and value.
func (s *Service) LabelsOfApplications(ctx context.Context, applicationIDs []int) (map[int][]*db.Label, error) {
	rows, err := s.store.Read().Label.Query().Where(label.ApplicationIDIn(applicationIDs...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load labels of applications: %w", err)
	}
	return grouped(rows, func(l *db.Label) int { return *l.ApplicationID }), nil
}

// grouped sorts here and not in the database, where the order of letters would depend on its collation.
func grouped(rows []*db.Label, of func(*db.Label) int) map[int][]*db.Label {
	slices.SortFunc(rows, func(a, b *db.Label) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	groups := map[int][]*db.Label{}
	for _, l := range rows {
		groups[of(l)] = append(groups[of(l)], l)
	}
	return groups
}
