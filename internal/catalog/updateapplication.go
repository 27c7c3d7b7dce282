package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
)

// UpdateApplicationInput is what to change on an application; what is nil stays.
type UpdateApplicationInput struct {
	Key         string
	Name        *string
	Description *string
	Criticality *application.Criticality
	Maturity    *application.Maturity
	Labels      *LabelChanges
	Owners      *OwnerChanges
}

// applicationChanges are the labels and owners of an update in their canonical form.
type applicationChanges struct {
	addLabels, removeLabels []labels.Label
	addOwners, removeOwners []string
}

// UpdateApplication changes what is said of an application. It fails with CONFLICT when the new name is taken in the
// project, and with BAD_USER_INPUT when the application would have more labels or owners than the limit.
func (s *Service) UpdateApplication(ctx context.Context, in UpdateApplicationInput) (*db.Application, error) {
	lists, err := in.check()
	if err != nil {
		return nil, err
	}
	var a *db.Application
	err = s.write(ctx, func(tx *db.Client) error {
		a, err = applicationForWriting(ctx, tx, "input.key", in.Key)
		if err != nil {
			return err
		}
		actor, err := auth.Allow(ctx, "updateApplication", a.ProjectID)
		if err != nil {
			return err
		}
		loaded := a // with its project, which the row as changed has not
		var changes, more []activity.Change
		if a, changes, err = updateFields(ctx, tx, a, in); err != nil {
			return err
		}
		if more, err = updateLabels(ctx, tx, a.ID, lists); err != nil {
			return err
		}
		changes = append(changes, more...)
		if more, err = s.updateOwners(ctx, tx, a.ID, actor.ID, lists); err != nil {
			return err
		}
		changes = append(changes, more...)
		if len(changes) == 0 {
			return nil
		}
		return s.log.Append(ctx, tx, applicationUpdated(loaded, changes))
	})
	if err != nil {
		return nil, err
	}
	return s.store.Read().Application.Get(ctx, a.ID)
}

func (in *UpdateApplicationInput) check() (lists applicationChanges, err error) {
	if err := check.Key("input.key", in.Key); err != nil {
		return lists, err
	}
	if in.Name != nil {
		err = check.Name("input.name", *in.Name)
	}
	if err == nil && in.Description != nil {
		err = check.Text("input.description", *in.Description, 0, maxDescription)
	}
	if err == nil && in.Criticality != nil {
		err = checkCriticality(*in.Criticality)
	}
	if err == nil && in.Maturity != nil {
		err = checkMaturity(*in.Maturity)
	}
	if err == nil && in.Labels != nil {
		lists.addLabels, lists.removeLabels, err = in.Labels.check()
	}
	if err == nil && in.Owners != nil {
		lists.addOwners, lists.removeOwners, err = in.Owners.check()
	}
	return lists, err
}

func (c *LabelChanges) check() (add, remove []labels.Label, err error) {
	err = check.First(checkLabels("input.labels.add", c.Add), checkLabels("input.labels.remove", c.Remove))
	if err != nil {
		return nil, nil, err
	}
	add, remove = distinct(c.Add), distinct(c.Remove)
	for i, l := range c.Remove {
		if slices.Contains(add, labels.Label{Key: l.Key, Value: l.Value}) {
			return nil, nil, fault.At(fmt.Sprintf("input.labels.remove.%d", i), "this label is to be added as well; leave it out of one of the lists")
		}
	}
	return add, remove, nil
}

func (c *OwnerChanges) check() (add, remove []string, err error) {
	if add, err = ownerRefs("input.owners.add", c.Add, OwnerRef); err != nil {
		return nil, nil, err
	}
	if remove, err = ownerRefs("input.owners.remove", c.Remove, knownOwnerRef); err != nil {
		return nil, nil, err
	}
	for _, ref := range remove {
		if slices.Contains(add, ref) {
			return nil, nil, fault.At("input.owners.remove", "%s is to be added as well; leave it out of one of the lists", ref)
		}
	}
	return add, remove, nil
}

