// Package purl gives package URLs (purl-spec, ECMA-427) one spelling, so that the same package named by two tools is
// the same text: of a component in a document, of a package in an advisory, of a key in a table.
//
// The rules for each type are those of packageurl-go. On top of them this package
//   - refuses what a database or a page cannot carry (control characters, bytes that are not UTF-8);
//   - splits a name that hides a path ("pkg:golang/github.com%2Fa%2Fb") for the types where that is a common mistake of
//     tools and not a meaning (golang, npm);
//   - gives back only text that reads as itself: canonicalising twice changes nothing.
//
// Lower-casing is part of the specification for some types (golang, pypi, github, deb, composer…). The canonical form of
// "pkg:golang/github.com/BurntSushi/toml" is lower case, so whoever compares with names in their own spelling (an advisory
// for a Go module) has to fold the case of these.
package purl

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/package-url/packageurl-go"
)

// MaxLength is the longest package URL that is read or written, in bytes.
const MaxLength = 1024

// PURL is a package URL in its parts, decoded and normalised by the rules of its type. Only Parse makes one.
type PURL struct {
	// Type is the package type in lower case, such as "golang" or "npm".
	Type string
	// Namespace is the path before the name, such as "github.com/spf13" or "@babel"; empty when there is none.
	Namespace string
	// Name is the last part of the package's name; never empty.
	Name string
	// Version is the version as the ecosystem writes it; empty when the package URL names every version.
	Version string
	// Qualifiers are sorted by key; keys are unique and values not empty.
	Qualifiers []Qualifier
	// Subpath is a path inside the package; empty when there is none.
	Subpath string
}

// Qualifier is one key and value of a package URL, such as arch=amd64.
type Qualifier struct{ Key, Value string }

// Parse reads a package URL and normalises it. It fails, with a sentence, when s is longer than MaxLength, is not a
// package URL by ECMA-427, breaks a rule of its type, or holds control characters or bytes that are not UTF-8. What is
// returned is shared by all who parse the same: its qualifiers are for reading alone.
func Parse(s string) (PURL, error) {
	if p, ok := remembered.Get(s); ok {
		return p, nil
	}
	p, err := parse(s)
	if err == nil && len(s) <= rememberedLength {
		remembered.Add(s, p)
	}
	return p, err
}

// Bills of materials name the same packages again and again: the last of them are remembered, at most about 20 MB.
const (
	rememberedPURLs  = 32 << 10
	rememberedLength = 256
)

var remembered, _ = lru.New[string, PURL](rememberedPURLs) // fails on a size below 1 alone

func parse(s string) (PURL, error) {
	if len(s) > MaxLength {
		return PURL{}, fmt.Errorf("the package URL is %d bytes long; at most %d are allowed", len(s), MaxLength)
	}
	p, err := parseOnce(s)
	if err != nil {
		return PURL{}, fmt.Errorf("%q is not a package URL: %w", s, err)
	}
	text := p.String()
	if text == s {
		return p, nil
	}
	if len(text) > MaxLength {
		return PURL{}, fmt.Errorf("the package URL is %d bytes long in its canonical form; at most %d are allowed", len(text), MaxLength)
	}
	// The library's normal form is not always stable (an encoded slash becomes a separator when it is written). What
	// is returned must be, because it is a key.
	again, err := parseOnce(text)
	if err != nil {
		return PURL{}, fmt.Errorf("%q is not a package URL: its canonical form %q is refused: %w", s, text, err)
	}
	if again.String() != text {
		return PURL{}, fmt.Errorf("%q is not a package URL: it has no stable canonical form", s)
	}
	return again, nil
}

func parseOnce(s string) (PURL, error) {
	lib, err := packageurl.FromString(s)
	if err != nil {
		return PURL{}, err
	}
	p := PURL{
		Type:      lib.Type,
		Namespace: lib.Namespace,
		Name:      lib.Name,
		Version:   lib.Version,
		Subpath:   joinSegments(lib.Subpath),
	}
	for _, q := range lib.Qualifiers {
		p.Qualifiers = append(p.Qualifiers, Qualifier{Key: q.Key, Value: q.Value})
	}
	p.splitName()
	p.Namespace = joinSegments(p.Namespace)
	return p, p.check()
}

// splitName moves what stands before the last slash of a name to the namespace, where a slash inside a name can only
// be a separator that was encoded by mistake. Maven, generic and others may mean it.
func (p *PURL) splitName() {
	if p.Type != packageurl.TypeGolang && p.Type != packageurl.TypeNPM {
		return
	}
	path := strings.TrimRight(p.Name, "/")
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		p.Namespace, p.Name = p.Namespace+"/"+path[:i], path[i+1:]
	} else if path != "" {
		p.Name = path
	}
}

// joinSegments drops the empty segments of a path.
func joinSegments(path string) string {
	if !strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//") {
		return path
	}
	return strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), "/")
}

func (p PURL) check() error {
	parts := []struct{ what, text string }{
		{"namespace", p.Namespace}, {"name", p.Name}, {"version", p.Version}, {"subpath", p.Subpath},
	}
	for _, q := range p.Qualifiers {
		parts = append(parts, struct{ what, text string }{"qualifier " + q.Key, q.Value})
	}
	for _, part := range parts {
		if !utf8.ValidString(part.text) {
			return fmt.Errorf("its %s is not UTF-8", part.what)
		}
		if strings.ContainsFunc(part.text, unicode.IsControl) {
			return fmt.Errorf("its %s holds a control character", part.what)
		}
	}
	if strings.TrimSpace(p.Name) == "" {
		return errors.New("its name is blank")
	}
	for segment := range strings.SplitSeq(p.Subpath, "/") {
		if segment == "." || segment == ".." {
			return fmt.Errorf("its subpath holds the segment %q", segment)
		}
	}
	return nil
}

// String writes the canonical form: percent-encoding as in ECMA-427, qualifiers sorted by key.
func (p PURL) String() string {
	lib := packageurl.PackageURL{
		Type: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version, Subpath: p.Subpath,
	}
	for _, q := range p.Qualifiers {
		lib.Qualifiers = append(lib.Qualifiers, packageurl.Qualifier{Key: q.Key, Value: q.Value})
	}
	return lib.ToString()
}

// WithoutVersion writes type, namespace and name only: the identity of a package over all its versions.
func (p PURL) WithoutVersion() string {
	return PURL{Type: p.Type, Namespace: p.Namespace, Name: p.Name}.String()
}

// HasVersion tells whether p names one version and not all of them.
func (p PURL) HasVersion() bool { return p.Version != "" }
