package attest_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func FuzzParseEnvelope(f *testing.F) {
	key := privateKey(f, "P-256")
	registered := []attest.Candidate{{Alias: "k", Key: publicKey(f, key)}, {Alias: "ed", Key: publicKey(f, privateKey(f, "Ed25519"))}}
	signed := signVSA(f, newSigner(f, "P-256"), passedVSA(), subjects())
	f.Add(signed.Envelope)
	f.Add(signed.Bundle)
	f.Add([]byte(goodEnvelope))
	f.Add([]byte(`{"payload":"_-8=","payloadType":"t","signatures":[{"keyid":null,"sig":"MAA="},{"sig":"MAYCAQECAQE="}]}`))
	f.Add([]byte(`{"payload":"eA==","Payload":"eQ==","payloadType":"t","signatures":[{"sig":"c2ln"}]}`))
	f.Add([]byte(`{"payload":"eA==\n","payloadType":"t","signatures":[]}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if inner, err := attest.BundleEnvelope(b); err == nil && !bytes.Contains(b, inner) {
			t.Error("the envelope of a bundle is not in the bundle")
		}
		env, err := attest.ParseEnvelope(b)
		if err != nil {
			return
		}
		if env.PayloadType == "" || len(env.Payload) == 0 || len(env.Signatures) == 0 || len(env.Signatures) > attest.MaxSignatures {
			t.Errorf("accepted %+v", env)
		}
		// Nobody holds these keys, so nothing that is found can be theirs.
		if v, err := attest.Verify(env, registered); v.Verified || (err == nil && v.Reason == "") {
			t.Errorf("verdict %+v, %v", v, err)
		}
		if again := parseEnvelope(t, writeEnvelope(t, env)); !sameEnvelope(env, again) {
			t.Errorf("written and read again: %+v, was %+v", again, env)
		}
		// The same payload, signed by a registered key in place of what was there, verifies.
		if len(env.Payload) < 1<<16 {
			env.Signatures = []attest.Signature{{KeyID: "k", Sig: signDSSE(t, key, crypto.SHA256, env.PayloadType, env.Payload)}}
			if v, err := attest.Verify(env, registered); err != nil || v.Alias != "k" {
				t.Errorf("a good signature of it: %+v, %v", v, err)
			}
		}
	})
}

func writeEnvelope(tb testing.TB, env attest.Envelope) []byte {
	tb.Helper()
	signatures := []map[string]string{}
	for _, s := range env.Signatures {
		signatures = append(signatures, map[string]string{"keyid": s.KeyID, "sig": base64.URLEncoding.EncodeToString(s.Sig)})
	}
	b, err := json.Marshal(map[string]any{
		"payload": base64.URLEncoding.EncodeToString(env.Payload), "payloadType": env.PayloadType, "signatures": signatures,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func sameEnvelope(a, b attest.Envelope) bool {
	if a.PayloadType != b.PayloadType || !bytes.Equal(a.Payload, b.Payload) || len(a.Signatures) != len(b.Signatures) {
		return false
	}
	for i := range a.Signatures {
		if a.Signatures[i].KeyID != b.Signatures[i].KeyID || !bytes.Equal(a.Signatures[i].Sig, b.Signatures[i].Sig) {
			return false
		}
	}
	return true
}

func FuzzParseStatement(f *testing.F) {
	f.Add([]byte(statementJSON("")))
	f.Add([]byte(statementJSON(`Statement/v1→Statement/v0.1`)))
	f.Add([]byte(statementJSON(`{"n":1}→"text"`)))
	f.Add([]byte(statementJSON(`"sha256"→"dirHash"`)))
	f.Add([]byte(statementJSON(`"subject"→"Subject"`)))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":null}}],"predicateType":"p"}`))
	f.Add([]byte("{"))
	s := newSigner(f, "Ed25519")
	registered := []attest.Candidate{{Alias: "server", Key: s.PublicKey()}}
	f.Fuzz(func(t *testing.T, payload []byte) {
		st, err := attest.ParseStatement(payload)
		if err != nil {
			return
		}
		if len(st.Subject) == 0 || len(st.Subject) > attest.MaxSubjects || st.PredicateType == "" {
			t.Errorf("accepted %+v", st)
		}
		for _, subject := range st.Subject {
			if len(subject.Digest) == 0 {
				t.Errorf("accepted a subject without digest: %+v", subject)
			}
		}
		signed, err := s.Sign(t.Context(), st)
		if err != nil {
			return // a version or a predicate that is read and not signed
		}
		env := parseEnvelope(t, signed.Envelope)
		if v, err := attest.Verify(env, registered); err != nil || !v.Verified {
			t.Errorf("signed, and yet %+v, %v", v, err)
		}
		if _, err := attest.ParseStatement(env.Payload); err != nil {
			t.Errorf("signed, and yet not read: %v", err)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	for _, kind := range []string{"P-256", "P-384", "P-521", "Ed25519", "RSA", "P-224"} {
		f.Add(publicPEM(f, privateKey(f, kind)))
	}
	f.Add(privatePEM(f, privateKey(f, "Ed25519")))
	f.Add(x25519PEM(f))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := attest.ParsePublicKey(b)
		if err != nil {
			return
		}
		again, err := attest.ParsePublicKey(k.PEM())
		if err != nil || again.Fingerprint() != k.Fingerprint() || again.Algorithm() != k.Algorithm() || k.Algorithm() == "" {
			t.Fatalf("%s written and read again: %s, %v", k.Algorithm(), again.Algorithm(), err)
		}
		// A signature made up from nothing is nobody's; under the key's name it is refused.
		for _, size := range []int{0, 8, 64, 70, 256} {
			env := attest.Envelope{PayloadType: "t", Payload: []byte("p"), Signatures: []attest.Signature{{Sig: bytes.Repeat([]byte{0x30}, size)}}}
			if v, err := attest.Verify(env, []attest.Candidate{{Alias: "a", Key: k}}); err != nil || v.Verified {
				t.Errorf("made up, unnamed: %+v, %v", v, err)
			}
			env.Signatures[0].KeyID = k.Fingerprint()
			if _, err := attest.Verify(env, []attest.Candidate{{Alias: "a", Key: k}}); err == nil {
				t.Error("made up under the key's name, and not refused")
			}
		}
	})
}
