// Package bom reads software bills of materials: CycloneDX 1.2 to 1.7 in JSON, 1.0 to 1.7 in XML, SPDX 2.1 to 2.3 in
// JSON and in tag-value form, and SPDX 3.0 in JSON-LD. It answers one question of them: which components, under which
// licences, does the described thing hold. It merges and compares the answers, and writes them as CycloneDX 1.6 and
// SPDX 2.3.
//
// A document comes from outside and may be hostile. It is therefore read in three steps: it is checked as a whole
// (size, strict JSON or XML without a document type, depth); it is reduced to the few fields that are read here, with
// their types and numbers checked; only what is left is given to the libraries that know the formats (of SPDX 3, which
// has none, it is read here). A field that is not read here can neither fail a document nor cost memory, and two
// readers that treat the case of a key or a key given twice differently cannot be played against each other.
//
// SPDX in YAML and in RDF is refused: YAML has aliases and anchors, RDF a graph in XML, and a document of the largest
// size in either costs a multiple of its memory before anything can be counted.
//
// What is kept of a component:
//   - its package URL in canonical form, or "" when it has none or a wrong one; the name is kept either way;
//   - licences that the document declares; those it merely observed only when none is declared (see Component);
//   - digests that can identify it (SHA-256, SHA-384, SHA-512; weaker ones are dropped).
//
// Components that say the same package URL, or without one the same name and version, become one.
package bom

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

const (
	// MaxDocument is the largest document that is read, in bytes.
	MaxDocument = 32 << 20
	// MaxComponents is the largest number of components in one document, counted before equal ones become one.
	MaxComponents = 100_000
	// MaxDepth is the deepest nesting of a document, in levels.
	MaxDepth = 128
	// MaxText is the longest name, version or reference of a component, in bytes.
	MaxText = 4096
	// MaxLicense is the longest licence that is kept whole, in bytes. See Component.Licenses.
	MaxLicense = 512
)

// spdxForms tells the sender of another form what to send.
const spdxForms = "write it in JSON or tag-value form (SPDX 2.1 to 2.3), or in JSON-LD (SPDX 3.0)"

// maxSentence is the longest error, in bytes, because errors quote what they found.
const maxSentence = 600

// Limits of what else is read, over the whole document. They are far above what tools write and keep what a document
// of the largest size can cost in memory to a few hundred megabytes.
const (
	maxHashes       = 5 * MaxComponents
	maxLicenses     = 5 * MaxComponents
	maxDependencies = 10 * MaxComponents
)

// Format is a family of documents.
type Format string

const (
	// CycloneDX is the format of OWASP (ECMA-424).
	CycloneDX Format = "CYCLONEDX"
	// SPDX is the format of the Linux Foundation (ISO/IEC 5962).
	SPDX Format = "SPDX"
)

// Document is what was read of a bill of materials. Equal bytes give equal documents, in the order of the bytes.
type Document struct {
	// Format and SpecVersion say what the document calls itself, such as CYCLONEDX and "1.6".
	Format      Format
	SpecVersion string
	// Name is that of the thing described (CycloneDX) or of the document (SPDX); it may be empty.
	Name string
	// Subjects are the SHA-256 digests, "sha256:<hex>", of what the document says it describes. It may say none.
	Subjects []string
	// Roots are the references of what the document says it describes. They occur as From in Dependencies. A single
	// root is not one of the Components; when an SPDX document describes several packages, they are.
	Roots []string
	// Components are the parts, each once, nested ones included.
	Components []Component
	// Dependencies are the edges between roots and components. Edges to anything else are dropped.
	Dependencies []Dependency
	// Complete is true when a CycloneDX composition says that the root's parts or dependencies are complete and none
	// says that they are not, or when the relationships of an SPDX 3 document's root say so. SPDX 2 has no such statement.
	Complete bool
}

// Component is one part.
type Component struct {
	// Ref is the document's own name of the component, unique in Document.Components unless the document errs.
	Ref string
	// PURL is the canonical package URL, or "".
	PURL string
	// Name includes the group or scope, such as "@babel/core" or "org.apache.commons/commons-lang3".
	Name string
	// Version is as the document says it; it may be empty.
	Version string
	// Licenses are sorted. Each is an SPDX identifier or expression as the document gives it, or a name where the
	// document has only that: on one line, and when longer than MaxLicense cut there with "…" at its end, which no
	// expression can have. NONE and NOASSERTION are dropped. CycloneDX: the component's licences, else those of its
	// evidence. SPDX: the concluded licence, else the declared one; of SPDX 3, written as an expression.
	Licenses []string
	// Digests are written "<sha256|sha384|sha512>:<hex>" and sorted.
	Digests []string
	// Direct is true when the document's graph says that a root depends on the component.
	Direct bool
}

// Dependency says that From needs To. Both are references.
type Dependency struct{ From, To string }

// Parse reads a document. The error is a sentence that says what is wrong and where, for the person who sent it; it
// may quote the document and is at most maxSentence bytes long.
func Parse(content []byte) (Document, error) {
	doc, err := parse(content)
	if err != nil {
		if said := err.Error(); len(said) > maxSentence {
			err = errors.New(cut(said, maxSentence-len(ellipsis)))
		}
		return Document{}, err
	}
	return doc, nil
}

func parse(content []byte) (Document, error) {
	if len(content) > MaxDocument {
		return Document{}, fmt.Errorf("the document is %d bytes long; at most %d are read", len(content), MaxDocument)
	}
	content = bytes.TrimPrefix(content, []byte(utf8BOM))
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return Document{}, fmt.Errorf("the document is written in UTF-16; write it in UTF-8")
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return Document{}, fmt.Errorf("the document is empty")
	}
	if !utf8.Valid(content) {
		return Document{}, fmt.Errorf("the document is not UTF-8")
	}
	switch {
	case looksLikeXML(content):
		return parseCycloneDXXML(content)
	case looksLikeJSON(content):
	case looksLikeTagValue(content):
		return parseTagValue(content)
	case looksLikeYAML(content):
		return Document{}, fmt.Errorf("the document is SPDX in YAML, which is not read; %s", spdxForms)
	}
	if err := canonical.Check(content, MaxDepth); err != nil {
		return Document{}, fmt.Errorf("the document cannot be read: %w", err)
	}
	switch mark := markOfJSON(content); {
	case mark.format == CycloneDX:
		return parseCycloneDXJSON(content)
	case mark.context != "":
		return parseSPDX3(content, mark.context)
	case mark.format == SPDX:
		return parseSPDX(content)
	}
	return Document{}, fmt.Errorf(`the document is no bill of materials: it says neither "bomFormat": "CycloneDX" nor "spdxVersion" nor the "@context" of SPDX 3`)
}
