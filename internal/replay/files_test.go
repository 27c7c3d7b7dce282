package replay_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/replay"
)

func text(s string) *string { return &s }

func decision() *replay.Decision {
	rule := replay.Rule{Name: "a/b", Template: "t", TemplateRevision: 1, TemplateDigest: "sha256:t", Rego: text("package a"), Parameters: json.RawMessage(`{"n":1}`), Query: "data.a"}
	return &replay.Decision{
		EvalID: "eval-entry-1", Decision: "PASS", EvaluatedAt: time.Unix(0, 0).UTC(), Gate: replay.Gate{Stage: "DEV", Kind: "ENTRY"},
		InputDigest: canonical.Digest([]byte(`{}`)), Input: text(`{}`), Capabilities: text(`[]`),
		Policies: []replay.Policy{{Name: "p"}, {Name: "q"}},
		Results: []replay.Result{
			{Policy: replay.Named{Name: "p"}, Outcome: "PASS", Result: text(`{}`), Rule: rule},
			{Policy: replay.Named{Name: "q"}, Outcome: "WAIVED", Result: text(`{}`), Rule: rule},
		},
	}
}

func TestRule23_ADecisionIsLaidOutWithItsSums(t *testing.T) {
	files, err := decision().Files()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	sums := ""
	for _, f := range files {
		names = append(names, f.Name)
		if f.Digest != canonical.Digest([]byte(f.Text)) || f.Withheld || f.Runs() != (f.Name == "verify.sh") {
			t.Errorf("%s is %+v", f.Name, f)
		}
		if f.Name == "SHA256SUMS" {
			sums = f.Text
		}
		if strings.Contains(f.Text, "{{") {
			t.Errorf("%s has a hole", f.Name)
		}
	}
	want := strings.Fields("input.json capabilities.json decide.jq verify.sh README.md rules/01-a_b/policy.rego rules/01-a_b/data.json rules/01-a_b/query.txt " +
		"rules/01-a_b/expected.json policies.json waivers.json result.json manifest.json SHA256SUMS")
	if !slices.Equal(names, want) || strings.Count(sums, "\n") != len(want)-1 {
		t.Errorf("the files are %v with\n%s", names, sums)
	}
}

func TestRule45_AnInputThatIsWithheldIsListed(t *testing.T) {
	d := decision()
	d.Input, d.InputWithheld = nil, true
	files, err := d.Files()
	if err != nil {
		t.Fatal(err)
	}
	if f := files[0]; f.Name != "input.json" || !f.Withheld || f.Text != "" || f.Digest != d.InputDigest {
		t.Errorf("the input is %+v", f)
	}
	sums := files[len(files)-1].Text
	if !strings.HasPrefix(sums, strings.TrimPrefix(d.InputDigest, "sha256:")+"  input.json\n") {
		t.Errorf("the sums are %s", sums)
	}
}

func TestWhatIsNotKeptIsSaid(t *testing.T) {
	for want, change := range map[string]func(*replay.Decision){
		"the input":    func(d *replay.Decision) { d.Input = nil },
		"the input of": func(d *replay.Decision) { d.Capabilities = nil },
		"the Rego":     func(d *replay.Decision) { d.Results[0].Rule.Rego = nil },
	} {
		d := decision()
		change(d)
		if _, err := d.Files(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}