// updateFields writes what differs, if anything does.
func updateFields(ctx context.Context, tx *db.Client, a *db.Application, in UpdateApplicationInput) (*db.Application, []activity.Change, error) {
	update := a.Update()
	var changes []activity.Change
	if in.Name != nil && *in.Name != a.Name {
		if err := checkNameFree(ctx, tx, a.Edges.Project, *in.Name); err != nil {
			return nil, nil, err
		}
		update.SetName(*in.Name)
		changes = append(changes, activity.Changed("name", a.Name, *in.Name))
	}
	if in.Description != nil && *in.Description != a.Description {
		update.SetDescription(*in.Description)
		changes = append(changes, activity.Changed("description", a.Description, *in.Description))
	}
	if in.Criticality != nil && *in.Criticality != a.Criticality {
		update.SetCriticality(*in.Criticality)
		changes = append(changes, activity.Changed("criticality", string(a.Criticality), string(*in.Criticality)))
	}
	if in.Maturity != nil && *in.Maturity != a.Maturity {
		update.SetMaturity(*in.Maturity)
		changes = append(changes, activity.Changed("maturity", string(a.Maturity), string(*in.Maturity)))
	}
	if len(changes) == 0 {
		return a, nil, nil
	}
	updated, err := update.Save(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("change application %s: %w", a.Key, err)
	}
	if updated.Name != a.Name {
		return updated, changes, renameWords(ctx, tx, updated)
	}
	return updated, changes, nil
}

func updateLabels(ctx context.Context, tx *db.Client, applicationID int, lists applicationChanges) ([]activity.Change, error) {
	if len(lists.addLabels)+len(lists.removeLabels) == 0 {
		return nil, nil
	}
	rows, err := tx.Label.Query().Where(label.ApplicationID(applicationID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load labels: %w", err)
	}
	there := map[labels.Label]bool{}
	for _, l := range rows {
		there[labels.Label{Key: l.Key, Value: l.Value}] = true
	}
	var changes []activity.Change
	var add []labels.Label
	var gone []predicate.Label
	for _, l := range lists.removeLabels {
		if there[l] {
			gone = append(gone, label.And(label.Key(l.Key), label.Value(l.Value)))
			changes = append(changes, activity.Removed("labels", labelText(l)))
		}
	}
	for _, l := range lists.addLabels {
		if !there[l] {
			add = append(add, l)
			changes = append(changes, activity.Added("labels", labelText(l)))
		}
	}
	if n := len(rows) - len(gone) + len(add); len(add) > 0 && n > check.MaxLabels {
		return nil, fault.At("input.labels.add", "an application has at most %d labels and would have %d; remove some", check.MaxLabels, n)
	}
	if len(gone) > 0 {
		if _, err := tx.Label.Delete().Where(label.ApplicationID(applicationID), label.Or(gone...)).Exec(ctx); err != nil {
			return nil, fmt.Errorf("remove labels: %w", err)
		}
	}
	return changes, addLabels(ctx, tx, applicationID, add)
}

func addLabels(ctx context.Context, tx *db.Client, applicationID int, add []labels.Label) error {
	rows := make([]*db.LabelCreate, len(add))
	for i, l := range add {
		rows[i] = tx.Label.Create().SetApplicationID(applicationID).SetKey(l.Key).SetValue(l.Value)
	}
	if err := tx.Label.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	return nil
}

func (s *Service) updateOwners(ctx context.Context, tx *db.Client, applicationID, by int, lists applicationChanges) ([]activity.Change, error) {
	if len(lists.addOwners)+len(lists.removeOwners) == 0 {
		return nil, nil
	}
	rows, err := openOwnerships(ctx, tx, []int{applicationID})
	if err != nil {
		return nil, err
	}
	there := map[string]int{} // reference → ownership
	for _, o := range rows {
		there[o.Edges.Owner.Ref] = o.ID
	}
	var changes []activity.Change
	var add []string
	var end []int
	for _, ref := range lists.removeOwners {
		if row, ok := there[ref]; ok {
			end = append(end, row)
			changes = append(changes, activity.Removed("owners", ownerValue(ref)))
		}
	}
	for _, ref := range lists.addOwners {
		if _, ok := there[ref]; !ok {
			add = append(add, ref)
			changes = append(changes, activity.Added("owners", ownerValue(ref)))
		}
	}
	if n := len(rows) - len(end) + len(add); len(add) > 0 && n > maxOwners {
		return nil, fault.At("input.owners.add", "an application has at most %d owners and would have %d; remove some", maxOwners, n)
	}
	at := s.now() // one instant, so that the application is never without an owner in between
	if len(end) > 0 {
		err := tx.Ownership.Update().Where(ownership.IDIn(end...), ownership.UntilIsNil()).SetUntil(at).SetRemovedBy(by).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("end ownerships: %w", err)
		}
	}
	return changes, s.assign(ctx, tx, applicationID, by, add, at)
}
