package attest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

const goodEnvelope = `{"payload":"aGVsbG8/","payloadType":"text/plain","signatures":[{"keyid":"k","sig":"c2ln"}]}`

func TestRule32_EnvelopesAreReadStrictly(t *testing.T) {
	const signature = `{"keyid":"k","sig":"c2ln"}`
	for name, c := range map[string]struct{ change, says string }{
		"no payload":                             {`"payload"→"body"`, "payload: missing"},
		"a payload in another case":              {`"payload"→"Payload"`, "payload: missing"},
		"a payload that is an object":            {`"aGVsbG8/"→{}`, "payload: must be a string"},
		"a payload that is null":                 {`"aGVsbG8/"→null`, "payload: must be a string"},
		"an empty payload":                       {`aGVsbG8/→`, "payload: must not be empty"},
		"a payload that is not base64":           {`aGVsbG8/→{not base64}`, "payload: not base64"},
		"a payload without padding":              {`aGVsbG8/→aGVsbG8`, "payload: not base64"},
		"a payload with a line break":            {`aGVsbG8/→aGVs\nbG8/`, "payload: not base64"},
		"a payload in two alphabets":             {`aGVsbG8/→aGV-bG8/`, "payload: not base64"},
		"a payload with stray bits":              {`aGVsbG8/→aGVsbG9=`, "payload: not base64"},
		"no payload type":                        {`"payloadType"→"type"`, "payloadType: missing"},
		"an empty payload type":                  {`text/plain→`, "payloadType: must not be empty"},
		"a payload type that is too long":        {`text/plain→` + strings.Repeat("t", 257), "payloadType: is 257 bytes long, at most 256"},
		"no signatures":                          {`"signatures"→"signature"`, "signatures: missing"},
		"signatures that are null":               {`[` + signature + `]→null`, "signatures: must be a JSON array"},
		"an empty list of signatures":            {signature + `→`, "signatures: must not be empty"},
		"a signature that is a string":           {signature + `→"c2ln"`, "signatures[0]: must be a JSON object"},
		"a signature without bytes":              {`"sig"→"signature"`, "signatures[0].sig: missing"},
		"an empty signature":                     {`c2ln→`, "signatures[0].sig: must not be empty"},
		"a signature that is not base64":         {`c2ln→%%%%`, "signatures[0].sig: not base64"},
		"a second signature that is not base64":  {signature + `→` + signature + `,{"sig":"?"}`, "signatures[1].sig: not base64"},
		"a signature that is too long":           {`c2ln→` + b64(strings.Repeat("s", 8193)), "signatures[0].sig: is 8193 bytes long, at most 8192"},
		"a keyid that is a number":               {`"k"→7`, "signatures[0].keyid: must be a string"},
		"a keyid that is too long":               {`"k"→"` + strings.Repeat("k", 1025) + `"`, "signatures[0].keyid: is 1025 bytes long"},
		"more signatures than anybody needs":     {signature + `→` + signature + strings.Repeat(","+signature, 16), "signatures: has 17 elements, at most 16"},
		"a payload said twice":                   {`"payload"→"payload":"eA==","payload"`, "envelope: not valid JSON"},
		"a signature said twice":                 {`"sig"→"sig":"eA==","sig"`, "envelope: not valid JSON"},
		"something after it":                     {`c2ln"}]}→c2ln"}]}{}`, "envelope: expected one JSON value"},
		"nested too deep in a member to ignore":  {`{"payload"→{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `,"payload"`, "nested deeper than 64"},
		"a bundle in place of the bare envelope": {goodEnvelope + `→{"mediaType":"m","dsseEnvelope":` + goodEnvelope + `}`, "this is a Sigstore bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseEnvelope([]byte(replace(goodEnvelope, c.change)))
			wantError(t, err, c.says)
		})
	}
	for name, b := range map[string]string{"nothing": "", "null": "null", "a list": "[]", "a number": "1", "not JSON": "<xml/>"} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseEnvelope([]byte(b))
			wantError(t, err, "envelope: ")
		})
	}
}

func TestParseEnvelope_ReadsWhatDSSEAllows(t *testing.T) {
	for name, change := range map[string]string{
		"standard base64":        "",
		"URL-safe base64":        `aGVsbG8/→aGVsbG8_`,
		"members DSSE ignores":   `{"payload"→{"x":[1],"payload"`,
		"white space":            `,"signatures"→ , ` + "\n" + `"signatures"`,
		"the largest signature":  `c2ln→` + b64(strings.Repeat("s", 8192)),
		"a keyid that is absent": `"keyid":"k",→`,
		"a keyid that is null":   `"keyid":"k"→"keyid":null`,
	} {
		t.Run(name, func(t *testing.T) {
			env, err := attest.ParseEnvelope([]byte(replace(goodEnvelope, change)))
			if err != nil {
				t.Fatal(err)
			}
			if string(env.Payload) != "hello?" || env.PayloadType != "text/plain" || len(env.Signatures) != 1 {
				t.Errorf("read as %+v", env)
			}
		})
	}
}

func TestBundleEnvelope_RefusesWhatHoldsNone(t *testing.T) {
	for name, c := range map[string]struct{ bundle, says string }{
		"not JSON":            {"{", "bundle: not valid JSON"},
		"no media type":       {`{"dsseEnvelope":{}}`, "mediaType: missing"},
		"another media type":  {`{"mediaType":"text/plain","dsseEnvelope":{}}`, "is not a Sigstore bundle"},
		"a message signature": {`{"mediaType":"` + attest.BundleMediaType + `","messageSignature":{}}`, "signs a message digest"},
		"neither of both":     {`{"mediaType":"` + attest.BundleMediaType + `"}`, "dsseEnvelope: missing"},
		"an envelope of null": {`{"mediaType":"` + attest.BundleMediaType + `","dsseEnvelope":null}`, "dsseEnvelope: must be"},
		"the envelope said twice": {
			`{"mediaType":"` + attest.BundleMediaType + `","dsseEnvelope":{},"dsseEnvelope":{}}`, "bundle: not valid JSON",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.BundleEnvelope([]byte(c.bundle))
			wantError(t, err, c.says)
		})
	}
}

func TestBundleEnvelope_ReturnsTheBytesAsTheyStand(t *testing.T) {
	for _, version := range []string{
		"application/vnd.dev.sigstore.bundle+json;version=0.1", "application/vnd.dev.sigstore.bundle+json;version=0.2", attest.BundleMediaType,
	} {
		spaced := strings.Replace(goodEnvelope, ",", " , ", 1)
		got, err := attest.BundleEnvelope(fmt.Appendf(nil, `{"mediaType":%q, "dsseEnvelope": %s }`, version, spaced))
		if err != nil || string(got) != spaced {
			t.Errorf("%s: got %s, %v", version, got, err)
		}
	}
}
