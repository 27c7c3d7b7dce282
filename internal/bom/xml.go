package bom

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// element is what is read of an XML element: the elements inside it that are kept, with their limits.
type element struct {
	inside map[string]*element
	limit  *limit
}

func parent(inside map[string]*element) *element { return &element{inside: inside} }

func leaf() *element { return &element{} }

func counted(e *element, l *limit) *element {
	e.limit = l
	return e
}

// cycloneDXElements is what is read of a CycloneDX document in XML. Each call gives new counters.
func cycloneDXElements() *element {
	edges := &limit{what: "dependencies", max: maxDependencies}
	words := &limit{what: "licences", max: maxLicenses}
	licenses := parent(map[string]*element{
		"license":             counted(parent(map[string]*element{"id": leaf(), "name": leaf()}), words),
		"expression":          counted(leaf(), words),
		"expression-detailed": counted(parent(map[string]*element{"expression": leaf()}), words),
	})
	component := parent(map[string]*element{
		"group": leaf(), "name": leaf(), "version": leaf(), "purl": leaf(),
		"hashes":   parent(map[string]*element{"hash": counted(leaf(), &limit{what: "hashes", max: maxHashes})}),
		"licenses": licenses,
		"evidence": parent(map[string]*element{"licenses": licenses}),
	})
	component.limit = &limit{what: "components", max: MaxComponents}
	component.inside["components"] = parent(map[string]*element{"component": component})
	ref := counted(leaf(), edges)
	return parent(map[string]*element{"bom": parent(map[string]*element{
		"metadata":   parent(map[string]*element{"component": component}),
		"components": parent(map[string]*element{"component": component}),
		"dependencies": parent(map[string]*element{
			"dependency": counted(parent(map[string]*element{"dependency": ref}), edges),
		}),
		"compositions": parent(map[string]*element{"composition": counted(parent(map[string]*element{
			"aggregate":    leaf(),
			"assemblies":   parent(map[string]*element{"assembly": ref}),
			"dependencies": parent(map[string]*element{"dependency": ref}),
		}), &limit{what: "compositions", max: MaxComponents})}),
	})})
}

func parseCycloneDXXML(content []byte) (Document, error) {
	version, ok := xmlVersion(content)
	if !ok && bytes.Contains(content[:min(len(content), 4096)], []byte("spdx")) {
		return Document{}, fmt.Errorf("the document is SPDX in XML or RDF, which is not read; %s", spdxForms)
	}
	if !ok {
		return Document{}, fmt.Errorf("the document is no bill of materials: its first element is not <bom> of the namespace %s…", xmlNamespace)
	}
	switch version {
	case "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7":
	default:
		return Document{}, fmt.Errorf("the CycloneDX document says version %q; XML is read in versions 1.0 to 1.7", version)
	}
	filter := &xmlFilter{
		in:        xml.NewDecoder(bytes.NewReader(content)),
		namespace: xmlNamespace + version,
		open:      []*element{cycloneDXElements()},
	}
	var b cdx.BOM
	if err := xml.NewTokenDecoder(filter).Decode(&b); err != nil {
		return Document{}, fmt.Errorf("the CycloneDX document cannot be read: %w", err)
	}
	if _, err := filter.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows the end of <bom>")
		}
		return Document{}, fmt.Errorf("the CycloneDX document cannot be read: %w", err)
	}
	return fromCycloneDX(&b, version)
}

// xmlFilter passes on the tokens of the elements that are read. encoding/xml expands no entities but the five of XML
// itself; the filter refuses document types altogether, bounds the depth and counts.
type xmlFilter struct {
	in        *xml.Decoder
	namespace string
	open      []*element // the elements around the next token; the last is the innermost
	skipped   int        // how many elements deep inside one that is not read
}

// Token gives the next token that is kept.
func (f *xmlFilter) Token() (xml.Token, error) {
	for {
		token, err := f.in.Token()
		if err != nil {
			return nil, err
		}
		kept, err := f.keep(token)
		if err != nil {
			line, column := f.in.InputPos()
			return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
		}
		if kept != nil {
			return kept, nil
		}
	}
}

func (f *xmlFilter) keep(token xml.Token) (xml.Token, error) {
	switch t := token.(type) {
	case xml.Directive:
		return nil, errors.New("a document type declaration is not allowed")
	case xml.StartElement:
		return f.start(t)
	case xml.EndElement:
		if f.skipped > 0 {
			f.skipped--
			return nil, nil
		}
		f.open = f.open[:len(f.open)-1]
		return xml.EndElement{Name: xml.Name{Local: t.Name.Local}}, nil
	case xml.CharData:
		if f.skipped == 0 && len(f.open) > 1 && f.open[len(f.open)-1].inside == nil {
			return t, nil
		}
		if len(f.open) == 1 && len(bytes.TrimSpace(t)) > 0 {
			return nil, errors.New("text stands outside of <bom>")
		}
	}
	return nil, nil
}

func (f *xmlFilter) start(t xml.StartElement) (xml.Token, error) {
	if len(f.open)+f.skipped > MaxDepth {
		return nil, fmt.Errorf("XML is nested deeper than %d levels", MaxDepth)
	}
	inner := f.open[len(f.open)-1].inside[t.Name.Local]
	if f.skipped > 0 || inner == nil || t.Name.Space != f.namespace {
		f.skipped++
		return nil, nil
	}
	if inner.limit != nil {
		if err := inner.limit.count(); err != nil {
			return nil, err
		}
	}
	f.open = append(f.open, inner)
	t.Attr = slices.DeleteFunc(t.Attr, func(a xml.Attr) bool {
		return a.Name.Space != "" || !strings.Contains(" bom-ref ref alg ", " "+a.Name.Local+" ")
	})
	return xml.StartElement{Name: xml.Name{Local: t.Name.Local}, Attr: t.Attr}, nil
}
