package attest_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"

	"github.com/plimsoll/plimsoll/internal/attest"
)

const (
	workflow = "https://github.com/acme/shop/.github/workflows/release.yml@refs/heads/main"
	provider = "https://token.actions.example.com"
)

// sigstore is a whole Sigstore in memory: certificate authority, log and timestamp authority. Its certificates have no
// timestamps of a certificate log.
type sigstore struct {
	*ca.VirtualSigstore
}

func newSigstore(tb testing.TB) sigstore {
	tb.Helper()
	s, err := ca.NewVirtualSigstore()
	if err != nil {
		tb.Fatal(err)
	}
	return sigstore{s}
}

// rootJSON is its trusted root, with the parts that are named: "tlog", "tsa", "ctlog".
func (s sigstore) rootJSON(tb testing.TB, parts ...string) []byte {
	tb.Helper()
	var logs, ctLogs map[string]*root.TransparencyLog
	var timestamps []root.TimestampingAuthority
	for _, part := range parts {
		switch part {
		case "tlog":
			logs = withRawIDs(tb, s.RekorLogs())
		case "tsa":
			timestamps = s.TimestampingAuthorities()
		case "ctlog":
			ctLogs = withRawIDs(tb, s.CTLogs())
		default:
			tb.Fatalf("no such part: %s", part)
		}
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, s.FulcioCertificateAuthorities(), ctLogs, timestamps, logs)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// withRawIDs mends the identifiers, which are in hexadecimal where the bytes belong.
func withRawIDs(tb testing.TB, logs map[string]*root.TransparencyLog) map[string]*root.TransparencyLog {
	tb.Helper()
	for id, log := range logs {
		raw, err := hex.DecodeString(id)
		if err != nil {
			tb.Fatal(err)
		}
		log.ID = raw
	}
	return logs
}

func (s sigstore) root(tb testing.TB, parts ...string) attest.TrustedRoot {
	tb.Helper()
	r, err := attest.ParseTrustedRoot(s.rootJSON(tb, parts...))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// attest signs the statement as subject, now, and returns the bundle before it is written.
func (s sigstore) attest(tb testing.TB, subject string) *protobundle.Bundle {
	tb.Helper()
	entity, err := s.AttestAtTime(subject, provider, []byte(statementJSON("")), time.Now().Add(5*time.Minute), true)
	if err != nil {
		tb.Fatal(err)
	}
	return s.bundle(tb, entity)
}

// sign signs the message as subject, now.
func (s sigstore) sign(tb testing.TB, subject, text string) *protobundle.Bundle {
	tb.Helper()
	entity, err := s.Sign(subject, provider, []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return s.bundle(tb, entity)
}

func (s sigstore) bundle(tb testing.TB, entity *ca.TestEntity) *protobundle.Bundle {
	tb.Helper()
	verification, err := entity.VerificationContent()
	if err != nil {
		tb.Fatal(err)
	}
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{
			Certificate: &protocommon.X509Certificate{RawBytes: verification.Certificate().Raw},
		},
		TimestampVerificationData: &protobundle.TimestampVerificationData{},
	}
	entries, _ := entity.TlogEntries()
	mediaType := attest.BundleMediaType
	for _, e := range entries {
		material.TlogEntries = append(material.TlogEntries, s.promise(tb, e.TransparencyLogEntry()))
		if !e.HasInclusionProof() {
			mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1" // the last that takes a promise alone
		}
	}
	timestamps, _ := entity.Timestamps()
	for _, t := range timestamps {
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: t})
	}
	b := &protobundle.Bundle{MediaType: mediaType, VerificationMaterial: material}
	content, err := entity.SignatureContent()
	if err != nil {
		tb.Fatal(err)
	}
	if message := content.MessageSignatureContent(); message != nil {
		b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
			MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: message.Digest()},
			Signature:     message.Signature(),
		}}
		return b
	}
	payload, err := content.EnvelopeContent().RawEnvelope().DecodeB64Payload()
	if err != nil {
		tb.Fatal(err)
	}
	b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
		Payload: payload, PayloadType: attest.PayloadType, Signatures: []*protodsse.Signature{{Sig: content.Signature()}},
	}}
	return b
}

// promise completes a log entry with what the double of sigstore-go keeps to itself: its kind, and the log's promise.
func (s sigstore) promise(tb testing.TB, entry *protorekor.TransparencyLogEntry) *protorekor.TransparencyLogEntry {
	tb.Helper()
	var body struct{ Kind, APIVersion string }
	if err := json.Unmarshal(entry.CanonicalizedBody, &body); err != nil {
		tb.Fatal(err)
	}
	set, err := s.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(entry.CanonicalizedBody), IntegratedTime: entry.IntegratedTime,
		LogIndex: entry.LogIndex, LogID: hex.EncodeToString(entry.LogId.KeyId),
	})
	if err != nil {
		tb.Fatal(err)
	}
	entry.KindVersion = &protorekor.KindVersion{Kind: body.Kind, Version: body.APIVersion}
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
	return entry
}

// written writes the bundle as JSON without the spaces that protojson strews.
func written(tb testing.TB, b *protobundle.Bundle) []byte {
	tb.Helper()
	raw, err := (&bundle.Bundle{Bundle: b}).MarshalJSON()
	if err != nil {
		tb.Fatal(err)
	}
	var compact json.RawMessage = raw
	if raw, err = json.Marshal(compact); err != nil {
		tb.Fatal(err)
	}
	return raw
}

func parsed(tb testing.TB, b *protobundle.Bundle) attest.Bundle {
	tb.Helper()
	return parseBundle(tb, written(tb, b))
}

func parseBundle(tb testing.TB, raw []byte) attest.Bundle {
	tb.Helper()
	b, err := attest.ParseBundle(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// identity is the registered one that most tests have.
func identity(r attest.TrustedRoot) attest.KeylessCandidate {
	return attest.KeylessCandidate{Alias: "release workflow", Issuer: provider, Subject: "https://github.com/acme/*", Root: r}
}

func wantKeyless(tb testing.TB, b attest.Bundle, candidates ...attest.KeylessCandidate) attest.KeylessVerdict {
	tb.Helper()
	v, err := attest.VerifyKeyless(b, candidates)
	if err != nil {
		tb.Fatal(err)
	}
	if !v.Verified || v.Issuer != provider || v.Subject != workflow || v.SignedAt.IsZero() || !strings.Contains(v.Reason, v.Alias) {
		tb.Errorf("verdict is %+v", v)
	}
	return v
}

// wantStranger wants a bundle that is kept with a reason that says so.
func wantStranger(tb testing.TB, b attest.Bundle, reason string, candidates ...attest.KeylessCandidate) {
	tb.Helper()
	v, err := attest.VerifyKeyless(b, candidates)
	if err != nil {
		tb.Fatal(err)
	}
	if v.Verified || v.Alias != "" || v.Subject != "" || !v.SignedAt.IsZero() || !strings.Contains(v.Reason, reason) {
		tb.Errorf("verdict is %+v; want a reason that says %q", v, reason)
	}
}
