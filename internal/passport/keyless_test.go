package passport_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
)

const (
	workflow = "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main"
	provider = "https://token.actions.example.com"
)

// addKeyless brings a statement that a workflow signed, seen by a timestamp authority.
func (w *world) addKeyless(message bool) {
	w.tb.Helper()
	sigstore, err := ca.NewVirtualSigstore()
	w.must(err)
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, sigstore.FulcioCertificateAuthorities(), nil, sigstore.TimestampingAuthorities(), nil)
	w.must(err)
	statement, err := attest.NewStatement(w.subjects(), "https://example.test/keyless", object{"passed": 12})
	w.must(err)
	payload, err := canonical.JSON(statement)
	w.must(err)
	var entity *ca.TestEntity
	if message {
		payload = []byte("shop.tar")
		entity, err = sigstore.Sign(workflow, provider, payload)
	} else {
		entity, err = sigstore.AttestAtTime(workflow, provider, payload, time.Now().Add(5*time.Minute), false)
	}
	w.must(err)
	name := "keys/anchors/workflow.json"
	rootJSON, err := json.Marshal(trusted)
	w.must(err)
	w.json(name, passport.Anchor{
		Alias: "workflow", Kind: "KEYLESS", Fingerprint: "sha256:" + strings.Repeat("0", 64), Issuer: provider, Subject: "https://github.com/acme/*",
		TrustedRoot: json.RawMessage(rootJSON),
	})
	w.bring(w.bundleOf(entity), payload, passport.EvidenceRecord{PredicateType: "https://example.test/keyless", Verified: true, Signer: "workflow"})
}

func (w *world) bundleOf(entity *ca.TestEntity) []byte {
	w.tb.Helper()
	verification, err := entity.VerificationContent()
	w.must(err)
	material := &protobundle.VerificationMaterial{
		Content:                   &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: verification.Certificate().Raw}},
		TimestampVerificationData: &protobundle.TimestampVerificationData{},
	}
	timestamps, err := entity.Timestamps()
	w.must(err)
	for _, t := range timestamps {
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps, &protocommon.RFC3161SignedTimestamp{SignedTimestamp: t})
	}
	b := &protobundle.Bundle{MediaType: attest.BundleMediaType, VerificationMaterial: material}
	content, err := entity.SignatureContent()
	w.must(err)
	if m := content.MessageSignatureContent(); m != nil {
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: m.Digest()}, Signature: m.Signature(),
		}}
	} else {
		payload, err := content.EnvelopeContent().RawEnvelope().DecodeB64Payload()
		w.must(err)
		b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: payload, PayloadType: attest.PayloadType, Signatures: []*protodsse.Signature{{Sig: content.Signature()}},
		}}
	}
	raw, err := (&bundle.Bundle{Bundle: b}).MarshalJSON()
	w.must(err)
	return raw
}

func TestRule33_EvidenceOfAnIdentityIsVerifiedUnderTheRootInThePassport(t *testing.T) {
	for name, message := range map[string]bool{"a statement": false, "a digest": true} {
		t.Run(name, func(t *testing.T) {
			w := &world{tb: t, files: map[string][]byte{}, small: true, more: func(w *world) { w.addKeyless(message) }}
			w.fill([]any{waiver})
			dir := unpack(t, w.pack())
			if v, r := verify(t, dir, passport.Options{}, true); v.code != 0 || r.Signatures != 2 {
				t.Fatalf("the verifier says %d: %s%+v", v.code, v.said, r)
			}
			path := "evidence/" + w.evidence[2].Digest[7:]
			if os.Getenv("PLIMSOLL_TOOLS") != "" {
				if s := script(t, dir); s.code != 0 || !strings.Contains(s.said, "NOT CHECKED: "+path+": ") {
					t.Errorf("verify.sh says %d: %s", s.code, s.said)
				}
			}
			for what, alter := range map[string]func(){
				"another identity": func() { w.in("keys/anchors/workflow.json", "/acme/", "/acne/") },
				"another issuer":   func() { w.in("keys/anchors/workflow.json", provider, provider+"/") },
				"another root": func() {
					other := &world{tb: t, files: map[string][]byte{}, small: true, more: func(w *world) { w.addKeyless(message) }}
					other.fill([]any{waiver})
					w.files["keys/anchors/workflow.json"] = other.files["keys/anchors/workflow.json"]
				},
			} {
				before := w.files["keys/anchors/workflow.json"]
				alter()
				if v, _ := verify(t, unpack(t, w.pack()), passport.Options{}, false); v.code != 1 || !strings.Contains(v.said, "WRONG: "+path+": ") {
					t.Errorf("%s: the verifier says %d: %s", what, v.code, v.said)
				}
				w.files["keys/anchors/workflow.json"] = before
			}
		})
	}
}
