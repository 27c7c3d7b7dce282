package attest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func BenchmarkSign(b *testing.B) {
	for _, kind := range []string{"P-256", "Ed25519"} {
		b.Run(kind, func(b *testing.B) {
			s := newSigner(b, kind)
			st, err := passedVSA().Statement(subjects())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(b.Context(), st); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, kind := range []string{"P-256", "P-384", "Ed25519", "RSA"} {
		b.Run(kind, func(b *testing.B) {
			key := privateKey(b, kind)
			benchmarkVerify(b, envelopeBy(b, key, ""), []attest.Candidate{{Alias: "ci", Key: publicKey(b, key)}})
		})
	}
	// The keyid spares trying the other keys.
	key := privateKey(b, "P-256")
	var registered []attest.Candidate
	for i := range 15 {
		registered = append(registered, attest.Candidate{Alias: fmt.Sprintf("key-%d", i), Key: publicKey(b, privateKey(b, "P-256"))})
	}
	registered = append(registered, attest.Candidate{Alias: "ci", Key: publicKey(b, key)})
	b.Run("the last of 16 keys, named", func(b *testing.B) { benchmarkVerify(b, envelopeBy(b, key, "ci"), registered) })
	b.Run("the last of 16 keys, unnamed", func(b *testing.B) { benchmarkVerify(b, envelopeBy(b, key, ""), registered) })
}

func benchmarkVerify(b *testing.B, env attest.Envelope, registered []attest.Candidate) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if v, err := attest.Verify(env, registered); err != nil || !v.Verified {
			b.Fatal(v, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			s := newSigner(b, "P-256")
			st, err := attest.NewStatement(subjects(), "p", map[string]string{"filler": strings.Repeat("x", size)})
			if err != nil {
				b.Fatal(err)
			}
			signed, err := s.Sign(b.Context(), st)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(signed.Envelope)))
			b.ReportAllocs()
			for b.Loop() {
				env, err := attest.ParseEnvelope(signed.Envelope)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := attest.ParseStatement(env.Payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
