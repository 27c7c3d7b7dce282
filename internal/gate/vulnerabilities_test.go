package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/triagedecision"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// advise imports an advisory for the component a of the rich version.
func (w *world) advise(summary string) {
	w.tb.Helper()
	record := `{"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2026-1"],"modified":"2026-11-20T00:00:00Z","published":"2026-11-19T00:00:00Z",
		"summary":"` + summary + `","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`
	done := must(w.vulnerabilities.Import(w.admin, vulnerability.ImportAdvisoriesInput{Format: "OSV", Documents: []string{record}}))(w.tb)
	if done.Imported+done.Updated != 1 || len(done.Rejected) > 0 {
		w.tb.Fatalf("%+v", done)
	}
}

// accept decides to live with it until an instant.
func (w *world) accept(until time.Time) {
	w.tb.Helper()
	w.write(func(ctx context.Context, tx *db.Client) error {
		app, err := tx.Application.Query().All(ctx)
		if err != nil {
			return err
		}
		p, _ := auth.From(w.admin)
		for _, a := range app {
			if a.Key != "checkout" {
				continue
			}
			owners, err := tx.Ownership.Query().WithOwner().All(ctx)
			if err != nil {
				return err
			}
			for _, o := range owners {
				if o.ApplicationID == a.ID && o.Edges.Owner.Ref == "user:"+owner {
					return tx.TriageDecision.Create().SetVulnerability("GHSA-aaaa-bbbb-cccc").SetStatus(triagedecision.StatusACCEPTED).SetJustification("nobody calls it").
						SetDecidedAt(start.Add(-time.Hour)).SetExpiresAt(until).SetProjectID(a.ProjectID).SetApplicationID(a.ID).SetOwnerID(o.OwnerID).SetDecidedBy(p.ID).Exec(ctx)
				}
			}
		}
		return fmt.Errorf("no owner")
	})
}

type seen struct {
	Vulnerabilities []struct {
		ID, Severity, Component, State, Because string
		Aliases                                 []string
		Cvss                                    *float64
		FixedIn                                 []string `json:"fixed_in"`
		Triage                                  []struct {
			Status, Owner string
			Applied       bool
		}
	}
	Feeds []vulnerability.FeedSnapshot
}

func (w *world) seenBy(e string) (out seen, text string) {
	w.tb.Helper()
	text = *must(w.gates.Input(w.releaserOfAll(), must(w.gates.Evaluation(w.releaser, e))(w.tb)))(w.tb)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		w.tb.Fatal(err)
	}
	return out, text
}

func TestRule23_TheInputHasTheVulnerabilitiesAndTheFeedsThatTheyAreFrom(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		if err := w.vulnerabilities.IndexComponents(w.admin); err != nil {
			t.Fatal(err)
		}
		w.advise("first")
		w.accept(start.Add(time.Second))
		feeds := must(w.vulnerabilities.Snapshots(auth.System(w.admin), w.st.Read()))(t)
		result := must(w.promote("1.0", "QA"))(t)
		for _, e := range result.Evaluations {
			in, text := w.seenBy(*e.EvalID)
			if err := schema.Validate(must(jsonschema.UnmarshalJSON(strings.NewReader(text)))(t)); err != nil {
				t.Errorf("the input is not what its schema says: %v", err)
			}
			if strings.Contains(text, owner) {
				t.Error("the input names a person")
			}
			if len(in.Vulnerabilities) != 1 || len(in.Feeds) != 1 {
				t.Fatalf("%+v", in)
			}
			v := in.Vulnerabilities[0]
			got := fmt.Sprint(v.ID, " ", v.Aliases, " ", v.Severity, " ", *v.Cvss, " ", v.Component, " ", v.State, " ", v.FixedIn, " ", v.Because)
			if want := "CVE-2026-1 [GHSA-aaaa-bbbb-cccc] CRITICAL 9.8 pkg:npm/a@1 ACCEPTED [2.0.0] 1 is affected: "; !strings.HasPrefix(got, want) {
				t.Errorf("shown is %s", got)
			}
			if len(v.Triage) != 1 || !v.Triage[0].Applied || !strings.HasPrefix(v.Triage[0].Owner, "person:") {
				t.Errorf("decided is %+v", v.Triage)
			}
			again := must(w.gates.Evaluation(w.releaser, *e.EvalID))(t)
			if len(again.Feeds) != 1 || *again.Feeds[0] != *feeds[0] || in.Feeds[0] != *feeds[0] || *e.Feeds[0] != *feeds[0] {
				t.Errorf("recorded are the feeds %+v, the input has %+v", again.Feeds, in.Feeds)
			}
		}
		dry := must(w.releases.Release(w.releaser, release.ReleaseApplicationVersionInput{ApplicationKey: "checkout", Version: "1.0", DryRun: true}))(t)
		if e := dry.Evaluations[0]; e.EvalID != nil || len(e.Feeds) != 1 || *e.Feeds[0] != *feeds[0] {
			t.Errorf("a dry run shows the feeds %+v", e.Feeds)
		}
	})
}

func TestRule23_WhatBecameKnownLaterIsNotInTheInput(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		if err := w.vulnerabilities.IndexComponents(w.admin); err != nil {
			t.Fatal(err)
		}
		w.accept(start)
		meanwhile := func() { w.advise("meanwhile") }
		w.onSign.Store(&meanwhile)
		before := must(w.promote("1.0", "QA"))(t)
		if before.Promotion == nil || len(before.Evaluations[0].Feeds) != 0 {
			t.Fatalf("%+v", before.Evaluations[0].Feeds)
		}
		if in, _ := w.seenBy(*before.Evaluations[0].EvalID); len(in.Vulnerabilities)+len(in.Feeds) != 0 {
			t.Errorf("%+v", in)
		}
		if w.onSign.Load() != nil { // nothing was signed
			w.advise("afterwards")
		}
		v := must(w.versions.Version(w.admin, "checkout", "1.0"))(t)
		e := w.judge(v).Evaluations[0]
		if len(e.Feeds) != 1 || e.Feeds[0].Name != "osv" {
			t.Errorf("a judgement that is not recorded shows the feeds %+v", e.Feeds)
		}
	})
}

func TestRule23_AVulnerabilityThatNothingFixesIsInTheInputAsItsSchemaSays(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.rich()
		if err := w.vulnerabilities.IndexComponents(w.admin); err != nil {
			t.Fatal(err)
		}
		done := must(w.vulnerabilities.Import(w.admin, vulnerability.ImportAdvisoriesInput{Format: "OSV", Documents: []string{`{
			"schema_version":"1.6.0","id":"OSV-1","modified":"2026-11-20T00:00:00Z",
			"affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`}}))(t)
		if done.Imported != 1 {
			t.Fatalf("%+v", done)
		}
		result := must(w.promote("1.0", "QA"))(t)
		for _, e := range result.Evaluations {
			in, text := w.seenBy(*e.EvalID)
			if err := schema.Validate(must(jsonschema.UnmarshalJSON(strings.NewReader(text)))(t)); err != nil {
				t.Errorf("the input is not what its schema says: %v", err)
			}
			if len(in.Vulnerabilities) != 1 || in.Vulnerabilities[0].FixedIn == nil || len(in.Vulnerabilities[0].FixedIn) > 0 {
				t.Errorf("shown is %+v", in.Vulnerabilities)
			}
		}
	})
}
