package catalog

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/binding"
	"github.com/plimsoll/plimsoll/ent/db/pkg"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/searchword"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// predicates returns what must hold of a package for whoever acts in ctx. An application that does not exist for them owns
// nothing.
func (f *PackageFilter) predicates(ctx context.Context, path string) ([]predicate.Pkg, error) {
	if f == nil {
		return nil, nil
	}
	var holds []predicate.Pkg
	if f.Text != nil {
		begun, err := searched(path+".text", *f.Text, purlWords)
		if err != nil {
			return nil, err
		}
		for _, w := range begun {
			holds = append(holds, Within[predicate.Pkg](pkg.FieldID, searchword.Table, searchword.FieldPackageID, begins(w)))
		}
	}
	if len(f.Types) > 0 {
		of, err := ofTypes(path+".types", f.Types)
		if err != nil {
			return nil, err
		}
		holds = append(holds, of)
	}
	if len(f.OwningApplicationKeys) > 0 {
		if err := check.List(path+".owningApplicationKeys", len(f.OwningApplicationKeys), maxFilterValues); err != nil {
			return nil, err
		}
		holds = append(holds, belongs(ctx, application.KeyIn(f.OwningApplicationKeys...)))
	}
	if len(f.Owners) > 0 {
		refs, err := filterOwners(path+".owners", f.Owners)
		if err != nil {
			return nil, err
		}
		holds = append(holds, belongs(ctx, ownedBy(refs)))
	}
	switch {
	case f.Owned == nil:
	case *f.Owned:
		holds = append(holds, belongs(ctx))
	default:
		holds = append(holds, pkg.Not(belongs(ctx)))
	}
	return holds, nil
}

// belongs holds for packages that an application in reach of whom the rest holds owns now.
func belongs(ctx context.Context, rest ...predicate.Application) predicate.Pkg {
	if reach := auth.ReachOf(ctx); !reach.All {
		rest = append(rest, application.ProjectIDIn(reach.Projects...))
	}
	now := []predicate.Binding{binding.UntilIsNil(), binding.PackageVersionIDIsNil()}
	if len(rest) > 0 {
		now = append(now, Within[predicate.Binding](binding.FieldApplicationID, application.Table, application.FieldID, rest...))
	}
	return Within[predicate.Pkg](pkg.FieldID, binding.Table, binding.FieldPackageID, now...)
}

// ofTypes holds for purls of one of the types: each is a piece of the index from "pkg:npm/" to "pkg:npm0", the character
// after the slash.
func ofTypes(path string, types []string) (predicate.Pkg, error) {
	if err := check.List(path, len(types), maxFilterTypes); err != nil {
		return nil, err
	}
	pieces := make([]predicate.Pkg, len(types))
	for i, t := range types {
		if !isPurlType(t) {
			return nil, fault.At(fmt.Sprintf("%s.%d", path, i), "a type of purl is letters, digits, dots, dashes and plus signs in lower case, such as \"npm\"; give one")
		}
		pieces[i] = pkg.And(pkg.PurlGTE("pkg:"+t+"/"), pkg.PurlLT("pkg:"+t+"0"))
	}
	return pkg.Or(pieces...), nil
}

func isPurlType(t string) bool {
	for i := range len(t) {
		if !alphanumeric(t[i]) && t[i] != '.' && t[i] != '-' && t[i] != '+' {
			return false
		}
	}
	return t != "" && len(t) <= check.MaxKey
}
