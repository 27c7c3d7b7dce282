package evidence_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	entevidence "github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestRule32_WhatIsTakenIsKeptByteForByte(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		payload := statement(testsType, `{ "result" : "PASSED" }`, "app.tgz")
		in := signed(t, newKey(t), payload)
		*in.Envelope = " \n" + *in.Envelope + "\n"
		in.Provider = ptr("junit")
		ev := h.submit(h.pusher(), in)

		raw, err := h.service.Raw(h.pusher(), ev)
		if err != nil || string(raw) != *in.Envelope {
			t.Errorf("raw bytes differ from what was pushed: %v\n%s", err, raw)
		}
		if ev.Digest != canonical.Digest([]byte(payload)) || ev.RawDigest != canonical.Digest(raw) || ev.Size != len(raw) {
			t.Errorf("the digest is not the payload's, or the raw digest and size are not the envelope's: %v", ev)
		}
		if ev.Provider != "junit" || ev.MediaType != "application/vnd.dsse.envelope.v1+json" || !ev.CreatedAt.Equal(h.now) || ev.CreatedBy != h.actor {
			t.Errorf("provider, media type, instant or pusher is wrong: %v", ev)
		}
	})
}

func TestRule32_ADocumentIsUnsigned(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		content := bill("urn:1", lib("left-pad", "1.3.0", "MIT")) + "\n"
		ev := h.submit(h.pusher(), cyclonedx(content, byDigest("app.tgz")))
		if ev.Verified || !strings.HasPrefix(ev.SignerKey, "subjects:sha256:") || ev.AnchorID != nil || ev.Verification != "a document without a signature" {
			t.Errorf("a document without a signature counts as %v, signer %q: %s", ev.Verified, ev.SignerKey, ev.Verification)
		}
		if ev.PredicateType != cdxType || ev.Category != entevidence.CategorySECURITY || ev.Digest != canonical.Digest([]byte(content)) {
			t.Errorf("type, category or digest is wrong: %v", ev)
		}
		raw, err := h.service.Raw(h.pusher(), ev)
		if err != nil || string(raw) != content {
			t.Errorf("raw bytes differ: %v", err)
		}
	})
}

