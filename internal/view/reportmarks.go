package view

import (
	"bytes"
	"encoding/xml"
	"slices"
)

// markLength is how much of a document is looked at to tell its format.
const markLength = 64 << 10

// beginning is the start of a document, without a byte order mark.
func beginning(content []byte) []byte {
	return withoutMark(content[:min(len(content), markLength)])
}

// rootElement is the first element of what looks like XML.
func rootElement(content []byte) (xml.StartElement, bool) {
	content = beginning(content)
	if !bytes.HasPrefix(bytes.TrimSpace(content), []byte("<")) {
		return xml.StartElement{}, false
	}
	d := newDecoder(content)
	for {
		token, err := d.RawToken()
		if err != nil {
			return xml.StartElement{}, false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root, true
		}
	}
}

func hasRoot(content []byte, names ...string) bool {
	root, ok := rootElement(content)
	return ok && slices.Contains(names, root.Name.Local)
}

// looksLikeJUnit also holds for Mocha's XUnit XML, which is one dialect of many.
func looksLikeJUnit(content []byte) bool { return hasRoot(content, junit().roots...) }

func looksLikeXUnit(content []byte) bool { return hasRoot(content, xunit().roots...) }

func looksLikeNUnit(content []byte) bool { return hasRoot(content, nunit().roots...) }

// looksLikeJaCoCo wants more than the root, since many call theirs <report>.
func looksLikeJaCoCo(content []byte) bool {
	start := beginning(content)
	return hasRoot(content, "report") && (bytes.Contains(start, []byte("//JACOCO//")) ||
		bytes.Contains(start, []byte("<sessioninfo ")) || bytes.Contains(start, []byte("<counter ")))
}

// looksLikeCobertura wants its attributes, since Clover's root is <coverage> too.
func looksLikeCobertura(content []byte) bool {
	root, ok := rootElement(content)
	return ok && root.Name.Local == "coverage" && slices.ContainsFunc(root.Attr, func(a xml.Attr) bool {
		return a.Name.Local == "line-rate" || a.Name.Local == "lines-valid"
	})
}

// looksLikeTAP wants the version, a plan or a test point on the first line that says something.
func looksLikeTAP(content []byte) bool {
	for line := range bytes.Lines(beginning(content)) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		return tapVersion.Match(line) || tapPlan.Match(line) || tapPoint.Match(line)
	}
	return false
}

// looksLikeLCOV wants a record's first line first.
func looksLikeLCOV(content []byte) bool {
	start := bytes.TrimLeft(beginning(content), " \r\n\t")
	return bytes.HasPrefix(start, []byte("TN:")) || bytes.HasPrefix(start, []byte("SF:"))
}

// looksLikeCTRF wants the format's name, or the members that results have in its first versions.
func looksLikeCTRF(content []byte) bool {
	start := bytes.TrimSpace(beginning(content))
	if !bytes.HasPrefix(start, []byte("{")) {
		return false
	}
	doc, f := openJSON(content)
	top := doc.object("reportFormat", "results")
	results := top["results"].object("tool", "summary")
	if f.err != nil {
		return false
	}
	return string(top["reportFormat"].raw) == `"CTRF"` || results["tool"].given() && results["summary"].given()
}
