package bom_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

func TestMergeTakesEachPartOnce(t *testing.T) {
	t.Parallel()
	one := parse(t, cyclone(`,"metadata":{"component":{"bom-ref":"r","name":"api"}},"components":[
		{"bom-ref":"1","name":"a","version":"1","purl":"pkg:npm/a@1","licenses":[{"license":{"id":"MIT"}}]},
		{"bom-ref":"2","name":"plain","version":"1@2"},{"bom-ref":"3","name":"lonely"}],
		"dependencies":[{"ref":"r","dependsOn":["1"]},{"ref":"1","dependsOn":["2","r"]}],"compositions":[{"aggregate":"complete"}]`))
	two := parse(t, spdx(`,"documentDescribes":["SPDXRef-x","SPDXRef-y"],"packages":[
		{"SPDXID":"SPDXRef-x","name":"plain","versionInfo":"1@2","licenseDeclared":"ISC"},
		{"SPDXID":"SPDXRef-y","name":"A","versionInfo":"1","licenseDeclared":"0BSD","checksums":[{"algorithm":"SHA256","checksumValue":"`+digestA+`"}],
		 "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]}],
		"relationships":[{"spdxElementId":"SPDXRef-x","relatedSpdxElement":"SPDXRef-y","relationshipType":"DEPENDS_ON"}]`))
	const plain = "name:plain@1%402"
	want := bom.Merged{
		Components: []bom.Component{
			{Ref: "name:lonely@", Name: "lonely"},
			{Ref: plain, Name: "plain", Version: "1@2", Licenses: []string{"ISC"}, Direct: true},
			{Ref: "pkg:npm/a@1", PURL: "pkg:npm/a@1", Name: "A", Version: "1", Licenses: []string{"0BSD", "MIT"}, Digests: []string{"sha256:" + digestA}, Direct: true},
		},
		Dependencies: []bom.Dependency{
			{From: plain, To: "pkg:npm/a@1"},
			{From: "pkg:npm/a@1", To: plain},
			{From: bom.RootRef, To: plain},
			{From: bom.RootRef, To: "pkg:npm/a@1"},
		},
	}
	for name, docs := range map[string][]bom.Document{"one way": {one, two}, "the other": {two, one}, "one of them twice": {one, two, one}} {
		if got := bom.Merge(docs...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
	if !bom.Merge(one, one).Complete || bom.Merge().Complete {
		t.Error("a merge is complete when there is a document and each is")
	}
	if one.Components[0].Ref != "1" || !slices.Equal(one.Components[0].Licenses, []string{"MIT"}) {
		t.Errorf("the document was changed: %+v", one.Components[0])
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	part := func(purl, name, version string, licenses ...string) bom.Component {
		return bom.Component{PURL: purl, Name: name, Version: version, Licenses: licenses}
	}
	before := []bom.Component{
		part("", "plain", "1"), part("", "old", "1"), part("", "same", "1", "MIT"),
		part("pkg:npm/up@1", "up", "1"), part("pkg:npm/relicensed@1", "relicensed", "1", "MIT"),
		part("pkg:npm/many@1", "many", "1"), part("pkg:npm/many@2", "many", "2"), part("pkg:npm/one@1", "one", "1"), part("pkg:npm/one@2", "one", "2"),
	}
	after := []bom.Component{
		part("pkg:npm/many@4", "many", "4"), part("pkg:npm/many@3", "many", "3"), part("pkg:npm/one@2", "one", "2"), part("pkg:npm/one@3", "one", "3"),
		part("pkg:npm/up@2", "up", "2"), part("pkg:npm/relicensed@1", "relicensed", "1", "AGPL-3.0-only"),
		part("pkg:npm/plain@1", "plain", "1"), part("", "same", "1", "MIT"), part("", "plain", "2"),
	}
	want := bom.Changes{
		Added:   []bom.Component{after[1], after[0], after[6]},
		Removed: []bom.Component{before[1], before[5], before[6]},
		Changed: []bom.Change{{before[0], after[8]}, {before[7], after[3]}, {before[4], after[5]}, {before[3], after[4]}},
	}
	if got := bom.Diff(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	back := bom.Diff(after, before)
	if !reflect.DeepEqual(back.Added, want.Removed) || !reflect.DeepEqual(back.Removed, want.Added) || len(back.Changed) != len(want.Changed) {
		t.Errorf("the other way round: %+v", back)
	}
	slices.Reverse(before)
	if got := bom.Diff(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("another order of the list gave %+v", got)
	}
	if got := bom.Diff(after, after); !reflect.DeepEqual(got, bom.Changes{}) {
		t.Errorf("a list differs from itself: %+v", got)
	}
}
