package bom_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/bom"
)

func exported(merged bom.Merged) bom.Export {
	return bom.Export{
		Name: "shop", Version: "1.4.0", Digest: "sha256:" + digestA, Tool: "0.9.0",
		Created: time.Date(2026, 3, 1, 12, 30, 0, 500, time.FixedZone("", 3600)), Merged: merged,
	}
}

// writers gives each form with how it is written.
func writers() map[bom.Format]func(io.Writer, bom.Export) error {
	return map[bom.Format]func(io.Writer, bom.Export) error{bom.CycloneDX: bom.WriteCycloneDX, bom.SPDX: bom.WriteSPDX}
}

func write(t *testing.T, format bom.Format, e bom.Export) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := writers()[format](&out, e); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// awkward holds every kind of licence and name.
func awkward() bom.Merged {
	return bom.Merge(bom.Document{Roots: []string{"r"}, Components: []bom.Component{
		{Ref: "id", Name: "id", Version: "1", Licenses: []string{"MIT"}},
		{Ref: "old", Name: "old", Licenses: []string{"AGPL-3.0"}},
		{Ref: "lower", Name: "lower", Licenses: []string{"mit"}},
		{Ref: "expression", Name: "expression", Licenses: []string{"(MIT OR GPL-2.0-or-later) AND ISC"}},
		{Ref: "name", Name: "name <&> \"quoted\"ü", Licenses: []string{"Our own licence, of 2020"}},
		{Ref: "mixed", Name: "mixed", Licenses: []string{"Apache-2", "ISC", "MIT OR 0BSD"}},
		{Ref: "cut", Name: "cut", Licenses: []string{strings.Repeat("MIT AND ", 64) + "…"}},
		{Ref: "custom", Name: "custom", Licenses: []string{"LicenseRef-own"}},
		{Ref: "customs", Name: "customs", Licenses: []string{"LicenseRef-own OR MIT"}},
		{Ref: "broken", Name: "broken", Licenses: []string{"(MIT OR"}},
		{Ref: "oci", Name: "image", Version: "sha256:" + digestB, PURL: "pkg:oci/image@sha256:" + digestB, Digests: []string{"sha256:" + digestB, "sha512:" + digestA + digestB}},
	}, Dependencies: []bom.Dependency{{"r", "id"}, {"id", "old"}, {"id", "name"}}})
}

// TestWhatIsWrittenReadsBack holds both forms to lose nothing but what they cannot say.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	t.Parallel()
	merges := map[string]bom.Merged{"nothing": {}, "all there is": {Complete: true}, "awkward": awkward()}
	var all []bom.Document
	for name, content := range realDocuments(t) {
		all = append(all, parse(t, content))
		merges[name] = bom.Merge(all[len(all)-1])
	}
	merges["all"] = bom.Merge(all...)
	for name, merged := range merges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for format := range writers() {
				doc := parse(t, write(t, format, exported(merged)))
				if doc.Format != format || !slices.Equal(doc.Subjects, []string{"sha256:" + digestA}) || len(doc.Roots) != 1 {
					t.Errorf("%s describes %v with digests %v", doc.Format, doc.Roots, doc.Subjects)
				}
				want := bom.Merged{Components: slices.Clone(merged.Components), Dependencies: merged.Dependencies, Complete: merged.Complete}
				got := bom.Merge(doc)
				if format == bom.SPDX {
					want.Complete = false
					joinLicenses(want.Components)
					got.Components = slices.Clone(got.Components)
					explain(t, write(t, format, exported(merged)), got.Components)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s is not the same: %+v", format, bom.Diff(want.Components, got.Components))
				}
			}
		})
	}
}

// joinLicenses writes several licences as SPDX does, in one expression.
func joinLicenses(components []bom.Component) {
	for i := range components {
		list := slices.Clone(components[i].Licenses)
		if len(list) < 2 {
			continue
		}
		for j, l := range list {
			if strings.Contains(l, " OR ") || strings.Contains(l, " AND ") {
				list[j] = "(" + l + ")"
			}
		}
		components[i].Licenses = []string{strings.Join(list, " AND ")}
	}
}

