package catalog_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// world is an organisation with two projects: shop, with the default lifecycle DEV → QA → PROD and the application
// checkout, and bank, with the application ledger and no lifecycle.
type world struct {
	dsn     string
	client  *db.Client
	inTx    func(context.Context, func(*db.Client) error) error
	catalog *catalog.Service
	clock   *clock

	shop, bank       *db.Project
	checkout, ledger *db.Application
	// Who acts: the organisation's admin; shop's admin, contributor and viewer; a contributor of both; bank's admin.
	root, shopAdmin, shopContributor, shopViewer, both, bankAdmin context.Context
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// each runs fn in a world of its own on both databases.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) { fn(t, newWorld(t, dsn)) })
}

func newWorld(t *testing.T, dsn string) *world {
	t.Helper()
	st := testdb.Open(t, dsn)
	c := &clock{t: start}
	w := &world{dsn: dsn, client: st.Read(), inTx: st.InTx, clock: c, catalog: catalog.New(st, activity.New(st, c.now), c.now)}
	w.root = w.principal(t, "root", auth.Grant{Role: auth.OrganisationAdmin})

	w.shop = must(w.catalog.CreateProject(w.root, catalog.CreateProjectInput{Key: "shop", Name: "Shop"}))(t)
	w.bank = must(w.catalog.CreateProject(w.root, catalog.CreateProjectInput{Key: "bank", Name: "Bank"}))(t)
	for name, category := range map[string]stage.Category{"DEV": stage.CategoryCODE, "QA": stage.CategoryPROMOTE, "PROD": stage.CategoryRELEASE} {
		must(w.catalog.CreateStage(w.root, catalog.CreateStageInput{Name: name, Category: category, Production: name == "PROD"}))(t)
	}
	must(w.catalog.SetLifecycle(w.root, catalog.SetLifecycleInput{ProjectKey: "shop", Stages: []string{"DEV", "QA", "PROD"}, EnforceOrder: true}))(t)
	w.checkout = must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: "checkout", Name: "Checkout"}))(t)
	w.ledger = must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "bank", Key: "ledger", Name: "Ledger"}))(t)

	shop, bank := w.shop.ID, w.bank.ID
	w.shopAdmin = w.principal(t, "shop-admin", auth.Grant{Role: auth.ProjectAdmin, Project: shop})
	w.shopContributor = w.principal(t, "shop-contributor", auth.Grant{Role: auth.Contributor, Project: shop})
	w.shopViewer = w.principal(t, "shop-viewer", auth.Grant{Role: auth.Viewer, Project: shop})
	w.both = w.principal(t, "both", auth.Grant{Role: auth.Contributor, Project: shop}, auth.Grant{Role: auth.Contributor, Project: bank})
	w.bankAdmin = w.principal(t, "bank-admin", auth.Grant{Role: auth.ProjectAdmin, Project: bank})
	return w
}

// principal makes somebody and returns the context in which they act.
func (w *world) principal(t *testing.T, name string, grants ...auth.Grant) context.Context {
	t.Helper()
	ctx := auth.System(context.Background())
	var p *db.Principal
	err := w.inTx(ctx, func(tx *db.Client) (err error) {
		p, err = tx.Principal.Create().SetName(name).SetKind(principal.KindSERVICE).SetCreatedAt(start).Save(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return auth.With(t.Context(), auth.Principal{ID: p.ID, Name: name, Grants: grants})
}

// write changes rows as another domain would.
func (w *world) write(t *testing.T, fn func(ctx context.Context, tx *db.Client) error) {
	t.Helper()
	ctx := auth.System(context.Background())
	if err := w.inTx(ctx, func(tx *db.Client) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// events returns the events from the nth on, with what opens them.
func (w *world) events(t *testing.T, n int) []*db.ActivityEvent {
	t.Helper()
	events, err := w.client.ActivityEvent.Query().Order(activityevent.ByID()).WithOpenings().All(auth.System(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return events[n:]
}

// onlyEvent returns the one event that fn writes.
func (w *world) onlyEvent(t *testing.T, fn func()) *db.ActivityEvent {
	t.Helper()
	n := len(w.events(t, 0))
	fn()
	events := w.events(t, n)
	if len(events) != 1 {
		t.Fatalf("%d events were written, want 1", len(events))
	}
	return events[0]
}

// noEvent fails when fn writes an event.
func (w *world) noEvent(t *testing.T, fn func()) {
	t.Helper()
	n := len(w.events(t, 0))
	fn()
	if events := w.events(t, n); len(events) != 0 {
		t.Errorf("%d events were written, first: %s", len(events), events[0].Summary)
	}
}

// changes are an event's changes as people read them, one a line: "field: from → to".
func changes(t *testing.T, e *db.ActivityEvent) string {
	t.Helper()
	shown, err := activity.Changes(auth.System(t.Context()), e)
	if err != nil {
		t.Fatal(err)
	}
	side := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	var lines []string
	for _, c := range shown {
		lines = append(lines, c.Field+": "+side(c.From)+" → "+side(c.To))
	}
	return strings.Join(lines, "\n")
}

// must unwraps what cannot fail in a test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantFault fails unless err is a fault of this kind at this path whose message says so.
func wantFault(t *testing.T, err error, kind fault.Kind, path, says string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want %s", err, kind)
	}
	if f.Kind != kind || f.Path != path || !strings.Contains(f.Message, says) {
		t.Errorf("got %s at %q: %q; want %s at %q saying %q", f.Kind, f.Path, f.Message, kind, path, says)
	}
}

func ptr[T any](v T) *T { return &v }

// refusal is a call that must fail and leave no trace.
type refusal struct {
	name string
	call func(w *world) error
	kind fault.Kind
	path string
	says string
}

func refuse(t *testing.T, w *world, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w.noEvent(t, func() { wantFault(t, c.call(w), c.kind, c.path, c.says) })
		})
	}
}
