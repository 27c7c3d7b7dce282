package attest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Envelope is a DSSE envelope, decoded.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Signatures  []Signature
}

// Signature is one signature of an envelope, decoded. KeyID is an unauthenticated hint and may be empty.
type Signature struct {
	KeyID string
	Sig   []byte
}

// ParseEnvelope reads a DSSE envelope: strict JSON, payload and signatures in standard or URL-safe base64, 1 to
// MaxSignatures signatures. Members that DSSE does not define are ignored, as DSSE asks. Errors name the field.
func ParseEnvelope(b []byte) (Envelope, error) {
	doc, err := parseDocument(b)
	if err != nil {
		return Envelope{}, fmt.Errorf("envelope: %w", err)
	}
	if _, ok := doc["payload"]; !ok && doc["dsseEnvelope"] != nil {
		return Envelope{}, errors.New("envelope: this is a Sigstore bundle; its dsseEnvelope is the envelope")
	}
	var env Envelope
	if env.PayloadType, err = doc.text("payloadType", "payloadType", maxPayloadType); err != nil {
		return Envelope{}, err
	}
	if env.Payload, err = doc.base64("payload", "payload"); err != nil {
		return Envelope{}, err
	}
	if _, ok := doc["signatures"]; !ok {
		return Envelope{}, at("signatures", "missing")
	}
	list, err := parseArray(doc["signatures"], "signatures", MaxSignatures)
	if err != nil {
		return Envelope{}, err
	}
	env.Signatures = make([]Signature, len(list))
	for i, raw := range list {
		if env.Signatures[i], err = parseSignature(raw, fmt.Sprintf("signatures[%d]", i)); err != nil {
			return Envelope{}, err
		}
	}
	return env, nil
}

func parseSignature(raw json.RawMessage, path string) (Signature, error) {
	o, err := parseObject(raw, path)
	if err != nil {
		return Signature{}, err
	}
	var s Signature
	if string(o["keyid"]) != "null" { // some writers spell an absent keyid so
		if s.KeyID, err = o.optionalText("keyid", path+".keyid", maxKeyID); err != nil {
			return Signature{}, err
		}
	}
	if s.Sig, err = o.base64("sig", path+".sig"); err != nil {
		return Signature{}, err
	}
	if len(s.Sig) > MaxSignatureSize {
		return Signature{}, at(path+".sig", "is %d bytes long, at most %d are allowed", len(s.Sig), MaxSignatureSize)
	}
	return s, nil
}

// base64 returns the decoded member called name: required, not empty, standard or URL-safe alphabet. The decoding is
// strict, so that no two spellings mean the same bytes: no line breaks, padding, no stray bits at the end.
func (o object) base64(name, path string) ([]byte, error) {
	s, err := o.text(name, path, 0)
	if err != nil {
		return nil, err
	}
	encoding := base64.StdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.URLEncoding
	}
	b, err := encoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // DecodeString skips line breaks
		return nil, at(path, "not base64")
	}
	return b, nil
}
