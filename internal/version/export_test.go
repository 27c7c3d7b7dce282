package version

// Matches holds a pattern against a text.
func Matches(pattern, text string) bool { return compile(pattern).matches(text) }
