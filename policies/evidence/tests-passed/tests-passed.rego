# METADATA
# title: The tests passed
# description: |
#   The test results that are attached to the version, or to one of its contents, say that its tests passed: all reports
#   together count no more than `maxFailed` failures and no fewer than `minPassed` tests that passed, and none says that it failed as
#   a whole without saying which test did. Every report counts: a test that failed once failed, and a later run does not
#   take that back. Waive the report, or make a new version.
#   Coverage is that of lines, over all reports that measured it. With `minCoverage` there has to be one.
#   A report that names no test counts for nothing, and skipped tests did not pass. One that cannot be read violates.
#   Reports are counted whoever sent them; with `verified` those alone that a trust anchor signed.
# custom:
#   category: QUALITY
#   remediation: >-
#     Mend what the tests of {application} {version} found, run them, and attach the results to a version that holds the fix.
#   controls:
#     - NIST-SSDF PW.8.2
#     - NIST-800-53 SA-11
#   evidence: Test results of any format that is read, about the version or its contents; for minCoverage a coverage report.
#   predicates:
#     - https://in-toto.io/attestation/test-result/v0.1
#     - https://plimsoll.dev/documents/junit/v1
#     - https://plimsoll.dev/documents/xunit/v1
#     - https://plimsoll.dev/documents/nunit/v1
#     - https://plimsoll.dev/documents/tap/v1
#     - https://plimsoll.dev/documents/ctrf/v1
#     - https://plimsoll.dev/documents/jacoco/v1
#     - https://plimsoll.dev/documents/cobertura/v1
#     - https://plimsoll.dev/documents/lcov/v1
#   parameters:
#     - maxFailed
#     - minCoverage
#     - minPassed
#     - verified
package plimsoll.evidence.tests_passed

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the reports that name tests, and of those that measured coverage beside them.
examined contains e.digest if {
	count(_with_tests) > 0
	some e in (_with_tests | _with_coverage)
}

# METADATA
# description: One for each report with failures where there are too many, and one for each other thing that is missing.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_REPORTS",
		"subject": "reports",
		"message": sprintf("%d more violations of this rule are not listed", [more]),
		"remediation": "Mend those that are listed first: they have the same cause as a rule.",
	}
}

violations contains v if {
	some name in _unusable_parameters
	v := {
		"code": "PARAMETERS_UNUSABLE",
		"subject": sprintf("parameters.%s", [name]),
		"message": sprintf("the rule's parameter %s is not what its schema asks for", [name]),
		"remediation": sprintf("Correct the parameter %s of the rule.", [name]),
	}
}

_found := array.concat(sort(_missing | _unreadable), sort(_bad))

_missing contains v if {
	count(_with_tests) == 0
	v := {
		"code": "TESTS_MISSING",
		"subject": "tests",
		"message": "no test results that count are attached to the version or its contents",
		"remediation": "Run the tests and push their report with the digest of the version or of an artifact as its subject.",
	}
}

_missing contains v if {
	count(_with_tests) > 0
	_passed < _min_passed
	v := {
		"code": "TESTS_TOO_FEW",
		"subject": "tests",
		"message": sprintf("%d tests passed, and %v are asked for", [_passed, _min_passed]),
		"remediation": "Push the reports of all tests, or find out why tests were not run.",
	}
}

_missing contains v if {
	_has("minCoverage")
	_lines == 0
	v := {
		"code": "COVERAGE_MISSING",
		"subject": "coverage",
		"message": "no report that is attached says how many lines the tests ran through",
		"remediation": "Measure coverage and push its report with the digest of the version or of an artifact as its subject.",
	}
}

_missing contains v if {
	_has("minCoverage")
	_lines > 0
	not _covered_enough
	v := {
		"code": "COVERAGE_TOO_LOW",
		"subject": "coverage",
		"message": sprintf("the tests ran through %d of %d lines, which is less than %v %%", [_covered, _lines, _parameters.minCoverage]),
		"remediation": "Write tests for what has none.",
	}
}

