package plimsoll.evidence.tests_passed_test

import data.plimsoll.evidence.tests_passed

_digest(n) := sprintf("sha256:%064d", [n])

_tests := {"tool": "JUnit", "result": "PASSED", "total": 12, "passed": 10, "failed": 0, "skipped": 2, "coverage": null}

_report := {
	"digest": _digest(100), "predicate_type": "https://plimsoll.dev/documents/junit/v1", "verified": false,
	"subjects": [_digest(9)], "view": {"tests": _tests},
}

_coverage := object.union(_report, {
	"digest": _digest(101), "predicate_type": "https://plimsoll.dev/documents/lcov/v1", "subjects": [_digest(1)],
	"view": {"tests": {"total": 0, "passed": 0, "skipped": 0, "coverage": {"lines": 200, "lines_covered": 160}}},
})

_with(evidence) := {
	"version": {"manifest_digest": _digest(9)},
	"contents": [{"name": "app.tar", "digest": _digest(1)}, {"name": "a", "digest": null}],
	"evidence": evidence,
}

_input := _with([_report, _coverage])

_but(changes) := _with([object.union(_report, changes)])

_says(changes) := _but({"view": {"tests": changes}})

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := tests_passed.violations with input as doc with data.parameters as parameters
}

_codes(doc, parameters) := {pair[0] | some pair in _violations(doc, parameters)}

_examined(doc, parameters) := found if {
	found := tests_passed.examined with input as doc with data.parameters as parameters
}

test_passed if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100), _digest(101)}
	_violations(_with([_report]), {"minPassed": 10}) == set()
	_violations(_says({"result": "WARNED"}), {}) == set()
}

test_failed if {
	doc := _says({"result": "FAILED", "failed": 2, "passed": 8})
	_violations(doc, {}) == {["TESTS_FAILED", _digest(100)]}
	_violations(doc, {"maxFailed": 1}) == {["TESTS_FAILED", _digest(100)]}
	_violations(doc, {"maxFailed": 2}) == set()
	_examined(doc, {}) == {_digest(100)}
	found := tests_passed.violations with input as doc with data.parameters as {}
	{v.message | some v in found} == {"2 of 12 tests failed by JUnit; 0 may fail in all"}
}

test_every_report_counts if {
	failed := object.union(_report, {"digest": _digest(102), "view": {"tests": {"tool": "", "result": "FAILED", "failed": 1}}})
	_violations(_with([failed, _report]), {}) == {["TESTS_FAILED", _digest(102)]}
	again := object.union(failed, {"digest": _digest(103)})
	_codes(_with([failed, again]), {"maxFailed": 1}) == {"TESTS_FAILED"}
	_codes(_with([failed, again]), {"maxFailed": 2}) == set()
	_violations(_with([_report, object.union(_report, {"digest": _digest(104)})]), {"minPassed": 20}) == set()
}

test_failed_as_a_whole if {
	_violations(_says({"result": "FAILED"}), {}) == {["TESTS_FAILED", _digest(100)]}
	_violations(_says({"result": "FAILED"}), {"maxFailed": 10}) == {["TESTS_FAILED", _digest(100)]}
}

test_too_few if {
	_violations(_input, {"minPassed": 11}) == {["TESTS_TOO_FEW", "tests"]}
	_violations(_says({"passed": 0, "skipped": 12}), {}) == {["TESTS_TOO_FEW", "tests"]}
	_violations(_says({"passed": 0, "skipped": 12}), {"minPassed": 0}) == {["TESTS_TOO_FEW", "tests"]}
}

test_coverage if {
	_violations(_input, {"minCoverage": 80}) == set()
	_violations(_input, {"minCoverage": 80.1}) == {["COVERAGE_TOO_LOW", "coverage"]}
	_violations(_with([_report]), {"minCoverage": 0}) == {["COVERAGE_MISSING", "coverage"]}
	more := object.union(_coverage, {"digest": _digest(105), "view": {"tests": {"coverage": {"lines": 200, "lines_covered": 200}}}})
	_violations(_with([_report, _coverage, more]), {"minCoverage": 90}) == set()
}

test_missing if {
	every doc in [
		{}, _with([]), _with(null), _with({"0": _report}), _with(["x"]), _with([_coverage]),
		_but({"subjects": [_digest(77)]}), _but({"subjects": _digest(9)}), _but({"digest": "x"}),
		_says({"total": 0, "passed": 0}), object.union(_but({}), {"version": null}),
		object.union(_but({"subjects": [_digest(1)]}), {"contents": null}),
	] {
		_violations(doc, {}) == {["TESTS_MISSING", "tests"]}
		_examined(doc, {}) == set()
	}
}

test_unreadable if {
	every changes in [
		{"result": "OK"}, {"result": null}, {"total": "12"}, {"passed": null}, {"passed": 1.5}, {"failed": -1}, {"skipped": []},
		{"coverage": {}}, {"coverage": "80"}, {"coverage": {"lines": 1, "lines_covered": 2}},
	] {
		_violations(_says(changes), {}) == {["TESTS_MISSING", "tests"], ["REPORT_UNREADABLE", _digest(100)]}
	}
	every view in [null, {}, "x", {"tests": null}] {
		["REPORT_UNREADABLE", _digest(102)] in _violations(_with([_report, object.union(object.remove(_report, ["view"]), {"digest": _digest(102), "view": view})]), {})
	}
	["REPORT_UNREADABLE", _digest(100)] in _violations(_but({"predicate_type": null, "view": {"tests": "x"}}), {})
}

test_verified if {
	_violations(_but({"verified": true}), {"verified": true}) == set()
	_violations(_but({"verified": "true"}), {"verified": true}) == {["TESTS_MISSING", "tests"]}
	_violations(_input, {"verified": true}) == {["TESTS_MISSING", "tests"]}
	_violations(_input, {"verified": false}) == set()
}

test_parameters_that_are_unusable if {
	every name, values in {
		"maxFailed": [null, "1", -1, 0.5, []],
		"minPassed": [null, "1", -1],
		"minCoverage": [null, "80", []],
		"verified": [null, "true", 1],
	} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
	every parameters in [null, [], "x"] { _violations(_input, parameters) == set() }
}

test_many_are_summed_up if {
	reports := [object.union(_report, {"digest": _digest(i), "view": {"tests": {"failed": 1}}}) | some i in numbers.range(1, 1200)]
	found := tests_passed.violations with input as _with(reports) with data.parameters as {}
	count(found) == 901
	some more in found
	more.code == "MORE_REPORTS"
	startswith(more.message, "300 more")
}
