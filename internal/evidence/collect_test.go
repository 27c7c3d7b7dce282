package evidence_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sigstore "github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const sonarType = "https://plimsoll.dev/documents/sonarqube-quality-gate/v1"

// collecting is a house whose service has a key of its own.
type collecting struct {
	*house
	signer *attest.Signer
	// self acts as the installation: it holds no role.
	self context.Context
}

func newCollecting(t testing.TB, dsn string) *collecting {
	t.Helper()
	h := newHouse(t, dsn)
	below, err := sigstore.LoadECDSASigner(newKey(t).(*ecdsa.PrivateKey), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	c := &collecting{house: h, self: h.as(auth.Principal{})}
	if c.signer, err = attest.NewSigner(below); err != nil {
		t.Fatal(err)
	}
	signs, err := signing.New(c.self, h.store, activity.New(h.store, h.clock), c.signer, h.clock)
	if err != nil {
		t.Fatal(err)
	}
	if c.service, err = h.service.WithCollector(signs); err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) clock() time.Time { return h.now }

// reported is a build of a revision that made artifacts by name.
func (h *house) reported(project, number, revision string, artifacts ...string) {
	h.tb.Helper()
	h.write(func(ctx context.Context, tx *db.Client) error {
		b, err := tx.Build.Create().SetName("shop").SetNumber(number).SetRealm(project).SetProjectID(h.projects[project].ID).
			SetDigest(digestOf("build " + number)).SetRepository("r").SetRevision(revision).SetCreatedBy(h.actor).SetCreatedAt(h.now).Save(ctx)
		if err != nil {
			return err
		}
		for _, name := range artifacts {
			if err := tx.BuildArtifact.Create().SetBuildID(b.ID).SetName(name).SetDigest(digestOf(name)).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// webhook is what SonarQube sends, with a verdict and further members.
func webhook(verdict, more string) []byte {
	return []byte(fmt.Sprintf(`{"serverUrl": "https://sonar.example.org", "status": "SUCCESS", "project": {"key": "shop"},
		"qualityGate": {"name": "Way", "status": %q, "conditions": [{"metric": "new_coverage", "value": "81.0", "status": "OK", "errorThreshold": "80"}]}%s}`, verdict, more))
}

func properties(pairs ...string) string {
	m := map[string]string{"sonar.analysis.other": "x"}
	for i := 0; i < len(pairs); i += 2 {
		m["sonar.analysis.plimsoll."+pairs[i]] = pairs[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return `, "properties": ` + string(b)
}

// about are the names and digests of what evidence speaks of, sorted.
func (h *house) speaksOf(ev *db.Evidence) string {
	var list []string
	for _, s := range ev.QuerySubjects().AllX(h.admin()) {
		list = append(list, strings.TrimSpace(s.Name+" "+s.Digest))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

func named(pairs ...string) string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, strings.TrimSpace(pairs[i]+" "+digestOf(pairs[i+1])))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

func TestRule32_TheServerSignsForWhatItCollectsAndSaysSo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newCollecting(t, dsn)
		v := h.version("web", "1.0", "QA", artifact("app"))
		body := webhook("OK", properties("digest", digestOf("app")))
		ev, known, err := h.service.CollectSonarQube(h.self, body)
		if err != nil || known {
			t.Fatal(known, err)
		}
		if !ev.Verified || !ev.Collected || ev.SignerKey != "collector:"+h.signer.Fingerprint() || ev.Realm != "" || ev.ProjectID != nil ||
			ev.Provider != "sonarqube" || ev.PredicateType != sonarType || ev.Category != "QUALITY" || ev.AnchorID != nil || ev.CreatedBy != h.actor ||
			ev.StageID == nil || *ev.StageID != h.stages["QA"].ID || !strings.Contains(ev.View, `"SonarQube"`) {
			t.Errorf("it is kept as %+v", ev)
		}
		if want := "the webhook's HMAC was checked, and this installation signed for having received it"; ev.Verification != want {
			t.Errorf("it says %q", ev.Verification)
		}
		if identity, issuer, signed := evidence.SignerOf(ev); identity != h.signer.Fingerprint() || issuer != "" || !signed {
			t.Errorf("its signer is %q of %q, signed %v", identity, issuer, signed)
		}
		event := h.store.Read().ActivityEvent.Query().Where(activityevent.Subject(ev.Digest)).OnlyX(h.admin())
		if !strings.Contains(event.Summary, "collected evidence") {
			t.Errorf("the log says %q", event.Summary)
		}

		raw, err := h.service.Raw(h.admin(), ev)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := attest.ParseBundle(raw)
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := attest.Verify(*bundle.Envelope, []attest.Candidate{{Alias: "installation", Key: h.signer.PublicKey()}})
		if err != nil || verdict.Alias != "installation" {
			t.Errorf("its signature is that of %q: %v", verdict.Alias, err)
		}
		st, err := attest.ParseStatement(bundle.Envelope.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := canonical.Normalize(body); err != nil || string(st.Predicate) != string(want) || st.Type != attest.StatementV1 {
			t.Errorf("the statement says %s: %v", st.Predicate, err)
		}
		for name, service := range map[string]*evidence.Service{"remembered": h.service, "read again": h.fresh()} {
			seen, err := service.ForGate(context.Background(), v)
			if err != nil || len(seen) != 1 || seen[0].Anchor != "collector" || string(seen[0].Predicate) != string(st.Predicate) {
				t.Errorf("%s: a gate sees %+v: %v", name, seen, err)
			}
		}
		h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{}`, "app")))
		for signer, want := range map[string]int{"collector": 1, h.signer.Fingerprint(): 0, "nobody": 0} {
			page, err := h.service.Search(h.admin(), &evidence.EvidenceFilter{Signers: []string{signer}}, nil, nil, nil, nil, nil)
			if err != nil || page.TotalCount != want {
				t.Errorf("by %s there are %d pieces, want %d: %v", signer, page.TotalCount, want, err)
			}
		}
	})
}

func TestRule35_TheSameWebhookIsTheSameEvidence(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newCollecting(t, dsn)
		h.reported("web", "7", "c0ffee", "app", "chart")
		body := webhook("OK", `, "revision": "c0ffee"`)
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids, fresh := map[int]bool{}, 0
		for range 8 {
			wg.Go(func() {
				ev, known, err := h.service.CollectSonarQube(h.self, body)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				if ids[ev.ID] = true; !known {
					fresh++
				}
			})
		}
		wg.Wait()
		h.now = h.now.AddDate(0, 0, 1)
		ev, known, err := h.service.CollectSonarQube(h.self, body)
		if err != nil || !known || !ids[ev.ID] || len(ids) != 1 || fresh != 1 {
			t.Errorf("%d records, %d of them new, a day later known %v: %v", len(ids), fresh, known, err)
		}
	})
}

func TestWhatAWebhookIsAbout(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newCollecting(t, dsn)
		h.reported("web", "7", "c0ffee", "app", "chart")
		h.reported("pay", "8", "c0ffee", "app", "job")
		h.reported("pay", "9", "facade", "other")
		for name, c := range map[string]struct{ more, want string }{
			"a digest":                        {properties("digest", digestOf("app")), named("", "app")},
			"digests":                         {properties("digest", digestOf("x")+" , "+digestOf("y")+","+digestOf("x")), named("", "x", "", "y")},
			"a build":                         {properties("build", "shop#7"), named("build shop#7", "build 7", "app", "app", "chart", "chart")},
			"a digest comes before a build":   {properties("digest", digestOf("app"), "build", "shop#7"), named("", "app")},
			"a build comes before a revision": {properties("build", "shop#9") + `, "revision": "c0ffee"`, named("build shop#9", "build 9", "other", "other")},
			"a revision": {
				`, "properties": null, "revision": "c0ffee"`,
				named("build shop#7", "build 7", "build shop#8", "build 8", "app", "app", "chart", "chart", "job", "job"),
			},
		} {
			t.Run(name, func(t *testing.T) {
				ev, _, err := h.service.CollectSonarQube(h.self, webhook("ERROR", c.more))
				if err != nil {
					t.Fatal(err)
				}
				if got := h.speaksOf(ev); got != c.want {
					t.Errorf("it speaks of\n%s\nwant\n%s", got, c.want)
				}
			})
		}
		many := make([]string, evidence.MaxSubjects+1)
		for i := range many {
			many[i] = fmt.Sprintf("sha256:%064x", i)
		}
		const property = "properties.sonar.analysis.plimsoll."
		for name, c := range map[string]struct {
			body       []byte
			kind       fault.Kind
			path, says string
		}{
			"nothing":                              {webhook("OK", ""), fault.FailedPrecondition, "", "set the analysis property sonar.analysis.plimsoll.digest"},
			"a revision that nobody built":         {webhook("OK", `, "revision": "beef"`), fault.FailedPrecondition, "", `revision "beef"`},
			"a build that nobody reported":         {webhook("OK", properties("build", "shop#99")), fault.FailedPrecondition, "", `no build "shop#99"`},
			"a build without a number":             {webhook("OK", properties("build", "shop#")), fault.BadInput, property + "build", "name and number"},
			"a digest that is none":                {webhook("OK", properties("digest", digestOf("x")+",sha256:abc")), fault.BadInput, property + "digest", `"sha256:abc"`},
			"a digest that is a number":            {webhook("OK", `, "properties": {"sonar.analysis.plimsoll.digest": 1}`), fault.BadInput, property + "digest", "want a text"},
			"properties that are a list":           {webhook("OK", `, "properties": []`), fault.BadInput, "properties", "not a JSON object"},
			"a revision that is a list":            {webhook("OK", `, "revision": []`), fault.BadInput, "revision", "want a text"},
			"1,001 digests":                        {webhook("OK", properties("digest", strings.Join(many, ","))), fault.FailedPrecondition, "", "at most 1000"},
			"no verdict":                           {webhook("NONE", properties("digest", digestOf("x"))), fault.BadInput, "", "qualityGate.status"},
			"a task that failed before a gate":     {[]byte(`{"status": "FAILED", "revision": "c0ffee"}`), fault.BadInput, "", "neither qualityGate"},
			"the same twice":                       {webhook("OK", `, "revision": "c0ffee", "revision": "facade"`), fault.BadInput, "", "duplicate"},
			"no JSON":                              {[]byte("status=OK"), fault.BadInput, "", "cannot be read"},
			"nesting that a statement cannot hold": {webhook("OK", `, "revision": "c0ffee", "x": `+strings.Repeat("[", 63)+strings.Repeat("]", 63)), fault.BadInput, "", "deep"},
		} {
			t.Run(name, func(t *testing.T) {
				before := h.rows()
				_, _, err := h.service.CollectSonarQube(h.self, c.body)
				h.in(t).mustRefuse(err, before, c.kind, c.path, c.says)
			})
		}
	})
}

func TestNoTrustAnchorIsCalledCollector(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		before := h.rows()
		_, err := h.service.AddTrustAnchor(h.admin(), evidence.AddTrustAnchorInput{Alias: "collector", PublicKey: ptr(publicPEM(t, newKey(t)))})
		h.mustRefuse(err, before, fault.BadInput, "input.alias", "choose another")
	})
}

func TestWithoutAKeyNothingIsCollected(t *testing.T) {
	h := newHouse(t, testdb.SQLite(t))
	before := h.rows()
	if _, _, err := h.service.CollectSonarQube(h.as(auth.Principal{}), webhook("OK", properties("digest", digestOf("x")))); err == nil || fmt.Sprint(h.rows()) != fmt.Sprint(before) {
		t.Errorf("it is kept: %v", err)
	}
}