_bad contains v if {
	not _few_enough
	some e in _with_tests
	e.view.tests.failed > 0
	v := {
		"code": "TESTS_FAILED",
		"subject": e.digest,
		"message": sprintf("%d of %d tests failed%s; %v may fail in all", [e.view.tests.failed, e.view.tests.total, _by(e), _max_failed]),
		"remediation": "Mend what the tests found, and make a version that holds the fix.",
	}
}

_bad contains v if {
	some e in _readable
	e.view.tests.result == "FAILED"
	e.view.tests.failed == 0
	v := {
		"code": "TESTS_FAILED",
		"subject": e.digest,
		"message": sprintf("a report says that the tests failed%s, and does not say which", [_by(e)]),
		"remediation": "Mend what the tests found, and make a version that holds the fix.",
	}
}

_unreadable contains v if {
	some e in _reports
	not e in _readable
	v := {
		"code": "REPORT_UNREADABLE",
		"subject": e.digest,
		"message": "a report of tests cannot be read, so it may say anything",
		"remediation": "Push the report as the tool wrote it.",
	}
}

# In a message.
_by(e) := sprintf(" by %s", [substring(e.view.tests.tool, 0, 200)]) if _is_text(e.view.tests.tool)

else := ""

# What the reports speak of: the version or one of its contents, by digest.

_about contains input.version.manifest_digest if _is_digest(input.version.manifest_digest)

_about contains content.digest if {
	is_array(input.contents)
	some content in input.contents
	_is_digest(content.digest)
}

_attached := [e |
	is_array(input.evidence)
	some e in input.evidence
	_is_digest(e.digest)
	is_array(e.subjects)
	some subject in e.subjects
	subject in _about
]

_reports contains e if {
	some e in _attached
	_signed_enough(e)
	_is_report(e)
}

_is_report(e) if e.view.tests

# One whose type says so is a report even where nothing could be read of it.
_is_report(e) if {
	is_string(e.predicate_type)
	regex.match("^https://(in-toto\\.io/attestation/test-result|plimsoll\\.dev/documents/(junit|xunit|nunit|tap|ctrf|jacoco|cobertura|lcov))/", e.predicate_type)
}

_readable contains e if {
	some e in _reports
	tests := e.view.tests
	tests.result in {"PASSED", "FAILED", "WARNED"}
	every field in ["total", "passed", "failed", "skipped"] { _is_count(tests[field]) }
	_is_coverage(tests.coverage)
}

_is_coverage(x) if x == null

_is_coverage(x) if {
	_is_count(x.lines)
	_is_count(x.lines_covered)
	x.lines_covered <= x.lines
}

_with_tests contains e if {
	some e in _readable
	e.view.tests.total > 0
}

_with_coverage contains e if {
	some e in _readable
	e.view.tests.coverage.lines > 0
}

_passed := sum([e.view.tests.passed | some e in _with_tests])

_few_enough if sum([e.view.tests.failed | some e in _readable]) <= _max_failed

_lines := sum([e.view.tests.coverage.lines | some e in _with_coverage])

_covered := sum([e.view.tests.coverage.lines_covered | some e in _with_coverage])

_covered_enough if {
	is_number(_parameters.minCoverage)
	_covered * 100 >= _parameters.minCoverage * _lines
}

# Only an exact false, or nothing, lets unsigned reports count.
_signed_enough(e) if e.verified == true

_signed_enough(_) if object.get(_parameters, "verified", false) == false

# The parameters. What cannot be read is as strict as can be, and said.

_max_failed := _parameters.maxFailed if _is_count(_parameters.maxFailed)

else := 0

_min_passed := max({1, _parameters.minPassed}) if _is_count(_parameters.minPassed)

else := 1

_unusable_parameters contains name if {
	some name in {"maxFailed", "minPassed"}
	_has(name)
	not _is_count(_parameters[name])
}

_unusable_parameters contains "minCoverage" if {
	_has("minCoverage")
	not is_number(_parameters.minCoverage)
}

_unusable_parameters contains "verified" if {
	_has("verified")
	not is_boolean(_parameters.verified)
}

_is_count(x) if {
	is_number(x)
	x >= 0
	x == floor(x)
}

_has(name) if name in object.keys(_parameters)

_is_text(x) if {
	is_string(x)
	x != ""
}

_is_digest(x) if {
	is_string(x)
	startswith(x, "sha256:")
	count(x) == 71
}
