package view

import (
	"errors"
	"fmt"
	"mime"
	"strings"
)

// Document says what a document is.
type Document struct {
	// PredicateType is by what Read reads it.
	PredicateType string
	// MediaType is the most specific one there is.
	MediaType string
	// Sbom is true for bills of materials.
	Sbom bool
}

const (
	spdxType  = "https://spdx.dev/Document"
	spdx3Type = "https://spdx.dev/Document/v3"
)

// taken says which documents are detected, for whoever sent another one.
const taken = "CycloneDX, SPDX, SARIF, OpenVEX, CSAF, Trivy, Grype, OSV-Scanner, SonarQube quality gates, Scorecard, CTRF, " +
	"JUnit, xUnit.net, NUnit, TAP, JaCoCo, Cobertura, LCOV and image indexes are recognised; any other document is taken with its `predicateType`"

// Detect tells what a document is. A media type that says it, such as application/sarif+json, is held to what it says; a
// generic one, such as application/json, or none, leaves it to the content. It does not say that the document is valid.
// The content may be anything.
func Detect(mediaType string, content []byte) (Document, error) {
	if err := refusePacked(content); err != nil {
		return Document{}, err
	}
	if len(content) > MaxDocument {
		return Document{}, fmt.Errorf("the document is %d bytes long; at most %d are read", len(content), MaxDocument)
	}
	base := ""
	if strings.TrimSpace(mediaType) != "" {
		var err error
		if base, _, err = mime.ParseMediaType(mediaType); err != nil {
			return Document{}, fmt.Errorf("the media type %q cannot be read: %w", scanText(mediaType), err)
		}
	}
	prefix, specific := promised(base)
	if !specific && !generic(base) {
		return Document{}, fmt.Errorf("the media type %q is not known here: %s", scanText(base), taken)
	}
	found := detectContent(content)
	switch {
	case specific && (!strings.HasPrefix(found.PredicateType, prefix) || formOf(base) != formOf(found.MediaType)):
		return Document{}, fmt.Errorf("the media type says %s and the content does not look like it", base)
	case found.PredicateType == "":
		return Document{}, errors.New("the document is not recognised: " + taken)
	}
	return found, nil
}

// promised gives what the predicate type of a document of a specific media type starts with.
func promised(base string) (string, bool) {
	switch base {
	case "application/vnd.cyclonedx+json", "application/vnd.cyclonedx+xml":
		return cycloneDXType, true
	case "application/spdx+json", "text/spdx":
		return spdxType, true
	case "application/sarif+json":
		return sarifType, true
	// OpenVEX has registered none; these are met.
	case "application/vnd.openvex+json", "application/openvex+json", "application/vex+json":
		return openVEXType, true
	case "application/csaf+json":
		return csafType, true
	case ociIndexMediaType, dockerListMediaType:
		return ImageIndexType, true
	}
	return "", false
}

func generic(base string) bool {
	switch base {
	case "", "application/json", "text/json", "application/xml", "text/xml", "text/plain", "application/octet-stream":
		return true
	}
	return false
}

// formOf tells JSON, XML and text apart.
func formOf(mediaType string) string {
	switch {
	case strings.HasSuffix(mediaType, "json"):
		return "json"
	case strings.HasSuffix(mediaType, "xml"):
		return "xml"
	}
	return "text"
}

func detectContent(content []byte) Document {
	switch text := opening(content); {
	case len(text) > 0 && text[0] == '{':
		return typeOfJSON(text)
	case looksLikeXML(text):
		return typeOfXML(text)
	default:
		return typeOfText(text)
	}
}
