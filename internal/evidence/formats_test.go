package evidence_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/view"
)

func viewOf(t *testing.T, ev *db.Evidence) view.View {
	t.Helper()
	var v view.View
	if err := json.Unmarshal([]byte(ev.View), &v); err != nil {
		t.Fatalf("evidence of type %s has the view %q: %v", ev.PredicateType, ev.View, err)
	}
	return v
}

func TestADocumentIsReadAsWhatItIs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		for name, c := range map[string]struct {
			mediaType, content, predicateType string
			says                              func(view.View) bool
		}{
			"JUnit": {
				"application/xml", `<testsuite name="s" tests="2" failures="1"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>`,
				"https://plimsoll.dev/documents/junit/v1",
				func(v view.View) bool { return v.Tests != nil && v.Tests.Failed == 1 && v.Tests.Result == view.Failed },
			},
			"SARIF": {
				"application/sarif+json", `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint"}},"results":[{"ruleId":"R","level":"error","message":{"text":"m"}}]}]}`,
				"https://docs.oasis-open.org/sarif/sarif/v2.1.0",
				func(v view.View) bool { return v.StaticAnalysis != nil && v.StaticAnalysis.Counts.Error == 1 },
			},
			"Trivy": {
				"application/json", `{"SchemaVersion":2,"ArtifactName":"i","Results":[{"Target":"t","Vulnerabilities":[{"VulnerabilityID":"CVE-2026-1","PkgName":"p","InstalledVersion":"1","Severity":"CRITICAL"}]}]}`,
				"https://plimsoll.dev/documents/trivy/v1",
				func(v view.View) bool { return v.Vulnerabilities != nil && v.Vulnerabilities.Counts.Critical == 1 },
			},
		} {
			t.Run(name, func(t *testing.T) {
				h := h.in(t)
				ev := h.submit(h.pusher(), document(c.mediaType, c.content, byDigest(name)))
				if ev.PredicateType != c.predicateType || ev.Verified || !c.says(viewOf(t, ev)) {
					t.Errorf("kept as %s, verified %t, saying %s", ev.PredicateType, ev.Verified, ev.View)
				}
			})
		}
	})
}

func TestRule36_AnUnknownTypeIsKept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		in := document("application/octet-stream", "anything at all", byDigest("a"))
		in.Document.PredicateType = ptr("https://acme.example/ticket/v7")
		ev := h.submit(h.pusher(), in)
		if ev.PredicateType != "https://acme.example/ticket/v7" || ev.View != "" {
			t.Errorf("kept as %s with view %q", ev.PredicateType, ev.View)
		}
		raw, err := h.service.Raw(h.admin(), ev)
		if err != nil || string(raw) != "anything at all" {
			t.Errorf("the bytes are %q: %v", raw, err)
		}
		p, err := h.service.Predicate(h.admin(), ev)
		if err != nil || p != nil {
			t.Errorf("a document that is no JSON has the predicate %q: %v", p, err)
		}
	})
}

