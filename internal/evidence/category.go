package evidence

import (
	"strings"

	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/view"
)

// Predicate types of documents, and what the predicate types of their statements start with: tools append a version.
const (
	cycloneDXType = "https://cyclonedx.org/bom"
	spdxType      = "https://spdx.dev/Document"
	documents     = "https://plimsoll.dev/documents/" // formats that have no URI of their own
)

// categories says what a predicate type is about, by what it starts with. What does not stand here is CUSTOM.
func categories() []struct {
	prefix   string
	category evidence.Category
} {
	return []struct {
		prefix   string
		category evidence.Category
	}{
		{"https://slsa.dev/provenance/", evidence.CategoryAUDIT},
		{"https://slsa.dev/verification_summary/", evidence.CategoryAUDIT},
		{"https://in-toto.io/attestation/svr/", evidence.CategoryAUDIT},
		{"https://in-toto.io/attestation/scai/", evidence.CategoryAUDIT},
		{"https://in-toto.io/attestation/release/", evidence.CategoryAUDIT},
		{"https://in-toto.io/attestation/promotion-record/", evidence.CategoryAUDIT},
		{"https://github.com/npm/attestation/tree/main/specs/publish/", evidence.CategoryAUDIT},
		{"https://plimsoll.dev/attestations/", evidence.CategoryAUDIT},
		{signatureType, evidence.CategoryAUDIT},
		{view.ImageIndexType, evidence.CategoryAUDIT},

		{"https://in-toto.io/attestation/test-result/", evidence.CategoryQUALITY},
		{documents + "junit/", evidence.CategoryQUALITY},
		{documents + "xunit/", evidence.CategoryQUALITY},
		{documents + "nunit/", evidence.CategoryQUALITY},
		{documents + "tap/", evidence.CategoryQUALITY},
		{documents + "ctrf/", evidence.CategoryQUALITY},
		{documents + "jacoco/", evidence.CategoryQUALITY},
		{documents + "cobertura/", evidence.CategoryQUALITY},
		{documents + "lcov/", evidence.CategoryQUALITY},
		{documents + "sonarqube-quality-gate/", evidence.CategoryQUALITY},

		{cycloneDXType, evidence.CategorySECURITY},
		{spdxType, evidence.CategorySECURITY},
		{"https://in-toto.io/attestation/vulns/", evidence.CategorySECURITY},
		{"https://cosign.sigstore.dev/attestation/vuln/", evidence.CategorySECURITY},
		{"https://openvex.dev/ns", evidence.CategorySECURITY},
		{"https://scorecard.dev/result/", evidence.CategorySECURITY},
		{"https://docs.oasis-open.org/sarif/", evidence.CategorySECURITY},
		{"https://docs.oasis-open.org/csaf/", evidence.CategorySECURITY},
		{documents + "trivy/", evidence.CategorySECURITY},
		{documents + "grype/", evidence.CategorySECURITY},
		{documents + "osv-scanner/", evidence.CategorySECURITY},

		{"https://in-toto.io/Link/", evidence.CategoryWORKFLOW},
		{"https://in-toto.io/attestation/link/", evidence.CategoryWORKFLOW},
		{"https://in-toto.io/attestation/reference/", evidence.CategoryWORKFLOW},
		{"https://in-toto.io/attestation/runtime-trace/", evidence.CategoryWORKFLOW},
	}
}

func categoryOf(predicateType string) evidence.Category {
	for _, c := range categories() {
		if strings.HasPrefix(predicateType, c.prefix) {
			return c.category
		}
	}
	return evidence.CategoryCUSTOM
}

// sbomFormat tells which format the predicate of a type must be written in, when the type is that of an SBOM.
func sbomFormat(predicateType string) (bom.Format, bool) {
	switch {
	case strings.HasPrefix(predicateType, cycloneDXType):
		return bom.CycloneDX, true
	case strings.HasPrefix(predicateType, spdxType):
		return bom.SPDX, true
	}
	return "", false
}
