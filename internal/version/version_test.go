package version_test

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

var start = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

// world is an organisation with the applications checkout and web of project pay, and ledger of project books.
type world struct {
	tb       testing.TB
	st       *store.Store
	signing  *signing.Service
	catalog  *catalog.Service
	versions *version.Service
	builds   *build.Service
	admin    context.Context
	apps     map[string]*db.Application
}

func newWorld(tb testing.TB, dsn string) *world {
	tb.Helper()
	w := &world{tb: tb, st: testdb.Open(tb, dsn), apps: map[string]*db.Application{}}
	log := activity.New(w.st, clock)
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
	w.signing = must(signing.New(w.admin, w.st, log, signer, clock))(tb)
	w.catalog = catalog.New(w.st, log, clock)
	w.versions = version.New(w.st, w.catalog, log, w.signing, clock)
	w.builds = build.New(w.st, log, clock)
	for _, app := range []string{"pay/checkout", "pay/web", "books/ledger"} {
		project, key, _ := strings.Cut(app, "/")
		if must(w.catalog.Project(w.admin, project))(tb) == nil {
			must(w.catalog.CreateProject(w.admin, catalog.CreateProjectInput{Key: project, Name: project}))(tb)
		}
		w.apps[key] = must(w.catalog.CreateApplication(w.admin, catalog.CreateApplicationInput{
			ProjectKey: project, Key: key, Name: key, Criticality: "HIGH", Maturity: "PRODUCTION",
			Labels: []*catalog.LabelInput{{Key: "tier", Value: "web"}}, Owners: []string{"user:joan", "team:payments"},
		}))(tb)
	}
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

func ptr[T any](v T) *T { return &v }

const hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// input is version 1.0 of checkout with these packages and an artifact.
func input(purls ...string) version.CreateApplicationVersionInput {
	in := version.CreateApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", Sources: &version.VersionSourcesInput{
		Artifacts: []*version.ArtifactSourceInput{{Name: "image", Digest: "sha256:" + hex64}},
	}}
	for _, p := range purls {
		in.Sources.Packages = append(in.Sources.Packages, &version.PackageSourceInput{Purl: p})
	}
	return in
}

const (
	goldenManifest = `{"application":"checkout","contents":[{"digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","kind":"ARTIFACT","name":"image"},{"kind":"PACKAGE","name":"a","purl":"pkg:npm/a@1"},{"kind":"PACKAGE","name":"b","purl":"pkg:npm/b@2"}],"schema":"plimsoll.manifest/v1","version":"1.0"}`
	goldenDigest   = "sha256:b151c71e592207b82e404d2e9c97b73384386aa80eee212a7e9e658506563d99"
)

// TestRule04_TheSameContentsGiveTheSameDigestAnywhere holds a manifest to bytes that never change.
func TestRule04_TheSameContentsGiveTheSameDigestAnywhere(t *testing.T) {
	orders := [][]string{
		{"pkg:npm/a@1", "pkg:npm/b@2"},
		{"pkg:npm/b@2", "pkg:npm/a@1"},
		{"pkg:npm/b@2", "pkg:npm/a@1", "pkg:npm/b@2", "pkg:NPM/a@1"},
	}
	for i, order := range orders {
		t.Run(fmt.Sprint("order ", i), func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				v := must(w.versions.Create(w.admin, input(order...)))(t)
				if v.Manifest != goldenManifest || v.ManifestDigest != goldenDigest || v.ReleasableCount != 3 {
					t.Errorf("the manifest of %d parts is %s\n%s", v.ReleasableCount, v.ManifestDigest, v.Manifest)
				}
				page := must(w.versions.Contents(w.admin, v.ID, nil, nil, nil, nil))(t)
				var names []string
				for _, e := range page.Edges {
					names = append(names, e.Node.Name)
				}
				if fmt.Sprint(names) != "[image a b]" {
					t.Errorf("the contents are %v", names)
				}
			})
		})
	}
}

