package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// signed pushes a statement about the image, signed with the installation's key.
func (w *world) signed(predicateType string, predicate any) {
	w.tb.Helper()
	st := must(attest.NewStatement([]attest.Subject{{
		Name: "image", Digest: map[string]string{"sha256": strings.TrimPrefix(digestOf("image"), "sha256:"), "gitCommit": strings.Repeat("ab", 20)},
	}}, predicateType, predicate))(w.tb)
	made := must(w.signer.Sign(w.admin, st))(w.tb)
	w.submit(evidence.SubmitEvidenceInput{Envelope: ptr(string(made.Envelope)), Provider: ptr("the scanner")})
}

func (w *world) submit(in evidence.SubmitEvidenceInput) {
	w.tb.Helper()
	if _, _, err := w.evidence.Submit(w.admin, in); err != nil {
		w.tb.Fatal(err)
	}
}

// history brings a version back and forth: promoted, refused, released, taken back twice, promoted again.
func (w *world) history(name string) {
	w.tb.Helper()
	must(w.promote(name, "DEV"))(w.tb)
	w.guard("shut", "QA", entry, block, "wrong")
	must(w.promote(name, "QA"))(w.tb)
	w.disable("shut")
	must(w.promote(name, "QA"))(w.tb)
	must(w.release(name))(w.tb)
	must(w.rollback(name, "PROD"))(w.tb)
	must(w.rollback(name, "QA"))(w.tb)
}

// rich makes a version in DEV of which there is something of everything to tell.
func (w *world) rich() {
	w.tb.Helper()
	must(w.catalog.BindPackage(w.admin, catalog.BindPackageInput{ApplicationKey: "ledger", PURL: "pkg:npm/left-pad"}))(w.tb)
	w.version("1.0")
	w.history("1.0")
	must(w.evidence.AddTrustAnchor(w.admin, evidence.AddTrustAnchorInput{Alias: "ci", PublicKey: ptr(string(w.signer.PublicKeyPEM()))}))(w.tb)
	w.signed("https://example.org/tests/v1", map[string]any{"passed": 1.0, "text": "<&>\u2028"})
	w.signed("https://example.org/long/v1", map[string]any{"text": strings.Repeat("x", 64<<10)})
	sbom := func(content string) evidence.SubmitEvidenceInput {
		return evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{
			MediaType: "application/vnd.cyclonedx+json", Content: content,
			Subjects: []*evidence.EvidenceSubjectInput{{Digest: ptr(digestOf("image"))}},
		}}
	}
	components := `{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","licenses":[{"license":{"id":"MIT"}}]},{"type":"library","name":"bare"}`
	document := `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[` + components + "]}"
	document = string(must(canonical.Normalize([]byte(document)))(w.tb)) // as it stands in a signed statement
	w.submit(sbom(document))
	w.signed("https://cyclonedx.org/bom", json.RawMessage(document))
	w.guard("checks", "QA", entry, block, "fine")
}

func inputSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	return must(c.Compile("../../docs/policy-input.schema.json"))(t)
}

func TestRule23_TheInputIsKeptAndIsWhatTheDocumentationSays(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		result := must(w.promote("1.0", "QA"))(t)
		if len(result.Evaluations) != 2 {
			t.Fatalf("%d gates were asked", len(result.Evaluations))
		}
		for _, e := range result.Evaluations {
			again := must(w.gates.Evaluation(w.releaserOfAll(), *e.EvalID))(t)
			text := *must(w.gates.Input(w.releaserOfAll(), again))(t)
			if digest := canonical.Digest([]byte(text)); digest != e.InputDigest || digest != again.InputDigest {
				t.Errorf("the input has digest %s, recorded is %s", digest, e.InputDigest)
			}
			if spelled := must(canonical.Normalize([]byte(text)))(t); string(spelled) != text {
				t.Error("the input is not in its canonical form")
			}
			doc := must(jsonschema.UnmarshalJSON(strings.NewReader(text)))(t)
			if err := schema.Validate(doc); err != nil {
				t.Errorf("the input is not what its schema says: %v", err)
			}
			for _, name := range []string{admin, releaser, owner} {
				if strings.Contains(text, name) {
					t.Errorf("the input names %s", name)
				}
			}
			capabilities := *must(w.gates.Capabilities(w.releaser, again))(t)
			if capabilities != string(rego.Capabilities()) || canonical.Digest([]byte(capabilities)) != e.CapabilitiesDigest {
				t.Error("the capabilities are not those recorded")
			}
		}
		w.checkRichInput(*must(w.gates.Input(w.releaserOfAll(), must(w.gates.Evaluation(w.releaser, *result.Evaluations[1].EvalID))(t)))(t))
	})
}

