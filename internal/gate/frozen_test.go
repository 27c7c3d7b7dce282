package gate_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/approval"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// scopes are freezes that cover checkout, by their scope.
func scopes() map[string]*freeze.CreateFreezeInput {
	return map[string]*freeze.CreateFreezeInput{
		"ORGANISATION": {}, "PROJECT": {ProjectKey: ptr("pay")}, "APPLICATION": {ApplicationKey: ptr("checkout")},
		"LABEL": {Label: &labels.Label{Key: "tier", Value: "edge"}},
	}
}

// frozen makes a freeze for an hour; nil is of everything.
func (w *world) frozen(in *freeze.CreateFreezeInput) *db.Freeze {
	return w.frozenUntil(in, start.Add(time.Hour))
}

func (w *world) frozenUntil(in *freeze.CreateFreezeInput, until time.Time) *db.Freeze {
	w.tb.Helper()
	if in == nil {
		in = &freeze.CreateFreezeInput{}
	}
	in.Reason, in.EndsAt = "the quarter ends", until
	return must(w.freezes.Create(w.admin, *in))(w.tb)
}

func (w *world) lift(f *db.Freeze) {
	w.tb.Helper()
	must(w.freezes.Lift(w.admin, freeze.LiftFreezeInput{ID: id.Global("Freeze", f.ID)}))(w.tb)
}

// person makes somebody who approves.
func (w *world) person(name string, role auth.Role) context.Context {
	w.tb.Helper()
	var made *db.Principal
	w.write(func(ctx context.Context, tx *db.Client) (err error) {
		made, err = tx.Principal.Create().SetName(name).SetKind("USER").SetCreatedAt(start).Save(ctx)
		return err
	})
	return auth.With(context.Background(), auth.Principal{ID: made.ID, Name: name, Grants: []auth.Grant{{Role: role}}})
}

func TestWhatPeopleSayAndWhatIsDeprecatedStandsInTheInput(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := w.version("1.0")
		must(w.catalog.BindPackage(w.admin, catalog.BindPackageInput{ApplicationKey: "checkout", PURL: "pkg:npm/left-pad"}))(t)
		must(w.catalog.DeprecatePackage(w.admin, catalog.DeprecatePackageInput{PURL: "pkg:npm/left-pad", Reason: ptr("use the standard library"), Deprecated: true}))(t)
		say := func(who context.Context, yes bool) {
			must(w.approvals.Approve(who, approval.ApproveApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", ManifestDigest: v.ManifestDigest, Approve: yes}))(t)
		}
		joan, kim := w.person("Joan.Clarke", auth.Contributor), w.person("kim", auth.WaiverApprover)
		say(joan, true)
		say(kim, true)
		say(kim, false)
		say(kim, false) // the same word again is the one that is there
		done := must(w.promote("1.0", "DEV"))(t)
		var in struct {
			Approvals []struct {
				By, Decision string
				Roles        []string
				Owner        bool
				OwnerRefs    []string `json:"owner_refs"`
				Counts       bool
			}
			Deprecated []struct{ Purl, Reason, In string }
			Freezes    []any
			Version    struct {
				CreatedBy string `json:"created_by"`
			}
		}
		text := *must(w.gates.Input(w.admin, must(w.gates.Evaluation(w.admin, *done.Evaluations[0].EvalID))(t)))(t)
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{admin, "Joan", "joan", "kim"} {
			if strings.Contains(text, name) {
				t.Errorf("the input names %s", name)
			}
		}
		a := in.Approvals
		if len(a) != 3 || !a[0].Owner || a[0].OwnerRefs[0] != a[0].By || a[0].Roles[0] != "CONTRIBUTOR" || !a[0].Counts || a[1].Counts || a[1].Owner ||
			a[2].Decision != "REJECTED" || !a[2].Counts || a[1].By != a[2].By || a[0].By == a[1].By {
			t.Errorf("the approvals are %+v", a)
		}
		if !strings.HasPrefix(in.Version.CreatedBy, "person:") || in.Freezes == nil {
			t.Errorf("made by %q, freezes %v", in.Version.CreatedBy, in.Freezes)
		}
		if d := in.Deprecated; len(d) != 1 || d[0].Purl != "pkg:npm/left-pad" || d[0].In != "CONTENTS" || d[0].Reason != "use the standard library" {
			t.Errorf("deprecated are %+v", d)
		}
	})
}
