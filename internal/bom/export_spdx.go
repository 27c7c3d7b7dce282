package bom

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// spdxNamespace is what the names of the SPDX documents begin with that are written here. Nothing is served there.
const spdxNamespace = "https://plimsoll.dev/spdx/"

// releaseID is the identifier of the release in an SPDX document.
const releaseID = common.ElementID("Release")

// WriteSPDX writes an export as SPDX 2.3 in JSON. Several licences of a component are joined with AND. The format
// cannot say whether the parts are complete.
func WriteSPDX(w io.Writer, b Export) error {
	b, err := b.ready()
	if err != nil {
		return err
	}
	sum, err := b.sum()
	if err != nil {
		return err
	}
	document := common.MakeDocElementID("", "DOCUMENT")
	out := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: document.ElementRefID,
		DocumentName: strings.TrimSpace(b.Name + " " + b.Version), DocumentNamespace: spdxNamespace + uuid(sum),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: ToolName + "-" + b.Tool}},
			Created:  b.Created.Format(time.RFC3339),
		},
	}
	release := packageSPDX(releaseID, Component{Name: b.Name, Version: b.Version, Digests: []string{b.Digest}})
	release.PrimaryPackagePurpose = "APPLICATION"
	out.Packages = append(out.Packages, release)
	out.Relationships = append(out.Relationships, &v2_3.Relationship{
		RefA: document, RefB: common.DocElementID{ElementRefID: releaseID}, Relationship: common.TypeRelationshipDescribe,
	})
	words := &wordsSPDX{kinds: newLicenseKinds(), extracted: map[string]string{}}
	for _, c := range b.Components {
		p := packageSPDX(elementSPDX(c.Ref), c)
		p.PackageLicenseDeclared = words.declared(c.Licenses)
		out.Packages = append(out.Packages, p)
	}
	for _, edge := range b.Dependencies {
		out.Relationships = append(out.Relationships, &v2_3.Relationship{
			RefA:         common.DocElementID{ElementRefID: elementSPDX(edge.From)},
			RefB:         common.DocElementID{ElementRefID: elementSPDX(edge.To)},
			Relationship: common.TypeRelationshipDependsOn,
		})
	}
	out.OtherLicenses = words.others()
	return spdxjson.Write(out, w, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
}

// elementSPDX makes an identifier of a reference, which may hold any characters.
func elementSPDX(ref string) common.ElementID {
	if ref == RootRef {
		return releaseID
	}
	return common.ElementID("Package-" + short(ref))
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func packageSPDX(id common.ElementID, c Component) *v2_3.Package {
	const nothing = "NOASSERTION"
	p := &v2_3.Package{
		PackageSPDXIdentifier: id, PackageName: c.Name, PackageVersion: c.Version, PackageDownloadLocation: nothing,
		PackageLicenseConcluded: nothing, PackageLicenseDeclared: nothing, PackageCopyrightText: nothing,
	}
	for _, d := range c.Digests {
		algorithm, value, _ := strings.Cut(d, ":")
		p.PackageChecksums = append(p.PackageChecksums,
			common.Checksum{Algorithm: common.ChecksumAlgorithm(strings.ToUpper(algorithm)), Value: value})
	}
	if c.PURL != "" {
		p.PackageExternalReferences = []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: c.PURL,
		}}
	}
	return p
}

// licenseRef is a whole licence that some document defines itself; customRef is a part of one.
var (
	licenseRef = regexp.MustCompile(`^LicenseRef-[a-zA-Z0-9.-]+$`)
	customRef  = regexp.MustCompile(`(?i)(LicenseRef|DocumentRef)-`)
)

// wordsSPDX writes licences and remembers those that the document has to explain.
type wordsSPDX struct {
	kinds     *licenseKinds
	extracted map[string]string // LicenseRef → what it stands for
}

func (s *wordsSPDX) declared(texts []string) string {
	if len(texts) == 0 {
		return "NOASSERTION"
	}
	parts := make([]string, 0, len(texts))
	for _, text := range texts {
		part := s.one(text)
		if len(texts) > 1 && strings.Contains(part, " ") {
			part = "(" + part + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " AND ")
}

// one writes a licence as itself where all of it is on the SPDX list, else as a reference that the document explains:
// what another document meant by its own references nobody knows here.
func (s *wordsSPDX) one(text string) string {
	if s.kinds.of(text) != named && !customRef.MatchString(text) {
		return text
	}
	ref := text
	if !licenseRef.MatchString(text) {
		ref = "LicenseRef-" + short(text)
	}
	s.extracted[ref] = text
	return ref
}

// others explains the references. All that is known of such a licence is what its component's document calls it.
func (s *wordsSPDX) others() []*v2_3.OtherLicense {
	refs := keys(s.extracted)
	slices.Sort(refs)
	out := make([]*v2_3.OtherLicense, 0, len(refs))
	for _, ref := range refs {
		text := s.extracted[ref]
		out = append(out, &v2_3.OtherLicense{LicenseIdentifier: ref, ExtractedText: text, LicenseName: text})
	}
	return out
}