func TestRule04_TheManifestIsSigned(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		in := input("pkg:npm/a@1")
		in.Tag = ptr("stable")
		v := must(w.versions.Create(w.admin, in))(t)
		rows := must(w.signing.Of(w.admin, v))(t)
		if len(rows) != 1 || v.Tag != "stable" {
			t.Fatalf("%d statements, tag %q", len(rows), v.Tag)
		}
		env := must(attest.ParseEnvelope(must(attest.BundleEnvelope([]byte(rows[0].Bundle)))(t)))(t)
		key := must(attest.ParsePublicKey(w.signing.PublicKeyPEM()))(t)
		if verdict := must(attest.Verify(env, []attest.Candidate{{Alias: "release", Key: key}}))(t); !verdict.Verified {
			t.Errorf("the statement does not verify: %s", verdict.Reason)
		}
		st := must(attest.ParseStatement(env.Payload))(t)
		want := fmt.Sprintf(`{"application":"checkout","lockedAt":"2026-11-21T03:00:00Z","manifestDigest":%q,"version":"1.0"}`, v.ManifestDigest)
		if st.PredicateType != attest.PredicateManifest || string(st.Predicate) != want || len(st.Subject) != 2 ||
			"sha256:"+st.Subject[0].Digest["sha256"] != v.ManifestDigest || st.Subject[1].Digest["sha256"] != hex64 {
			t.Errorf("the statement is %s of %v: %s", st.PredicateType, st.Subject, st.Predicate)
		}
		if strings.Contains(rows[0].Statement, "grace") {
			t.Error("the statement names a person")
		}
	})
}

func TestRule06_WhatWasInheritedStays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		made := must(w.versions.Create(w.admin, input()))(t)
		must(w.catalog.UpdateApplication(w.admin, catalog.UpdateApplicationInput{
			Key: "checkout", Criticality: ptr(application.CriticalityLOW), Maturity: ptr(application.MaturityEND_OF_LIFE),
			Labels: &catalog.LabelChanges{Add: []*catalog.LabelInput{{Key: "tier", Value: "db"}}, Remove: []*catalog.LabelInput{{Key: "tier", Value: "web"}}},
			Owners: &catalog.OwnerChanges{Add: []string{"user:mary"}, Remove: []string{"user:joan"}},
		}))(t)
		v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		in := must(version.InheritedBy(v))(t)
		var owners []string
		for _, o := range must(w.versions.InheritedOwners(w.admin, in))(t) {
			owners = append(owners, o.Ref)
		}
		if got := fmt.Sprintf("%s %s %v %v", in.Criticality, in.Maturity, in.Labels, owners); got != "HIGH PRODUCTION [{tier web}] [team:payments user:joan]" {
			t.Errorf("the version inherited %s", got)
		}
		if strings.Contains(v.Context, "joan") || v.Context != made.Context {
			t.Errorf("the context is %s", v.Context)
		}
	})
}

func TestRule10_WhosePartsTheyAre(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		v := must(w.versions.Create(w.admin, input("pkg:npm/own@1", "pkg:npm/theirs@1", "pkg:npm/nobodys@1", "pkg:npm/theirs@2")))(t)
		bind := func(app, purl string) {
			must(w.catalog.BindPackage(w.admin, catalog.BindPackageInput{ApplicationKey: app, PURL: purl}))(t)
		}
		levels := func() string {
			var refs []catalog.PackageRef
			rows := must(w.st.Read().Releasable.Query().Order(releasable.ByID()).All(w.admin))(t)
			for _, r := range rows {
				if ref, ok := version.RefOf(r); ok {
					refs = append(refs, ref)
				} else if r.Kind != releasable.KindARTIFACT {
					t.Errorf("%s has no reference", r.Name)
				}
			}
			owning := must(w.catalog.OwningApplications(w.admin, refs))(t)
			var list []string
			for _, r := range rows {
				ref, _ := version.RefOf(r)
				list = append(list, r.Name+" "+string(version.LevelOf(v.ApplicationID, owning[ref])))
			}
			return strings.Join(list, ", ")
		}
		bind("checkout", "pkg:npm/own")
		bind("ledger", "pkg:npm/theirs")
		if got := levels(); got != "image THIRD_PARTY, nobodys THIRD_PARTY, own FIRST_PARTY, theirs SECOND_PARTY, theirs SECOND_PARTY" {
			t.Errorf("bound by package: %s", got)
		}
		bind("checkout", "pkg:npm/theirs@2")
		bind("ledger", "pkg:npm/own@1")
		if got := levels(); got != "image THIRD_PARTY, nobodys THIRD_PARTY, own SECOND_PARTY, theirs SECOND_PARTY, theirs FIRST_PARTY" {
			t.Errorf("bound by version: %s", got)
		}
	})
}

