package attest_test

import (
	"errors"
	"testing"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

func TestRule33_AKeylessBundleIsVerifiedByTheRegisteredIdentity(t *testing.T) {
	s := newSigstore(t)
	signed := s.attest(t, workflow)
	for name, parts := range map[string][]string{
		"log and timestamp": {"tlog", "tsa"},
		"log alone":         {"tlog"},
		"timestamp alone":   {"tsa"}, // as GitHub's own root
	} {
		t.Run(name, func(t *testing.T) {
			stranger := identity(s.root(t, parts...))
			stranger.Alias, stranger.Issuer = "stranger", "https://accounts.example.com"
			v := wantKeyless(t, parsed(t, signed), stranger, identity(s.root(t, parts...)))
			if v.Alias != "release workflow" || v.SignedAt.Location() != time.UTC {
				t.Errorf("verdict is %+v", v)
			}
		})
	}
	t.Run("the earliest time counts", func(t *testing.T) {
		both := wantKeyless(t, parsed(t, signed), identity(s.root(t, "tlog", "tsa")))
		tsa := wantKeyless(t, parsed(t, signed), identity(s.root(t, "tsa")))
		tlog := wantKeyless(t, parsed(t, signed), identity(s.root(t, "tlog")))
		if first := min(tsa.SignedAt.UnixNano(), tlog.SignedAt.UnixNano()); both.SignedAt.UnixNano() != first || tsa.SignedAt.Equal(tlog.SignedAt) {
			t.Errorf("%s of %s and %s", both.SignedAt, tsa.SignedAt, tlog.SignedAt)
		}
	})
	t.Run("a message signature", func(t *testing.T) {
		b := parsed(t, s.sign(t, workflow, "shop.tar"))
		if b.Envelope != nil || b.Digest != canonical.Digest([]byte("shop.tar")) || !b.Keyless() {
			t.Errorf("read %+v", b)
		}
		wantKeyless(t, b, identity(s.root(t, "tlog", "tsa")))
	})
}

func TestRule33_WhoeverIsNotRegisteredIsUnknown(t *testing.T) {
	s := newSigstore(t)
	b := parsed(t, s.attest(t, workflow))
	good := identity(s.root(t, "tlog"))
	for name, change := range map[string]func(*attest.KeylessCandidate){
		"another issuer":           func(c *attest.KeylessCandidate) { c.Issuer += "/" },
		"no issuer":                func(c *attest.KeylessCandidate) { c.Issuer = "" },
		"another organisation":     func(c *attest.KeylessCandidate) { c.Subject = "https://github.com/acm/*" },
		"a part of the subject":    func(c *attest.KeylessCandidate) { c.Subject = "github.com/acme/shop" },
		"a pattern that takes all": func(c *attest.KeylessCandidate) { c.Subject = "*" },
		"no pattern":               func(c *attest.KeylessCandidate) { c.Subject = "" },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			wantStranger(t, b, `no registered identity matches "`+workflow, c)
		})
	}
	t.Run("nobody registered", func(t *testing.T) { wantStranger(t, b, "no registered identity matches") })
	t.Run("registered without a root", func(t *testing.T) { wantStranger(t, b, "it has none", identity(attest.TrustedRoot{})) })
}

func TestRule33_WhatTheRootDoesNotConfirmIsUnverified(t *testing.T) {
	s := newSigstore(t)
	t.Run("another root", func(t *testing.T) {
		wantStranger(t, parsed(t, s.attest(t, workflow)), "does not confirm it", identity(newSigstore(t).root(t, "tlog", "tsa")))
	})
	t.Run("no timestamp of the certificate's log, which the root has", func(t *testing.T) {
		wantStranger(t, parsed(t, s.attest(t, workflow)), "certificate timestamp", identity(s.root(t, "tlog", "tsa", "ctlog")))
	})
	t.Run("not in the log, which the root has", func(t *testing.T) {
		b := s.attest(t, workflow)
		b.VerificationMaterial.TlogEntries = nil
		wantStranger(t, parsed(t, b), "log inclusion", identity(s.root(t, "tlog", "tsa")))
		wantKeyless(t, parsed(t, b), identity(s.root(t, "tsa")))
	})
	t.Run("no timestamp, and no log either", func(t *testing.T) {
		b := s.attest(t, workflow)
		b.VerificationMaterial.TimestampVerificationData = nil
		wantStranger(t, parsed(t, b), "timestamps: 0 < 1", identity(s.root(t, "tsa")))
	})
	t.Run("the inclusion proof is broken", func(t *testing.T) {
		b := s.attest(t, workflow)
		b.VerificationMaterial.TlogEntries[0].InclusionProof.RootHash[0] ^= 1
		wantStranger(t, parsed(t, b), "log inclusion", identity(s.root(t, "tlog", "tsa")))
	})
	t.Run("the log entry is of another signature", func(t *testing.T) {
		b, other := s.attest(t, workflow), s.attest(t, workflow)
		b.VerificationMaterial.TlogEntries = other.VerificationMaterial.TlogEntries
		wantStranger(t, parsed(t, b), "transparency log", identity(s.root(t, "tlog", "tsa")))
	})
	t.Run("the timestamp is of another signature", func(t *testing.T) {
		b, other := s.attest(t, workflow), s.attest(t, workflow)
		b.VerificationMaterial.TimestampVerificationData = other.VerificationMaterial.TimestampVerificationData
		wantStranger(t, parsed(t, b), "timestamp", identity(s.root(t, "tsa")))
	})
	t.Run("a second root confirms what the first does not", func(t *testing.T) {
		wantKeyless(t, parsed(t, s.attest(t, workflow)), identity(newSigstore(t).root(t, "tlog")), identity(s.root(t, "tlog")))
	})
}

