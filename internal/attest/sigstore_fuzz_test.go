package attest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

func FuzzBundle(f *testing.F) {
	s := newSigstore(f)
	f.Add(written(f, s.attest(f, workflow)))
	f.Add(written(f, s.sign(f, workflow, "shop.tar")))
	f.Add(signVSA(f, newSigner(f, "P-256"), passedVSA(), subjects()).Bundle)
	f.Add(messageBundle(f, privateKey(f, "P-256"), "k", "shop.tar"))
	f.Add([]byte(someBundle))
	others := newSigstore(f)
	candidates := []attest.KeylessCandidate{identity(others.root(f, "tlog", "tsa")), identity(others.root(f, "tsa"))}
	keys := []attest.Candidate{{Alias: "k", Key: publicKey(f, privateKey(f, "P-384"))}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := attest.ParseBundle(raw)
		if err != nil {
			return
		}
		if !attest.IsBundle(raw) || (b.Envelope == nil) != canonical.IsDigest(b.Digest) {
			t.Errorf("read %+v", b)
		}
		// Who signed what is the same to the reader that verifies.
		var below bundle.Bundle
		if err := below.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		if e := below.GetDsseEnvelope(); b.Envelope != nil && (!bytes.Equal(e.GetPayload(), b.Envelope.Payload) ||
			e.GetPayloadType() != b.Envelope.PayloadType || !bytes.Equal(e.GetSignatures()[0].GetSig(), b.Envelope.Signatures[0].Sig)) {
			t.Errorf("the envelope is %+v to one reader and %v to another", b.Envelope, e)
		}
		// None of it was signed under these roots, or with these keys.
		if v, err := attest.VerifyKeyless(b, candidates); v.Verified || (err == nil && v.Reason == "") {
			t.Errorf("verdict %+v, %v", v, err)
		}
		if v, _ := attest.VerifyDigest(b, keys); v.Verified {
			t.Errorf("verdict %+v", v)
		}
	})
}

func FuzzSplitAttestations(f *testing.F) {
	f.Add([]byte(goodEnvelope + "\n" + someBundle))
	f.Add([]byte(`{"attestations":[{"bundle":` + someBundle + `}]}`))
	f.Add([]byte(`[{"attestation":{"bundle":null,"bundle_url":"x"}}]`))
	f.Add([]byte("[[\n{]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := attest.SplitAttestations(raw, 4)
		if err != nil {
			return
		}
		if len(found) == 0 || len(found) > 4 {
			t.Errorf("%d attestations", len(found))
		}
		for _, one := range found {
			if !bytes.Contains(raw, one) || !json.Valid(one) {
				t.Errorf("%s is not in it", one)
			}
			again, err := attest.SplitAttestations(one, 1)
			if err != nil || len(again) != 1 || !bytes.Equal(again[0], one) {
				t.Errorf("%s, by itself: %s, %v", one, again, err)
			}
		}
	})
}

func FuzzTrustedRoot(f *testing.F) {
	s := newSigstore(f)
	f.Add(s.rootJSON(f, "tlog", "tsa", "ctlog"))
	f.Add(s.rootJSON(f, "tsa"))
	f.Add(s.rootJSON(f))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[{}]}`))
	signed := written(f, newSigstore(f).attest(f, workflow))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := attest.ParseTrustedRoot(raw)
		if err != nil {
			return
		}
		if r.Digest() != canonical.Digest(raw) {
			t.Errorf("digest %s", r.Digest())
		}
		// It cannot vouch for the certificates of an authority that it has never heard of.
		if v, err := attest.VerifyKeyless(parseBundle(t, signed), []attest.KeylessCandidate{identity(r)}); err != nil || v.Verified {
			t.Errorf("verdict %+v, %v", v, err)
		}
	})
}
