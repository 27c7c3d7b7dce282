package bom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"

	"github.com/plimsoll/plimsoll/internal/bom"
)

// exports are what both stock checks look at.
func exports(t *testing.T) map[string]bom.Export {
	t.Helper()
	list := map[string]bom.Export{
		"nothing": exported(bom.Merged{}), "complete": exported(bom.Merged{Complete: true}), "awkward": exported(awkward()),
	}
	for name, content := range realDocuments(t) {
		list[name] = exported(bom.Merge(parse(t, content)))
	}
	return list
}

// validate runs the validator of the makers of CycloneDX, with the official schemas inside.
func validate(t *testing.T, files ...string) (bool, string) {
	t.Helper()
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		t.Skip("make test installs the tools")
	}
	script := filepath.Join(tools, "sbom", "validate.mjs")
	if _, err := os.Stat(script); err != nil {
		t.Fatalf("PLIMSOLL_TOOLS is set, but: %v; run scripts/tools sbom", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", append([]string{script}, files...)...).CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("the validator does not end: %s", out)
	}
	return err == nil, string(out)
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bom.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStockValidatorAcceptsOurCycloneDX(t *testing.T) {
	t.Parallel()
	var files []string
	for _, e := range exports(t) {
		files = append(files, file(t, write(t, bom.CycloneDX, e)))
	}
	if ok, said := validate(t, files...); !ok {
		t.Errorf("refused: %.3000s", said)
	}
}

func TestStockValidatorRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := write(t, bom.CycloneDX, exported(awkward()))
	for what, wrong := range map[string][]byte{
		"serialNumber": bytes.Replace(good, []byte("urn:uuid:"), []byte("urn:uuid:x"), 1),
		"enum":         bytes.Replace(good, []byte(`"id": "MIT"`), []byte(`"id": "mit"`), 1),
		"dependsOn":    bytes.Replace(good, []byte(`"dependsOn": [`), []byte(`"dependsOn": [1,`), 1),
	} {
		if ok, said := validate(t, file(t, wrong)); ok || !strings.Contains(said, what) {
			t.Errorf("%s: accepted is %t: %.500s", what, ok, said)
		}
	}
}

// TestStockReaderAcceptsOurSPDX: the reader of the SPDX project refuses relationships to nothing and packages twice. It
// does not know the schema, whose rules for what is written here are checked below.
func TestStockReaderAcceptsOurSPDX(t *testing.T) {
	t.Parallel()
	for name, e := range exports(t) {
		content := write(t, bom.SPDX, e)
		doc, err := spdxjson.Read(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := spdxlib.ValidateDocument(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if described, err := spdxlib.GetDescribedPackageIDs(doc); err != nil || len(described) != 1 {
			t.Errorf("%s describes %v: %v", name, described, err)
		}
		var raw spdxDocument
		if err := json.Unmarshal(content, &raw); err != nil {
			t.Fatal(err)
		}
		raw.check(t, name)
	}
}

// spdxDocument is what the schema of SPDX 2.3 and chapter 6 to 11 of its text demand of the members that we write.
type spdxDocument struct {
	SPDXID, SpdxVersion, DataLicense, Name, DocumentNamespace string
	CreationInfo                                              struct {
		Created  string
		Creators []string
	}
	Packages []struct {
		SPDXID, Name, DownloadLocation, LicenseDeclared string
		FilesAnalyzed                                   bool
		ExternalRefs                                    []struct{ ReferenceCategory, ReferenceType, ReferenceLocator string }
	}
	HasExtractedLicensingInfos []struct{ LicenseID, ExtractedText string }
}

func (d spdxDocument) check(t *testing.T, name string) {
	t.Helper()
	match := func(what, pattern, text string) {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s: %s is %q", name, what, text)
		}
	}
	match("SPDXID", `^SPDXRef-DOCUMENT$`, d.SPDXID)
	match("spdxVersion", `^SPDX-2\.3$`, d.SpdxVersion)
	match("dataLicense", `^CC0-1\.0$`, d.DataLicense)
	match("name", `.`, d.Name)
	match("documentNamespace", `^https://plimsoll\.dev/spdx/[0-9a-f-]{36}$`, d.DocumentNamespace)
	match("created", `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`, d.CreationInfo.Created)
	match("creators", `^Tool: plimsoll-\S+$`, strings.Join(d.CreationInfo.Creators, "\n"))
	var explained []string
	for _, l := range d.HasExtractedLicensingInfos {
		match("licenseId", `^LicenseRef-[a-zA-Z0-9.-]+$`, l.LicenseID)
		match("extractedText", `.`, l.ExtractedText)
		explained = append(explained, l.LicenseID)
	}
	for _, p := range d.Packages {
		match("a package's SPDXID", `^SPDXRef-[a-zA-Z0-9.-]+$`, p.SPDXID)
		match("a package's name", `.`, p.Name)
		match("a package's downloadLocation", `^NOASSERTION$`, p.DownloadLocation)
		if p.FilesAnalyzed {
			t.Errorf("%s: %s claims that its files were analysed", name, p.Name)
		}
		for _, ref := range regexp.MustCompile(`LicenseRef-[a-zA-Z0-9.-]+`).FindAllString(p.LicenseDeclared, -1) {
			if !slices.Contains(explained, ref) {
				t.Errorf("%s: %s has the licence %s, which nothing explains", name, p.Name, ref)
			}
		}
		for _, ref := range p.ExternalRefs {
			match("an external reference", `^(PACKAGE-MANAGER|PACKAGE_MANAGER) purl pkg:\S+$`, ref.ReferenceCategory+" "+ref.ReferenceType+" "+ref.ReferenceLocator)
		}
	}
}
