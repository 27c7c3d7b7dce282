package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/access"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// house is an organisation just founded, with the projects shop and bank.
type house struct {
	dsn    string
	store  *store.Store
	access *access.Service
	clock  *clock

	shop, bank *db.Project
	// bootstrap is the secret of the first admin, and root the context that it gives.
	bootstrap string
	root      context.Context
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

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// each runs fn in a house of its own on both databases.
func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := empty(t, dsn)
		var err error
		if h.bootstrap, err = h.access.Bootstrap(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		h.root = h.enter(t, h.bootstrap)
		h.shop, h.bank = h.project(t, "shop"), h.project(t, "bank")
		fn(t, h)
	})
}

// empty is a house on an empty database.
func empty(t *testing.T, dsn string) *house {
	t.Helper()
	st := testdb.Open(t, dsn)
	c := &clock{t: start}
	return &house{dsn: dsn, store: st, clock: c, access: access.New(st, activity.New(st, c.now), c.now)}
}

func (h *house) project(t *testing.T, key string) (p *db.Project) {
	t.Helper()
	err := h.store.InTx(h.root, func(tx *db.Client) (err error) {
		p, err = tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(start).Save(h.root)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// enter returns the context that a secret gives.
func (h *house) enter(t *testing.T, secret string) context.Context {
	t.Helper()
	ctx, err := h.access.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatalf("the token is refused: %v", err)
	}
	return ctx
}

// token makes a token as the organisation's admin; project is empty for the organisation.
func (h *house) token(t *testing.T, name string, role auth.Role, project string) (*db.Token, string) {
	t.Helper()
	in := access.CreateTokenInput{Name: name, Role: role}
	if project != "" {
		in.ProjectKey = &project
	}
	tok, secret, err := h.access.CreateToken(h.root, in)
	if err != nil {
		t.Fatal(err)
	}
	return tok, secret
}

// as makes a token and returns the context that it gives.
func (h *house) as(t *testing.T, name string, role auth.Role, project string) context.Context {
	t.Helper()
	_, secret := h.token(t, name, role, project)
	return h.enter(t, secret)
}

func (h *house) events(t *testing.T) []*db.ActivityEvent {
	t.Helper()
	events, err := h.store.Read().ActivityEvent.Query().Order(activityevent.ByID()).WithOpenings().All(auth.System(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// principals counts everybody.
func (h *house) principals(t *testing.T) int {
	t.Helper()
	n, err := h.store.Read().Principal.Query().Count(auth.System(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// changes are an event's changes as people read them, one a line.
func changes(t *testing.T, e *db.ActivityEvent) string {
	t.Helper()
	shown, err := activity.Changes(auth.System(t.Context()), e)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range shown {
		lines = append(lines, c.Field+": "+*c.To)
	}
	return strings.Join(lines, "\n")
}

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

// atOnce calls fn n times, all starting together.
func atOnce(n int, fn func(i int)) {
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wg.Wait()
}
