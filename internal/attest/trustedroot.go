package attest

import (
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// MaxTrustedRoot is how many bytes a trusted root may have; the one of the public Sigstore has about seven thousand.
const MaxTrustedRoot = 1 << 20

// trustedRootV02 is the media type of a trusted root v0.2, which has the members of v0.1.
const trustedRootV02 = "application/vnd.dev.sigstore.trustedroot.v0.2+json"

// TrustedRoot says whose certificates, log entries and timestamps are believed: a trusted_root.json. Copies share what
// was parsed, so it is cheap to pass and to keep, and good for several goroutines; the zero value believes nobody.
type TrustedRoot struct {
	parsed *parsedRoot
}

type parsedRoot struct {
	digest   string
	verifier *verify.Verifier
}

// ParseTrustedRoot reads a trusted_root.json v0.1 or v0.2. It must have a certificate authority, and a transparency log
// or a timestamp authority: without one of them nothing says when a certificate of ten minutes was used.
func ParseTrustedRoot(raw []byte) (TrustedRoot, error) {
	if len(raw) > MaxTrustedRoot {
		return TrustedRoot{}, fmt.Errorf("trusted root: is %d bytes long, at most %d are allowed", len(raw), MaxTrustedRoot)
	}
	if err := canonical.Check(raw, MaxDepth); err != nil {
		return TrustedRoot{}, fmt.Errorf("trusted root: %w", err)
	}
	p, err := root.NewTrustedRootProtobuf(raw)
	if err != nil {
		return TrustedRoot{}, fmt.Errorf("trusted root: %w", err)
	}
	switch p.GetMediaType() {
	case root.TrustedRootMediaType01:
	case trustedRootV02:
		p.MediaType = root.TrustedRootMediaType01 // the only name that sigstore-go knows
	default:
		return TrustedRoot{}, at("mediaType", "%q is not that of a trusted root v0.1 or v0.2", clip(p.GetMediaType()))
	}
	material, err := root.NewTrustedRootFromProtobuf(p)
	if err != nil {
		return TrustedRoot{}, fmt.Errorf("trusted root: %w", err)
	}
	verifier, err := newVerifier(material)
	if err != nil {
		return TrustedRoot{}, err
	}
	return TrustedRoot{parsed: &parsedRoot{digest: canonical.Digest(raw), verifier: verifier}}, nil
}

// newVerifier asks of a bundle whatever the root can check. A root without transparency logs (GitHub has one for private
// repositories) makes do with a signed timestamp, one without certificate logs with the bare certificate.
func newVerifier(material *root.TrustedRoot) (*verify.Verifier, error) {
	if len(material.FulcioCertificateAuthorities()) == 0 {
		return nil, at("certificateAuthorities", "missing; without one no certificate is believed")
	}
	if len(material.RekorLogs()) == 0 && len(material.TimestampingAuthorities()) == 0 {
		return nil, errors.New("trusted root: has neither tlogs nor timestampAuthorities, so nothing could prove when something was signed")
	}
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if len(material.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if len(material.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	verifier, err := verify.NewVerifier(material, options...)
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	return verifier, nil
}

// Digest returns "sha256:<hex>" of the bytes that were read.
func (r TrustedRoot) Digest() string {
	if r.parsed == nil {
		return ""
	}
	return r.parsed.digest
}
