package view

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// externalType is a document type that only names what it is. Nothing is fetched, and nothing else is allowed in one: an
// internal subset can define entities.
var externalType = regexp.MustCompile(`^DOCTYPE\s+[\w:.-]+(\s+SYSTEM\s+` + literal + `|\s+PUBLIC\s+` + literal + `(\s+` + literal + `)?)?\s*$`)

const literal = `("[^"<\[]*"|'[^'<\[]*')`

// tag is an element that is open.
type tag struct {
	name  string
	attrs []xml.Attr
	text  []byte // the text right inside, cut a little above MaxText
}

// attr gives the value of an attribute, without the white space around it; empty when it is not there.
func (t *tag) attr(name string) string {
	for _, a := range t.attrs {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// words is the text right inside.
func (t *tag) words() string { return scanText(strings.TrimSpace(string(t.text))) }

// visitor is told of each element. The last of open is the element itself, the others are around it.
type visitor struct {
	start func(open []*tag) error
	end   func(open []*tag) error
}

// walkXML reads a document whose root has one of the names as a stream. encoding/xml expands no entities but the five of
// XML itself.
func walkXML(content []byte, roots []string, v visitor) error {
	if err := refusePacked(content); err != nil {
		return err
	}
	w := &walk{roots: roots, visitor: v}
	d := newDecoder(withoutMark(content))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("not valid XML: %w", err)
		}
		if err := w.token(token); err != nil {
			line, column := d.InputPos()
			return fmt.Errorf("line %d, column %d: %w", line, column, err)
		}
	}
	if !w.rooted {
		return errors.New("not valid XML: there is no element")
	}
	return nil
}

func newDecoder(content []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") || strings.EqualFold(charset, "ascii") {
			return in, nil
		}
		return nil, errors.New("only UTF-8 is read")
	}
	return d
}

type walk struct {
	visitor
	roots  []string
	open   []*tag
	rooted bool
	typed  bool
}

func (w *walk) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		if w.rooted || w.typed || !externalType.Match(t) {
			return errors.New("a document type declaration with anything but the name of its document type is not allowed")
		}
		w.typed = true
	case xml.StartElement:
		return w.begin(t)
	case xml.EndElement:
		err := w.end(w.open)
		w.open = w.open[:len(w.open)-1]
		return err
	case xml.CharData:
		if len(w.open) == 0 {
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("not valid XML: text stands outside of the root element")
			}
			return nil
		}
		in := w.open[len(w.open)-1]
		if room := MaxText + 64 - len(in.text); room > 0 {
			// White space at the front would take the room of what is said.
			if len(in.text) == 0 {
				t = bytes.TrimLeft(t, " \t\r\n")
			}
			in.text = append(in.text, t[:min(len(t), room)]...)
		}
	}
	return nil
}

func (w *walk) begin(t xml.StartElement) error {
	if len(w.open) == 0 {
		if w.rooted {
			return errors.New("there is a second root element")
		}
		w.rooted = true
		found := false
		for _, name := range w.roots {
			found = found || name == t.Name.Local
		}
		if !found {
			return fmt.Errorf("the root element is <%s>; <%s> is expected", scanText(t.Name.Local), strings.Join(w.roots, "> or <"))
		}
	}
	if len(w.open) >= MaxDepth {
		return fmt.Errorf("XML is nested deeper than %d levels", MaxDepth)
	}
	w.open = append(w.open, &tag{name: t.Name.Local, attrs: t.Attr})
	return w.start(w.open)
}
