package view

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/purl"
)

const (
	// cycloneDXType is the type of a CycloneDX document; tools append versions.
	cycloneDXType = "https://cyclonedx.org/bom"
	// cycloneDXNamespace is what the namespace of one in XML starts with; the version follows.
	cycloneDXNamespace = "http://cyclonedx.org/schema/bom/"
)

type cdxBOM struct {
	XMLName   xml.Name `json:"-"`
	BOMFormat string   `json:"bomFormat" xml:"-"`
	Metadata  struct {
		Timestamp string       `json:"timestamp" xml:"timestamp"`
		Component cdxComponent `json:"component" xml:"component"`
		Supplier  struct {
			Name string `json:"name" xml:"name"`
		} `json:"supplier" xml:"supplier"`
	} `json:"metadata" xml:"metadata"`
	Components      []cdxComponent     `json:"components" xml:"components>component"`
	Vulnerabilities []cdxVulnerability `json:"vulnerabilities" xml:"vulnerabilities>vulnerability"`
}

type cdxComponent struct {
	row        `xml:"-"`
	Ref        string         `json:"bom-ref" xml:"bom-ref,attr"`
	Name       string         `json:"name" xml:"name"`
	Version    string         `json:"version" xml:"version"`
	PURL       string         `json:"purl" xml:"purl"`
	Components []cdxComponent `json:"components" xml:"components>component"`
}

type cdxVulnerability struct {
	row        `xml:"-"`
	ID         string `json:"id" xml:"id"`
	Updated    string `json:"updated" xml:"updated"`
	References []struct {
		row `xml:"-"`
		ID  string `json:"id" xml:"id"`
	} `json:"references" xml:"references>reference"`
	Analysis struct {
		State         string `json:"state" xml:"state"`
		Justification string `json:"justification" xml:"justification"`
		Detail        string `json:"detail" xml:"detail"`
		FirstIssued   string `json:"firstIssued" xml:"firstIssued"`
		LastUpdated   string `json:"lastUpdated" xml:"lastUpdated"`
	} `json:"analysis" xml:"analysis"`
	Affects []cdxAffect `json:"affects" xml:"affects>target"`
}

type cdxAffect struct {
	row      `xml:"-"`
	Ref      string `json:"ref" xml:"ref"`
	Versions []struct {
		row     `xml:"-"`
		Version string `json:"version" xml:"version"`
		Range   string `json:"range" xml:"range"`
		Status  string `json:"status" xml:"status"`
	} `json:"versions" xml:"versions>version"`
}

func readCycloneDX(content []byte) (View, error) {
	v, err := CycloneDXVex(content)
	return View{Vex: v}, err
}

// CycloneDXVex reads what a CycloneDX document, in JSON or XML, says of vulnerabilities; nil when it lists none. One
// without an analysis is under investigation: nobody has said more.
func CycloneDXVex(content []byte) (*Vex, error) {
	var b cdxBOM
	if err := decodeCycloneDX(content, &b); err != nil {
		return nil, err
	}
	if len(b.Vulnerabilities) == 0 {
		return nil, nil
	}
	refs := map[string]string{}
	cdxRefs(refs, append(b.Components, b.Metadata.Component))
	out := newVex(b.Metadata.Supplier.Name)
	for i := range b.Vulnerabilities {
		v := &b.Vulnerabilities[i]
		statement, err := v.statement(refs)
		if err != nil {
			return nil, fmt.Errorf("the CycloneDX document cannot be read: vulnerabilities[%d]%w", i, err)
		}
		for _, at := range []string{v.Analysis.LastUpdated, v.Analysis.FirstIssued, v.Updated, b.Metadata.Timestamp} {
			if statement.At == nil {
				statement.At = scanTime(at)
			}
		}
		if len(v.Affects) > 0 && len(statement.Products) == 0 {
			continue // every version named says the opposite: without products it would seem to be about everything
		}
		out.add(statement)
	}
	return out, nil
}

func decodeCycloneDX(content []byte, b *cdxBOM) error {
	if !looksLikeXML(content) {
		if err := decodeScan("CycloneDX document", content, b); err != nil {
			return err
		}
		if b.BOMFormat != "CycloneDX" {
			return fmt.Errorf("the CycloneDX document says bomFormat %q; it must be CycloneDX", scanText(b.BOMFormat))
		}
		return nil
	}
	if root, ok := rootElement(content); !ok || !strings.HasPrefix(nameOf(root).Space, cycloneDXNamespace) {
		return fmt.Errorf("the CycloneDX document does not begin with <bom> of the namespace %s…", cycloneDXNamespace)
	}
	filter := &xmlBounds{in: newDecoder(withoutMark(content))}
	d := xml.NewTokenDecoder(filter)
	if err := d.Decode(b); err != nil {
		return fmt.Errorf("the CycloneDX document cannot be read: %w", err)
	}
	for {
		if _, err := filter.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the CycloneDX document cannot be read: %w", err)
		}
	}
}

// xmlBounds passes XML on that has no document type, is not nested too deep and has not too many elements.
type xmlBounds struct {
	in             *xml.Decoder
	depth, counted int
}

// Token gives the next token.
func (x *xmlBounds) Token() (xml.Token, error) {
	token, err := x.in.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case xml.Directive:
		return nil, errors.New("a document type declaration is not allowed")
	case xml.StartElement:
		if x.depth++; x.depth > MaxDepth {
			return nil, fmt.Errorf("XML is nested deeper than %d levels", MaxDepth)
		}
		if slices.Contains([]string{"component", "vulnerability", "target", "version", "reference"}, t.Name.Local) {
			x.counted++
		}
		if x.counted > 2*maxRows {
			return nil, fmt.Errorf("it lists more than %d entries", 2*maxRows)
		}
	case xml.EndElement:
		x.depth--
	}
	return token, nil
}

// cdxRefs says what references mean: the package URL of a component, else its name and version.
func cdxRefs(refs map[string]string, all []cdxComponent) {
	for _, c := range all {
		name := scanPURL(c.PURL)
		if name == "" && c.Name != "" {
			name = strings.TrimSuffix(c.Name+"@"+c.Version, "@")
		}
		if c.Ref != "" && name != "" {
			refs[c.Ref] = scanText(name)
		}
		cdxRefs(refs, c.Components)
	}
}

// product names what is affected in one version, or a range of them. A range has no package URL: it is appended, so
// that what is said of some versions is not taken for what is said of all.
func (a *cdxAffect) product(refs map[string]string, version, versions string) string {
	name := a.Ref
	if known := refs[a.Ref]; known != "" {
		name = known
	}
	if version != "" {
		if p, err := purl.Parse(name); err == nil && p.Version == "" {
			p.Version = version
			return p.String()
		} else if err == nil || strings.HasSuffix(name, "@"+version) {
			return name
		}
		return name + "@" + version
	}
	return strings.TrimSpace(name + " " + versions)
}
