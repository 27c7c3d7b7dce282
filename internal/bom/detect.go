package bom

import (
	"bytes"
	"encoding/xml"
	"mime"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// utf8BOM is the byte order mark some tools put before UTF-8. RFC 8259 lets a reader ignore it.
const utf8BOM = "\ufeff"

// xmlNamespace is what the namespace of a CycloneDX document starts with; the version follows.
const xmlNamespace = "http://cyclonedx.org/schema/bom/"

// Detect tells which format a document is in: by its own marks, and when it has none by its media type. It does not
// say that the document is valid. The content may be anything.
func Detect(mediaType string, content []byte) (Format, bool) {
	content = bytes.TrimPrefix(content, []byte(utf8BOM))
	if looksLikeXML(content) {
		if _, ok := xmlVersion(content); ok {
			return CycloneDX, true
		}
	} else if mark := markOfJSON(content); mark.format != "" {
		return mark.format, true
	} else if !looksLikeJSON(content) && looksLikeTagValue(content) {
		return SPDX, true
	}
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return "", false
	}
	switch base {
	case "application/vnd.cyclonedx+json", "application/vnd.cyclonedx+xml":
		return CycloneDX, true
	case "application/spdx+json", "text/spdx":
		return SPDX, true
	}
	return "", false
}

func looksLikeXML(content []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(content, " \t\r\n"), []byte("<"))
}

func looksLikeJSON(content []byte) bool {
	content = bytes.TrimLeft(content, " \t\r\n")
	return bytes.HasPrefix(content, []byte("{")) || bytes.HasPrefix(content, []byte("["))
}

// looksLikeYAML tells whether a line names the version of SPDX as a member outside of JSON.
func looksLikeYAML(content []byte) bool {
	for line := range bytes.Lines(content) {
		if bytes.HasPrefix(line, []byte("spdxVersion:")) || bytes.HasPrefix(line, []byte(`"spdxVersion":`)) {
			return true
		}
	}
	return false
}

// xmlVersion reads up to the first element and gives the version of its CycloneDX namespace.
func xmlVersion(content []byte) (string, bool) {
	d := xml.NewDecoder(bytes.NewReader(content))
	for {
		token, err := d.Token()
		if err != nil {
			return "", false
		}
		if start, ok := token.(xml.StartElement); ok {
			version, ok := strings.CutPrefix(start.Name.Space, xmlNamespace)
			return version, ok && start.Name.Local == "bom"
		}
	}
}

type mark struct {
	format  Format
	context string // of an SPDX 3 document
}

// markOfJSON reads the members of the outermost object until one says what the document is.
func markOfJSON(content []byte) mark {
	d := jsontext.NewDecoder(bytes.NewReader(content), jsontext.AllowDuplicateNames(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return mark{}
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return mark{}
		}
		name := token.String()
		if !isMark(name) || d.PeekKind() != '"' {
			if d.SkipValue() != nil {
				return mark{}
			}
			continue
		}
		value, err := d.ReadToken()
		if err != nil {
			return mark{}
		}
		if found := markOf(name, value.String()); found.format != "" {
			return found
		}
	}
	return mark{}
}

func isMark(name string) bool {
	return name == "bomFormat" || name == "spdxVersion" || name == "@context"
}

func markOf(name, value string) mark {
	switch {
	case name == "bomFormat" && value == "CycloneDX":
		return mark{format: CycloneDX}
	case name == "spdxVersion":
		return mark{format: SPDX}
	case name == "@context" && strings.Contains(value, "spdx.org/rdf/3"):
		return mark{format: SPDX, context: value}
	}
	return mark{}
}
