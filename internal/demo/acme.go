package demo

import (
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/testdata/sbom"
)

// The names of the story.
const (
	project = "payments"
	gateway = "payments-gateway"
	version = "2.4.0"
	tag     = "pi-2026.4"
)

// The stages of the story.
const (
	dev     = "DEV"
	qaStage = "QA"
	staging = "STAGING"
	prod    = "PROD"
)

// The predicate types of the story.
const (
	cycloneDX  = "https://cyclonedx.org/bom"
	spdx       = "https://spdx.dev/Document"
	provenance = "https://slsa.dev/provenance/v1"
	testResult = "https://in-toto.io/attestation/test-result/v0.1"
	scan       = "https://in-toto.io/attestation/vulns/v0.1"
)

// application is one of the house, with the package it owns and the version of it that goes into the gateway.
type application struct {
	key, title, owner, criticality string
	labels                         []object
	packageType, version           string // of the package; its type with the namespace
	document                       string // its bill of materials
}

// applications are those whose packages make up the gateway. The first five are services that CI builds; the last is a
// library that another team keeps.
func applications() []application {
	pci := object{{"key", "pci-scope"}, {"value", "true"}}
	confidential := object{{"key", "data-classification"}, {"value", "confidential"}}
	return []application{
		{gateway, "Payments gateway", "team:payments", "CRITICAL", []object{pci, confidential}, "docker/acme", version, "payments-gateway.cdx.json"},
		{"ledger", "Ledger", "team:ledger", "CRITICAL", []object{pci, confidential}, "docker/acme", "7.1.3", "ledger.cdx.json"},
		{"fraud-check", "Fraud check", "team:risk", "HIGH", []object{confidential}, "docker/acme", "3.9.0", "fraud-check.cdx.json"},
		{"notifications", "Notifications", "team:messaging", "HIGH", nil, "docker/acme", "2.3.0", "notifications.spdx.json"},
		{"web-checkout", "Web checkout", "team:storefront", "HIGH", []object{pci}, "docker/acme", "5.12.1", "web-checkout.cdx.json"},
		{"common-utils", "Common utilities", "team:platform", "HIGH", nil, "golang/acme.example/common-utils", "v3.1.0", "common-utils.cdx.json"},
	}
}

// services is how many of the applications CI builds.
const services = 5

// connector is an artifact that a partner delivers: nobody of the house owns it.
const (
	connector         = "settlement-connector.tar.gz"
	connectorDocument = "settlement.cdx.json"
)

// packageName is what the application's package is called: the library is named for what it does.
func (s *story) packageName(a application) string {
	if a.key == "common-utils" {
		return s.name("login")
	}
	return s.name(a.key)
}

// purl names the application's package, without a version.
func (s *story) purl(a application) string {
	return "pkg:" + a.packageType + "/" + s.packageName(a)
}

// bill reads a bill of materials.
func bill(document string) (json.RawMessage, error) {
	b, err := sbom.FS.ReadFile(document)
	if err != nil {
		return nil, fmt.Errorf("read bill of materials: %w", err)
	}
	return b, nil
}

// built is the digest of what a build of the story leaves behind: content that is the same in every run.
func built(name, version string, bill []byte) string {
	return canonical.Digest(fmt.Appendf(nil, "%s %s, made of what %s lists\n", name, version, canonical.Digest(bill)))
}