func TestRule33_AChangedKeylessBundleIsRefusedWhoeverIsRegistered(t *testing.T) {
	s := newSigstore(t)
	payload := s.attest(t, workflow)
	payload.GetDsseEnvelope().Payload = []byte(statementJSON(`"n":1→"n":2`))
	digest := s.sign(t, workflow, "shop.tar")
	digest.GetMessageSignature().MessageDigest = &protocommon.HashOutput{
		Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: make([]byte, 32),
	}
	other := s.attest(t, workflow)
	other.VerificationMaterial.Content = s.attest(t, workflow).VerificationMaterial.Content
	for name, b := range map[string]attest.Bundle{
		"payload": parsed(t, payload), "digest": parsed(t, digest), "certificate": parsed(t, other),
	} {
		t.Run(name, func(t *testing.T) {
			for _, candidates := range [][]attest.KeylessCandidate{nil, {identity(s.root(t, "tlog", "tsa"))}} {
				if v, err := attest.VerifyKeyless(b, candidates); !errors.Is(err, attest.ErrSignatureMismatch) {
					t.Errorf("%+v, %v", v, err)
				}
			}
		})
	}
}

func TestVerifyKeylessLeavesBundlesOfKeysToVerify(t *testing.T) {
	signed := signVSA(t, newSigner(t, "P-256"), passedVSA(), subjects())
	wantStranger(t, parseBundle(t, signed.Bundle), "signed with a key")
}

func TestParseTrustedRoot(t *testing.T) {
	s := newSigstore(t)
	raw := s.rootJSON(t, "tlog", "tsa", "ctlog")
	if r := s.root(t, "tlog"); !canonical.IsDigest(r.Digest()) || (attest.TrustedRoot{}).Digest() != "" {
		t.Errorf("digest %q", r.Digest())
	}
	t.Run("v0.2 verifies as v0.1 does", func(t *testing.T) {
		newer := []byte(replace(string(s.rootJSON(t, "tlog")), "trustedroot+json;version=0.1→trustedroot.v0.2+json"))
		r, err := attest.ParseTrustedRoot(newer)
		if err != nil || r.Digest() != canonical.Digest(newer) {
			t.Fatalf("%s, %v", r.Digest(), err)
		}
		wantKeyless(t, parsed(t, s.attest(t, workflow)), identity(r))
	})
	for name, c := range map[string]struct{ raw, want string }{
		"no time":        {string(s.rootJSON(t)), "nothing could prove when"},
		"no authority":   {replace(string(raw), `"certificateAuthorities"→"timestampAuthorities2"`), "unknown field"},
		"empty":          {`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`, "certificateAuthorities: missing"},
		"another type":   {`{"mediaType":"application/json"}`, "mediaType: "},
		"a bundle":       {string(written(t, s.attest(t, workflow))), "trusted root: "},
		"duplicate":      {`{"mediaType":"a","mediaType":"b"}`, "duplicate"},
		"two, as of gh":  {string(raw) + "\n" + string(raw), "trusted root: "},
		"far too long":   {`{"mediaType":"` + string(make([]byte, attest.MaxTrustedRoot)), "at most"},
		"not a document": {`[]`, "trusted root: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseTrustedRoot([]byte(c.raw))
			wantError(t, err, c.want)
		})
	}
}
