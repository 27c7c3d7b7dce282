package view

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// openVEXType is the type of OpenVEX 0.2.0.
const openVEXType = "https://openvex.dev/ns/v0.2.0"

type openVEX struct {
	Author     string             `json:"author"`
	Timestamp  string             `json:"timestamp"`
	LastUpdate string             `json:"last_updated"`
	Statements []openVEXStatement `json:"statements"`
}

type openVEXStatement struct {
	row
	Vulnerability   jsontext.Value   `json:"vulnerability"`
	Timestamp       string           `json:"timestamp"`
	LastUpdate      string           `json:"last_updated"`
	Products        []jsontext.Value `json:"products"`
	Status          string           `json:"status"`
	Justification   string           `json:"justification"`
	ImpactStatement string           `json:"impact_statement"`
	ActionStatement string           `json:"action_statement"`
}

// openVEXComponent is a product or a subcomponent.
type openVEXComponent struct {
	ID          string            `json:"@id"`
	Identifiers map[string]string `json:"identifiers"`
	Hashes      map[string]string `json:"hashes"`
	// Subcomponents are the parts of a product that a statement is about.
	Subcomponents []jsontext.Value `json:"subcomponents"`
}

// readOpenVEX reads OpenVEX 0.2.0, and 0.0.1, where vulnerabilities and products are plain texts. The order is kept: the
// latest statement about a product counts, which is for whoever evaluates.
func readOpenVEX(content []byte) (View, error) {
	var d openVEX
	if err := decodeScan("OpenVEX document", content, &d); err != nil {
		return View{}, err
	}
	if d.Statements == nil {
		return View{}, errors.New("the OpenVEX document has no statements")
	}
	out := newVex(d.Author)
	for i, s := range d.Statements {
		said, err := s.read()
		if err != nil {
			return View{}, fmt.Errorf("the OpenVEX document cannot be read: statements[%d]%w", i, err)
		}
		said.At = scanTime(cmp.Or(s.LastUpdate, s.Timestamp, d.LastUpdate, d.Timestamp))
		out.add(said)
	}
	return View{Vex: out}, nil
}

func (s openVEXStatement) read() (VexStatement, error) {
	out := VexStatement{Justification: s.Justification, Statement: s.ImpactStatement}
	if out.Statement == "" {
		out.Statement = s.ActionStatement
	}
	switch s.Status {
	case "not_affected":
		out.Status = NotAffected
	case "affected":
		out.Status = Affected
	case "fixed":
		out.Status = Fixed
	case "under_investigation":
		out.Status = UnderInvestigation
	default:
		return out, fmt.Errorf(".status is %q; it is one of not_affected, affected, fixed, under_investigation", scanText(s.Status))
	}
	if err := s.vulnerability(&out); err != nil {
		return out, err
	}
	for i, raw := range s.Products {
		names, err := openVEXProduct(raw)
		if err != nil {
			return out, fmt.Errorf(".products[%d] %w", i, err)
		}
		out.Products = append(out.Products, names...)
	}
	return out, nil
}

func (s openVEXStatement) vulnerability(out *VexStatement) error {
	if s.Vulnerability.Kind() == '"' {
		text, err := jsontext.AppendUnquote(nil, s.Vulnerability)
		out.Vulnerability = string(text)
		if err != nil || len(text) == 0 {
			return errors.New(".vulnerability is empty")
		}
		return nil
	}
	var v struct {
		ID      string   `json:"@id"`
		Name    string   `json:"name"`
		Aliases []string `json:"aliases"`
	}
	if len(s.Vulnerability) == 0 {
		return errors.New(" has no vulnerability")
	}
	if err := decodeScan("vulnerability", s.Vulnerability, &v); err != nil {
		return fmt.Errorf(".vulnerability: %w", err)
	}
	if out.Vulnerability = cmp.Or(v.Name, v.ID); out.Vulnerability == "" {
		return errors.New(".vulnerability has no name")
	}
	out.Aliases = v.Aliases
	return nil
}

// openVEXProduct names a product in all the ways it is named: whoever matches may know only one of them. A statement about
// parts of a product is named by the parts: that it does not matter for one of them says nothing about the others.
func openVEXProduct(raw jsontext.Value) ([]string, error) {
	if raw.Kind() == '"' {
		text, err := jsontext.AppendUnquote(nil, raw)
		return []string{string(text)}, err
	}
	var c openVEXComponent
	if err := decodeScan("product", raw, &c); err != nil {
		return nil, err
	}
	if len(c.Subcomponents) > 0 {
		return openVEXParts(c.Subcomponents)
	}
	names := []string{c.ID}
	for _, id := range c.Identifiers {
		names = append(names, id)
	}
	for algorithm, hash := range c.Hashes {
		if algorithm == "sha-256" {
			names = append(names, "sha256:"+hash)
		}
	}
	if len(c.ID)+len(c.Identifiers)+len(c.Hashes) == 0 {
		return nil, errors.New("has neither @id nor identifiers nor hashes")
	}
	return names, nil
}

// openVEXParts names the parts of a product. What parts have parts of their own is not said by OpenVEX.
func openVEXParts(parts []jsontext.Value) ([]string, error) {
	var names []string
	for i, raw := range parts {
		part, err := openVEXProduct(raw)
		if err != nil {
			return nil, fmt.Errorf("subcomponents[%d]: %w", i, err)
		}
		names = append(names, part...)
	}
	return names, nil
}

func newVex(author string) *Vex {
	return &Vex{Author: scanText(author), Statements: []VexStatement{}}
}

// add counts a statement, and keeps it unless there are MaxEntries.
func (v *Vex) add(s VexStatement) {
	if v.StatementCount++; v.StatementCount > MaxEntries {
		return
	}
	s.Vulnerability, s.Justification, s.Statement = scanText(s.Vulnerability), scanText(s.Justification), scanText(s.Statement)
	s.Aliases = scanTexts(s.Aliases)
	for i, p := range s.Products {
		s.Products[i] = scanProduct(p)
	}
	s.Products = scanTexts(s.Products)
	v.Statements = append(v.Statements, s)
}
