package catalog

import (
	"slices"
	"strings"
)

// parseCodeowners reads lines of a key, in which "*" stands for any characters, and owners. "#" begins a comment.
func parseCodeowners(content string) ([]ownersRule, error) {
	var rules []ownersRule
	wildcards, n := 0, 0
	for line := range strings.Lines(content) {
		n++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		owners, err := codeowners(n, fields[1:])
		if err != nil {
			return nil, err
		}
		rule := ownersRule{pattern: fields[0], owners: owners}
		if err := checkPattern(n, rule.pattern); err != nil {
			return nil, err
		}
		if rule.wild() {
			wildcards++
		}
		switch {
		case len(rules) == maxOwnersRules:
			return nil, atLine(n, "at most %d lines with owners are allowed; split the file", maxOwnersRules)
		case wildcards > maxWildcards:
			return nil, atLine(n, "at most %d lines with a * are allowed; name applications, or split the file", maxWildcards)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// codeowners returns the canonical references of the owners on a line, each once.
func codeowners(line int, texts []string) ([]string, error) {
	var owners []string
	for _, text := range texts {
		ref, err := codeowner(line, text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(owners, ref) {
			owners = append(owners, ref)
		}
		if len(owners) > maxOwners {
			return nil, atLine(line, "an application has at most %d owners; leave some out", maxOwners)
		}
	}
	return owners, nil
}

// codeowner reads "@org/team", "@user", an e-mail address, "user:…" or "team:…".
func codeowner(line int, text string) (string, error) {
	ref := text
	if name, ok := strings.CutPrefix(text, "@"); ok {
		ref = userPrefix + name
		if _, team, ok := strings.Cut(name, "/"); ok {
			ref = teamPrefix + team
		}
	} else if strings.Contains(text, "@") && !strings.Contains(text, ":") {
		ref = userPrefix + text
	}
	canonical, err := OwnerRef("input.content", ref)
	if err != nil {
		return "", atLine(line, "%.100q is no owner; write @org/team, @user, an e-mail address, user: or team: and a name", text)
	}
	return canonical, nil
}