// checkRichInput compares the input, cut to what the test is about, with what was done.
func (w *world) checkRichInput(text string) {
	w.tb.Helper()
	var in struct {
		Gate        struct{ Stage, Kind string }
		Application struct{ Labels map[string][]string }
		Version     struct {
			Tag     *string
			History []struct {
				Kind, Status string
				From         *string `json:"from_stage"`
				To           *string `json:"to_stage"`
				Undone       bool
				Gates        []struct{ Decision string }
			}
		}
		Contents []struct {
			Name  string
			PURL  *string
			Level string  `json:"connection_level"`
			Owner *string `json:"owning_application"`
		}
		Evidence []struct {
			Verified  bool
			Signer    *string
			Provider  *string
			Stage     *string
			Subjects  []string
			Predicate json.RawMessage
		}
		Sboms []struct {
			Digest string
			Signer *string
		}
		Components []struct {
			PURL    *string
			Name    string
			Version *string
			Sboms   []string
		}
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		w.tb.Fatal(err)
	}
	var got []string
	say := func(format string, args ...any) {
		for i, a := range args {
			if p, ok := a.(*string); ok {
				args[i] = "null"
				if p != nil {
					args[i] = *p
				}
			}
		}
		got = append(got, fmt.Sprintf(format, args...))
	}
	say("%s %s, labels %v, tag %v", in.Gate.Stage, in.Gate.Kind, in.Application.Labels, in.Version.Tag)
	for _, h := range in.Version.History {
		say("%s %s %v→%v undone %v %v", h.Kind, h.Status, h.From, h.To, h.Undone, h.Gates)
	}
	for _, c := range in.Contents {
		say("%s %v %s %v", c.Name, c.PURL, c.Level, c.Owner)
	}
	for _, e := range in.Evidence {
		say("verified %v by %v from %v in %v about %d: %.30s", e.Verified, e.Signer, e.Provider, e.Stage, len(e.Subjects), e.Predicate)
	}
	for _, b := range in.Sboms {
		say("SBOM %v by %v", b.Digest == in.Sboms[0].Digest, b.Signer)
	}
	for _, c := range in.Components {
		say("%v %s %v in %d", c.PURL, c.Name, c.Version, len(c.Sboms))
	}
	want := []string{
		"QA ENTRY, labels map[tier:[edge web]], tag null",
		"PROMOTE COMPLETED null→DEV undone false [{PASS}]",
		"PROMOTE BLOCKED DEV→QA undone false [{PASS} {FAIL}]",
		"PROMOTE COMPLETED DEV→QA undone true [{PASS} {PASS}]",
		"RELEASE COMPLETED QA→PROD undone true [{PASS} {PASS}]",
		"ROLLBACK COMPLETED PROD→QA undone false []",
		"ROLLBACK COMPLETED QA→DEV undone false []",
		"chart null THIRD_PARTY null",
		"image null THIRD_PARTY null",
		"left-pad pkg:npm/left-pad@1.3.0 SECOND_PARTY ledger",
		"verified true by ci from the scanner in DEV about 2: {\"passed\":1,\"text\":\"<&>\u2028\"}",
		"verified true by ci from the scanner in DEV about 2: null",
		"verified false by null from null in DEV about 1: null",
		"verified true by ci from the scanner in DEV about 2: null",
		"SBOM true by null",
		"SBOM true by ci",
		"null bare null in 1",
		"pkg:npm/a@1 a 1 in 1",
	}
	if !slices.Equal(got, want) {
		w.tb.Errorf("the input says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// releaserOfAll sees both projects.
func (w *world) releaserOfAll() context.Context {
	p, _ := auth.From(w.releaser)
	p.Grants = []auth.Grant{{Role: auth.Auditor}}
	return auth.With(context.Background(), p)
}

func TestRule45_AnInputThatNamesWhatIsOutOfReachIsNotShown(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		e := must(w.gates.Evaluation(w.releaser, *must(w.promote("1.0", "QA"))(t).Evaluations[0].EvalID))(t)
		_ = w.refused(fault.Forbidden, "", "out of your reach", func() error {
			_, err := w.gates.Input(w.releaser, e)
			return err
		})
		if e := must(w.gates.Evaluation(w.releaser, "eval-entry-0000000000000000"))(t); e != nil {
			t.Errorf("there is an evaluation that nobody made: %v", e)
		}
	})
}

func TestRule23_ResultsAreReadBackAsTheyWereGiven(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		w.guard("strict", "DEV", entry, block, "fine", "wrong", "divide")
		w.guard("lenient", "DEV", entry, warn, "wrong", "missing")
		result := must(w.promote("1.0", "DEV"))(t)
		given := result.Evaluations[0]
		kept := must(w.gates.OfPromotion(w.releaser, result.Promotion))(t)
		if len(kept) != 1 {
			t.Fatalf("%d evaluations were kept", len(kept))
		}
		spell := func(e *gate.Evaluation) string {
			b := must(json.Marshal([]any{e.EvalID, e.Gate, e.Decision, e.Explanation, e.EvaluatedAt.UTC(), e.InputDigest, e.CapabilitiesDigest, e.Policies}))(t)
			for _, r := range w.results(e) {
				b = append(b, must(json.Marshal([]any{r, r.Rule, r.Policy.Name, r.Examined}))(t)...)
			}
			return string(b)
		}
		if got, want := spell(kept[0]), spell(given); got != want {
			t.Errorf("read back is\n%s\ngiven was\n%s", got, want)
		}
		if strings.Contains(spell(kept[0]), owner) {
			t.Error("a result names a person")
		}
	})
}

