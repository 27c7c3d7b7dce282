package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

const bundlePrefix = "application/vnd.dev.sigstore.bundle"

// bundleMediaTypes are those of Sigstore bundles v0.1 to v0.3. The third spelling is the one v0.3 had at first.
var bundleMediaTypes = []string{
	bundlePrefix + "+json;version=0.1",
	bundlePrefix + "+json;version=0.2",
	bundlePrefix + "+json;version=0.3",
	BundleMediaType,
}

// Bundle is a Sigstore bundle that was read and not verified. It signs either a DSSE envelope or the digest of a message,
// with a certificate (VerifyKeyless) or with a key (Verify, VerifyDigest). It is one goroutine's at a time.
type Bundle struct {
	// Envelope is the DSSE envelope, nil when the bundle signs a message digest. Where its signature has no keyid, the
	// bundle's hint stands there, so that Verify knows whom the bundle names.
	Envelope *Envelope
	// Digest is "sha256:<hex>" of the message signed, empty when there is an envelope.
	Digest string
	// Signature is the signature of Digest, its KeyID the bundle's hint.
	Signature Signature

	below *bundle.Bundle
	leaf  *leaf // nil when a key signed
}

// leaf is what a signing certificate says, before anybody has vouched for it.
type leaf struct {
	key     *parsedKey
	issuer  string
	subject string
}

// Keyless tells whether the bundle carries the certificate of its signer; otherwise it was signed with a key, and at most
// hints at which one.
func (b Bundle) Keyless() bool { return b.leaf != nil }

// Claims returns the issuer and the subject of the bundle's certificate, empty without one. Nobody has vouched for them.
func (b Bundle) Claims() (issuer, subject string) {
	if b.leaf == nil {
		return "", ""
	}
	return b.leaf.issuer, b.leaf.subject
}

// IsBundle tells whether raw calls itself a Sigstore bundle, of whatever version. It reads no further than mediaType.
func IsBundle(raw []byte) bool {
	if !bytes.Contains(raw, []byte(`"mediaType"`)) {
		return false // found out without reading on: most of what is pushed is none
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return false
		}
		if name == "mediaType" {
			var mediaType string
			return json.Unmarshal(value, &mediaType) == nil && strings.HasPrefix(mediaType, bundlePrefix)
		}
	}
	return false
}

// ParseBundle reads a Sigstore bundle v0.1 to v0.3: strict JSON first, then the members that the format defines and no
// others. It verifies nothing. Errors name the field where they can.
func ParseBundle(raw []byte) (Bundle, error) {
	doc, err := parseDocument(raw)
	if err != nil {
		return Bundle{}, fmt.Errorf("bundle: %w", err)
	}
	mediaType, err := doc.text("mediaType", "mediaType", maxPayloadType)
	if err != nil {
		return Bundle{}, err
	}
	if !slices.Contains(bundleMediaTypes, mediaType) {
		return Bundle{}, at("mediaType", "%q is not that of a Sigstore bundle v0.1, v0.2 or v0.3", clip(mediaType))
	}
	b := Bundle{below: &bundle.Bundle{}}
	if err := b.below.UnmarshalJSON(raw); err != nil {
		return Bundle{}, fmt.Errorf("bundle: %w", err)
	}
	hint, err := b.parseMaterial()
	if err != nil {
		return Bundle{}, err
	}
	if b.below.GetMessageSignature() != nil {
		err = b.parseMessage(hint)
	} else {
		err = b.parseEnvelope(doc["dsseEnvelope"], hint)
	}
	if err != nil {
		return Bundle{}, err
	}
	return b, nil
}

// parseMaterial reads who signed: a certificate, or a key of which there is at most a hint.
func (b *Bundle) parseMaterial() (hint string, err error) {
	const path = "verificationMaterial"
	content, err := b.below.VerificationContent()
	if err != nil {
		return "", at(path, "%w", err)
	}
	cert := content.Certificate()
	if cert == nil {
		hint = b.below.GetVerificationMaterial().GetPublicKey().GetHint()
		if len(hint) > maxKeyID {
			return "", at(path+".publicKey.hint", "is %d bytes long, at most %d are allowed", len(hint), maxKeyID)
		}
		return hint, nil
	}
	key, err := newPublicKey(cert.PublicKey)
	if err != nil {
		return "", at(path, "the certificate's %w", err)
	}
	summary, err := certificate.SummarizeCertificate(cert)
	if err != nil {
		return "", at(path, "the certificate: %w", err)
	}
	b.leaf = &leaf{key: key.parsed, issuer: summary.Issuer, subject: summary.SubjectAlternativeName}
	return "", nil
}

// parseEnvelope reads the envelope as a bare one is read, which is stricter than the protobuf form.
func (b *Bundle) parseEnvelope(raw json.RawMessage, hint string) error {
	if raw == nil {
		return at("dsseEnvelope", "missing")
	}
	env, err := ParseEnvelope(raw)
	if err != nil {
		return fmt.Errorf("dsseEnvelope: %w", err)
	}
	if n := len(env.Signatures); n != 1 {
		return at("dsseEnvelope.signatures", "has %d elements, a Sigstore bundle has exactly one", n)
	}
	if s := &env.Signatures[0]; s.KeyID == "" {
		s.KeyID = hint
	}
	b.Envelope = &env
	return nil
}

func (b *Bundle) parseMessage(hint string) error {
	const path = "messageSignature"
	m := b.below.GetMessageSignature()
	digest := m.GetMessageDigest()
	if digest == nil {
		return at(path+".messageDigest", "missing")
	}
	if digest.GetAlgorithm() != protocommon.HashAlgorithm_SHA2_256 {
		return at(path+".messageDigest.algorithm", "%s is not supported, only SHA2_256", digest.GetAlgorithm())
	}
	if n := len(digest.GetDigest()); n != sha256.Size {
		return at(path+".messageDigest.digest", "is %d bytes long, a SHA-256 digest has %d", n, sha256.Size)
	}
	if n := len(m.GetSignature()); n == 0 || n > MaxSignatureSize {
		return at(path+".signature", "is %d bytes long, 1 to %d are allowed", n, MaxSignatureSize)
	}
	b.Digest = "sha256:" + hex.EncodeToString(digest.GetDigest())
	b.Signature = Signature{KeyID: hint, Sig: m.GetSignature()}
	return nil
}
