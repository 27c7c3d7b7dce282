package view

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"strings"
)

// reportType is the type of a test or coverage report in the format that is named.
func reportType(format string) string { return "https://plimsoll.dev/documents/" + format + "/v1" }

// opening skips the byte order mark and white space.
func opening(content []byte) []byte { return bytes.TrimLeft(withoutMark(content), " \t\r\n") }

func looksLikeXML(content []byte) bool { return bytes.HasPrefix(opening(content), []byte("<")) }

// nameOf resolves the prefix of the first element, of which nothing stands around.
func nameOf(start xml.StartElement) xml.Name {
	name := xml.Name{Local: start.Name.Local}
	for _, a := range start.Attr {
		if start.Name.Space == "" && a.Name.Space == "" && a.Name.Local == "xmlns" ||
			start.Name.Space != "" && a.Name.Space == "xmlns" && a.Name.Local == start.Name.Space {
			name.Space = a.Value
		}
	}
	return name
}

// typeOfXML tells what a document is by its first element.
func typeOfXML(content []byte) Document {
	root, ok := rootElement(content)
	if !ok {
		return Document{}
	}
	if name := nameOf(root); name.Local == "bom" && strings.HasPrefix(name.Space, cycloneDXNamespace) {
		return Document{cycloneDXType, "application/vnd.cyclonedx+xml", true}
	}
	for _, r := range []struct {
		format string
		is     func([]byte) bool
	}{
		{"junit", looksLikeJUnit},
		{"xunit", looksLikeXUnit},
		{"nunit", looksLikeNUnit},
		{"jacoco", looksLikeJaCoCo},
		{"cobertura", looksLikeCobertura},
	} {
		if r.is(content) {
			return Document{reportType(r.format), "application/xml", false}
		}
	}
	return Document{}
}

var spdxTag = regexp.MustCompile(`(?m)^SPDXVersion:`)

// typeOfText tells what a text is by its first lines.
func typeOfText(content []byte) Document {
	switch {
	case spdxTag.Match(beginning(content)):
		return Document{spdxType, "text/spdx", true}
	case looksLikeTAP(content):
		return Document{reportType("tap"), "text/plain", false}
	case looksLikeLCOV(content):
		return Document{reportType("lcov"), "text/plain", false}
	}
	return Document{}
}
