package evidence_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// house is an organisation with two projects, "pay" and "web", each with an application of the same name.
type house struct {
	tb       testing.TB
	dsn      string
	store    *store.Store
	service  *evidence.Service
	now      time.Time
	actor    int
	projects map[string]*db.Project
	apps     map[string]*db.Application
	stages   map[string]*db.Stage
}

func newHouse(tb testing.TB, dsn string) *house {
	tb.Helper()
	h := &house{
		tb: tb, dsn: dsn, store: testdb.Open(tb, dsn), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		projects: map[string]*db.Project{}, apps: map[string]*db.Application{}, stages: map[string]*db.Stage{},
	}
	clock := func() time.Time { return h.now }
	h.service = evidence.New(h.store, activity.New(h.store, clock), clock, "test")
	h.write(func(ctx context.Context, tx *db.Client) error {
		p, err := tx.Principal.Create().SetName("robin").SetKind(principal.KindUSER).SetCreatedAt(h.now).Save(ctx)
		if err != nil {
			return err
		}
		h.actor = p.ID
		for _, name := range []string{"DEV", "QA"} {
			if h.stages[name], err = tx.Stage.Create().SetName(name).SetCategory(stage.CategoryPROMOTE).SetProduction(false).
				SetRealm("").SetCreatedAt(h.now).Save(ctx); err != nil {
				return err
			}
		}
		for _, key := range []string{"pay", "web"} {
			if h.projects[key], err = tx.Project.Create().SetKey(key).SetName(key).SetCreatedAt(h.now).Save(ctx); err != nil {
				return err
			}
			if h.apps[key], err = tx.Application.Create().SetKey(key).SetName(key).SetProjectID(h.projects[key].ID).
				SetCreatedAt(h.now).Save(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

// in is the same house seen from a subtest.
func (h *house) in(tb testing.TB) *house {
	here := *h
	here.tb = tb
	return &here
}

// write fills tables that belong to other packages.
func (h *house) write(fn func(context.Context, *db.Client) error) {
	h.tb.Helper()
	ctx := auth.System(context.Background())
	if err := h.store.InTx(ctx, func(tx *db.Client) error { return fn(ctx, tx) }); err != nil {
		h.tb.Fatal(err)
	}
}

// version reports a version of the project's application, in a stage unless it is empty.
func (h *house) version(key, version, inStage string, parts ...*db.Releasable) *db.ApplicationVersion {
	h.tb.Helper()
	var id int
	h.write(func(ctx context.Context, tx *db.Client) error {
		create := tx.ApplicationVersion.Create().SetVersion(version).SetManifestDigest(manifestOf(key, version)).SetManifest("{}").
			SetContext("{}").SetReleasableCount(len(parts)).SetProjectID(h.projects[key].ID).SetApplicationID(h.apps[key].ID).
			SetCreatedBy(h.actor).SetCreatedAt(h.now)
		if inStage != "" {
			create.SetStageID(h.stages[inStage].ID)
		}
		v, err := create.Save(ctx)
		if err != nil {
			return err
		}
		id = v.ID
		for _, p := range parts {
			row := tx.Releasable.Create().SetVersionID(v.ID).SetName(p.Name).SetKind(p.Kind).SetNillableDigest(p.Digest).SetNillablePurl(p.Purl)
			if p.Purl != nil {
				pv, err := packageVersion(ctx, tx, *p.Purl, h.now)
				if err != nil {
					return err
				}
				row.SetPackageID(pv.PackageID).SetPackageVersionID(pv.ID)
			}
			if err := row.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	v, err := h.store.Read().ApplicationVersion.Get(auth.System(context.Background()), id)
	if err != nil {
		h.tb.Fatal(err)
	}
	return v
}

func packageVersion(ctx context.Context, tx *db.Client, purl string, at time.Time) (*db.PackageVersion, error) {
	for _, pv := range tx.PackageVersion.Query().AllX(ctx) {
		if pv.Purl == purl {
			return pv, nil
		}
	}
	p, err := tx.Pkg.Create().SetPurl(purl[:strings.LastIndex(purl, "@")]).SetCreatedAt(at).Save(ctx)
	if err != nil {
		return nil, err
	}
	return tx.PackageVersion.Create().SetPurl(purl).SetPackageID(p.ID).SetCreatedAt(at).Save(ctx)
}

func artifact(name string) *db.Releasable {
	d := digestOf(name)
	return &db.Releasable{Name: name, Kind: releasable.KindARTIFACT, Digest: &d}
}

func pkg(purl, digest string) *db.Releasable {
	p := &db.Releasable{Name: purl, Kind: releasable.KindPACKAGE, Purl: &purl}
	if digest != "" {
		p.Digest = &digest
	}
	return p
}

func digestOf(name string) string           { return canonical.Digest([]byte(name)) }
func manifestOf(key, version string) string { return digestOf("manifest of " + key + "@" + version) }
func hexOf(name string) string              { return strings.TrimPrefix(digestOf(name), "sha256:") }
func (h *house) as(p auth.Principal) context.Context {
	p.ID, p.Name = h.actor, "robin"
	return auth.With(context.Background(), p)
}

// org acts with a role on the organisation.
func (h *house) org(role auth.Role) context.Context {
	return h.as(auth.Principal{Grants: []auth.Grant{{Role: role, Project: auth.Organisation}}})
}

// on acts with a role on each of the projects.
func (h *house) on(role auth.Role, keys ...string) context.Context {
	var p auth.Principal
	for _, key := range keys {
		p.Grants = append(p.Grants, auth.Grant{Role: role, Project: h.projects[key].ID})
	}
	return h.as(p)
}

func (h *house) admin() context.Context  { return h.org(auth.OrganisationAdmin) }
func (h *house) pusher() context.Context { return h.org(auth.EvidencePusher) }

// trust registers a key under an alias.
func (h *house) trust(alias string, key crypto.Signer) *db.TrustAnchor {
	h.tb.Helper()
	return h.trustFor(evidence.AddTrustAnchorInput{Alias: alias, PublicKey: ptr(publicPEM(h.tb, key))})
}

func (h *house) trustFor(in evidence.AddTrustAnchorInput) *db.TrustAnchor {
	h.tb.Helper()
	a, err := h.service.AddTrustAnchor(h.admin(), in)
	if err != nil {
		h.tb.Fatal(err)
	}
	return a
}

func (h *house) submit(ctx context.Context, in evidence.SubmitEvidenceInput) *db.Evidence {
	h.tb.Helper()
	ev, known, err := h.service.Submit(ctx, in)
	if err != nil {
		h.tb.Fatal(err)
	}
	if known {
		h.tb.Fatal("new evidence is said to be known")
	}
	return ev
}

// rows counts what evidence is made of.
func (h *house) rows() map[string]int {
	h.tb.Helper()
	ctx, read := auth.System(context.Background()), h.store.Read()
	counts := map[string]int{}
	for table, count := range map[string]func(context.Context) (int, error){
		"evidence": read.Evidence.Query().Count, "evidence_subjects": read.EvidenceSubject.Query().Count,
		"blobs": read.Blob.Query().Count, "sboms": read.Sbom.Query().Count, "components": read.Component.Query().Count,
		"sbom_components": read.SbomComponent.Query().Count, "trust_anchors": read.TrustAnchor.Query().Count,
		"activity_events": read.ActivityEvent.Query().Count, "activity_openings": read.ActivityOpening.Query().Count,
	} {
		n, err := count(ctx)
		if err != nil {
			h.tb.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// mustRefuse checks that err is a fault of the kind at the path, with the words, and that no row was written since before.
func (h *house) mustRefuse(err error, before map[string]int, kind fault.Kind, path string, words ...string) {
	h.tb.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		h.tb.Fatalf("not refused with a fault: %v", err)
	}
	if f.Kind != kind || f.Path != path {
		h.tb.Errorf("refused with %s at %q, want %s at %q: %s", f.Kind, f.Path, kind, path, f.Message)
	}
	for _, w := range words {
		if !strings.Contains(f.Message, w) {
			h.tb.Errorf("the refusal does not say %q: %s", w, f.Message)
		}
	}
	if after := h.rows(); fmt.Sprint(after) != fmt.Sprint(before) {
		h.tb.Errorf("a refusal left something behind:\nbefore %v\nafter  %v", before, after)
	}
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func publicPEM(tb testing.TB, key crypto.Signer) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

const (
	inToto    = "application/vnd.in-toto+json"
	testsType = "https://in-toto.io/attestation/test-result/v0.1"
	cdxType   = "https://cyclonedx.org/bom"
)

// statement is an in-toto statement about artifacts by name; the predicate is JSON.
func statement(predicateType, predicate string, subjects ...string) string {
	var list []string
	for _, s := range subjects {
		list = append(list, fmt.Sprintf(`{"name":%q,"digest":{"sha256":%q}}`, s, hexOf(s)))
	}
	return about(predicateType, predicate, list...)
}

// about is statement with subjects in JSON.
func about(predicateType, predicate string, subjects ...string) string {
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[%s],"predicateType":%q,"predicate":%s}`,
		strings.Join(subjects, ","), predicateType, predicate)
}

type signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"`
}

// sign signs as DSSE does.
func sign(tb testing.TB, key crypto.Signer, keyID, payloadType, payload string) signature {
	tb.Helper()
	message := []byte(fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload))
	opts := crypto.SignerOpts(crypto.Hash(0))
	if _, ok := key.(ed25519.PrivateKey); !ok {
		sum := sha256.Sum256(message)
		message, opts = sum[:], crypto.SHA256
	}
	sig, err := key.Sign(rand.Reader, message, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return signature{keyID, sig}
}

func envelope(payloadType, payload string, signatures ...signature) evidence.SubmitEvidenceInput {
	b, err := json.Marshal(map[string]any{
		"payloadType": payloadType, "payload": base64.StdEncoding.EncodeToString([]byte(payload)), "signatures": signatures,
	})
	if err != nil {
		panic(err)
	}
	text := string(b)
	return evidence.SubmitEvidenceInput{Envelope: &text}
}

// signed is a statement in an envelope, signed by the key without a keyid.
func signed(tb testing.TB, key crypto.Signer, payload string) evidence.SubmitEvidenceInput {
	tb.Helper()
	return envelope(inToto, payload, sign(tb, key, "", inToto, payload))
}

func document(mediaType, content string, subjects ...*evidence.EvidenceSubjectInput) evidence.SubmitEvidenceInput {
	return evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{MediaType: mediaType, Content: content, Subjects: subjects}}
}

func cyclonedx(content string, subjects ...*evidence.EvidenceSubjectInput) evidence.SubmitEvidenceInput {
	return document("application/vnd.cyclonedx+json", content, subjects...)
}

func byDigest(name string) *evidence.EvidenceSubjectInput {
	d := digestOf(name)
	return &evidence.EvidenceSubjectInput{Name: &name, Digest: &d}
}

// bill is a CycloneDX document with components as JSON.
func bill(serial string, components ...string) string {
	return fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":%q,"version":1,"components":[%s]}`,
		serial, strings.Join(components, ","))
}

// lib is a component with a purl and a licence.
func lib(name, version, license string) string {
	return fmt.Sprintf(`{"type":"library","name":%q,"version":%q,"purl":"pkg:npm/%s@%s","licenses":[{"license":{"id":%q}}]}`,
		name, version, name, version, license)
}

func ptr[T any](v T) *T { return &v }
