package view

import (
	"errors"
	"fmt"
	"slices"
)

// sarifType is the type of SARIF, as OASIS names its parts.
const sarifType = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"

type sarifLog struct {
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	row
	Tool struct {
		Driver     sarifComponent   `json:"driver"`
		Extensions []sarifComponent `json:"extensions"`
	} `json:"tool"`
	Invocations []struct {
		row
		Overrides []sarifOverride `json:"ruleConfigurationOverrides"`
	} `json:"invocations"`
	Results []sarifResult `json:"results"`
}

type sarifComponent struct {
	row
	Name            string      `json:"name"`
	Version         string      `json:"version"`
	SemanticVersion string      `json:"semanticVersion"`
	GUID            string      `json:"guid"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	row
	ID                   string               `json:"id"`
	GUID                 string               `json:"guid"`
	DefaultConfiguration sarifConfiguration   `json:"defaultConfiguration"`
	ShortDescription     sarifText            `json:"shortDescription"`
	MessageStrings       map[string]sarifText `json:"messageStrings"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifOverride struct {
	row
	Configuration sarifConfiguration `json:"configuration"`
	Descriptor    sarifReference     `json:"descriptor"`
}

// sarifReference is a reportingDescriptorReference (section 3.52).
type sarifReference struct {
	ID            string `json:"id"`
	Index         *int   `json:"index"`
	GUID          string `json:"guid"`
	ToolComponent struct {
		Name  string `json:"name"`
		Index *int   `json:"index"`
		GUID  string `json:"guid"`
	} `json:"toolComponent"`
}

type sarifText struct {
	Text string `json:"text"`
	ID   string `json:"id"`
}

type sarifResult struct {
	row
	RuleID       string          `json:"ruleId"`
	RuleIndex    *int            `json:"ruleIndex"`
	Rule         sarifReference  `json:"rule"`
	Kind         string          `json:"kind"`
	Level        string          `json:"level"`
	Message      sarifText       `json:"message"`
	Locations    []sarifLocation `json:"locations"`
	Suppressions []struct {
		row
		Status string `json:"status"`
		State  string `json:"state"`
	} `json:"suppressions"`
	BaselineState string `json:"baselineState"`
	Provenance    struct {
		InvocationIndex *int `json:"invocationIndex"`
	} `json:"provenance"`
}

type sarifLocation struct {
	row
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			StartLine int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
}

// readSARIF reads a SARIF 2.1.0 log with all its runs. A finding is a result whose kind is "fail", or none, which means
// the same; results that are absent from a baseline are no findings, because they are gone.
func readSARIF(content []byte) (View, error) {
	var log sarifLog
	if err := decodeScan("SARIF log", content, &log); err != nil {
		return View{}, err
	}
	switch {
	case log.Version == "":
		return View{}, errors.New("the SARIF log has no version")
	case log.Version != "2.1.0":
		return View{}, fmt.Errorf("the SARIF log says version %q; 2.1.0 is read", scanText(log.Version))
	case len(log.Runs) == 0:
		return View{}, errors.New("the SARIF log has no runs: nothing was analysed")
	}
	out := &StaticAnalysis{}
	for i := range log.Runs {
		if err := log.Runs[i].into(out); err != nil {
			return View{}, fmt.Errorf("the SARIF log cannot be read: runs[%d].%w", i, err)
		}
	}
	return View{StaticAnalysis: out.sorted()}, nil
}

func (r *sarifRun) into(out *StaticAnalysis) error {
	if r.Tool.Driver.Name == "" {
		return errors.New("tool.driver has no name")
	}
	if out.Tool == "" {
		out.Tool, out.Version = r.Tool.Driver.Name, r.Tool.Driver.Version
		if out.Version == "" {
			out.Version = r.Tool.Driver.SemanticVersion
		}
	}
	rules := r.rules()
	for i := range r.Results {
		result := &r.Results[i]
		if result.Kind != "" && result.Kind != "fail" || result.BaselineState == "absent" {
			continue
		}
		if result.suppressed() {
			out.Suppressed++
			continue
		}
		rule := rules.find(result.reference())
		level, err := sarifLevel(result, rule)
		if err != nil {
			return fmt.Errorf("results[%d].%w", i, err)
		}
		out.add(result.finding(rule, level))
	}
	return nil
}

// suppressed is what section 3.27.23 says: there are suppressions and none is under review or rejected. Early tools
// wrote the status as "state".
func (r *sarifResult) suppressed() bool {
	for _, s := range r.Suppressions {
		if slices.Contains([]string{"underReview", "rejected"}, s.Status+s.State) {
			return false
		}
	}
	return len(r.Suppressions) > 0
}

func (r *sarifResult) reference() sarifReference {
	ref := r.Rule
	if ref.ID == "" {
		ref.ID = r.RuleID
	}
	if ref.Index == nil {
		ref.Index = r.RuleIndex
	}
	return ref
}

func (r *sarifResult) finding(rule *sarifRule, level Level) Finding {
	f := Finding{Rule: r.reference().ID, Level: level, Message: r.Message.Text}
	if rule != nil {
		if f.Rule == "" {
			f.Rule = rule.ID
		}
		if f.Message == "" {
			f.Message = rule.MessageStrings[r.Message.ID].Text
		}
		if f.Message == "" {
			f.Message = rule.ShortDescription.Text
		}
	}
	for _, l := range r.Locations[:min(len(r.Locations), 1)] {
		f.File, f.Line = l.Physical.Artifact.URI, max(l.Physical.Region.StartLine, 0)
	}
	return f
}
