package evidence_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/version"
)

// temporary points the system's temporary files to a folder, and fails the test if one is left there.
func temporary(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left on disk: %v %v", left, err)
		}
	})
}

// manyDigests are 2,501 subjects with 8 digests each.
func manyDigests() []string {
	list := make([]string, 2501)
	for i := range list {
		digests := make([]string, 8)
		for j := range digests {
			digests[j] = fmt.Sprintf(`"a%d":"%d"`, j, i)
		}
		list[i] = `{"digest":{` + strings.Join(digests, ",") + `}}`
	}
	return list
}

func text(s string) evidence.SubmitEvidenceInput { return evidence.SubmitEvidenceInput{Envelope: &s} }

func TestRule33_AnEnvelopeIsRefusedAndLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		temporary(t)
		h := newHouse(t, dsn)
		ci, old := newKey(t), newKey(t)
		fingerprint := h.trust("ci", ci).Fingerprint
		h.trust("old", old)
		if _, _, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "old"}); err != nil {
			t.Fatal(err)
		}
		good := statement(testsType, `{}`, "app.tgz")
		sig := sign(t, ci, "ci", inToto, good)
		payload := func(p string) evidence.SubmitEvidenceInput { return signed(t, ci, p) }
		sbom := func(predicateType, predicate string) evidence.SubmitEvidenceInput {
			return payload(statement(predicateType, predicate, "app.tgz"))
		}
		deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
		encoded := base64.StdEncoding.EncodeToString([]byte(good))
		sigJSON, err := json.Marshal(sig)
		if err != nil {
			t.Fatal(err)
		}

		for name, c := range map[string]struct {
			in    evidence.SubmitEvidenceInput
			words string
		}{
			"an altered payload":                              {envelope(inToto, strings.Replace(good, `{}`, `{"x":1}`, 1), sig), "the signature does not match"},
			"junk in the name of a registered key":            {envelope(inToto, good, signature{"ci", []byte("junk")}), "refused: signatures[0]: "},
			"junk in the name of a key's fingerprint":         {envelope(inToto, good, signature{fingerprint, []byte("junk")}), "does not match"},
			"junk in the name of a revoked key":               {envelope(inToto, good, signature{"old", []byte("junk")}), "does not match"},
			"another key's signature in a registered name":    {envelope(inToto, good, sign(t, newKey(t), "ci", inToto, good)), "does not match"},
			"a signature of another payload type":             {envelope(inToto, good, sign(t, ci, "ci", "text/plain", good)), "does not match"},
			"a good signature beside one that does not match": {envelope(inToto, good, sign(t, ci, "", inToto, good), signature{"ci", []byte("junk")}), "signatures[1]"},
			"no signature":                 {envelope(inToto, good, []signature{}...), "signatures"},
			"an empty list of signatures":  {text(`{"payloadType":"` + inToto + `","payload":"` + encoded + `","signatures":[]}`), "signatures: must not be empty"},
			"a key id that cannot be kept": {envelope(inToto, good, sign(t, newKey(t), "a\x00b", inToto, good)), "keyid"},

			"an empty text":                       {text(""), "not a DSSE envelope"},
			"text that is no JSON":                {text("-----BEGIN"), "not valid JSON"},
			"two envelopes one after the other":   {text(*payload(good).Envelope + *payload(good).Envelope), "submitEvidenceBatch"},
			"an envelope nested too deep":         {text(`{"x":` + deep + `}`), "deep"},
			"an envelope that says payload twice": {text(`{"payload":"` + encoded + `","payload":"` + encoded + `","payloadType":"` + inToto + `","signatures":[` + string(sigJSON) + `]}`), "duplicate"},
			"a payload that is no base64":         {text(`{"payload":"{}","payloadType":"` + inToto + `","signatures":[` + string(sigJSON) + `]}`), "base64"},
			"a bare statement":                    {text(good), "payloadType"},
			"a Sigstore bundle":                   {text(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":` + *payload(good).Envelope + `}`), "not a Sigstore bundle"},
			"another payload type":                {envelope("application/json", good, sign(t, ci, "", "application/json", good)), `"application/json"; an envelope around an in-toto statement, application/vnd.in-toto+json, is taken`},
			"more than 32 MiB":                    {text(strings.Repeat(" ", evidence.MaxSize+1)), "at most 33554432 bytes (32 MiB) are taken, got 33554433"},

			"a payload that is no statement":             {payload(`{"hello":"world"}`), "not an in-toto statement: _type"},
			"a statement of an unknown version":          {payload(strings.Replace(good, "Statement/v1", "Statement/v9", 1)), "_type"},
			"a statement without subjects":               {payload(about(testsType, `{}`)), "subject: must not be empty"},
			"a subject without a digest":                 {payload(about(testsType, `{}`, `{"name":"app.tgz"}`)), "subject[0].digest: missing"},
			"a digest in capital letters":                {payload(about(testsType, `{}`, `{"digest":{"sha256":"`+strings.ToUpper(hexOf("app.tgz"))+`"}}`)), "lower-case"},
			"a subject's name that cannot be kept":       {payload(about(testsType, `{}`, `{"name":"a\u0000b","digest":{"sha256":"`+hexOf("app.tgz")+`"}}`)), "subject[0].name: holds a control character"},
			"a digest that cannot be kept":               {payload(about(testsType, `{}`, `{"digest":{"mine":"a\u0000b"}}`)), "control character"},
			"a predicate type that cannot be kept":       {payload(strings.Replace(good, testsType, `urn:a\u0000b`, 1)), "predicateType"},
			"a statement without a predicate type":       {payload(statement("", `{}`, "app.tgz")), "predicateType"},
			"a statement nested too deep":                {payload(statement(testsType, deep, "app.tgz")), "deep"},
			"a statement that says predicateType twice":  {payload(strings.Replace(good, `"predicate":`, `"predicateType":"x","predicate":`, 1)), "duplicate"},
			"a statement that is not UTF-8":              {payload(strings.Replace(good, "app.tgz", "\xff", 1)), "UTF-8"},
			"a statement of more subjects than are read": {payload(about(testsType, `{}`, strings.Split(strings.Repeat(`{"digest":{"mine":"x"}};`, attest.MaxSubjects)+`{"digest":{"mine":"x"}}`, ";")...)), "subject: has"},
			"a statement of more digests than are kept":  {payload(about(testsType, `{}`, manyDigests()...)), "at most 20000 digests are taken, got 20008"},
			"an SBOM that is broken":                     {sbom(cdxType, `{"bomFormat":"CycloneDX"}`), "CycloneDX"},
			"an SBOM of an unknown version":              {sbom(cdxType, `{"bomFormat":"CycloneDX","specVersion":"9.9"}`), `"9.9"`},
			"an SBOM that is something else":             {sbom(cdxType, `{"components":[]}`), "no bill of materials"},
			"an SBOM that is text":                       {sbom("https://spdx.dev/Document", `"SPDXVersion: SPDX-2.3"`), "no bill of materials"},
			"an SBOM that is not there":                  {payload(strings.Replace(statement(cdxType, `{}`, "app.tgz"), `,"predicate":{}`, "", 1)), "has no predicate"},
			"an SBOM in another format than its type's":  {sbom("https://spdx.dev/Document/v2.3", bill("urn:1")), "promises SPDX and the document is CYCLONEDX"},
			"an SBOM with a component without a name":    {sbom(cdxType, bill("urn:1", `{"type":"library"}`)), "neither a name"},
			"an SBOM whose component's name is a number": {sbom(cdxType, bill("urn:1", lib("a", "1", "MIT"), `{"type":"library","name":7}`)), "name"},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				_, _, err := h.service.Submit(h.pusher(), c.in)
				h.mustRefuse(err, before, fault.BadInput, "input.envelope", c.words)
			})
		}
	})
}

