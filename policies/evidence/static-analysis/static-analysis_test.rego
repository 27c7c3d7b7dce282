package plimsoll.evidence.static_analysis_test

import data.plimsoll.evidence.static_analysis

_digest(n) := sprintf("sha256:%064d", [n])

_log := {
	"digest": _digest(100), "predicate_type": "https://docs.oasis-open.org/sarif/sarif/v2.1.0", "verified": false,
	"subjects": [_digest(9)], "predicate": {"runs": [{"invocations": [{"executionSuccessful": true}]}]},
	"view": {"static_analysis": {"tool": "CodeQL", "result": "", "counts": {"error": 1, "warning": 5, "note": 3, "none": 0}}},
}

_second := object.union(_log, {"digest": _digest(101), "subjects": [_digest(1)], "view": {"static_analysis": {"tool": "gosec"}}})

_with(evidence) := {
	"version": {"manifest_digest": _digest(9)},
	"contents": [{"name": "app.tar", "digest": _digest(1)}, {"name": "a", "digest": null}],
	"evidence": evidence,
}

_input := _with([_log, _second])

_but(changes) := _with([object.union(_log, changes)])

_says(changes) := _but({"view": {"static_analysis": changes}})

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := static_analysis.violations with input as doc with data.parameters as object.union({"maxErrors": 1}, parameters)
}

_examined(doc, parameters) := found if {
	found := static_analysis.examined with input as doc with data.parameters as object.union({"maxErrors": 1}, parameters)
}

test_little_enough if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100), _digest(101)}
	_violations(_input, {"maxWarnings": 5}) == set()
}

test_too_much if {
	_violations(_input, {"maxErrors": 0}) == {["ANALYSIS_ERRORS", _digest(100)], ["ANALYSIS_ERRORS", _digest(101)]}
	_violations(_with([_log]), {"maxWarnings": 4}) == {["ANALYSIS_WARNINGS", _digest(100)]}
	found := static_analysis.violations with input as _with([_log]) with data.parameters as {"maxErrors": 0}
	{v.message | some v in found} == {"CodeQL found 1 errors, and 0 are let pass"}
}

test_tools if {
	_violations(_input, {"tools": ["codeql"]}) == set()
	_examined(_input, {"tools": ["codeql"]}) == {_digest(100)}
	_violations(_input, {"tools": ["CodeQL", "gosec"]}) == set()
	_violations(_input, {"tools": ["CodeQL", "Semgrep"]}) == {["TOOL_MISSING", "semgrep"]}
	_violations(_input, {"tools": ["Semgrep"]}) == {["TOOL_MISSING", "semgrep"], ["ANALYSIS_MISSING", "static analysis"]}
	_examined(_input, {"tools": ["Semgrep"]}) == set()
}

test_a_tool_that_did_not_end if {
	doc := _but({"predicate": {"runs": [{}, {"invocations": [{"executionSuccessful": false}]}]}})
	_violations(doc, {}) == {["ANALYSIS_UNFINISHED", _digest(100)]}
	_violations(_but({"predicate": null}), {}) == set()
}

test_missing if {
	every doc in [
		{}, _with([]), _with(null), _with({"0": _log}), _with(["x"]), _but({"subjects": [_digest(77)]}), _but({"subjects": _digest(9)}),
		_but({"digest": "x"}), _but({"predicate_type": null}), _but({"predicate_type": "https://scorecard.dev/result/v0.1"}),
		object.union(_but({}), {"version": null}), object.union(_but({"subjects": [_digest(1)]}), {"contents": null}),
	] {
		_violations(doc, {}) == {["ANALYSIS_MISSING", "static analysis"]}
		_examined(doc, {}) == set()
	}
}

test_unreadable if {
	every changes in [
		{"tool": ""}, {"tool": null}, {"counts": null}, {"counts": {"error": "0"}}, {"counts": {"error": -1}}, {"counts": {"warning": null}},
		{"counts": {"error": 0.5}},
	] {
		_violations(_says(changes), {}) == {["ANALYSIS_MISSING", "static analysis"], ["REPORT_UNREADABLE", _digest(100)]}
	}
	every view in [null, {}, "x", {"static_analysis": null}] {
		_violations(_with([_log, object.union(object.remove(_log, ["view"]), {"digest": _digest(102), "view": view})]), {}) == {["REPORT_UNREADABLE", _digest(102)]}
	}
}

test_verified if {
	_violations(_but({"verified": true}), {"verified": true}) == set()
	_violations(_input, {"verified": true}) == {["ANALYSIS_MISSING", "static analysis"]}
	_violations(_but({"verified": "true"}), {"verified": true}) == {["ANALYSIS_MISSING", "static analysis"]}
	_violations(_input, {"verified": false}) == set()
}

test_parameters_that_are_unusable if {
	every name, values in {
		"maxErrors": [null, "1", -1, 0.5],
		"maxWarnings": [null, "1", -1],
		"tools": [null, "CodeQL", [], [""], [1]],
		"verified": [null, "true", 1],
	} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
	["ANALYSIS_WARNINGS", _digest(100)] in _violations(_input, {"maxWarnings": "9"})
	every parameters in [null, [], {}] {
		found := static_analysis.violations with input as _with([_log]) with data.parameters as parameters
		{v.code | some v in found} == {"ANALYSIS_ERRORS", "PARAMETERS_UNUSABLE"}
	}
}

test_many_are_summed_up if {
	logs := [object.union(_log, {"digest": _digest(i)}) | some i in numbers.range(1, 1200)]
	found := static_analysis.violations with input as _with(logs) with data.parameters as {"maxErrors": 0}
	count(found) == 901
	some more in found
	more.code == "MORE_REPORTS"
	startswith(more.message, "300 more")
}