func (w *world) refused(who context.Context, in version.CreateApplicationVersionInput, kind fault.Kind, path, says string) {
	w.tb.Helper()
	count := func() string {
		ctx, r := auth.System(context.Background()), w.st.Read()
		return fmt.Sprint(must(r.ApplicationVersion.Query().Count(ctx))(w.tb), must(r.Releasable.Query().Count(ctx))(w.tb),
			must(r.Pkg.Query().Count(ctx))(w.tb), must(r.Attestation.Query().Count(ctx))(w.tb), must(r.ActivityEvent.Query().Count(ctx))(w.tb))
	}
	before := count()
	_, err := w.versions.Create(who, in)
	if after := count(); after != before {
		w.tb.Errorf("rows were written: %s became %s", before, after)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		w.tb.Fatalf("got %v, want a fault %s", err, kind)
	}
	at := cmp.Or(f.Path, fmt.Sprint(f.Details["path"]))
	if f.Kind != kind || at != cmp.Or(path, "<nil>") || !strings.Contains(f.Message, says) {
		w.tb.Errorf("got %s at %q: %s\nwant %s at %q with %q", f.Kind, at, f.Message, kind, path, says)
	}
}

func TestAVersionIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		must(w.versions.Create(w.admin, input("pkg:npm/a@1")))(t)
		many := make([]string, version.MaxParts)
		for i := range many {
			many[i] = fmt.Sprintf("pkg:npm/p%d@1", i)
		}
		for name, c := range map[string]struct {
			change     func(in *version.CreateApplicationVersionInput)
			kind       fault.Kind
			path, says string
		}{
			"no version":     {func(in *version.CreateApplicationVersionInput) { in.Version = "" }, fault.BadInput, "input.version", "at least 1"},
			"a long version": {func(in *version.CreateApplicationVersionInput) { in.Version = strings.Repeat("1", 129) }, fault.BadInput, "input.version", "128"},
			"a long tag":     {func(in *version.CreateApplicationVersionInput) { in.Tag = ptr(strings.Repeat("1", 129)) }, fault.BadInput, "input.tag", "128"},
			"no sources":     {func(in *version.CreateApplicationVersionInput) { in.Sources = nil }, fault.BadInput, "input.sources", "at least one"},
			"empty sources":  {func(in *version.CreateApplicationVersionInput) { in.Sources = &version.VersionSourcesInput{} }, fault.BadInput, "input.sources", "at least one"},
			"10,001 parts":   {func(in *version.CreateApplicationVersionInput) { in.Sources = input(many...).Sources }, fault.BadInput, "input.sources", "at most 10000 parts, got 10001"},
			"a purl without version": {func(in *version.CreateApplicationVersionInput) {
				in.Sources = input("pkg:npm/a@1", "pkg:npm/b").Sources
			}, fault.BadInput, "input.sources.packages.1.purl", "names no version"},
			"no purl": {func(in *version.CreateApplicationVersionInput) { in.Sources = input("left-pad").Sources }, fault.BadInput, "input.sources.packages.0.purl", ""},
			"a digest in capitals": {func(in *version.CreateApplicationVersionInput) {
				in.Sources.Artifacts[0].Digest = "sha256:" + strings.ToUpper(hex64)
			}, fault.BadInput, "input.sources.artifacts.0.digest", "lower-case"},
			"a bare digest": {func(in *version.CreateApplicationVersionInput) { in.Sources.Artifacts[0].Digest = hex64 }, fault.BadInput, "input.sources.artifacts.0.digest", "got 64 characters"},
			"another algorithm": {func(in *version.CreateApplicationVersionInput) {
				in.Sources.Artifacts[0].Digest = "sha512:" + hex64 + hex64
			}, fault.BadInput, "input.sources.artifacts.0.digest", "sha256"},
			"a package's short digest": {func(in *version.CreateApplicationVersionInput) {
				in.Sources = input("pkg:npm/a@1").Sources
				in.Sources.Packages[0].Digest = ptr("sha256:00")
			}, fault.BadInput, "input.sources.packages.0.digest", "got 9 characters"},
			"an artifact without a name": {func(in *version.CreateApplicationVersionInput) { in.Sources.Artifacts[0].Name = "" }, fault.BadInput, "input.sources.artifacts.0.name", "at least 1"},
			"no application":             {func(in *version.CreateApplicationVersionInput) { in.ApplicationKey = "none" }, fault.NotFound, "", "no application"},
			"a version that is there":    {func(in *version.CreateApplicationVersionInput) {}, fault.Conflict, "input.version", "reported once"},
			"its very contents again":    {func(in *version.CreateApplicationVersionInput) { *in = input("pkg:npm/a@1") }, fault.Conflict, "input.version", "reported once"},
		} {
			in := input()
			c.change(&in)
			t.Run(name, func(t *testing.T) {
				w := *w
				w.tb = t
				w.refused(w.admin, in, c.kind, c.path, c.says)
			})
		}
		p, _ := auth.From(w.admin)
		as := func(grants ...auth.Grant) context.Context {
			return auth.With(context.Background(), auth.Principal{ID: p.ID, Name: p.Name, Grants: grants})
		}
		w.refused(as(auth.Grant{Role: auth.ProjectAdmin, Project: w.apps["ledger"].ProjectID}), input(), fault.NotFound, "", "no application")
		w.refused(as(auth.Grant{Role: auth.Releaser, Project: w.apps["checkout"].ProjectID}), input(), fault.Forbidden, "", "CONTRIBUTOR")
		w.refused(context.Background(), input(), fault.NotFound, "", "no application")
		if v := must(w.versions.Version(as(auth.Grant{Role: auth.Viewer, Project: w.apps["ledger"].ProjectID}), "checkout", "1.0"))(t); v != nil {
			t.Error("a version out of reach is shown")
		}
	})
}

