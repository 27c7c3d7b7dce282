package view

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// maxRows is how many entries of all its lists together are read of a document, before the worst are kept.
const maxRows = 500_000

// scanKinds lists what scanners and VEX tools write.
func scanKinds() []kind {
	return []kind{
		{"https://in-toto.io/attestation/vulns/", readVulns},
		{"https://cosign.sigstore.dev/attestation/vuln/v1", readVulns},
		{trivyType, readTrivy},
		{grypeType, readGrype},
		{osvScannerType, readOSVScanner},
		{"https://docs.oasis-open.org/sarif/", readSARIF},
		{sonarQubeType, readSonarQube},
		{"https://scorecard.dev/result/", readScorecard},
		{"https://openvex.dev/ns", readOpenVEX},
		{"https://docs.oasis-open.org/csaf/", readCSAF},
		{cycloneDXType, readCycloneDX},
	}
}

// row is embedded in what stands in lists, so that decoding can count it.
type row struct{}

func (*row) isRow() {}

// decodeScan reads strict JSON into a struct. Names are matched as they are written: a reader that took "Runs" for
// "runs" could be shown two lists and pick the harmless one. The error names the field.
func decodeScan(what string, content []byte, into any) error {
	if err := refusePacked(content); err != nil {
		return err
	}
	content = withoutMark(content)
	if err := canonical.Check(content, MaxDepth); err != nil {
		return fmt.Errorf("the %s cannot be read: %w", what, err)
	}
	rows := 0
	count := json.UnmarshalFromFunc(func(_ *jsontext.Decoder, _ interface{ isRow() }) error {
		if rows++; rows > maxRows {
			return fmt.Errorf("it lists more than %d entries", maxRows)
		}
		return errors.ErrUnsupported
	})
	if err := json.Unmarshal(content, into, json.WithUnmarshalers(count)); err != nil {
		return fmt.Errorf("the %s cannot be read: %w", what, inWords(err))
	}
	return nil
}

// inWords says what does not fit without the names of our types.
func inWords(err error) error {
	var misfit *json.SemanticError
	if !errors.As(err, &misfit) {
		return err
	}
	if misfit.Err == nil {
		return fmt.Errorf("%s: its kind of value (%s) is not what belongs there", misfit.JSONPointer, misfit.JSONKind)
	}
	return fmt.Errorf("%s: %w", misfit.JSONPointer, misfit.Err)
}

// refusePacked refuses what starts as gzip, zip, xz and zstd files do.
func refusePacked(content []byte) error {
	for magic, name := range map[string]string{
		"\x1f\x8b": "gzip", "PK\x03\x04": "zip", "\xfd7zXZ\x00": "xz", "\x28\xb5\x2f\xfd": "zstd",
	} {
		if bytes.HasPrefix(content, []byte(magic)) {
			return fmt.Errorf("the document is packed with %s: unpack it first", name)
		}
	}
	return nil
}

// scanText cuts a text at MaxText and blanks the control characters that a database or a page cannot carry.
func scanText(s string) string {
	// The first cut keeps the trimming of a text that many entries share short.
	s = strings.TrimSpace(strings.ToValidUTF8(s[:min(len(s), 2*MaxText)], ""))
	if len(s) > MaxText {
		end := MaxText - len("…")
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, s)
}

// scanTexts gives the texts that say something, sorted, each once, cut at MaxEntries.
func scanTexts(all []string) []string {
	out := make([]string, 0, len(all))
	for _, s := range all {
		if s = scanText(s); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.Clip(out[:min(len(out), MaxEntries)])
}

// scanTime reads a time as RFC 3339 writes it; nil when it is none, because a view does not fail on what is beside it.
func scanTime(s string) *time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// scanPURL gives the canonical package URL; empty when s is none.
func scanPURL(s string) string {
	if !strings.HasPrefix(s, "pkg:") {
		return ""
	}
	p, err := purl.Parse(s)
	if err != nil {
		return ""
	}
	return p.String()
}

// scanProduct names a product: a package URL in its canonical form, anything else as it is.
func scanProduct(s string) string {
	if p := scanPURL(s); p != "" {
		return p
	}
	return scanText(s)
}
