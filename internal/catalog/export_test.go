package catalog

// ParseOwners shows a file of owners as its tests read it: patterns and owners.
func ParseOwners(format, content string) (patterns []string, owners [][]string, err error) {
	rules, err := parseOwners(format, content)
	for _, r := range rules {
		patterns, owners = append(patterns, r.pattern), append(owners, r.owners)
	}
	return patterns, owners, err
}

// Fits tells whether a key fits a pattern.
func Fits(pattern, key string) bool { return ownersRule{pattern: pattern}.fits(key) }
