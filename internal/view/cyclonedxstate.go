package view

import (
	"errors"
	"fmt"
	"strings"
)

func (v *cdxVulnerability) statement(refs map[string]string) (VexStatement, error) {
	if v.ID == "" {
		return VexStatement{}, errors.New(" has no id")
	}
	out := VexStatement{
		Vulnerability: v.ID, Statement: v.Analysis.Detail, Justification: cdxJustification(v.Analysis.Justification),
	}
	var err error
	if out.Status, err = cdxState(v.Analysis.State); err != nil {
		return out, err
	}
	for _, r := range v.References {
		if r.ID != v.ID {
			out.Aliases = append(out.Aliases, r.ID)
		}
	}
	for i := range v.Affects {
		a := &v.Affects[i]
		if a.Ref == "" {
			return out, fmt.Errorf(".affects[%d] has no ref", i)
		}
		if len(a.Versions) == 0 {
			out.Products = append(out.Products, a.product(refs, "", ""))
		}
		for _, version := range a.Versions {
			// What the version says of itself is nearer than the analysis: only those it is true of are named.
			affected := strings.TrimSpace(version.Status) != "unaffected"
			if out.Status == Affected && !affected || out.Status == NotAffected && affected && version.Status != "" {
				continue
			}
			out.Products = append(out.Products, a.product(refs, version.Version, version.Range))
		}
	}
	return out, nil
}

func cdxState(state string) (VexStatus, error) {
	switch state = strings.TrimSpace(state); state {
	case "resolved", "resolved_with_pedigree":
		return Fixed, nil
	case "exploitable":
		return Affected, nil
	case "in_triage", "":
		return UnderInvestigation, nil
	case "false_positive", "not_affected":
		return NotAffected, nil
	}
	return "", fmt.Errorf(".analysis.state is %q; it is one of resolved, resolved_with_pedigree, exploitable, in_triage, "+
		"false_positive, not_affected", scanText(state))
}

// cdxJustification gives OpenVEX's label nearest to a justification of CycloneDX. Unknown ones stay as they are.
func cdxJustification(s string) string {
	switch s = strings.TrimSpace(s); s {
	case "code_not_present":
		return "vulnerable_code_not_present"
	case "code_not_reachable":
		return "vulnerable_code_not_in_execute_path"
	case "requires_configuration", "requires_dependency", "requires_environment":
		return "vulnerable_code_cannot_be_controlled_by_adversary"
	case "protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control":
		return "inline_mitigations_already_exist"
	}
	return s
}
