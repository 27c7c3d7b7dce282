package bom

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	tagreader "github.com/spdx/tools-golang/spdx/v2/v2_3/tagvalue/reader"
	"github.com/spdx/tools-golang/tagvalue/reader"
)

// maxLine is the longest line of a tag-value document that is kept, in bytes. Text of any length may be skipped.
const maxLine = 4 * MaxText

// tagReducer keeps the tags that are read: those of the document and its packages. Files, snippets, texts of licences
// and annotations are skipped; most documents consist of them.
type tagReducer struct {
	types    map[string]edgeType
	kept     []reader.TagValuePair
	seen     map[string]bool // the tags of this document or package so far
	section  string          // "document", "package", or "" inside what is not read
	packages limit
	edges    limit
	hashes   limit
}

// looksLikeTagValue tells whether a line among the first says the version of SPDX as tag-value documents do.
func looksLikeTagValue(content []byte) bool {
	const start = 64 << 10
	for line := range bytes.Lines(content[:min(len(content), start)]) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("SPDXVersion:")) {
			return true
		}
	}
	return false
}

func parseTagValue(content []byte) (Document, error) {
	s, err := readTagValue(content)
	if err != nil {
		return Document{}, fmt.Errorf("the SPDX document cannot be read: %w", err)
	}
	if err := checkSPDX2(s.SPDXVersion); err != nil {
		return Document{}, err
	}
	return fromSPDX(s)
}

func readTagValue(content []byte) (s *v2_3.Document, err error) {
	r := tagReducer{
		types: edgeTypes(), section: "document", seen: map[string]bool{},
		packages: limit{what: "packages", max: MaxComponents},
		edges:    limit{what: "dependencies", max: maxDependencies},
		hashes:   limit{what: "checksums and references", max: maxHashes},
	}
	if err := r.reduce(content); err != nil {
		return nil, err
	}
	// The library keeps what belongs where in pointers that the order of the tags may leave empty.
	defer func() {
		if recover() != nil {
			s, err = nil, errors.New("its tags are in an order that no SPDX document has")
		}
	}()
	if s, err = tagreader.ParseTagValues(r.kept); err == nil && s == nil {
		err = errors.New("it has no tags that are read")
	}
	return s, err
}

// reduce reads line by line. A value is the rest of its line, or what stands between <text> and </text>.
func (r *tagReducer) reduce(content []byte) error {
	number, began := 0, 0
	inText := false
	for line := range bytes.Lines(content) {
		number++
		if inText {
			inText = !bytes.Contains(line, []byte("</text>"))
			continue
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		tag, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return fmt.Errorf("line %d: expected a tag, a colon and a value", number)
		}
		if _, rest, ok := bytes.Cut(value, []byte("<text>")); ok {
			value, _, found = bytes.Cut(rest, []byte("</text>"))
			inText, began = !found, number
		}
		if err := r.take(string(bytes.TrimSpace(tag[:min(len(tag), 100)])), bytes.TrimSpace(value)); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if inText {
		return fmt.Errorf("line %d: the <text> that begins here has no end", began)
	}
	return nil
}

func (r *tagReducer) take(tag string, raw []byte) error {
	switch tag {
	case "PackageName":
		r.section, r.seen = "package", map[string]bool{}
		if err := r.packages.count(); err != nil {
			return err
		}
	case "FileName", "LicenseID", "SnippetSPDXID", "Reviewer":
		r.section = ""
	case "Relationship":
		return r.relationship(raw)
	}
	if !readsTag(r.section, tag) {
		return nil
	}
	if len(raw) > maxLine {
		return fmt.Errorf("the value of %s is %d bytes long; at most %d are read", tag, len(raw), maxLine)
	}
	value := string(raw)
	switch tag {
	case "PackageChecksum":
		algorithm, sum, ok := strings.Cut(value, ":")
		if !ok {
			return fmt.Errorf("the value of PackageChecksum is not an algorithm, a colon and a checksum")
		}
		if _, ok := digest(strings.TrimSpace(algorithm), sum); !ok {
			return nil
		}
		return r.several(tag, value)
	case "ExternalRef":
		fields := strings.Fields(value)
		if len(fields) != 3 {
			return fmt.Errorf("the value of ExternalRef is not a category, a type and a locator")
		}
		if kind := fields[1]; kind != common.TypePackageManagerPURL && !strings.HasSuffix(kind, "/"+common.TypePackageManagerPURL) {
			return nil
		}
		fields[1] = common.TypePackageManagerPURL
		return r.several(tag, strings.Join(fields, " "))
	case "SPDXID":
		if id, ok := strings.CutPrefix(value, "SPDXRef-"); !ok || id == "" {
			return fmt.Errorf("the SPDXID %q does not begin with SPDXRef-", cut80(value))
		}
	}
	if r.seen[tag] {
		return fmt.Errorf("%s is given twice for the same %s", tag, r.section)
	}
	r.seen[tag] = true
	r.kept = append(r.kept, reader.TagValuePair{Tag: tag, Value: value})
	return nil
}

func (r *tagReducer) several(tag, value string) error {
	r.kept = append(r.kept, reader.TagValuePair{Tag: tag, Value: value})
	return r.hashes.count()
}

// relationship keeps those that are read, in any section.
func (r *tagReducer) relationship(raw []byte) error {
	fields := strings.Fields(string(raw[:min(len(raw), maxLine)]))
	if len(fields) != 3 || len(raw) > maxLine {
		return fmt.Errorf("the value of Relationship is not an element, a type and an element")
	}
	if _, read := r.types[fields[1]]; !read {
		return nil
	}
	r.kept = append(r.kept, reader.TagValuePair{Tag: "Relationship", Value: strings.Join(fields, " ")})
	return r.edges.count()
}

func readsTag(section, tag string) bool {
	switch section {
	case "document":
		return tag == "SPDXVersion" || tag == "SPDXID" || tag == "DocumentName"
	case "package":
		switch tag {
		case "PackageName", "SPDXID", "PackageVersion", "PackageChecksum", "ExternalRef", "PackageLicenseConcluded", "PackageLicenseDeclared":
			return true
		}
	}
	return false
}

// cut80 makes what is quoted short.
func cut80(s string) string {
	if len(s) <= 80 {
		return s
	}
	return cut(s, 80)
}
