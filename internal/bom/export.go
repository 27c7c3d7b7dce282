package bom

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Export is a bill of materials to be written: of one release, over what its documents say together. Equal exports
// give equal bytes, and the name that a document gives itself is made of all of them: another content, another name.
type Export struct {
	// Name and Version are those of the release.
	Name, Version string
	// Digest is that of the release's manifest, "sha256:<hex>". Whoever reads the document finds the release by it.
	Digest string
	// Created is when the document says it was made; whole seconds count.
	Created time.Time
	// Tool is the version of the program that writes.
	Tool string
	// Merged are the parts.
	Merged
}

// ToolName is how documents name the program that wrote them.
const ToolName = "plimsoll"

// ready checks an export and brings it into the one order that equal exports share.
func (e Export) ready() (Export, error) {
	if e.Name == "" || e.Tool == "" || e.Created.IsZero() {
		return Export{}, errors.New("a bill of materials needs a name, a time and the version of the tool that writes it")
	}
	if !canonical.IsDigest(e.Digest) {
		return Export{}, fmt.Errorf("the digest %q of the manifest is not a SHA-256", e.Digest)
	}
	e.Created = e.Created.UTC().Truncate(time.Second)
	// A merge of one document with all there is: sorted, each once, directness and edges in step.
	known := Document{Roots: []string{RootRef}, Components: e.Components, Dependencies: e.Dependencies, Complete: e.Complete}
	e.Merged = Merge(known)
	return e, nil
}

// sum is a digest over all of the export.
func (e Export) sum() ([]byte, error) {
	all, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(all)
	return sum[:], nil
}

// uuid writes a digest as a UUID of version 8 (RFC 9562), the one for whoever has a digest of their own.
func uuid(sum []byte) string {
	b := slices.Clone(sum[:16])
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// licenseKind tells how a licence may be written.
type licenseKind int

const (
	named        licenseKind = iota // neither of the two
	onList                          // an identifier of the SPDX list, in its own spelling
	asExpression                    // an SPDX expression over the list and LicenseRefs
)

// licenseKinds looks licences up; a bill of materials says the same ones over and over.
type licenseKinds struct {
	list  map[string]bool
	known map[string]licenseKind
}

func newLicenseKinds() *licenseKinds {
	return &licenseKinds{
		list:  setOf(slices.Concat(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated())),
		known: map[string]licenseKind{},
	}
}

func (k *licenseKinds) of(text string) licenseKind {
	kind, ok := k.known[text]
	if !ok {
		kind = k.look(text)
		k.known[text] = kind
	}
	return kind
}

func (k *licenseKinds) look(text string) (kind licenseKind) {
	if k.list[text] {
		return onList
	}
	// The library is given what comes from outside, if bounded; a panic of its parser says that it is no expression.
	defer func() {
		if recover() != nil {
			kind = named
		}
	}()
	if len(text) > MaxLicense {
		return named
	}
	if valid, _ := spdxexp.ValidateLicenses([]string{text}); valid {
		return asExpression
	}
	return named
}