func TestRule32_ADocumentIsRefusedAndLeavesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		temporary(t)
		h := newHouse(t, dsn)
		unknown, hidden := "pkg:npm/unknown@1.0.0", "pkg:npm/hidden@1.0.0"
		h.version("web", "1.0", "", pkg(unknown, ""))
		h.version("pay", "1.0", "", pkg(hidden, digestOf("hidden")))
		h.version("web", "2.0", "", pkg("pkg:npm/two@1.0.0", digestOf("one way")))
		h.version("web", "3.0", "", pkg("pkg:npm/two@1.0.0", digestOf("the other")))
		good := bill("urn:1", lib("a", "1", "MIT"))
		about := func(s evidence.EvidenceSubjectInput) evidence.SubmitEvidenceInput {
			return cyclonedx(good, byDigest("app.tgz"), &s)
		}
		ref := func(app, number string) evidence.SubmitEvidenceInput {
			return about(evidence.EvidenceSubjectInput{ApplicationVersion: &version.ApplicationVersionRefInput{ApplicationKey: app, Version: number}})
		}
		purl := func(p string) evidence.SubmitEvidenceInput { return about(evidence.EvidenceSubjectInput{Purl: &p}) }
		both := cyclonedx(good, byDigest("app.tgz"))
		both.Envelope = ptr("{}")
		longProvider := cyclonedx(good, byDigest("app.tgz"))
		longProvider.Provider = ptr(strings.Repeat("x", 256))
		many := make([]*evidence.EvidenceSubjectInput, 1001)
		for i := range many {
			many[i] = byDigest("app.tgz")
		}
		const (
			content, subjects = "input.document.content", "input.document.subjects"
			second            = subjects + ".1"
		)
		for name, c := range map[string]struct {
			in    evidence.SubmitEvidenceInput
			kind  fault.Kind
			path  string
			words string
		}{
			"neither an envelope nor a document":       {evidence.SubmitEvidenceInput{}, fault.BadInput, "input", "exactly one"},
			"an envelope and a document":               {both, fault.BadInput, "input", "exactly one"},
			"a provider of 256 characters":             {longProvider, fault.BadInput, "input.provider", "255"},
			"more than 32 MiB":                         {cyclonedx(strings.Repeat(" ", evidence.MaxSize+1), byDigest("app.tgz")), fault.BadInput, content, "32 MiB"},
			"a media type that nobody knows":           {document("application/x-acme", `{}`, byDigest("app.tgz")), fault.BadInput, content, "predicateType"},
			"a media type that is none":                {document("a/b/c", `{}`, byDigest("app.tgz")), fault.BadInput, "input.document.mediaType", "want a media type"},
			"a media type of the other format":         {document("application/spdx+json", good, byDigest("app.tgz")), fault.BadInput, content, "the media type says application/spdx+json"},
			"XML where the media type says JSON":       {cyclonedx(`<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`, byDigest("app.tgz")), fault.BadInput, content, "the media type says application/vnd.cyclonedx+json"},
			"an empty document":                        {cyclonedx("", byDigest("app.tgz")), fault.BadInput, content, "does not look like it"},
			"a document that is broken":                {cyclonedx(good[:len(good)-1], byDigest("app.tgz")), fault.BadInput, content, "cannot be read"},
			"a document that says components twice":    {cyclonedx(strings.Replace(good, `"components"`, `"components":[],"components"`, 1), byDigest("app.tgz")), fault.BadInput, content, "duplicate"},
			"a document nested too deep":               {cyclonedx(`{"bomFormat":"CycloneDX","x":`+strings.Repeat("[", 999)+strings.Repeat("]", 999)+`}`, byDigest("app.tgz")), fault.BadInput, content, "deep"},
			"no subject":                               {cyclonedx(good), fault.BadInput, subjects, "at least one subject"},
			"1,001 subjects":                           {cyclonedx(good, many...), fault.BadInput, subjects, "1000"},
			"a subject said in no way":                 {about(evidence.EvidenceSubjectInput{Name: ptr("x")}), fault.BadInput, second, "exactly one"},
			"a subject said in two ways":               {about(evidence.EvidenceSubjectInput{Digest: ptr(digestOf("x")), ApplicationVersion: &version.ApplicationVersionRefInput{ApplicationKey: "shop", Version: "1"}}), fault.BadInput, second, "got 2"},
			"a subject's name of 256 characters":       {about(evidence.EvidenceSubjectInput{Name: ptr(strings.Repeat("x", 256)), Digest: ptr(digestOf("x"))}), fault.BadInput, second + ".name", "255"},
			"a digest of another algorithm":            {about(evidence.EvidenceSubjectInput{Digest: ptr("md5:d41d8cd98f00b204e9800998ecf8427e")}), fault.BadInput, second + ".digest", "sha256"},
			"a purl that is none":                      {purl("left-pad@1.3.0"), fault.BadInput, second + ".purl", "not a package URL"},
			"a purl without a version":                 {purl("pkg:npm/left-pad"), fault.BadInput, second + ".purl", "names no version"},
			"a purl of which nobody has heard":         {purl("pkg:npm/nobody@1.0.0"), fault.BadInput, second + ".purl", "no digest is known here for this package version: give its digest"},
			"a purl of which no digest is known":       {purl(unknown), fault.BadInput, second + ".purl", "no digest is known here"},
			"a purl that only another project knows":   {purl(hidden), fault.BadInput, second + ".purl", "no digest is known here"},
			"a purl that is known with two digests":    {purl("pkg:npm/two@1.0.0"), fault.BadInput, second + ".purl", "several digests"},
			"a version that is not there":              {ref("web", "9.9"), fault.NotFound, second + ".applicationVersion", `"9.9"`},
			"a version of an application out of reach": {ref("pay", "1.0"), fault.NotFound, second + ".applicationVersion", `"pay"`},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				_, _, err := h.service.Submit(h.on(auth.Contributor, "web"), c.in)
				h.mustRefuse(err, before, c.kind, c.path, c.words)
			})
		}
	})
}

