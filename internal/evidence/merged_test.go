package evidence_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/testdata/sbom"
)

// sbomOf is the SBOM of a version as a viewer of its project sees it.
func (h *house) sbomOf(v *db.ApplicationVersion) *evidence.VersionSbom {
	h.tb.Helper()
	b, err := h.service.SbomOf(h.on(auth.Viewer, "web"), v)
	if err != nil {
		h.tb.Fatal(err)
	}
	if b == nil {
		h.tb.Fatal("the version has no SBOM")
	}
	return b
}

func (h *house) merged(b *evidence.VersionSbom) *evidence.Merged {
	h.tb.Helper()
	m, err := h.service.Merged(h.on(auth.Viewer, "web"), b)
	if err != nil {
		h.tb.Fatal(err)
	}
	return m
}

// complete is bill with a thing that is described and a word about completeness.
func complete(serial, aggregate string, components ...string) string {
	return strings.Replace(bill(serial, components...), `"version":1,`, fmt.Sprintf(
		`"version":1,"metadata":{"component":{"bom-ref":"root","type":"application","name":%q}},"compositions":[{"aggregate":%q,"assemblies":["root"]}],`, serial, aggregate), 1)
}

func listed(list []*evidence.SbomComponent) (all []string) {
	for _, c := range list {
		text := c.Name + " " + c.Version
		if c.Purl != nil {
			text = *c.Purl + " = " + text
		}
		if c.Direct {
			text += ", direct"
		}
		all = append(all, text+" "+fmt.Sprint(c.Licenses))
	}
	return all
}

func needs(list []evidence.Need) (all []string) {
	for _, n := range list {
		from := "the version"
		if n.From != nil {
			from = *n.From
		}
		all = append(all, from+" → "+n.To)
	}
	return all
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// TestWhatAVersionIsMadeOf takes together a signed document, an XML one and one of tag-values, whose components are the same
// under different names, versions and references.
func TestWhatAVersionIsMadeOf(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("a"), artifact("b"))
		signedOne := strings.Replace(bill("urn:1",
			`{"bom-ref":"ui","type":"library","group":"@web","name":"ui","version":"2.0","purl":"pkg:npm/%40web/ui"}`,
			`{"bom-ref":"z","type":"library","name":"zlib","version":"1.3"}`,
			`{"bom-ref":"n","type":"library","name":"nothing"}`,
		), `"version":1,`, `"version":1,"metadata":{"component":{"bom-ref":"r","type":"application","name":"r"}},"dependencies":[{"ref":"r","dependsOn":["ui"]},{"ref":"ui","dependsOn":["z"]},{"ref":"z","dependsOn":["n"]}],`, 1)
		xml := `<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components>
			<component type="library"><name>UI</name><version>2.0</version><licenses><license><id>MIT</id></license></licenses><purl>pkg:npm/%40web/ui@2.0</purl></component></components></bom>`
		tags := "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: d\nDocumentNamespace: https://example.test/d\nCreator: Tool: t\nCreated: 2026-01-01T00:00:00Z\n\n" +
			"PackageName: zlib\nSPDXID: SPDXRef-z\nPackageVersion: 1.3\nPackageDownloadLocation: NOASSERTION\nPackageLicenseDeclared: Zlib\n\n" +
			"PackageName: app\nSPDXID: SPDXRef-app\nPackageVersion: 1\nPackageDownloadLocation: NOASSERTION\n\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app\nRelationship: SPDXRef-app DEPENDS_ON SPDXRef-z\n"
		h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, signedOne, "a")))
		h.submit(h.pusher(), document("application/vnd.cyclonedx+xml", xml, byDigest("a")))
		h.submit(h.pusher(), document("text/spdx", tags, byDigest("b")))

		b := h.sbomOf(v)
		m := h.merged(b)
		same(t, "components", listed(m.Components), []string{
			"nothing  []", "zlib 1.3, direct [Zlib]", "pkg:npm/%40web/ui@2.0 = @web/ui 2.0, direct [MIT]",
		})
		same(t, "dependencies", needs(m.Needs), []string{
			"zlib 1.3 → nothing", "pkg:npm/%40web/ui@2.0 → zlib 1.3", "the version → zlib 1.3", "the version → pkg:npm/%40web/ui@2.0",
		})
		if b.ComponentCount != len(m.Components) || b.Format != nil || len(b.Documents) != 3 || b.Complete {
			t.Errorf("%d components are counted, %d listed; of %d documents the format is %v, complete is %t", b.ComponentCount, len(m.Components), len(b.Documents), b.Format, b.Complete)
		}
		if h.merged(h.sbomOf(v)) != m {
			t.Error("the same documents were read again")
		}
	})
}

