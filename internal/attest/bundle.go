package attest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The wire forms are written by encoding/json, whose layout is the order of the fields: protojson adds spaces at random,
// so the bytes of the same bundle would differ between builds and could not be stored by digest.
type (
	wireEnvelope struct {
		Payload     []byte          `json:"payload"`
		PayloadType string          `json:"payloadType"`
		Signatures  []wireSignature `json:"signatures"`
	}
	wireSignature struct {
		Sig []byte `json:"sig"`
		// KeyID is always empty. cosign and slsa-verifier compare a keyid, where DSSE calls it a hint, and some readers
		// insist that the member is there.
		KeyID string `json:"keyid"`
	}
	wireBundle struct {
		MediaType            string           `json:"mediaType"`
		VerificationMaterial wireVerification `json:"verificationMaterial"`
		DSSEEnvelope         json.RawMessage  `json:"dsseEnvelope"`
	}
	wireVerification struct {
		PublicKey wireHint `json:"publicKey"`
	}
	wireHint struct {
		Hint string `json:"hint"`
	}
)

// BundleEnvelope returns the bare DSSE envelope inside a Sigstore bundle (v0.1 to v0.3), byte for byte as it stands there.
// slsa-verifier reads it bare. It does not verify anything, and fails on a bundle that signs a message digest instead.
func BundleEnvelope(bundle []byte) ([]byte, error) {
	doc, err := parseDocument(bundle)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	mediaType, err := doc.text("mediaType", "mediaType", maxPayloadType)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(mediaType, bundlePrefix) {
		return nil, at("mediaType", "%q is not a Sigstore bundle", clip(mediaType))
	}
	envelope, ok := doc["dsseEnvelope"]
	if !ok {
		if _, message := doc["messageSignature"]; message {
			return nil, at("dsseEnvelope", "missing; this bundle signs a message digest and attests nothing")
		}
		return nil, at("dsseEnvelope", "missing")
	}
	if !startsWith(envelope, '{') {
		return nil, at("dsseEnvelope", "must be a JSON object")
	}
	return envelope, nil
}
