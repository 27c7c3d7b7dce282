package view

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxMarks is how many members are looked at; documents say what they are by fewer.
const maxMarks = 1000

// jsonMarks are the members of the outermost object, and those of the objects and of the first entries of the lists in
// it, with their texts: "version", "document.csaf_version", "results[].source".
type jsonMarks map[string]string

func (m jsonMarks) has(names ...string) bool {
	for _, name := range names {
		if _, ok := m[name]; !ok {
			return false
		}
	}
	return true
}

// typeOfJSON tells what a document in JSON is by its marks; the first that fits counts.
func typeOfJSON(content []byte) Document {
	m := marksOfJSON(content)
	const plain = "application/json"
	context := m["@context"] + m["@context[]"]
	switch {
	case m["bomFormat"] == "CycloneDX":
		return Document{cycloneDXType, "application/vnd.cyclonedx+json", true}
	case m.has("spdxVersion"):
		return Document{spdxType, "application/spdx+json", true}
	case strings.Contains(context, "spdx.org/rdf/3"):
		return Document{spdx3Type, "application/spdx+json", true}
	case strings.Contains(context, "openvex.dev/ns"):
		return Document{openVEXType, plain, false}
	case m.has("document.csaf_version"):
		return Document{csafType, plain, false}
	case m.has("runs") && (m.has("version") || strings.Contains(m["$schema"], "sarif")):
		return Document{sarifType, "application/sarif+json", false}
	case m.has("SchemaVersion") && (m.has("ArtifactName") || m.has("Results")):
		return Document{trivyType, plain, false}
	case m.has("matches") && strings.EqualFold(m["descriptor.name"], "grype"):
		return Document{grypeType, plain, false}
	case m.has("scorecard.version", "checks"):
		return Document{scorecardType, plain, false}
	case looksLikeCTRF(content):
		return Document{reportType("ctrf"), plain, false}
	case m.has("results[].source", "results[].packages"), m.has("results[]", "experimental_config"):
		return Document{osvScannerType, plain, false}
	case m.looksLikeIndex():
		return Document{ImageIndexType, m.indexMediaType(), false}
	case m.has("qualityGate.status"), m.has("projectStatus.status"):
		return Document{sonarQubeType, plain, false}
	}
	return Document{}
}

// marksOfJSON scans tokens and builds nothing. What is not valid JSON gives the marks before the fault.
func marksOfJSON(content []byte) jsonMarks {
	m := jsonMarks{}
	d := jsontext.NewDecoder(bytes.NewReader(content), jsontext.AllowDuplicateNames(true))
	m.object(d, "", 1)
	return m
}

// object notes the members of an object, and tells whether reading can go on after it.
func (m jsonMarks) object(d *jsontext.Decoder, at string, depth int) bool {
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return false
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		if name := at + token.String(); !m.value(d, name, depth) {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == nil
}

func (m jsonMarks) value(d *jsontext.Decoder, name string, depth int) bool {
	if len(m) >= maxMarks || len(name) > MaxText {
		return d.SkipValue() == nil
	}
	m[name] = ""
	switch kind := d.PeekKind(); {
	case kind == '"':
		token, err := d.ReadToken()
		if err == nil {
			m[name] = scanText(token.String())
		}
		return err == nil
	case kind == '{' && depth < 2:
		return m.object(d, name+".", depth+1)
	case kind == '[' && depth < 2:
		return m.list(d, name+"[]", depth)
	}
	return d.SkipValue() == nil
}

// list notes the first entry; "name[]" is a mark also when there is none.
func (m jsonMarks) list(d *jsontext.Decoder, name string, depth int) bool {
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	m[name] = ""
	first := d.PeekKind()
	if first == '{' && !m.object(d, name+".", depth+1) || first == '"' && !m.value(d, name, depth+1) {
		return false
	}
	for d.PeekKind() != ']' {
		if d.SkipValue() != nil {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == nil
}