func TestRule33_ASignatureIsJudgedWhenItArrives(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci, stranger, revoked, later, over, edge := newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t)
		_, edwards, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		ciRow := h.trust("ci", ci)
		h.trust("ed", edwards)
		h.trust("old", revoked)
		h.trustFor(evidence.AddTrustAnchorInput{Alias: "later", PublicKey: ptr(publicPEM(t, later)), ValidFrom: ptr(h.now.Add(time.Second))})
		h.trustFor(evidence.AddTrustAnchorInput{Alias: "over", PublicKey: ptr(publicPEM(t, over)), ValidTo: ptr(h.now)})
		h.trustFor(evidence.AddTrustAnchorInput{Alias: "edge", PublicKey: ptr(publicPEM(t, edge)), ValidFrom: ptr(h.now), ValidTo: ptr(h.now.Add(time.Second))})
		if _, _, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "old"}); err != nil {
			t.Fatal(err)
		}
		by := func(key crypto.Signer, keyID string) func(string) []signature {
			return func(payload string) []signature { return []signature{sign(t, key, keyID, inToto, payload)} }
		}
		for name, c := range map[string]struct {
			signatures func(payload string) []signature
			verified   bool
			reason     string
			signer     string
		}{
			"a registered key without a keyid counts":      {by(ci, ""), true, `signed by the registered key "ci"`, ciRow.Fingerprint},
			"a registered key by its alias counts":         {by(ci, "ci"), true, `"ci"`, ciRow.Fingerprint},
			"a registered key by its fingerprint counts":   {by(ci, ciRow.Fingerprint), true, `"ci"`, ciRow.Fingerprint},
			"a registered key of another kind counts":      {by(edwards, ""), true, `"ed"`, ""},
			"a key counts from the instant it is valid":    {by(edge, ""), true, `"edge"`, ""},
			"a stranger is kept and does not count":        {by(stranger, "joe"), false, `keyid "joe"`, "keyid:joe"},
			"a stranger without a name does not count":     {by(stranger, ""), false, "no registered key matches", "keyid:"},
			"a revoked key does not count, and says when":  {by(revoked, ""), false, `"old", which was revoked on 2026-03-01T12:00:00Z`, "keyid:"},
			"a key does not count before its time":         {by(later, ""), false, `"later", which is valid only from 2026-03-01T12:00:01Z`, "keyid:"},
			"a key does not count when its time is over":   {by(over, "over"), false, `"over", which was valid until 2026-03-01T12:00:00Z`, "keyid:over"},
			"junk that names nobody is kept as unverified": {func(string) []signature { return []signature{{"", []byte("junk")}} }, false, "no registered key", "keyid:"},
			"one registered signer among strangers is enough": {func(p string) []signature {
				return []signature{sign(t, stranger, "joe", inToto, p), sign(t, ci, "", inToto, p)}
			}, true, `"ci"`, ciRow.Fingerprint},
		} {
			t.Run(name, func(t *testing.T) {
				payload := statement(testsType, fmt.Sprintf(`{"case":%q}`, name), "app.tgz")
				ev := h.in(t).submit(h.pusher(), envelope(inToto, payload, c.signatures(payload)...))
				if ev.Verified != c.verified || (ev.AnchorID != nil) != c.verified || !strings.Contains(ev.Verification, c.reason) {
					t.Errorf("verified %v, anchor %v, because %s; want %v because %s", ev.Verified, ev.AnchorID, ev.Verification, c.verified, c.reason)
				}
				if c.signer != "" && ev.SignerKey != c.signer {
					t.Errorf("signer key %q, want %q", ev.SignerKey, c.signer)
				}
			})
		}
	})
}

func TestRule33_AKeyThatIsRevokedMeanwhileDoesNotVouch(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		in := signed(t, ci, statement(testsType, `{}`, "app.tgz"))
		var before map[string]int
		revoke := sync.OnceFunc(func() {
			if _, _, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"}); err != nil {
				t.Error(err)
			}
			before = h.rows()
		})
		// The stage is looked for after the signature was verified and before anything is written.
		ctx := store.Watch(h.pusher(), func(query string, _ []any) {
			if strings.Contains(query, "application_versions") {
				revoke()
			}
		})
		_, _, err := h.service.Submit(ctx, in)
		h.mustRefuse(err, before, fault.Conflict, "", `"ci" was revoked while`)
		if ev := h.submit(h.pusher(), in); ev.Verified {
			t.Error("evidence counts as verified by a key that was revoked before")
		}
	})
}

func TestRule34_ASubjectIsMatchedByDigest(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("app.tgz"))
		both := fmt.Sprintf(`{"name":"a hint","digest":{"sha256":%q,"gitCommit":"%040d"}}`, hexOf("app.tgz"), 7)
		sameName := fmt.Sprintf(`{"name":"app.tgz","digest":{"sha256":%q}}`, hexOf("another"))
		byURI := fmt.Sprintf(`{"uri":"https://example.com/x","digest":{"sha256":%q}}`, hexOf("x"))
		ev := h.submit(h.pusher(), signed(t, newKey(t), about(testsType, `{}`, both, both, byURI)))
		h.submit(h.pusher(), signed(t, newKey(t), about(testsType, `{}`, sameName)))

		subjects, err := h.store.Read().EvidenceSubject.Query().Where(evidencesubject.EvidenceID(ev.ID)).
			Order(evidencesubject.ByID()).All(h.pusher())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range subjects {
			got = append(got, s.Name+" "+s.Digest)
		}
		want := []string{fmt.Sprintf("a hint gitCommit:%040d", 7), "a hint " + digestOf("app.tgz"), "https://example.com/x " + digestOf("x")}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("subjects are\n%v, want each digest of each once\n%v", got, want)
		}
		found, err := h.service.OfVersion(h.pusher(), v, nil, nil, nil, nil)
		if err != nil || len(found.Edges) != 1 || found.Edges[0].Node.ID != ev.ID {
			t.Errorf("evidence of the version is not the one whose subject has the digest: %v %v", found, err)
		}
	})
}

