package activity_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/activityopening"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 123456000, time.UTC)

// world is a log whose clock goes on by a second with each event, and the projects pay and books.
type world struct {
	tb       testing.TB
	st       *store.Store
	log      *activity.Log
	now      time.Time
	projects map[string]*db.Project
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, st: testdb.Open(tb, dsn), now: start, projects: map[string]*db.Project{}}
	w.log = activity.New(w.st, func() time.Time { return w.now })
	w.write(org("root"), func(ctx context.Context, tx *db.Client) (err error) {
		for _, key := range []string{"pay", "books"} {
			if w.projects[key], err = tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(start).Save(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func org(name string) context.Context {
	return auth.With(context.Background(), auth.Principal{Name: name, Grants: []auth.Grant{{Role: auth.Auditor}}})
}

func (w *world) write(ctx context.Context, fn func(context.Context, *db.Client) error) {
	w.tb.Helper()
	if err := w.st.InTx(ctx, func(tx *db.Client) error { return fn(ctx, tx) }); err != nil {
		w.tb.Fatal(err)
	}
}

// append writes an event as someone, and returns it.
func (w *world) append(who string, e activity.Event) *db.ActivityEvent {
	w.tb.Helper()
	w.write(org(who), func(ctx context.Context, tx *db.Client) error { return w.log.Append(ctx, tx, e) })
	w.now = w.now.Add(time.Second)
	return w.newest()
}

func (w *world) newest() *db.ActivityEvent {
	w.tb.Helper()
	e, err := w.st.Read().ActivityEvent.Query().Order(db.Desc("id")).First(org("root"))
	if err != nil {
		w.tb.Fatal(err)
	}
	return e
}

// shown is who acted and what changed, as it is shown.
func (w *world) shown(e *db.ActivityEvent) string {
	w.tb.Helper()
	actor, err := activity.Actor(org("root"), e)
	if err != nil {
		w.tb.Fatal(err)
	}
	changes, err := activity.Changes(org("root"), e)
	if err != nil {
		w.tb.Fatal(err)
	}
	said := actor + ":"
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	for _, c := range changes {
		said += fmt.Sprintf(" %s %s→%s", c.Field, text(c.From), text(c.To))
	}
	return said
}

func (w *world) everything() activity.Event {
	return activity.Event{
		Type: activity.ApplicationUpdated, Project: w.projects["pay"], Application: "checkout", Subject: "checkout", Summary: "it <changed> & how",
		Changes: []activity.Change{
			activity.Changed("name", "a", "b"), activity.Added("tier", activity.Text("web")), activity.Removed("owner", activity.Person("user:joan")),
			{Field: "lead", From: activity.Person("user:joan"), To: activity.Person("user:mary")},
		},
	}
}

var (
	commitments = regexp.MustCompile(`"commitment":"sha256:[0-9a-f]{64}"`)
	ids         = regexp.MustCompile(`"id":"[0-9a-f]{32}"`)
)

// TestRule40_ALeafIsLaidOutForEver compares leaves, but for what is random in them, with bytes that never change.
func TestRule40_ALeafIsLaidOutForEver(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		for _, c := range []struct {
			event activity.Event
			want  string
		}{
			{w.everything(), `{"actor":{C},"application":"checkout","at":"2026-11-21T03:00:00.123456Z","changes":[{"field":"name","from":"a","to":"b"},{"field":"tier","to":"web"},{"field":"owner","from":{C}},{"field":"lead","from":{C},"to":{C}}],ID,"project":"pay","result":"SUCCESS","subject":"checkout","summary":"it <changed> & how","type":"APPLICATION_UPDATED","v":1}`},
			{
				activity.Event{Type: activity.TokenRevoked, Result: activity.Failed, Subject: "ci"},
				`{"actor":{C},"at":"2026-11-21T03:00:01.123456Z",ID,"result":"FAILED","subject":"ci","summary":"","type":"TOKEN_REVOKED","v":1}`,
			},
		} {
			e := w.append("ada", c.event)
			got := ids.ReplaceAllString(commitments.ReplaceAllString(string(e.Leaf), "C"), "ID")
			if got != c.want {
				t.Errorf("the leaf is\n%s\nwant\n%s", got, c.want)
			}
			hash := sha256.Sum256(append([]byte{0}, e.Leaf...)) // RFC 6962, 2.1
			if string(e.LeafHash) != string(hash[:]) {
				t.Errorf("the leaf's hash is %x, want %x", e.LeafHash, hash)
			}
			if e.LogIndex != nil {
				t.Errorf("the event is in the tree at %d before there is one", *e.LogIndex)
			}
		}
	})
}

func TestRule40_PeopleStandInALeafAsCommitmentsAndCanBeErased(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		e := w.append("grace", w.everything())
		for _, name := range []string{"grace", "joan", "user:mary"} {
			if strings.Contains(string(e.Leaf), name) {
				t.Errorf("the leaf names %s: %s", name, e.Leaf)
			}
		}
		openings := w.st.Read().ActivityOpening.Query().AllX(org("root"))
		seen := map[string]bool{}
		for _, o := range openings {
			if o.Commitment != activity.Commitment(o.Salt, o.Name) || !strings.Contains(string(e.Leaf), o.Commitment) || len(o.Salt) != 32 || seen[o.Commitment] {
				t.Errorf("the opening of %s opens nothing", o.Name)
			}
			seen[o.Commitment] = true
		}
		if len(openings) != 4 || activity.Commitment("a", "b") != canonical.Digest([]byte("a\x00b")) {
			t.Errorf("there are %d openings", len(openings))
		}
		if got := w.shown(e); got != "grace: name a→b tier -→web owner user:joan→- lead user:joan→user:mary" {
			t.Errorf("shown is %s", got)
		}
		erase := func(name string) {
			w.write(org("root"), func(ctx context.Context, tx *db.Client) error {
				_, err := tx.ActivityOpening.Delete().Where(activityopening.Name(name)).Exec(ctx)
				return err
			})
		}
		erase("user:joan")
		if got := w.shown(w.newest()); got != "grace: name a→b tier -→web owner erased→- lead erased→user:mary" {
			t.Errorf("without joan it is shown as %s", got)
		}
		erase("grace")
		after := w.newest()
		if got := w.shown(after); !strings.HasPrefix(got, activity.Erased+":") {
			t.Errorf("without grace it is shown as %s", got)
		}
		if string(after.Leaf) != string(e.Leaf) || string(after.LeafHash) != string(e.LeafHash) {
			t.Error("erasing a person changed the leaf")
		}
	})
}