func TestRule41_AnAlteredInputIsNoticed(t *testing.T) {
	for name, alter := range map[string]func(ctx context.Context, tx *db.Client, e *db.Evaluation, part string) error{
		"its bytes": func(ctx context.Context, tx *db.Client, _ *db.Evaluation, part string) error {
			return exec(ctx, tx, "UPDATE blobs SET content = (SELECT content FROM blobs WHERE digest <> $1 LIMIT 1), size = (SELECT size FROM blobs WHERE digest <> $1 LIMIT 1) WHERE digest = $1", part)
		},
		"its absence": func(ctx context.Context, tx *db.Client, _ *db.Evaluation, part string) error {
			_, err := tx.Blob.Delete().Where(blob.Digest(part)).Exec(ctx)
			return err
		},
		"another part named": func(ctx context.Context, tx *db.Client, e *db.Evaluation, part string) error {
			other := canonical.Digest([]byte("[]"))
			return exec(ctx, tx, "UPDATE evaluations SET input_parts = $1 WHERE id = $2", strings.Replace(e.InputParts, part, other, 1), e.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, dsn string) {
				w := newWorld(t, dsn)
				w.version("1.0")
				id := *must(w.promote("1.0", "DEV"))(t).Evaluations[0].EvalID
				row := must(w.st.Read().Evaluation.Query().Only(w.admin))(t)
				var parts []struct{ Key, Digest string }
				if err := json.Unmarshal([]byte(row.InputParts), &parts); err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(parts, func(p struct{ Key, Digest string }) bool { return p.Key == "version" })
				testdb.MayChange(t, w.st, "evaluations")
				w.write(func(ctx context.Context, tx *db.Client) error { return alter(ctx, tx, row, parts[i].Digest) })
				if text, err := w.gates.Input(w.admin, must(w.gates.Evaluation(w.admin, id))(t)); err == nil {
					t.Errorf("the input is shown: %s", *text)
				}
			})
		})
	}
}

func exec(ctx context.Context, tx *db.Client, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

func TestRule22_WhatAGateSaysDoesNotDependOnWhoAsks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		digests := map[string]bool{}
		for _, who := range []context.Context{w.admin, w.releaser, w.releaserOfAll(), context.Background()} {
			j := must(w.gates.Judge(who, v.ID, []*db.Stage{w.stage("DEV")}, []gateKind{entry}))(t)
			digests[j.Evaluations[0].InputDigest] = true
		}
		// Another service on the same database remembers nothing, and makes the same input.
		others := w.sources()
		others.Evidence, others.Policies = evidence.New(w.st, w.log, clock, "test"), policy.New(w.st, w.log, clock)
		fresh := gate.New(w.st, others, clock)
		j := must(fresh.Judge(w.admin, v.ID, []*db.Stage{w.stage("DEV")}, []gateKind{entry}))(t)
		digests[j.Evaluations[0].InputDigest] = true
		if len(digests) != 1 {
			t.Errorf("the same state of affairs has the inputs %v", digests)
		}
	})
}

func TestUnchangedPartsAreKeptOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		must(w.promote("1.0", "DEV"))(t)
		before := must(w.st.Read().Blob.Query().Count(w.admin))(t)
		must(w.promote("1.0", "QA"))(t)
		// Two gates, and the version with its history; the results of both are the same empty list as before.
		if after := must(w.st.Read().Blob.Query().Count(w.admin))(t); after != before+3 {
			t.Errorf("%d blobs became %d, want 3 more", before, after)
		}
		if !bytes.Equal(must(w.st.Blob(w.admin, canonical.Digest([]byte("[]"))))(t), []byte("[]")) {
			t.Error("no empty list is kept")
		}
	})
}
