package passport

import (
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/replay"
)

// This is decide.jq, the program in every exported decision, in Go. A test holds the two against each other.

// answer is what one rule said, as the Rego gives it.
type answer struct {
	Examined   []string `json:"examined"`
	Violations []struct {
		Code          string  `json:"code"`
		Subject       string  `json:"subject"`
		Vulnerability *string `json:"vulnerability"`
		Purl          *string `json:"purl"`
	} `json:"violations"`
}

// decision is what the answers come to.
type decision struct {
	Decision string            `json:"decision"`
	Outcomes []decisionOutcome `json:"outcomes"`
}

type decisionOutcome struct {
	Policy  string `json:"policy"`
	Rule    string `json:"rule"`
	Outcome string `json:"outcome"`
}

// decide makes outcomes and decision again, from what the rules said. A rule that could not be judged is not in answers.
func decide(policies []replay.PolicyEntry, waivers []replay.Waiver, answers map[string]answer) decision {
	d := decision{Decision: "PASS", Outcomes: []decisionOutcome{}}
	blocked, faulted := false, false
	for _, p := range policies {
		for _, rule := range p.Rules {
			outcome := "ERROR"
			if a, judged := answers[rule]; judged {
				outcome = a.outcome(about(p, rule, waivers))
			}
			d.Outcomes = append(d.Outcomes, decisionOutcome{p.Name, rule, outcome})
			if outcome == "PASS" || outcome == "WAIVED" {
				continue
			}
			d.Decision = "WARN"
			blocked = blocked || p.Mode == "BLOCK" && outcome != "ERROR"
			faulted = faulted || p.Mode == "BLOCK" && outcome == "ERROR"
		}
	}
	switch {
	case blocked:
		d.Decision = "FAIL"
	case faulted:
		d.Decision = "ERROR"
	}
	return d
}

// about gives the waivers that count for a rule of a policy.
func about(p replay.PolicyEntry, rule string, waivers []replay.Waiver) []replay.Waiver {
	var list []replay.Waiver
	for _, w := range waivers {
		if p.Waivable && (w.Policy != "" && w.Policy == p.Name || w.Policy == "" && w.Rule == rule) {
			list = append(list, w)
		}
	}
	return list
}

// outcome is what an answer comes to, with the waivers that are about the rule or its policy.
func (a answer) outcome(inForce []replay.Waiver) string {
	if len(a.Examined) == 0 {
		if slices.ContainsFunc(inForce, func(w replay.Waiver) bool {
			return w.Code == "" && w.Subject == "" && len(w.Vulnerabilities) == 0 && w.Package == ""
		}) {
			return "WAIVED"
		}
		return "NOT_EVIDENCED"
	}
	if len(a.Violations) == 0 {
		return "PASS"
	}
	for _, violation := range a.Violations {
		if !slices.ContainsFunc(inForce, func(w replay.Waiver) bool {
			return (w.Code == "" || w.Code == violation.Code) && (w.Subject == "" || w.Subject == violation.Subject) &&
				(len(w.Vulnerabilities) == 0 || violation.Vulnerability != nil && slices.Contains(w.Vulnerabilities, spelled(*violation.Vulnerability))) &&
				(w.Package == "" || violation.Purl != nil && samePackage(w.Package, *violation.Purl))
		}) {
			return "VIOLATION"
		}
	}
	return "WAIVED"
}

// spelled is the one spelling of the name of a vulnerability.
func spelled(name string) string {
	name = strings.TrimSpace(name)
	switch upper := strings.ToUpper(name); {
	case strings.HasPrefix(upper, "CVE-"):
		return upper
	case strings.HasPrefix(upper, "GHSA-"):
		return "GHSA-" + strings.ToLower(name[len("GHSA-"):])
	}
	return name
}

var (
	purlTail    = regexp.MustCompile(`[?#].*$`)
	purlVersion = regexp.MustCompile(`@[^@/]*$`)
)

// bare is a package without its version: an @ behind the last slash begins the version.
func bare(purl string) string {
	return purlVersion.ReplaceAllString(purlTail.ReplaceAllString(purl, ""), "")
}

func samePackage(waived, about string) bool {
	return waived == about || bare(waived) == waived && bare(about) == waived
}
