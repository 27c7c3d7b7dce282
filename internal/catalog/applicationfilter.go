package catalog

import (
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/label"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/ent/db/searchword"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// The limits of filters, in elements.
const (
	maxFilterValues = 100
	maxFilterLabels = 20
	maxFilterTypes  = 20
)

// Predicates returns what must hold of an application. Errors name the fields of the filter below path. A nil filter takes
// all that are not archived. Each of them leads from an index to the applications, and none looks past the application
// itself: who lists applications sees none but their own.
func (f *ApplicationFilter) Predicates(path string) ([]predicate.Application, error) {
	if f == nil {
		f = &ApplicationFilter{}
	}
	holds, err := f.own(path)
	if err != nil {
		return nil, err
	}
	if f.Archived {
		holds = append(holds, application.ArchivedAtNotNil())
	} else {
		holds = append(holds, application.ArchivedAtIsNil())
	}
	if len(f.Owners) > 0 {
		refs, err := filterOwners(path+".owners", f.Owners)
		if err != nil {
			return nil, err
		}
		holds = append(holds, ownedBy(refs))
	}
	if len(f.Trust) > 0 {
		trust, err := enums(path+".trust", f.Trust, applicationversion.TrustValidator)
		if err != nil {
			return nil, err
		}
		holds = append(holds, hasVersion(applicationversion.TrustIn(trust...)))
	}
	if len(f.Stages) > 0 {
		if err := check.List(path+".stages", len(f.Stages), maxFilterValues); err != nil {
			return nil, err
		}
		holds = append(holds, hasVersion(Within[predicate.ApplicationVersion](applicationversion.FieldStageID, stage.Table, stage.FieldID, stage.NameIn(f.Stages...))))
	}
	return holds, nil
}

// own is what must hold of the application's own fields, words and labels.
func (f *ApplicationFilter) own(path string) ([]predicate.Application, error) {
	err := check.First(
		check.List(path+".projectKeys", len(f.ProjectKeys), maxFilterValues),
		check.List(path+".labels", len(f.Labels), maxFilterLabels),
	)
	if err != nil {
		return nil, err
	}
	var holds []predicate.Application
	if f.Text != nil {
		begun, err := searched(path+".text", *f.Text, func(text string) []string { return words(text) })
		if err != nil {
			return nil, err
		}
		for _, w := range begun {
			holds = append(holds, Within[predicate.Application](application.FieldID, searchword.Table, searchword.FieldApplicationID, begins(w)))
		}
	}
	if len(f.ProjectKeys) > 0 {
		holds = append(holds, Within[predicate.Application](application.FieldProjectID, project.Table, project.FieldID, project.KeyIn(f.ProjectKeys...)))
	}
	for _, l := range f.Labels {
		holds = append(holds, Within[predicate.Application](application.FieldID, label.Table, label.FieldApplicationID, label.Key(l.Key), label.Value(l.Value)))
	}
	if len(f.Criticality) > 0 {
		values, err := enums(path+".criticality", f.Criticality, application.CriticalityValidator)
		if err != nil {
			return nil, err
		}
		holds = append(holds, application.CriticalityIn(values...))
	}
	if len(f.Maturity) > 0 {
		values, err := enums(path+".maturity", f.Maturity, application.MaturityValidator)
		if err != nil {
			return nil, err
		}
		holds = append(holds, application.MaturityIn(values...))
	}
	return holds, nil
}

// ownedBy holds for applications that one of the owners answers for now.
func ownedBy(refs []string) predicate.Application {
	owners := Within[predicate.Ownership](ownership.FieldOwnerID, owner.Table, owner.FieldID, owner.RefIn(refs...))
	return Within[predicate.Application](application.FieldID, ownership.Table, ownership.FieldApplicationID, ownership.UntilIsNil(), owners)
}

func hasVersion(of predicate.ApplicationVersion) predicate.Application {
	return Within[predicate.Application](application.FieldID, applicationversion.Table, applicationversion.FieldApplicationID, of)
}

// filterOwners returns the canonical forms of the references that a filter names.
func filterOwners(path string, refs []string) ([]string, error) {
	if err := check.List(path, len(refs), maxFilterValues); err != nil {
		return nil, err
	}
	canonical := make([]string, len(refs))
	for i, ref := range refs {
		var err error
		if canonical[i], err = knownOwnerRef(fmt.Sprintf("%s.%d", path, i), ref); err != nil {
			return nil, err
		}
	}
	return canonical, nil
}

// enums reads values that the API's schema has checked already; other callers are told.
func enums[E ~string](path string, values []string, valid func(E) error) ([]E, error) {
	if err := check.List(path, len(values), maxFilterValues); err != nil {
		return nil, err
	}
	out := make([]E, len(values))
	for i, v := range values {
		out[i] = E(v)
		if valid(out[i]) != nil {
			return nil, fault.At(fmt.Sprintf("%s.%d", path, i), "%q is not one of the values; see the schema", v)
		}
	}
	return out, nil
}