func TestAVersionOfTheGreatestSizeIsKept(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	many := make([]string, version.MaxParts-1) // and the artifact
	for i := range many {
		many[i] = fmt.Sprintf("pkg:npm/p%d@1", i)
	}
	v := must(w.versions.Create(w.admin, input(many...)))(t)
	if n := must(w.st.Read().Releasable.Query().Count(w.admin))(t); n != version.MaxParts || v.ReleasableCount != n {
		t.Errorf("%d parts are kept of %d", n, v.ReleasableCount)
	}
	page := must(w.versions.List(w.admin, nil, nil, ptr(w.apps["checkout"].ID), nil, nil, nil, nil))(t)
	if page.TotalCount != 1 || page.Edges[0].Node.ID != v.ID {
		t.Errorf("the application has %d versions", page.TotalCount)
	}
}

// FuzzManifest holds the bytes of a manifest to be the same in whatever order, and however often, its parts are given.
func FuzzManifest(f *testing.F) {
	f.Add("a b c", "1", uint(1))
	f.Add("pkg:npm/a@1 pkg:npm/a@1  \u2028 <&>", "", uint(3))
	f.Add("\xff x", "\xff", uint(0))
	f.Fuzz(func(t *testing.T, words, name string, turn uint) {
		m := version.Manifest{Schema: version.ManifestSchema, Application: "a", Version: name}
		for i, word := range strings.Split(words, " ") {
			part := version.Part{Kind: releasable.KindARTIFACT, Name: word, Digest: word}
			if i%2 == 0 {
				part = version.Part{Kind: releasable.KindPACKAGE, Name: name, PURL: word}
			}
			m.Contents = append(m.Contents, part)
		}
		want, err := m.Bytes()
		given := slices.Clone(m.Contents)
		n := int(turn % uint(len(given)))
		m.Contents = slices.Concat(given[n:], given[:n], given[:n])
		slices.Reverse(m.Contents)
		got, err2 := m.Bytes()
		if (err == nil) != (err2 == nil) || string(got) != string(want) {
			t.Fatalf("%q, %v became %q, %v", want, err, got, err2)
		}
		if err == nil && string(must(canonical.Normalize(got))(t)) != string(got) {
			t.Fatalf("not canonical: %q", got)
		}
	})
}
