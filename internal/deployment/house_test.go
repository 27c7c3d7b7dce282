package deployment_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// world is an organisation with the application gateway in the project pay and ledger in books, each with the versions
// new, released, trusted, doubtful (trusted once), archived and draft.
type world struct {
	tb          testing.TB
	dsn         string
	st          *store.Store
	deployments *deployment.Service
	versions    map[string]int
	// Who acts: an admin of the organisation; a contributor and a viewer of pay; a releaser of books.
	admin, contributor, viewer, stranger context.Context
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, dsn string) { fn(t, newWorld(t, dsn)) })
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, dsn: dsn, st: testdb.Open(tb, dsn), versions: map[string]int{}}
	clock := func() time.Time { return start }
	w.deployments = deployment.New(w.st, activity.New(w.st, clock), clock)
	sys := auth.System(context.Background())
	projects := map[string]int{}
	err := w.st.InTx(sys, func(tx *db.Client) error {
		who := tx.Principal.Create().SetName("ci").SetKind(principal.KindSERVICE).SetCreatedAt(start).SaveX(sys).ID
		for app, project := range map[string]string{"gateway": "pay", "ledger": "books"} {
			p := tx.Project.Create().SetKey(project).SetName(project).SetCreatedAt(start).SaveX(sys)
			a := tx.Application.Create().SetKey(app).SetName(app).SetProjectID(p.ID).SetCreatedAt(start).SaveX(sys)
			projects[project] = p.ID
			for _, name := range []string{"new", "released", "trusted", "doubtful", "archived", "draft"} {
				v := tx.ApplicationVersion.Create().SetVersion(name).SetManifestDigest(app + name).SetManifest("{}").SetContext("{}").
					SetReleasableCount(0).SetProjectID(p.ID).SetApplicationID(a.ID).SetCreatedBy(who).SetCreatedAt(start)
				switch name {
				case "released":
					v.SetTrust(applicationversion.TrustRELEASED)
				case "trusted":
					v.SetTrust(applicationversion.TrustTRUSTED_RELEASE).SetStanding(applicationversion.StandingGOOD)
				case "doubtful":
					v.SetTrust(applicationversion.TrustTRUSTED_RELEASE).SetStanding(applicationversion.StandingWITHDRAWN)
				case "archived":
					v.SetArchivedAt(start)
				case "draft":
					v.SetStatus(applicationversion.StatusDRAFT)
				}
				w.versions[app+"@"+name] = v.SaveX(sys).ID
			}
		}
		as := func(role auth.Role, project int) context.Context {
			return auth.With(tb.Context(), auth.Principal{ID: who, Name: "ci", Grants: []auth.Grant{{Role: role, Project: project}}})
		}
		w.admin, w.contributor = as(auth.OrganisationAdmin, auth.Organisation), as(auth.Contributor, projects["pay"])
		w.viewer, w.stranger = as(auth.Viewer, projects["pay"]), as(auth.Releaser, projects["books"])
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

type input = deployment.RecordDeploymentInput

// succeeded is a rollout of a version of the gateway to production.
func succeeded(version string) input {
	return input{ApplicationKey: "gateway", Version: version, Environment: "production", Kind: "RELEASE", Status: "SUCCEEDED"}
}

func (w *world) record(in input) *db.Deployment {
	w.tb.Helper()
	d, err := w.deployments.Record(w.contributor, in)
	if err != nil {
		w.tb.Fatal(err)
	}
	return d
}

// refused records what must be refused.
func (w *world) refused(who context.Context, in input, kind fault.Kind, path, says string) {
	w.tb.Helper()
	_, err := w.deployments.Record(who, in)
	f, ok := errors.AsType[*fault.Error](err)
	where := ""
	if ok {
		if where, _ = f.Details["path"].(string); where == "" {
			where = f.Path
		}
	}
	if !ok || f.Kind != kind || where != path || !strings.Contains(f.Message, says) {
		w.tb.Errorf("got %v, want %s at %q saying %q", err, kind, path, says)
	}
}

// list is the page of rollouts that the filter takes for whoever asks, as what was rolled out.
func (w *world) list(tb testing.TB, who context.Context, f *deployment.DeploymentFilter) string { //nolint:revive // as testing.T's helpers have it
	tb.Helper()
	page, err := w.deployments.List(who, f, nil, ptr(100), nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range page.Edges {
		for name, id := range w.versions {
			if id == e.Node.VersionID {
				names = append(names, name)
			}
		}
	}
	if page.TotalCount != len(names) {
		tb.Errorf("the total is %d of %v", page.TotalCount, names)
	}
	return strings.Join(names, " ")
}

// live is what runs, of what the filter takes.
func (w *world) live(f deployment.DeploymentFilter) string {
	w.tb.Helper()
	f.Live = ptr(true)
	return w.list(w.tb, w.admin, &f)
}

// traces counts rollouts and events.
func (w *world) traces() (rollouts, events int) {
	sys := auth.System(context.Background())
	return w.st.Read().Deployment.Query().CountX(sys), w.st.Read().ActivityEvent.Query().CountX(sys)
}

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}

func at(minutes int) *time.Time { return ptr(start.Add(time.Duration(minutes) * time.Minute)) }

func ptr[T any](v T) *T { return &v }
