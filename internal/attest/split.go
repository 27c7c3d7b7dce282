package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// wrapperDepth is how much deeper an attestation stands in the answers that carry several.
const wrapperDepth = 4

// SplitAttestations returns the attestations in what tools hand out, each byte for byte as it stands there: DSSE
// envelopes and Sigstore bundles, one or several (JSON lines), and the lists of GitHub's and npm's attestations API and
// of gh attestation verify --format json. At most limit are allowed. It looks at no more of them than tells what they
// are. Errors name the line.
func SplitAttestations(raw []byte, limit int) ([]json.RawMessage, error) {
	s := splitter{limit: limit}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	for {
		line := lineOf(raw, decoder.InputOffset())
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = canonical.Check(value, MaxDepth+wrapperDepth)
		}
		if err == nil {
			err = s.document(value)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if len(s.found) == 0 {
		return nil, errors.New("there is no attestation in it")
	}
	return s.found, nil
}

// lineOf returns the number of the line on which the value at or after offset begins.
func lineOf(raw []byte, offset int64) int {
	blank := len(raw[offset:]) - len(bytes.TrimLeft(raw[offset:], " \t\r\n"))
	return 1 + bytes.Count(raw[:int(offset)+blank], []byte{'\n'})
}

type splitter struct {
	found []json.RawMessage
	limit int
}

func (s *splitter) document(value json.RawMessage) error {
	if startsWith(value, '[') {
		return s.list(value, "")
	}
	doc, err := parseObject(value, "")
	if err != nil {
		return err
	}
	if list, ok := doc["attestations"]; ok && !doc.isAttestation() {
		return s.list(list, "attestations")
	}
	return s.entry(value, doc, "")
}

func (s *splitter) list(value json.RawMessage, path string) error {
	list, err := parseArray(value, path, s.limit)
	if err != nil {
		return err
	}
	for i, raw := range list {
		where := fmt.Sprintf("%s[%d]", path, i)
		entry, err := parseObject(raw, where)
		if err != nil {
			return err
		}
		if err := s.entry(raw, entry, where); err != nil {
			return err
		}
	}
	return nil
}

// entry takes an attestation, or what is wrapped around one: {"bundle": …} or {"attestation": {"bundle": …}}.
func (s *splitter) entry(raw json.RawMessage, o object, path string) error {
	for _, name := range []string{"attestation", "bundle"} {
		if o.isAttestation() {
			break
		}
		inner, ok := o[name]
		if (!ok || string(inner) == "null") && o["bundle_url"] != nil && name == "bundle" {
			return at(path, "has no bundle, only its address (bundle_url); download it (gh attestation download does) and send what it is")
		}
		if !ok {
			continue
		}
		raw, path = inner, strings.TrimPrefix(path+"."+name, ".")
		var err error
		if o, err = parseObject(raw, path); err != nil {
			return err
		}
	}
	if !o.isAttestation() {
		return at(path, "neither a DSSE envelope (payload, payloadType, signatures) nor a Sigstore bundle (mediaType)")
	}
	if len(s.found) == s.limit {
		return at(path, "more than %d attestations; send fewer at a time", s.limit)
	}
	s.found = append(s.found, raw)
	return nil
}

// isAttestation tells whether the object is an envelope or a bundle, or was meant to be one.
func (o object) isAttestation() bool {
	if o["payload"] != nil && o["payloadType"] != nil {
		return true
	}
	mediaType, err := o.optionalText("mediaType", "mediaType", maxPayloadType)
	return err == nil && strings.HasPrefix(mediaType, bundlePrefix)
}
