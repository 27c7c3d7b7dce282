package cli

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// replayFiles are the parts of an exported decision that are the same in each.
//
//go:embed replay/verify.sh replay/decide.jq replay/README.md
var replayFiles embed.FS

// decided is a recorded decision as the API gives it.
type decided struct {
	EvalID             string          `json:"evalId"`
	Decision           string          `json:"decision"`
	Explanation        string          `json:"explanation"`
	EvaluatedAt        time.Time       `json:"evaluatedAt"`
	Gate               json.RawMessage `json:"gate"`
	InputDigest        string          `json:"inputDigest"`
	Input              *string         `json:"input"`
	CapabilitiesDigest string          `json:"capabilitiesDigest"`
	Capabilities       *string         `json:"capabilities"`
	Feeds              json.RawMessage `json:"feeds"`
	Waivers            json.RawMessage `json:"waivers"`
	Policies           []struct {
		Name     string `json:"name"`
		Revision int    `json:"revision"`
		Mode     string `json:"mode"`
		Because  string `json:"because"`
	} `json:"policies"`
	Results []decidedRule `json:"results"`
}

type decidedRule struct {
	Policy     inside  `json:"policy"`
	Outcome    string  `json:"outcome"`
	Error      *string `json:"error"`
	Result     *string `json:"result"`
	Violations []struct {
		Waiver *struct{} `json:"waiver"`
	} `json:"violations"`
	Rule struct {
		Name             string          `json:"name"`
		Template         string          `json:"template"`
		TemplateRevision int             `json:"templateRevision"`
		TemplateDigest   string          `json:"templateDigest"`
		Rego             *string         `json:"rego"`
		Parameters       json.RawMessage `json:"parameters"`
		Query            string          `json:"query"`
	} `json:"rule"`
}

// exportedPolicy is a policy in policies.json.
type exportedPolicy struct {
	Name     string   `json:"name"`
	Revision int      `json:"revision"`
	Mode     string   `json:"mode"`
	Because  string   `json:"because"`
	Waivable bool     `json:"waivable"`
	Rules    []string `json:"rules"`
}

// exportedRule is a rule in manifest.json.
type exportedRule struct {
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

// manifest says what every file of the folder must be.
type manifest struct {
	Schema       string          `json:"schema"`
	Evaluation   string          `json:"evaluation"`
	EvaluatedAt  time.Time       `json:"evaluated_at"`
	Gate         json.RawMessage `json:"gate"`
	Feeds        json.RawMessage `json:"feeds"`
	Input        string          `json:"input"`
	Capabilities string          `json:"capabilities"`
	Policies     string          `json:"policies"`
	Waivers      string          `json:"waivers"`
	Result       string          `json:"result"`
	Decide       string          `json:"decide"`
	Rules        []exportedRule  `json:"rules"`
	Files        []string        `json:"files"`
}

// files are all files of the folder, the manifest and the sums last.
func (d *decided) files() (*folder, error) {
	if d.Input == nil || d.Capabilities == nil {
		return nil, fmt.Errorf("the server does not keep the input of decision %s", d.EvalID)
	}
	f := &folder{}
	m := manifest{
		Schema: "plimsoll.replay/v1", Evaluation: d.EvalID, EvaluatedAt: d.EvaluatedAt, Gate: d.Gate, Feeds: d.Feeds,
		// As they were recorded, whatever came: verify.sh notices a document that does not have its digest.
		Input: d.InputDigest, Capabilities: d.CapabilitiesDigest, Rules: []exportedRule{},
	}
	f.add("input.json", *d.Input)
	f.add("capabilities.json", *d.Capabilities)
	for _, same := range []string{"decide.jq", "verify.sh", "README.md"} {
		text, err := replayFiles.ReadFile("replay/" + same)
		if err != nil {
			return nil, err
		}
		sum := f.add(same, strings.NewReplacer("{{EVALUATION}}", d.EvalID, "{{OPA}}", stockOPA()).Replace(string(text)))
		if same == "decide.jq" {
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
	}{{"policies.json", d.policies(), &m.Policies}, {"waivers.json", d.Waivers, &m.Waivers}, {"result.json", d.result(), &m.Result}} {
		if *c.sum, err = f.addJSON(c.name, c.value); err != nil {
			return nil, err
		}
	}
	return f, f.finish(m)
}

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
func (d *decided) addRules(f *folder, m *manifest) error {
	seen := map[string]bool{}
	for _, r := range d.Results {
		if seen[r.Rule.Name] {
			continue
		}
		seen[r.Rule.Name] = true
		if r.Rule.Rego == nil {
			return fmt.Errorf("the server does not keep the Rego of rule %s: template %s, revision %d", r.Rule.Name, r.Rule.Template, r.Rule.TemplateRevision)
		}
		rule := exportedRule{
			Folder: fmt.Sprintf("rules/%02d-%s", len(seen), plain(r.Rule.Name)), Name: r.Rule.Name, Template: r.Rule.Template,
			TemplateRevision: r.Rule.TemplateRevision, TemplateDigest: r.Rule.TemplateDigest, Error: r.Error,
		}
		f.add(rule.Folder+"/policy.rego", *r.Rule.Rego)
		rule.Parameters = f.add(rule.Folder+"/data.json", `{"parameters":`+string(r.Rule.Parameters)+`}`)
		rule.Query = f.add(rule.Folder+"/query.txt", r.Rule.Query)
		if r.Result != nil {
			sum := f.add(rule.Folder+"/expected.json", *r.Result)
			rule.Expected = &sum
		}
		m.Rules = append(m.Rules, rule)
	}
	return nil
}

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
func (d *decided) policies() []exportedPolicy {
	list := make([]exportedPolicy, len(d.Policies))
	for i, p := range d.Policies {
		list[i] = exportedPolicy{Name: p.Name, Revision: p.Revision, Mode: p.Mode, Because: p.Because, Rules: []string{}}
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

// result is what the rules came to.
func (d *decided) result() any {
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

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