func TestRule35_TheSameEvidenceIsOneRecord(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		payload := statement(testsType, `{"result":"PASSED"}`, "app.tgz")
		first := h.submit(h.pusher(), signed(t, ci, payload))
		before := h.rows()
		again := func(why string, in evidence.SubmitEvidenceInput) {
			t.Helper()
			ev, known, err := h.service.Submit(h.pusher(), in)
			if err != nil || !known || ev.ID != first.ID || ev.RawDigest != first.RawDigest {
				t.Errorf("%s: known %v, %v, %v; want the first record", why, known, ev, err)
			}
			if after := h.rows(); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("%s: rows changed from %v to %v", why, before, after)
			}
		}
		again("signed anew by the same key", signed(t, ci, payload))
		again("with the key called by its alias", envelope(inToto, payload, sign(t, ci, "ci", inToto, payload)))
		if _, _, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "ci"}); err != nil {
			t.Fatal(err)
		}
		before = h.rows()
		again("after the key was revoked", signed(t, ci, payload))

		if other := h.submit(h.pusher(), signed(t, newKey(t), payload)); other.ID == first.ID {
			t.Error("another signer's evidence is the first one's")
		}
	})
}

func TestRule35_EightAtOnceAreOneRecord(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		for name, in := range map[string]func() evidence.SubmitEvidenceInput{
			"a signed statement": func() evidence.SubmitEvidenceInput { return signed(t, ci, statement(testsType, `{}`, "app.tgz")) },
			"a signed SBOM": func() evidence.SubmitEvidenceInput {
				return signed(t, ci, statement(cdxType, bill("urn:2", lib("a", "1", "MIT"), lib("b", "1", "MIT")), "app.tgz"))
			},
			"a document": func() evidence.SubmitEvidenceInput {
				return cyclonedx(bill("urn:3", lib("b", "1", "MIT"), lib("c", "1", "MIT")), byDigest("app.tgz"))
			},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				fresh, ids := atOnce(t, 8, func() (*db.Evidence, bool, error) { return h.service.Submit(h.pusher(), in()) })
				if fresh != 1 || len(ids) != 1 {
					t.Errorf("%d of 8 were new, %d records; want one", fresh, len(ids))
				}
				after := h.rows()
				for _, table := range []string{"evidence", "evidence_subjects", "blobs", "activity_events"} {
					if after[table] != before[table]+1 {
						t.Errorf("%s has %d rows more, want 1", table, after[table]-before[table])
					}
				}
			})
		}
	})
}

func TestRule35_SbomsThatShareComponentsDoNotBlockEachOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		const components = 300
		n := 0
		var mu sync.Mutex
		fresh, ids := atOnce(t, 8, func() (*db.Evidence, bool, error) {
			mu.Lock()
			mine := n
			n++
			mu.Unlock()
			list := make([]string, components)
			for i := range list {
				list[i] = lib(fmt.Sprintf("lib%d", (i*7+mine*131)%components), "1.0", "MIT") // each in another order
			}
			return h.service.Submit(h.pusher(), cyclonedx(bill(fmt.Sprintf("urn:%d", mine), list...), byDigest("app.tgz")))
		})
		rows := h.rows()
		if fresh != 8 || len(ids) != 8 || rows["components"] != components || rows["sbom_components"] != 8*components {
			t.Errorf("%d new, %d records, %v; want 8, 8 and %d components shared by all", fresh, len(ids), rows, components)
		}
	})
}

