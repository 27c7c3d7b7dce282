package evidence_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	entevidence "github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// envelopes makes n different signed envelopes of about 3.6 kB.
func envelopes(b *testing.B, key crypto.Signer, n int) []evidence.SubmitEvidenceInput {
	b.Helper()
	list := make([]evidence.SubmitEvidenceInput, n)
	for i := range list {
		list[i] = signed(b, key, statement(testsType, fmt.Sprintf(`{"run":%d,"passed":[%s"last"]}`, i, strings.Repeat(`"TestThatSomethingWorks",`, 92)), "app.tgz"))
	}
	return list
}

// BenchmarkSubmit takes signed evidence by one caller and by many, each followed by its bound: to decode the same envelope,
// verify its signature and write one row in a transaction of its own.
func BenchmarkSubmit(b *testing.B) {
	for _, callers := range []int{1, 64} {
		bench := func(name string, run func(h *house, key crypto.Signer, in evidence.SubmitEvidenceInput) error) {
			b.Run(fmt.Sprintf("%s/%d callers", name, callers), func(b *testing.B) {
				h := newHouse(b, testdb.SQLite(b))
				key := newKey(b)
				h.trust("ci", key)
				list := envelopes(b, key, b.N)
				b.SetBytes(int64(len(*list[0].Envelope)))
				b.SetParallelism(max(1, callers/2)) // of GOMAXPROCS goroutines each
				if callers == 1 {
					b.ResetTimer()
					for i := range list {
						if err := run(h, key, list[i]); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				var next atomic.Int64
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := run(h, key, list[next.Add(1)-1]); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
		bench("submit", func(h *house, _ crypto.Signer, in evidence.SubmitEvidenceInput) error {
			_, _, err := h.service.Submit(h.pusher(), in)
			return err
		})
		bench("bound", bound)
	}
}

func bound(h *house, key crypto.Signer, in evidence.SubmitEvidenceInput) error {
	var env struct {
		Payload    []byte
		Signatures []signature
	}
	if err := json.Unmarshal([]byte(*in.Envelope), &env); err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(inToto), inToto, len(env.Payload), env.Payload))
	if !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), sum[:], env.Signatures[0].Sig) {
		return fmt.Errorf("signature does not verify: %s", base64.StdEncoding.EncodeToString(env.Signatures[0].Sig))
	}
	ctx := h.pusher()
	return h.store.InTx(ctx, func(tx *db.Client) error {
		digest := canonical.Digest(env.Payload)
		return tx.Evidence.Create().SetDigest(digest).SetSignerKey("k").SetRealm("").SetRawDigest(digest).SetMediaType("m").SetSize(1).
			SetPredicateType(testsType).SetCategory(entevidence.CategoryQUALITY).SetVerified(true).SetVerification("v").
			SetCreatedBy(h.actor).SetCreatedAt(h.now).Exec(ctx)
	})
}

// BenchmarkSubmitAgain repeats evidence that is there.
func BenchmarkSubmitAgain(b *testing.B) {
	h := newHouse(b, testdb.SQLite(b))
	key := newKey(b)
	h.trust("ci", key)
	in := envelopes(b, key, 1)[0]
	h.submit(h.pusher(), in)
	for b.Loop() {
		if _, known, err := h.service.Submit(h.pusher(), in); err != nil || !known {
			b.Fatal(known, err)
		}
	}
}

// BenchmarkSubmitSbom takes SBOMs of 2,000 components, most of which other SBOMs list too, or none.
func BenchmarkSubmitSbom(b *testing.B) {
	for name, fresh := range map[string]int{"all components are new": 2000, "one in twenty is new": 100} {
		b.Run(name, func(b *testing.B) {
			h := newHouse(b, testdb.SQLite(b))
			list := make([]evidence.SubmitEvidenceInput, b.N)
			for i := range list {
				components := make([]string, 2000)
				for j := range components {
					of := "shared"
					if j < fresh {
						of = fmt.Sprintf("run-%d", i)
					}
					components[j] = lib(fmt.Sprintf("%s-%d", of, j), "1.2.3", "MIT")
				}
				list[i] = cyclonedx(bill(fmt.Sprint(i), components...), byDigest("app.tgz"))
			}
			b.ResetTimer()
			for i := range list {
				h.submit(h.pusher(), list[i])
			}
		})
	}
}