func TestAnEventWithoutAnActorIsRefusedAndTwoEqualOnesAreTwo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		err := w.st.InTx(auth.System(context.Background()), func(tx *db.Client) error {
			return w.log.Append(context.Background(), tx, w.everything())
		})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Unauthenticated {
			t.Errorf("nobody's event gives %v", err)
		}
		one := w.append("ada", w.everything())
		w.now = start
		if two := w.append("ada", w.everything()); string(one.LeafHash) == string(two.LeafHash) {
			t.Error("two equal happenings are one leaf")
		}
	})
}

func TestChangesThatAreTooManyAreKeptByTheirDigest(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		event := w.everything()
		for i := range 700 {
			event.Changes = append(event.Changes, activity.Added(fmt.Sprint("field ", i), activity.Text(strings.Repeat("x", 100))))
		}
		e := w.append("ada", event)
		if len(e.Leaf) > 65535 {
			t.Errorf("the leaf has %d bytes", len(e.Leaf))
		}
		if got := w.shown(e); !regexp.MustCompile(`^ada: 704 changes -→sha256:[0-9a-f]{64}$`).MatchString(got) {
			t.Errorf("shown is %s", got)
		}
		event.Changes[0].To = activity.Text("c")
		if again := w.append("ada", event); w.shown(again) == w.shown(e) {
			t.Error("other changes have the same digest")
		}
	})
}

func TestEveryTypeHasItsCategory(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	for category, list := range map[activityevent.Category][]activity.Type{
		"CATALOG":  {activity.ProjectCreated, activity.StageCreated, activity.LifecycleSet, activity.ApplicationCreated, activity.ApplicationUpdated, activity.PackageBound, activity.PackageUnbound},
		"ACCESS":   {activity.OrganisationFounded, activity.SigningKeyAdded, activity.TokenCreated, activity.TokenRevoked},
		"POLICY":   {activity.PolicyTemplateCreated, activity.RuleCreated, activity.PolicyCreated, activity.PolicyUpdated},
		"EVIDENCE": {activity.TrustAnchorAdded, activity.TrustAnchorRevoked, activity.EvidenceSubmitted},
		"VERSION":  {activity.VersionCreated},
		"RELEASE":  {activity.VersionPromoted, activity.VersionReleased, activity.VersionRolledBack},
	} {
		for _, typ := range list {
			if e := w.append("ada", activity.Event{Type: typ, Subject: "x"}); e.Category != category || e.Type != string(typ) {
				t.Errorf("%s is in %s, want %s", typ, e.Category, category)
			}
		}
	}
}

// many writes six events: who, project, application, type and result differ.
func (w *world) many() {
	w.tb.Helper()
	for _, e := range []struct {
		who, project, app string
		typ               activity.Type
		result            activityevent.Result
	}{
		{"ada", "", "", activity.TokenCreated, activity.Success},
		{"ada", "pay", "", activity.ProjectCreated, activity.Success},
		{"grace", "pay", "checkout", activity.VersionCreated, activity.Success},
		{"grace", "pay", "checkout", activity.VersionPromoted, activity.Blocked},
		{"ada", "books", "ledger", activity.VersionPromoted, activity.Success},
		{"joan", "books", "ledger", activity.VersionReleased, activity.Failed},
	} {
		w.append(e.who, activity.Event{
			Type: e.typ, Result: e.result, Project: w.projects[e.project], Application: e.app, Subject: string(e.typ),
			// A person in a change is not who acted.
			Changes: []activity.Change{activity.Added("who", activity.Person("mary"))},
		})
	}
}

