package view

import "strings"

// junit is what Surefire, Gradle, pytest, Jest, Mocha, GoogleTest and many more write. There is no standard: a disabled
// test counts as skipped, a flaky one that passed in the end as passed.
func junit() dialect {
	return dialect{
		roots: []string{"testsuites", "testsuite"}, suites: []string{"testsuites", "testsuite"}, test: "testcase",
		total: []string{"tests"}, failed: []string{"failures", "errors"}, skipped: []string{"skipped", "skip", "disabled"}, took: []string{"time"},
		verdict: func(t *tag) verdict {
			if t.attr("status") == "notrun" || t.attr("status") == "disabled" || t.attr("result") == "suppressed" {
				return skip
			}
			return good
		},
		bad: []string{"failure", "error"}, skip: []string{"skipped"}, suite: "classname",
	}
}

// xunit is what xUnit.net writes, in version 2 and, but for the names of what is between, in version 1.
func xunit() dialect {
	return dialect{
		roots: []string{"assemblies", "assembly"}, suites: []string{"assemblies", "assembly", "collection", "class"}, test: "test",
		total: []string{"total"}, failed: []string{"failed", "errors"}, skipped: []string{"skipped"}, took: []string{"time"},
		verdict: func(t *tag) verdict {
			switch t.attr("result") {
			case "Fail":
				return bad
			case "Skip", "NotRun":
				return skip
			}
			return good
		},
		bad: []string{"failure"}, skip: []string{"reason"}, message: "message", suite: "type",
		tool: func(t *tag) string { return t.attr("test-framework") },
	}
}

// nunit is what NUnit 2 and 3 write. NUnit 2 leaves what was not run out of its total, and says so of a test by
// executed. A test without conclusion is skipped: it neither passed nor failed.
func nunit() dialect {
	return dialect{
		roots:  []string{"test-run", "test-results", "test-suite"},
		suites: []string{"test-run", "test-results", "test-suite"}, test: "test-case",
		total: []string{"total", "not-run"}, failed: []string{"failed", "failures", "errors"},
		skipped: []string{"skipped", "inconclusive"}, took: []string{"duration", "time"},
		verdict: func(t *tag) verdict {
			result := t.attr("result")
			switch {
			case strings.HasPrefix(result, "Fail"), result == "Error", result == "Cancelled":
				return bad
			case result == "Skipped", result == "Ignored", result == "Inconclusive", result == "NotRunnable", t.attr("executed") == "False":
				return skip
			case result == "" && t.attr("success") == "False":
				return bad
			}
			return good
		},
		bad: []string{"failure"}, message: "message", suite: "classname",
		tool: func(t *tag) string {
			if version := firstOf(t.attr("engine-version"), t.attr("nunit-version")); version != "" {
				return "NUnit " + version
			}
			return ""
		},
	}
}

func readJUnit(content []byte) (View, error) { return junit().read(content) }

// readXUnit also reads what Mocha calls XUnit, which is a dialect of JUnit.
func readXUnit(content []byte) (View, error) {
	if looksLikeJUnit(content) {
		return readJUnit(content)
	}
	return xunit().read(content)
}

func readNUnit(content []byte) (View, error) {
	d := nunit()
	if hasRoot(content, "test-results") {
		d.skipped = []string{"not-run", "inconclusive"} // in NUnit 2, not-run counts what was skipped
	}
	return d.read(content)
}