func TestASignedPredicateOfAnotherShapeIsKeptWithoutAView(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ev := h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{"result":7}`, "a")))
		if ev.View != "" {
			t.Errorf("view %s", ev.View)
		}
		ev = h.submit(h.pusher(), signed(t, newKey(t), statement(testsType, `{"result":"PASSED","configuration":[],"passedTests":["a"]}`, "a")))
		if v := viewOf(t, ev); v.Tests == nil || v.Tests.Result != view.Passed {
			t.Errorf("view %s", ev.View)
		}
	})
}

// module reads a file of a library that publishes real bundles.
func module(t *testing.T, name string) string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The identity that signed the bundle below.
const (
	githubIssuer = "https://token.actions.githubusercontent.com"
	signerOfNpm  = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
)

func keyless(alias, subject, root string) evidence.AddTrustAnchorInput {
	return evidence.AddTrustAnchorInput{Alias: alias, Keyless: &evidence.KeylessIdentityInput{Issuer: githubIssuer, Subject: subject, TrustedRoot: root}}
}

func TestRule33_AKeylessIdentityVouches(t *testing.T) {
	bundle, root := module(t, "examples/bundle-provenance.json"), module(t, "examples/trusted-root-public-good.json")
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.trustFor(keyless("strangers", "https://github.com/acme/*", root))
		stranger := h.submit(h.pusher(), evidence.SubmitEvidenceInput{Envelope: &bundle})
		if stranger.Verified || stranger.SignerKey != "keyid:"+signerOfNpm {
			t.Errorf("signed by a stranger: verified %t, by %q: %s", stranger.Verified, stranger.SignerKey, stranger.Verification)
		}
		h.trustFor(keyless("sigstore", "https://github.com/sigstore/*", root))
		ev := h.submit(h.pusher(), evidence.SubmitEvidenceInput{Envelope: &bundle})
		identity, issuer, _ := evidence.SignerOf(ev)
		if !ev.Verified || identity != signerOfNpm || issuer != githubIssuer || ev.ID == stranger.ID {
			t.Errorf("verified %t, by %q of %q: %s", ev.Verified, identity, issuer, ev.Verification)
		}
		if v := viewOf(t, ev); v.Provenance == nil || !strings.Contains(v.Provenance.SourceRepository, "sigstore-js") {
			t.Errorf("view %s", ev.View)
		}
		again, known, err := h.service.Submit(h.pusher(), evidence.SubmitEvidenceInput{Envelope: &bundle})
		if err != nil || !known || again.ID != ev.ID {
			t.Errorf("again it is %v, known %t: %v", again, known, err)
		}
		altered := strings.Replace(bundle, `"payload": "ey`, `"payload": "eyA`, 1)
		if altered == bundle {
			altered = strings.Replace(bundle, `"payload":"ey`, `"payload":"eyA`, 1)
		}
		before := h.rows()
		_, _, err = h.service.Submit(h.pusher(), evidence.SubmitEvidenceInput{Envelope: &altered})
		h.mustRefuse(err, before, fault.BadInput, "input.envelope", "refused")

		if _, _, err := h.service.RevokeTrustAnchor(h.admin(), evidence.RevokeTrustAnchorInput{Alias: "sigstore"}); err != nil {
			t.Fatal(err)
		}
		anchor, err := ev.Anchor(h.admin())
		if err != nil {
			t.Fatal(err)
		}
		page, err := h.service.OfAnchor(h.admin(), anchor, nil, nil, nil, nil)
		if err != nil || len(page.Edges) != 1 || page.Edges[0].Node.ID != ev.ID || !page.Edges[0].Node.Verified {
			t.Errorf("on the revoked anchor stands %v: %v", page, err)
		}
	})
}

func TestAKeylessIdentityIsRefused(t *testing.T) {
	root := module(t, "examples/trusted-root-public-good.json")
	h := newHouse(t, testdb.SQLite(t))
	for name, c := range map[string]struct {
		in    evidence.AddTrustAnchorInput
		path  string
		words string
	}{
		"everybody":               {keyless("x", "*", root), "input.keyless.subject", ""},
		"a regular expression":    {keyless("x", "^https://github.com/acme/.*$", root), "input.keyless.subject", ""},
		"a root that is none":     {keyless("x", "https://github.com/acme/*", "{}"), "input.keyless.trustedRoot", ""},
		"neither key nor keyless": {evidence.AddTrustAnchorInput{Alias: "x"}, "input", "exactly one"},
	} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			before := h.rows()
			_, err := h.service.AddTrustAnchor(h.admin(), c.in)
			h.mustRefuse(err, before, fault.BadInput, c.path, c.words)
		})
	}
}

func TestRule35_ABatchAnswersForEach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		ci := newKey(t)
		h.trust("ci", ci)
		envelope := func(i string) string { return *signed(t, ci, statement(testsType, `{"case":"`+i+`"}`, "a")).Envelope }
		known := h.submit(h.pusher(), evidence.SubmitEvidenceInput{Envelope: ptr(envelope("known"))})
		lines := envelope("one") + "\n" + envelope("two") + "\n"
		twice := envelope("twice")
		items := []*evidence.SubmitEvidenceInput{
			{Envelope: ptr(envelope("known"))}, {Envelope: ptr("{}")}, {Envelope: &lines}, {Envelope: &twice}, {Envelope: &twice}, {},
		}
		results, err := h.service.SubmitBatch(h.pusher(), evidence.SubmitEvidenceBatchInput{Items: items})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			switch {
			case r.Refused != nil:
				got = append(got, "refused at "+r.Refused.Path)
			case r.AlreadyKnown:
				got = append(got, "known")
			default:
				got = append(got, "new")
			}
			if (r.Refused == nil) != (r.Evidence != nil) {
				t.Errorf("item %d: evidence %v, refused %v", r.Index, r.Evidence, r.Refused)
			}
		}
		slices.Sort(got[4:6]) // which of two equal ones comes first is open
		want := []string{"known", "refused at envelope", "new", "new", "known", "new", "refused at input"}
		if !slices.Equal(got, want) || results[0].Evidence.ID != known.ID || results[2].Index != 2 || results[3].Index != 2 {
			t.Errorf("results %q, want %q", got, want)
		}
		if rows := h.rows(); rows["evidence"] != 4 {
			t.Errorf("%d pieces of evidence, want 4", rows["evidence"])
		}
		for name, in := range map[string][]*evidence.SubmitEvidenceInput{"nothing": nil, "too many": make([]*evidence.SubmitEvidenceInput, 1001)} {
			before := h.rows()
			_, err := h.service.SubmitBatch(h.pusher(), evidence.SubmitEvidenceBatchInput{Items: in})
			t.Log(name)
			h.mustRefuse(err, before, fault.BadInput, "input.items", "")
		}
	})
}

func TestEvidenceIsFoundAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.version("web", "1.0", "QA", artifact("a"))
		ci := newKey(t)
		h.trust("ci", ci)
		tests := h.submit(h.pusher(), signed(t, ci, statement(testsType, `{}`, "a")))
		h.now = h.now.Add(1e9)
		sbom := h.submit(h.pusher(), cyclonedx(bill("urn:1", lib("x", "1", "MIT")), byDigest("b")))
		later := h.now
		for name, c := range map[string]struct {
			filter evidence.EvidenceFilter
			want   []int
		}{
			"everything":       {evidence.EvidenceFilter{}, []int{tests.ID, sbom.ID}},
			"by subject":       {evidence.EvidenceFilter{Subject: ptr(digestOf("a"))}, []int{tests.ID}},
			"by purl":          {evidence.EvidenceFilter{Purl: ptr("pkg:npm/none@1")}, nil},
			"by type":          {evidence.EvidenceFilter{PredicateTypes: []string{sbom.PredicateType}}, []int{sbom.ID}},
			"by category":      {evidence.EvidenceFilter{Categories: []string{"QUALITY"}}, []int{tests.ID}},
			"by signer":        {evidence.EvidenceFilter{Signers: []string{"ci", "nobody"}}, []int{tests.ID}},
			"by verification":  {evidence.EvidenceFilter{Verified: ptr(false)}, []int{sbom.ID}},
			"since":            {evidence.EvidenceFilter{From: &later}, []int{sbom.ID}},
			"until":            {evidence.EvidenceFilter{To: &later}, []int{tests.ID}},
			"by application":   {evidence.EvidenceFilter{ApplicationKeys: []string{"web"}}, []int{tests.ID}},
			"by stage":         {evidence.EvidenceFilter{Stages: []string{"QA"}}, []int{tests.ID}},
			"by two that fail": {evidence.EvidenceFilter{Stages: []string{"QA"}, Verified: ptr(false)}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				page, err := h.service.Search(h.admin(), &c.filter, nil, nil, nil, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				var got []int
				for _, e := range page.Edges {
					got = append(got, e.Node.ID)
				}
				if !slices.Equal(got, c.want) || page.TotalCount != len(c.want) {
					t.Errorf("found %v of %d, want %v", got, page.TotalCount, c.want)
				}
			})
		}
	})
}

func TestASearchFindsItsIndex(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		h.version("web", "1.0", "QA", artifact("a"))
		ci := newKey(t)
		anchor := h.trust("ci", ci)
		h.submit(h.pusher(), signed(t, ci, statement(testsType, `{}`, "a")))
		newest := &db.EvidenceOrder{Direction: "DESC", Field: db.EvidenceOrderFieldCreatedAt}
		for name, filter := range map[string]evidence.EvidenceFilter{
			"subject": {Subject: ptr(digestOf("a"))}, "purl": {Purl: ptr("pkg:npm/a@1")}, "type": {PredicateTypes: []string{testsType}},
			"category": {Categories: []string{"QUALITY"}}, "signer": {Signers: []string{"ci"}}, "verified": {Verified: ptr(true)},
			"since": {From: &h.now}, "application": {ApplicationKeys: []string{"web"}}, "stage": {Stages: []string{"QA"}},
		} {
			t.Run(name, func(t *testing.T) {
				testdb.NoScans(h.admin(), t, dsn, func(ctx context.Context) error {
					_, err := h.service.Search(ctx, &filter, newest, nil, ptr(10), nil, nil)
					return err
				}, "trust_anchors", "stages") // an organisation has few of either
			})
		}
		t.Run("a cursor of another order", func(t *testing.T) {
			before := h.rows()
			page, err := h.service.Search(h.admin(), nil, nil, nil, ptr(1), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.service.Search(h.admin(), nil, newest, page.PageInfo.EndCursor, ptr(1), nil, nil)
			h.in(t).mustRefuse(err, before, fault.BadInput, "after", "another order")
		})
		t.Run("what stands on an anchor", func(t *testing.T) {
			testdb.NoScans(h.admin(), t, dsn, func(ctx context.Context) error {
				if _, err := h.service.OfAnchor(ctx, anchor, nil, ptr(10), nil, nil); err != nil {
					return err
				}
				page, err := h.service.VersionsOnAnchor(ctx, anchor, nil, ptr(10), nil, nil)
				if err == nil && len(page.Edges) != 1 {
					t.Errorf("%d versions stand on the anchor, want 1", len(page.Edges))
				}
				return err
			})
		})
	})
}