func (w *world) list(ctx context.Context, f *activity.Filter) string {
	w.tb.Helper()
	page, err := w.log.Events(ctx, f, nil, nil, nil, nil)
	if err != nil {
		w.tb.Fatal(err)
	}
	var seconds []string
	for _, e := range page.Edges {
		seconds = append(seconds, fmt.Sprint(int(e.Node.At.Sub(start)/time.Second)))
	}
	if page.TotalCount != len(seconds) {
		w.tb.Errorf("%d events are counted, %d listed", page.TotalCount, len(seconds))
	}
	return strings.Join(seconds, "")
}

func TestTheLogIsFiltered(t *testing.T) {
	at := func(seconds int) *time.Time { return new(start.Add(time.Duration(seconds) * time.Second)) }
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many()
		for name, c := range map[string]struct {
			filter *activity.Filter
			want   string
		}{
			"no filter":             {nil, "543210"},
			"an empty filter":       {&activity.Filter{}, "543210"},
			"a project":             {&activity.Filter{ProjectKeys: []string{"pay"}}, "321"},
			"two projects":          {&activity.Filter{ProjectKeys: []string{"pay", "books"}}, "54321"},
			"no project at all":     {&activity.Filter{ProjectKeys: []string{}}, ""},
			"an application":        {&activity.Filter{ApplicationKeys: []string{"ledger"}}, "54"},
			"an actor":              {&activity.Filter{Actors: []string{"ada"}}, "410"},
			"one who did not act":   {&activity.Filter{Actors: []string{"mary"}}, ""},
			"types":                 {&activity.Filter{Types: []string{"VERSION_PROMOTED", "TOKEN_CREATED"}}, "430"},
			"a type that is none":   {&activity.Filter{Types: []string{"'; --"}}, ""},
			"categories":            {&activity.Filter{Categories: []string{"RELEASE"}}, "543"},
			"results":               {&activity.Filter{Results: []string{"BLOCKED", "FAILED"}}, "53"},
			"a subject":             {&activity.Filter{Subject: new("VERSION_CREATED")}, "2"},
			"from an instant":       {&activity.Filter{From: at(4)}, "54"},
			"until before one":      {&activity.Filter{To: at(2)}, "10"},
			"a second":              {&activity.Filter{From: at(2), To: at(3)}, "2"},
			"everything that holds": {&activity.Filter{ProjectKeys: []string{"pay"}, Actors: []string{"grace"}, Results: []string{"SUCCESS"}}, "2"},
		} {
			if got := w.list(org("root"), c.filter); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		long := make([]string, 101)
		for field, f := range map[string]*activity.Filter{
			"projectKeys": {ProjectKeys: long}, "applicationKeys": {ApplicationKeys: long}, "actors": {Actors: long},
			"types": {Types: long}, "categories": {Categories: long}, "results": {Results: long},
		} {
			_, err := w.log.Events(org("root"), f, nil, nil, nil, nil)
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.BadInput || e.Path != "where."+field || !strings.Contains(e.Message, "100") {
				t.Errorf("%s of 101 values: %v", field, err)
			}
		}
	})
}

func TestRule45_TheLogShowsWhatIsInReach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many()
		as := func(grants ...auth.Grant) context.Context {
			return auth.With(context.Background(), auth.Principal{Name: "vic", Grants: grants})
		}
		if got := w.list(as(auth.Grant{Role: auth.Viewer, Project: w.projects["pay"].ID}), nil); got != "321" {
			t.Errorf("a project's viewer sees %q", got)
		}
		if got := w.list(as(), nil) + w.list(context.Background(), nil); got != "" {
			t.Errorf("nobody sees %q", got)
		}
	})
}

func TestPagesAreNewestFirst(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.many()
		var got []int
		var after *entgql.Cursor[int]
		for {
			page, err := w.log.Events(org("root"), nil, after, new(4), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if page.TotalCount != 6 {
				t.Errorf("%d events are counted", page.TotalCount)
			}
			for _, e := range page.Edges {
				got = append(got, e.Node.ID)
			}
			if after = page.PageInfo.EndCursor; !page.PageInfo.HasNextPage {
				break
			}
		}
		if len(got) != 6 || !slices.IsSortedFunc(got, func(a, b int) int { return b - a }) {
			t.Errorf("the pages give %v", got)
		}
		testdb.NoScans(org("root"), t, dsn, func(ctx context.Context) error {
			_, err := w.log.Events(ctx, &activity.Filter{Actors: []string{"ada"}, Subject: new("x")}, nil, new(2), nil, nil)
			return err
		})
	})
}

func TestALeafThatWasAlteredIsNotShown(t *testing.T) {
	for name, leaf := range map[string]string{
		"no JSON": "x", "changes of another kind": `{"changes":{}}`,
	} {
		if got, err := activity.Changes(org("root"), &db.ActivityEvent{Leaf: []byte(leaf)}); err == nil {
			t.Errorf("%s is shown as %v", name, got)
		}
	}
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		stored := w.append("ada", w.everything())
		stored.Leaf = []byte(`{"changes":[{"field":"f","to":7}]}`)
		if got := w.shown(stored); got != "ada: f -→erased" {
			t.Errorf("what nobody can open is shown as %s", got)
		}
	})
}
