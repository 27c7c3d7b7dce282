package replay

import (
	"embed"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// same are the files that are the same in each folder.
//
//go:embed folder/verify.sh folder/decide.jq folder/README.md
var same embed.FS

// Schema is what manifest.json says that it is.
const Schema = "plimsoll.replay/v1"

// Manifest says what every file of the folder must be: manifest.json.
type Manifest struct {
	Schema       string         `json:"schema"`
	Evaluation   string         `json:"evaluation"`
	EvaluatedAt  time.Time      `json:"evaluated_at"`
	Gate         Gate           `json:"gate"`
	Feeds        []Feed         `json:"feeds"`
	Input        string         `json:"input"`
	Capabilities string         `json:"capabilities"`
	Policies     string         `json:"policies"`
	Waivers      string         `json:"waivers"`
	Result       string         `json:"result"`
	Decide       string         `json:"decide"`
	Rules        []ManifestRule `json:"rules"`
	Files        []string       `json:"files"`
}

// ManifestRule is a rule in manifest.json: where it lies, and the digests of its files.
type ManifestRule struct {
	Folder           string  `json:"folder"`
	Name             string  `json:"name"`
	Template         string  `json:"template"`
	TemplateRevision int     `json:"template_revision"`
	TemplateDigest   string  `json:"template_digest"`
	Parameters       string  `json:"parameters"`
	Query            string  `json:"query"`
	Expected         *string `json:"expected"`
	Error            *string `json:"error"`
}

// PolicyEntry is a policy in policies.json.
type PolicyEntry struct {
	Name     string   `json:"name"`
	Revision int      `json:"revision"`
	Mode     string   `json:"mode"`
	Because  string   `json:"because"`
	Waivable bool     `json:"waivable"`
	Rules    []string `json:"rules"`
}

// Files are all files of the folder, the manifest and the sums last. It fails when something of the decision is not kept.
func (d *Decision) Files() ([]File, error) {
	if d.Input == nil && !d.InputWithheld || d.Capabilities == nil {
		return nil, fmt.Errorf("the server does not keep the input of decision %s", d.EvalID)
	}
	f := &folder{}
	m := Manifest{
		Schema: Schema, Evaluation: d.EvalID, EvaluatedAt: d.EvaluatedAt, Gate: d.Gate, Feeds: listed(d.Feeds),
		// As they were recorded, whatever came: verify.sh notices a document that does not have its digest.
		Input: d.InputDigest, Capabilities: d.CapabilitiesDigest, Rules: []ManifestRule{},
	}
	if d.InputWithheld {
		f.files = append(f.files, File{Name: "input.json", Digest: d.InputDigest, Withheld: true})
	} else {
		f.add("input.json", *d.Input)
	}
	f.add("capabilities.json", *d.Capabilities)
	for _, name := range []string{"decide.jq", "verify.sh", "README.md"} {
		text, err := same.ReadFile("folder/" + name)
		if err != nil {
			return nil, err
		}
		sum := f.add(name, strings.NewReplacer("{{EVALUATION}}", d.EvalID, "{{OPA}}", stockOPA()).Replace(string(text)))
		if name == "decide.jq" {
			m.Decide = sum
		}
	}
	if err := d.addRules(f, &m); err != nil {
		return nil, err
	}
	var err error
	for _, c := range []struct {
		name  string
		value any
		sum   *string
	}{{"policies.json", d.policies(), &m.Policies}, {"waivers.json", d.waivers(), &m.Waivers}, {"result.json", d.result(), &m.Result}} {
		if *c.sum, err = f.addJSON(c.name, c.value); err != nil {
			return nil, err
		}
	}
	err = f.finish(m)
	return f.files, err
}

// listed makes no list an empty one, which JSON writes as such.
func listed[T any](list []T) []T { return append([]T{}, list...) }

// stockOPA says which opa gives the same bytes, when that is known.
func stockOPA() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/open-policy-agent/opa" {
			return "This program links opa " + strings.TrimPrefix(module.Version, "v") + ", which says the same, byte for byte."
		}
	}
	return ""
}

// addRules adds a folder for each rule: two policies that share one were given one answer.
func (d *Decision) addRules(f *folder, m *Manifest) error {
	seen := map[string]bool{}
	for _, r := range d.Results {
		if seen[r.Rule.Name] {
			continue
		}
		seen[r.Rule.Name] = true
		if r.Rule.Rego == nil {
			return fmt.Errorf("the server does not keep the Rego of rule %s: template %s, revision %d", r.Rule.Name, r.Rule.Template, r.Rule.TemplateRevision)
		}
		rule := ManifestRule{
			Folder: fmt.Sprintf("rules/%02d-%s", len(seen), plain(r.Rule.Name)), Name: r.Rule.Name, Template: r.Rule.Template,
			TemplateRevision: r.Rule.TemplateRevision, TemplateDigest: r.Rule.TemplateDigest, Error: r.Error,
		}
		f.add(rule.Folder+"/policy.rego", *r.Rule.Rego)
		rule.Parameters = f.add(rule.Folder+"/data.json", Data(r.Rule.Parameters))
		rule.Query = f.add(rule.Folder+"/query.txt", r.Rule.Query)
		if r.Result != nil {
			sum := f.add(rule.Folder+"/expected.json", *r.Result)
			rule.Expected = &sum
		}
		m.Rules = append(m.Rules, rule)
	}
	return nil
}

// Data is the data.json of a rule: its parameters, where the Rego looks for them.
func Data(parameters json.RawMessage) string { return `{"parameters":` + string(parameters) + `}` }

// plain is a name that every file system takes.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '_'
	}, name[:min(len(name), 60)])
}

// policies lists the policies with their rules. One takes waivers where one of them counted; elsewhere it makes no difference.
func (d *Decision) policies() []PolicyEntry {
	list := make([]PolicyEntry, len(d.Policies))
	for i, p := range d.Policies {
		list[i] = PolicyEntry{Name: p.Name, Revision: p.Revision, Mode: p.Mode, Because: p.Because, Rules: []string{}}
		for _, r := range d.Results {
			if r.Policy.Name != p.Name {
				continue
			}
			list[i].Rules = append(list[i].Rules, r.Rule.Name)
			list[i].Waivable = list[i].Waivable || r.Outcome == "WAIVED"
			for _, v := range r.Violations {
				list[i].Waivable = list[i].Waivable || v.Waiver != nil
			}
		}
	}
	return list
}

func (d *Decision) waivers() []Waiver {
	list := listed(d.Waivers)
	for i := range list {
		list[i].Vulnerabilities = listed(list[i].Vulnerabilities)
	}
	return list
}

// result is what the rules came to.
func (d *Decision) result() any {
	type outcome struct {
		Policy  string  `json:"policy"`
		Rule    string  `json:"rule"`
		Outcome string  `json:"outcome"`
		Error   *string `json:"error,omitempty"`
	}
	outcomes := make([]outcome, len(d.Results))
	for i, r := range d.Results {
		outcomes[i] = outcome{r.Policy.Name, r.Rule.Name, r.Outcome, r.Error}
	}
	return map[string]any{"decision": d.Decision, "explanation": d.Explanation, "outcomes": outcomes}
}