func TestRule43_WhoMayNotPushIsRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		in := signed(t, newKey(t), statement(testsType, `{}`, "app.tgz"))
		limited := h.as(auth.Principal{
			Grants:        []auth.Grant{{Role: auth.EvidencePusher, Project: h.projects["web"].ID}},
			EvidenceTypes: []string{cdxType, "https://slsa.dev/provenance/v1"},
		})
		for name, c := range map[string]struct {
			ctx   context.Context
			kind  fault.Kind
			words string
		}{
			"nobody":                         {context.Background(), fault.Unauthenticated, "token"},
			"somebody without a role":        {h.as(auth.Principal{}), fault.Forbidden, "EVIDENCE_PUSHER"},
			"a viewer":                       {h.org(auth.Viewer), fault.Forbidden, "EVIDENCE_PUSHER"},
			"an auditor":                     {h.org(auth.Auditor), fault.Forbidden, "EVIDENCE_PUSHER"},
			"a releaser of a project":        {h.on(auth.Releaser, "web"), fault.Forbidden, "EVIDENCE_PUSHER"},
			"the service itself":             {auth.System(context.Background()), fault.Forbidden, "EVIDENCE_PUSHER"},
			"a token limited to other types": {limited, fault.Forbidden, "only of: " + cdxType + ", https://slsa.dev/provenance/v1"},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				_, _, err := h.service.Submit(c.ctx, in)
				h.mustRefuse(err, before, c.kind, "", c.words)
			})
		}
		h.submit(limited, signed(t, newKey(t), statement(cdxType, bill("urn:1"), "app.tgz")))
	})
}

