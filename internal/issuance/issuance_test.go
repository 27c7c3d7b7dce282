package issuance_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/issuance"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
	"github.com/plimsoll/plimsoll/internal/version"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

// world is a version, what is signed about it, and a log that takes events in only when it is told to.
type world struct {
	tb      testing.TB
	st      *store.Store
	log     *activity.Log
	signing *signing.Service
	tree    *translog.Service
	issuing *issuance.Service
	version *db.ApplicationVersion
	admin   context.Context
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, st: testdb.Open(tb, dsn)}
	w.log = activity.New(w.st, clock)
	sys := auth.System(context.Background())
	err := w.st.InTx(sys, func(tx *db.Client) error {
		p, err := tx.Principal.Create().SetName("grace").SetKind(principal.KindUSER).SetCreatedAt(start).Save(sys)
		if err == nil {
			w.admin = auth.With(context.Background(), auth.Principal{ID: p.ID, Name: "grace", Grants: []auth.Grant{{Role: auth.OrganisationAdmin}}})
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(tb)
	signer := must(attest.NewSigner(must(signature.LoadECDSASigner(key, crypto.SHA256))(tb)))(tb)
	w.signing = must(signing.New(w.admin, w.st, w.log, signer, clock))(tb)
	cat := catalog.New(w.st, w.log, clock)
	must(cat.CreateProject(w.admin, catalog.CreateProjectInput{Key: "pay", Name: "Pay"}))(tb)
	must(cat.CreateApplication(w.admin, catalog.CreateApplicationInput{
		ProjectKey: "pay", Key: "checkout", Name: "Checkout", Criticality: "HIGH", Maturity: "PRODUCTION", Owners: []string{"team:payments"},
	}))(tb)
	versions := version.New(w.st, cat, w.log, w.signing, clock)
	made := must(versions.Create(w.admin, version.CreateApplicationVersionInput{
		ApplicationKey: "checkout", Version: "1.0",
		Sources: &version.VersionSourcesInput{Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: "sha256:" + strings.Repeat("d", 64)}}},
	}))(tb)
	w.version = must(w.st.Read().ApplicationVersion.Query().Where(applicationversion.ID(made.ID)).WithApplication().WithProject().Only(w.admin))(tb)
	logSigner, _, err := tlog.LoadOrCreateSigner(filepath.Join(tb.TempDir(), "log.key"), "log.example.test")
	if err != nil {
		tb.Fatal(err)
	}
	w.tree = translog.New(w.st, w.log, logSigner, clock)
	w.issuing = issuance.New(w.st, versions, nil, nil, w.tree, "https://example.test/verifier", clock).WithPatience(100 * time.Millisecond)
	return w
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// sign signs a statement about the version, and writes it with its event.
func (w *world) sign(predicateType string, predicate any) {
	w.tb.Helper()
	subjects := must(signing.VersionSubjects("checkout", "1.0", w.version.ManifestDigest, nil))(w.tb)
	signed := must(w.signing.Sign(w.admin, subjects, predicateType, predicate))(w.tb)
	err := w.st.InTx(w.admin, func(tx *db.Client) error {
		if err := w.signing.Record(w.admin, tx, w.version, nil, signed); err != nil {
			return err
		}
		return w.log.Append(w.admin, tx, activity.Event{
			Type: activity.VersionReleased, Project: w.version.Edges.Project, Application: "checkout", Subject: "checkout@1.0", Summary: "it was signed",
			Changes: signing.Changes([]signing.Signed{signed}),
		})
	})
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) integrate() {
	w.tb.Helper()
	for {
		if must(w.tree.Integrate(w.admin))(w.tb) == 0 {
			return
		}
	}
}

func released(trust string) any { return map[string]any{"trust": trust, "toStage": "PROD"} }

// TestRule40_APassportHoldsNoStatementThatTheLogLacks: the release is waited for, and what came later is left for the next passport.
func TestRule40_APassportHoldsNoStatementThatTheLogLacks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		expect := func(what, want string, kind fault.Kind) {
			t.Helper()
			types, err := w.issuing.Statements(w.admin, w.version)
			f, refused := err.(*fault.Error)
			if err != nil && !refused || refused && f.Kind != kind || !refused && (kind != "" || fmt.Sprint(types) != want) {
				t.Errorf("%s: %v, %v", what, types, err)
			}
		}
		w.integrate()
		expect("nothing is released", "", fault.NotFound)
		w.sign(attest.PredicatePromotion, released("PRE_RELEASE"))
		w.integrate()
		expect("it is promoted", "", fault.NotFound)
		w.sign(attest.PredicateRelease, released("TRUSTED_RELEASE"))
		expect("the release is not in the log", "", fault.FailedPrecondition)
		w.issuing.WithPatience(time.Minute)
		done := make(chan error, 1)
		go func() {
			_, err := w.tree.Integrate(w.admin)
			done <- err
		}()
		expect("the release comes into the log", "[manifest promotion release]", "")
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.issuing.WithPatience(100 * time.Millisecond)
		w.sign(attest.PredicateStatus, map[string]any{"standing": "WITHDRAWN"})
		expect("the change of standing is not in the log", "[manifest promotion release]", "")
		w.integrate()
		expect("everything is in the log", "[manifest promotion release status]", "")
		w.sign(attest.PredicateRelease, released("RELEASED"))
		expect("it is released again", "", fault.FailedPrecondition)
	})
}

func TestAPassportHasANameThatEveryFileSystemTakes(t *testing.T) {
	for name, want := range map[string]string{
		"1.0.0": "checkout-1.0.0.passport.zip", "../../etc/passwd": "checkout-.._.._etc_passwd.passport.zip", "ü \"\n": "checkout-____.passport.zip",
		strings.Repeat("9", 128): "checkout-" + strings.Repeat("9", 111) + ".passport.zip",
	} {
		v := &db.ApplicationVersion{Version: name}
		v.Edges.Application = &db.Application{Key: "checkout"}
		if got := issuance.FileName(v); got != want || passport.CheckPath(got) != nil {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
}

func TestWhatCannotBeAPassportIsRefused(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	digest := w.version.ManifestDigest
	for what, c := range map[string]struct {
		ctx      context.Context
		digest   string
		leaveOut []string
		kind     fault.Kind
	}{
		"nobody":                {context.Background(), digest, nil, fault.Unauthenticated},
		"who reaches nothing":   {auth.With(context.Background(), auth.Principal{Name: "eve"}), digest, nil, fault.Forbidden},
		"what is no digest":     {w.admin, "sha256:1", nil, fault.BadInput},
		"nothing":               {w.admin, "sha256:" + strings.Repeat("e", 64), nil, fault.NotFound},
		"what is not released":  {w.admin, digest, nil, fault.NotFound},
		"leaving out no digest": {w.admin, digest, []string{"x"}, fault.BadInput},
		"leaving out too much":  {w.admin, digest, make([]string, issuance.MaxLeftOut+1), fault.BadInput},
	} {
		_, err := w.issuing.Issue(c.ctx, c.digest, c.leaveOut)
		if f, ok := err.(*fault.Error); !ok || f.Kind != c.kind {
			t.Errorf("%s: %v", what, err)
		}
	}
}
