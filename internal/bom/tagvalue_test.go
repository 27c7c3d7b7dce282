package bom_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

const tagValue = `# made by hand
SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: ledger
Creator: Nobody the library knows
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root

FileName: ./main.c
SPDXID: SPDXRef-file
LicenseConcluded: GPL-2.0-only
FileComment: <text>A text
PackageName: that is no package
</text>

PackageName: ledger
SPDXID: SPDXRef-root
PackageVersion: 1
PackageChecksum: SHA256: ` + digestA + `
PackageComment: <text>on one line</text>
Relationship: SPDXRef-root DEPENDS_ON SPDXRef-a

PackageName: a
SPDXID: SPDXRef-a
PackageVersion: <text>v2</text>
PackageLicenseConcluded: NOASSERTION
PackageLicenseDeclared: (MIT OR Apache-2.0)
PackageChecksum: WHIRLPOOL: 00
ExternalRef: SECURITY cpe23Type cpe:2.3:a
ExternalRef: PACKAGE-MANAGER purl pkg:golang/example.org/A@v2

LicenseID: LicenseRef-1
ExtractedText: <text>Do
what you like.</text>
Relationship: SPDXRef-a GENERATED_FROM SPDXRef-file
`

func TestTagValueAndJSONGiveTheSameDocument(t *testing.T) {
	t.Parallel()
	fromJSON := parse(t, spdx(`,"documentDescribes":["SPDXRef-root"],"packages":[
		{"SPDXID":"SPDXRef-root","name":"ledger","versionInfo":"1","checksums":[{"algorithm":"SHA256","checksumValue":"`+digestA+`"}]},
		{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"v2","licenseDeclared":"(MIT OR Apache-2.0)",
		 "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:golang/example.org/A@v2"}]}],
		"relationships":[{"spdxElementId":"SPDXRef-root","relatedSpdxElement":"SPDXRef-a","relationshipType":"DEPENDS_ON"}]`))
	for name, content := range map[string]string{"as it is": tagValue, "with carriage returns": strings.ReplaceAll(tagValue, "\n", "\r\n")} {
		if got := parse(t, []byte(content)); !reflect.DeepEqual(got, fromJSON) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, fromJSON)
		}
	}
	if len(fromJSON.Components) != 1 || !fromJSON.Components[0].Direct {
		t.Errorf("got %+v", fromJSON.Components)
	}
}

func TestTagValueRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, lines, want string }{
		{"a line without a colon", "PackageName", "line 2: expected a tag, a colon and a value"},
		{"a text without an end", "DocumentComment: <text>a\nb\n", "line 2: the <text> that begins here has no end"},
		{"an identifier without its prefix", "PackageName: a\nSPDXID: a", `line 3: the SPDXID "a" does not begin with SPDXRef-`},
		{"a package without an identifier", "PackageName: a\nPackageName: b\nSPDXID: SPDXRef-b", "PackageName a does not have SPDX identifier"},
		{"a last package without one", "PackageName: a", "PackageName a does not have SPDX identifier"},
		{"a tag twice", "PackageName: a\nPackageLicenseDeclared: MIT\nPackageLicenseDeclared: ISC", "line 4: PackageLicenseDeclared is given twice for the same package"},
		{"two versions of SPDX", "SPDXVersion: SPDX-2.2", "line 2: SPDXVersion is given twice for the same document"},
		{"a checksum without an algorithm", "PackageName: a\nPackageChecksum: " + digestA, "line 3: the value of PackageChecksum"},
		{"a reference of two words", "PackageName: a\nExternalRef: purl pkg:npm/a@1", "line 3: the value of ExternalRef"},
		{"a relationship of two words", "Relationship: SPDXRef-a DESCRIBES", "line 2: the value of Relationship"},
		{"a relationship to no element", "Relationship: SPDXRef-a DEPENDS_ON b", "missing SPDXRef- prefix"},
		{"a line that is too long", "PackageName: " + strings.Repeat("a", 1<<20), "line 2: the value of PackageName is 1048576 bytes long"},
		{"too many packages", strings.Repeat("PackageName: a\n", bom.MaxComponents+1), "more than 100000 packages"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, []byte("SPDXVersion: SPDX-2.3\n"+c.lines), c.want)
		})
	}
	t.Run("a version nobody knows", func(t *testing.T) {
		t.Parallel()
		refuse(t, []byte("SPDXVersion: SPDX-9\n"), `version "SPDX-9"`)
	})
}