// explain puts in place of each LicenseRef what the document says that it stands for.
func explain(t *testing.T, content []byte, components []bom.Component) {
	t.Helper()
	var doc struct {
		Extracted []struct{ LicenseID, ExtractedText string } `json:"hasExtractedLicensingInfos"`
	}
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	for i := range components {
		for j, l := range components[i].Licenses {
			for _, e := range doc.Extracted {
				l = strings.ReplaceAll(l, e.LicenseID, e.ExtractedText)
			}
			components[i].Licenses = slices.Clone(components[i].Licenses)
			components[i].Licenses[j] = l
		}
	}
}

func TestLicencesAreWrittenAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	cyclonedx, spdx := string(write(t, bom.CycloneDX, exported(awkward()))), string(write(t, bom.SPDX, exported(awkward())))
	for _, want := range []string{`"id": "MIT"`, `"id": "AGPL-3.0"`, `"expression": "mit"`, `"expression": "(MIT OR GPL-2.0-or-later) AND ISC"`, `"name": "Our own licence, of 2020"`, `"name": "MIT OR 0BSD"`, `"name": "(MIT OR"`, `"expression": "LicenseRef-own"`} {
		if !strings.Contains(cyclonedx, want) {
			t.Errorf("CycloneDX has no %s", want)
		}
	}
	for _, want := range []string{`"licenseDeclared": "MIT"`, `"licenseDeclared": "AGPL-3.0"`, `"licenseDeclared": "LicenseRef-own"`, ` AND ISC AND (MIT OR 0BSD)"`, `"extractedText": "Our own licence, of 2020"`, `"extractedText": "Apache-2"`, `"extractedText": "(MIT OR"`} {
		if !strings.Contains(spdx, want) {
			t.Errorf("SPDX has no %s", want)
		}
	}
}

func TestEqualExportsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for format := range writers() {
		e := exported(awkward())
		first := write(t, format, e)
		same := exported(awkward())
		slices.Reverse(same.Components)
		slices.Reverse(same.Dependencies)
		same.Created = same.Created.UTC().Add(time.Millisecond)
		if !bytes.Equal(first, write(t, format, same)) {
			t.Errorf("%s: the order of the parts or the zone of the clock shows", format)
		}
		if !reflect.DeepEqual(e, exported(awkward())) {
			t.Errorf("%s: writing changed the export", format)
		}
		other := exported(awkward())
		other.Digest = "sha256:" + digestB
		fewer := exported(bom.Merged{})
		for _, content := range [][]byte{first, write(t, format, other), write(t, format, fewer)} {
			var doc struct{ SerialNumber, DocumentNamespace string }
			if err := json.Unmarshal(content, &doc); err != nil {
				t.Fatal(err)
			}
			names[doc.SerialNumber+doc.DocumentNamespace] = true
		}
	}
	if len(names) != 6 || names[""] {
		t.Errorf("six contents gave the names %v", names)
	}
}

func TestWritersRefuse(t *testing.T) {
	t.Parallel()
	for format, writer := range writers() {
		for name, change := range map[string]func(*bom.Export){
			"no name":     func(e *bom.Export) { e.Name = "" },
			"no tool":     func(e *bom.Export) { e.Tool = "" },
			"no time":     func(e *bom.Export) { e.Created = time.Time{} },
			"no digest":   func(e *bom.Export) { e.Digest = "" },
			"a short one": func(e *bom.Export) { e.Digest = "sha256:aa" },
		} {
			e := exported(bom.Merged{})
			change(&e)
			if err := writer(io.Discard, e); err == nil {
				t.Errorf("%s: %s is accepted", format, name)
			}
		}
		if err := writer(full{}, exported(bom.Merged{})); !errors.Is(err, errFull) {
			t.Errorf("%s: a writer that fails gave %v", format, err)
		}
	}
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