// TestWhatIsCountedIsListed holds the count, made of rows, to the list, made of the documents: of each real document, and of
// all of them together.
func TestWhatIsCountedIsListed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		files, err := sbom.FS.ReadDir(".")
		if err != nil || len(files) < 2 {
			t.Fatalf("%d documents: %v", len(files), err)
		}
		var all []*db.Releasable
		for _, f := range files {
			content, err := sbom.FS.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			h.submit(h.pusher(), document("application/json", string(content), byDigest(f.Name())))
			all = append(all, artifact(f.Name()))
			v := h.version("web", f.Name(), "", artifact(f.Name()))
			if b := h.sbomOf(v); b.ComponentCount == 0 || b.ComponentCount != len(h.merged(b).Components) {
				t.Errorf("%s: %d are counted, %d listed", f.Name(), b.ComponentCount, len(h.merged(b).Components))
			}
		}
		b := h.sbomOf(h.version("web", "all", "", all...))
		if len(b.Documents) != len(files) || b.ComponentCount != len(h.merged(b).Components) {
			t.Errorf("%d documents of %d: %d are counted, %d listed", len(b.Documents), len(files), b.ComponentCount, len(h.merged(b).Components))
		}
	})
}

func TestAnSbomIsCompleteWhenEveryPartHasACompleteOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		whole := func(serial string, subjects ...string) {
			h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, complete(serial, "complete"), subjects...)))
		}
		whole("urn:a", "a")
		whole("urn:b", "b")
		whole("urn:m", "manifest of web@by the manifest")
		h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, complete("urn:c", "incomplete"), "c")))
		h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{}`, "d")))
		h.submit(h.on(auth.EvidencePusher, "pay"), signed(t, newKey(t), statement(cdxType, complete("urn:e", "complete"), "e")))
		for name, c := range map[string]struct {
			parts []*db.Releasable
			want  bool
		}{
			"each has one":                       {[]*db.Releasable{artifact("a"), artifact("b")}, true},
			"what has no digest needs none":      {[]*db.Releasable{artifact("a"), pkg("pkg:npm/x@1", "")}, true},
			"one has none":                       {[]*db.Releasable{artifact("a"), artifact("z")}, false},
			"one has tests alone":                {[]*db.Releasable{artifact("a"), artifact("d")}, false},
			"one has what another project keeps": {[]*db.Releasable{artifact("a"), artifact("e")}, false},
			"one does not say so":                {[]*db.Releasable{artifact("a"), artifact("c")}, false},
			"by the manifest":                    {[]*db.Releasable{artifact("y"), artifact("z")}, true},
		} {
			if got := h.sbomOf(h.version("web", name, "", c.parts...)).Complete; got != c.want {
				t.Errorf("%s: complete is %t", name, got)
			}
		}
	})
}

func TestMergesAreRememberedWithinABound(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		// Each version has so many of five things, each with an SBOM.
		sizes := map[string][]string{"three": {"a", "b", "c"}, "two": {"d", "e"}, "five": {"a", "b", "c", "d", "e"}}
		for _, name := range sizes["five"] {
			h.submit(h.pusher(), cyclonedx(bill("urn:"+name, lib(name, "1", "MIT")), byDigest(name)))
		}
		sboms := map[string]*evidence.VersionSbom{}
		for version, names := range sizes {
			var parts []*db.Releasable
			for _, name := range names {
				parts = append(parts, artifact(name))
			}
			sboms[version] = h.sbomOf(h.version("web", version, "", parts...))
		}
		var all [8]*evidence.Merged
		var wait sync.WaitGroup
		for i := range all {
			wait.Go(func() { all[i], _ = h.service.Merged(context.Background(), sboms["three"]) })
		}
		wait.Wait()
		for _, m := range all {
			if m == nil || m != all[0] {
				t.Fatal("eight at once were not given one answer")
			}
		}
		// As if each were as large as it may be: only the size that stands in the row is counted.
		testdb.MayChange(t, h.store, "evidence")
		h.write(func(ctx context.Context, tx *db.Client) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE evidence SET size = %d", evidence.MaxSize))
			return err
		})
		h.service = h.fresh()
		three := h.merged(sboms["three"])
		if h.merged(sboms["three"]) != three {
			t.Error("what was asked for just now was read again")
		}
		two := h.merged(sboms["two"])
		if h.merged(sboms["two"]) != two || h.merged(sboms["three"]) == three {
			t.Error("more is remembered than the bound allows, or less")
		}
		before := h.rows()
		_, err := h.service.Merged(h.admin(), sboms["five"])
		h.mustRefuse(err, before, fault.ResourceExhausted, "", "are merged")
	})
}

func TestTheExportSaysWhatItIsOf(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.submit(h.pusher(), signed(t, newKey(t), statement(cdxType, complete("urn:a", "complete", lib("left-pad", "1.3.0", "MIT")), "a")))
		v, partly := h.version("web", "1.0", "", artifact("a")), h.version("web", "1.1", "", artifact("a"), artifact("b"))
		export := func(s *evidence.Service, v *db.ApplicationVersion, format string) string {
			text, err := s.Export(h.on(auth.Viewer, "web"), h.sbomOf(v), format)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		var doc struct {
			SpecVersion string
			Metadata    struct {
				Timestamp string
				Component struct {
					Name, Version string
					Hashes        []struct{ Content string }
				}
				Tools struct {
					Components []struct{ Name, Version string }
				}
			}
			Components   []struct{ Purl string }
			Compositions []struct{ Aggregate string }
		}
		if err := json.Unmarshal([]byte(export(h.service, v, "CYCLONEDX")), &doc); err != nil {
			t.Fatal(err)
		}
		of := doc.Metadata.Component
		if got, want := fmt.Sprintln(doc.SpecVersion, of.Name, of.Version, of.Hashes, doc.Metadata.Timestamp, doc.Metadata.Tools.Components, doc.Components, doc.Compositions),
			fmt.Sprintln("1.6", "web", "1.0", "[{"+strings.TrimPrefix(v.ManifestDigest, "sha256:")+"}]", "2026-03-01T12:00:00Z", "[{plimsoll test}]", "[{pkg:npm/left-pad@1.3.0}]", "[{complete}]"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if text := export(h.service, partly, "CYCLONEDX"); !strings.Contains(text, `"aggregate": "unknown"`) {
			t.Errorf("a part without an SBOM leaves it complete: %s", text)
		}
		for _, format := range []string{"CYCLONEDX", "SPDX"} {
			first := export(h.service, v, format)
			h.now = h.now.AddDate(1, 0, 0)
			if export(h.fresh(), v, format) != first {
				t.Errorf("%s: the same version gave another text", format)
			}
		}
		before := h.rows()
		_, err := h.service.Export(h.admin(), h.sbomOf(v), "YAML")
		h.mustRefuse(err, before, fault.BadInput, "format", "YAML")
	})
}