// atOnce calls fn in n goroutines that start together, and gives how many answers were new, and the different records.
func atOnce(t *testing.T, n int, fn func() (*db.Evidence, bool, error)) (fresh int, ids map[int]bool) {
	t.Helper()
	start := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids = map[int]bool{}
	for range n {
		wg.Go(func() {
			<-start
			ev, known, err := fn()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[ev.ID] = true
			if !known {
				fresh++
			}
		})
	}
	close(start)
	wg.Wait()
	return fresh, ids
}

func TestRule36_UnknownPredicateTypesAreKept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "", artifact("app.tgz"))
		for predicateType, want := range map[string]entevidence.Category{
			"urn:nobody-has-heard-of-this":                entevidence.CategoryCUSTOM,
			"https://cosign.sigstore.dev/attestation/v1":  entevidence.CategoryCUSTOM,
			"https://slsa.dev/provenance/v1":              entevidence.CategoryAUDIT,
			"https://slsa.dev/verification_summary/v1":    entevidence.CategoryAUDIT,
			"https://in-toto.io/attestation/release/v0.1": entevidence.CategoryAUDIT,
			testsType: entevidence.CategoryQUALITY,
			"https://in-toto.io/attestation/vulns/v0.2":          entevidence.CategorySECURITY,
			"https://cosign.sigstore.dev/attestation/vuln/v1":    entevidence.CategorySECURITY,
			"https://openvex.dev/ns/v0.2.0":                      entevidence.CategorySECURITY,
			"https://in-toto.io/attestation/link/v0.3":           entevidence.CategoryWORKFLOW,
			"https://plimsoll.dev/attestations/approval/v1":      entevidence.CategoryAUDIT,
			"https://slsa.dev/provenance-of-another-kind/v1":     entevidence.CategoryCUSTOM,
			"https://in-toto.io/attestation/runtime-trace/v0.1":  entevidence.CategoryWORKFLOW,
			"https://in-toto.io/attestation/promotion-record/v1": entevidence.CategoryAUDIT,
		} {
			ev := h.submit(h.pusher(), signed(t, newKey(t), statement(predicateType, `{"anything":[1,2]}`, "app.tgz")))
			if ev.Category != want || ev.PredicateType != predicateType {
				t.Errorf("%s is in %s, want %s", predicateType, ev.Category, want)
			}
		}
		seen, err := h.service.ForGate(context.Background(), v)
		if err != nil || len(seen) != 14 {
			t.Fatalf("a gate sees %d pieces of evidence: %v", len(seen), err)
		}
		for _, e := range seen {
			if string(e.Predicate) != `{"anything":[1,2]}` {
				t.Errorf("a gate sees %s of %s", e.Predicate, e.Row.PredicateType)
			}
		}
	})
}

func TestRule40_NewEvidenceIsAnEvent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		ev := h.submit(h.on(auth.EvidencePusher, "web"), signed(t, ci, statement(testsType, `{}`, "a", "b", "c", "d", "e", "f", "g")))
		log := activity.New(h.store, func() time.Time { return h.now })
		page, err := log.Events(h.on(auth.Viewer, "web"), &activity.Filter{Subject: &ev.Digest}, nil, nil, nil, nil)
		if err != nil || len(page.Edges) != 1 {
			t.Fatalf("there is no one event about the evidence: %v %v", page, err)
		}
		event := page.Edges[0].Node
		changes, err := activity.Changes(h.on(auth.Viewer, "web"), event)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range changes {
			got[c.Field] = *c.To
		}
		actor, err := activity.Actor(h.on(auth.Viewer, "web"), event)
		if err != nil {
			t.Fatal(err)
		}
		if event.Type != string(activity.EvidenceSubmitted) || event.ProjectKey != "web" || actor != "robin" {
			t.Errorf("type, project or actor of the event is wrong: %v", event)
		}
		if got["digest"] != ev.Digest || got["predicateType"] != testsType || got["verified"] != "true" || got["signer"] != "ci" ||
			!strings.HasPrefix(got["subjects"], digestOf("a")+" ") || !strings.HasSuffix(got["subjects"], "and 2 more") {
			t.Errorf("the event says %v", got)
		}
	})
}