func TestRule35_ADocumentSaidToSpeakOfSomethingElseIsOtherEvidence(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		content := bill("urn:1", lib("a", "1", "MIT"))
		first := h.submit(h.pusher(), cyclonedx(content, byDigest("x"), byDigest("y")))
		if ev, known, err := h.service.Submit(h.pusher(), cyclonedx(content, byDigest("y"), byDigest("x"))); err != nil || !known || ev.ID != first.ID {
			t.Errorf("the same document about the same, in another order, is %v, %v, %v; want the first record", ev, known, err)
		}
		for _, other := range []evidence.SubmitEvidenceInput{cyclonedx(content, byDigest("y")), cyclonedx(content, byDigest("x"), byDigest("z"))} {
			ev, known, err := h.service.Submit(h.pusher(), other)
			if err != nil || known || ev.ID == first.ID || ev.Digest != first.Digest || *ev.SbomID != *first.SbomID {
				t.Errorf("the same document about something else is %v, %v, %v; want a record of its own on the same SBOM", ev, known, err)
			}
		}
	})
}

// FuzzSubmit holds that any text is taken whole or refused with a fault that names its field, without a trace.
func FuzzSubmit(f *testing.F) {
	h := newHouse(f, testdb.SQLite(f))
	key := newKey(f)
	good := *signed(f, key, statement(testsType, `{}`, "app.tgz")).Envelope
	for _, seed := range []string{
		"", "{}", "null", good, good[:len(good)/2], strings.ToUpper(good),
		*signed(f, key, statement(cdxType, bill("urn:1", lib("a", "1", "MIT")), "app.tgz")).Envelope,
		*signed(f, key, statement(cdxType, `{}`, "app.tgz")).Envelope,
		*envelope(inToto, "\x00").Envelope, bill("urn:2", lib("b", "1", "MIT")),
		`{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"x","packages":[]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := h.in(t)
		for path, in := range map[string]evidence.SubmitEvidenceInput{
			"input.envelope":         text(s),
			"input.document.content": cyclonedx(s, byDigest("app.tgz")),
		} {
			before := h.rows()
			ev, known, err := h.service.Submit(h.pusher(), in)
			if err != nil {
				h.mustRefuse(err, before, fault.BadInput, path)
				continue
			}
			after := h.rows()
			if !known && (after["evidence"] != before["evidence"]+1 || after["activity_events"] != before["activity_events"]+1) {
				t.Errorf("taken without its record or event: %v, then %v", before, after)
			}
			if raw, err := h.service.Raw(h.pusher(), ev); !known && (err != nil || string(raw) != s) {
				t.Errorf("what was taken is not kept byte for byte: %v", err)
			}
		}
	})
}

func TestTrustAnchorsAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		pem := func() string { return publicPEM(t, newKey(t)) }
		for name, c := range map[string]struct {
			ctx   context.Context
			in    evidence.AddTrustAnchorInput
			kind  fault.Kind
			path  string
			words string
		}{
			"by nobody":                     {context.Background(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(pem())}, fault.Unauthenticated, "", "token"},
			"by a project's admin":          {h.on(auth.ProjectAdmin, "web"), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(pem())}, fault.Forbidden, "", "ORGANISATION_ADMIN"},
			"by an organisation's pusher":   {h.pusher(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(pem())}, fault.Forbidden, "", "ORGANISATION_ADMIN"},
			"without an alias":              {h.admin(), evidence.AddTrustAnchorInput{PublicKey: ptr(pem())}, fault.BadInput, "input.alias", "at least 1"},
			"with an alias too long":        {h.admin(), evidence.AddTrustAnchorInput{Alias: strings.Repeat("x", 256), PublicKey: ptr(pem())}, fault.BadInput, "input.alias", "255"},
			"with an alias that is taken":   {h.admin(), evidence.AddTrustAnchorInput{Alias: "ci", PublicKey: ptr(pem())}, fault.Conflict, "input.alias", `"ci"`},
			"with a key that is taken":      {h.admin(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(publicPEM(t, ci))}, fault.Conflict, "input.publicKey", `"ci"`},
			"with text for a key":           {h.admin(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr("ssh-ed25519 AAAA")}, fault.BadInput, "input.publicKey", "not PEM"},
			"with a private key":            {h.admin(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr("-----BEGIN PRIVATE KEY-----")}, fault.BadInput, "input.publicKey", "private"},
			"with an end before its begin":  {h.admin(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(pem()), ValidFrom: &h.now, ValidTo: ptr(h.now.Add(-1))}, fault.BadInput, "input.validTo", "later than validFrom"},
			"with an end that is its begin": {h.admin(), evidence.AddTrustAnchorInput{Alias: "x", PublicKey: ptr(pem()), ValidFrom: &h.now, ValidTo: &h.now}, fault.BadInput, "input.validTo", "later than validFrom"},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				before := h.rows()
				_, err := h.service.AddTrustAnchor(c.ctx, c.in)
				h.mustRefuse(err, before, c.kind, c.path, c.words)
			})
		}
		revoke := func(ctx context.Context, alias string) error {
			_, _, err := h.service.RevokeTrustAnchor(ctx, evidence.RevokeTrustAnchorInput{Alias: alias})
			return err
		}
		before := h.rows()
		h.mustRefuse(revoke(context.Background(), "ci"), before, fault.Unauthenticated, "")
		h.mustRefuse(revoke(h.on(auth.ProjectAdmin, "web"), "ci"), before, fault.Forbidden, "", "ORGANISATION_ADMIN")
		h.mustRefuse(revoke(h.admin(), "nobody"), before, fault.NotFound, "input.alias", `"nobody"`)
		if err := revoke(h.admin(), "ci"); err != nil {
			t.Fatal(err)
		}
		before = h.rows()
		h.mustRefuse(revoke(h.admin(), "ci"), before, fault.FailedPrecondition, "input.alias", "revoked already")
		_, err := h.service.AddTrustAnchor(h.admin(), evidence.AddTrustAnchorInput{Alias: "ci again", PublicKey: ptr(publicPEM(t, ci))})
		h.mustRefuse(err, before, fault.Conflict, "input.publicKey", "registered already")
	})
}

func TestTrustAnchorsAddedAtOnceAreOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		in := evidence.AddTrustAnchorInput{Alias: "ci", PublicKey: ptr(publicPEM(t, newKey(t)))}
		results := make(chan error, 8)
		for range 8 {
			go func() {
				_, err := h.service.AddTrustAnchor(h.admin(), in)
				results <- err
			}()
		}
		added := 0
		for range 8 {
			err := <-results
			f, refused := errors.AsType[*fault.Error](err)
			switch {
			case err == nil:
				added++
			case !refused || f.Kind != fault.Conflict:
				t.Errorf("not refused as a conflict: %v", err)
			}
		}
		if rows := h.rows(); added != 1 || rows["trust_anchors"] != 1 || rows["activity_events"] != 1 {
			t.Errorf("%d were added, %v; want one", added, rows)
		}
	})
}
