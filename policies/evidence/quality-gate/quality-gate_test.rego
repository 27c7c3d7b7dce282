package plimsoll.evidence.quality_gate_test

import data.plimsoll.evidence.quality_gate

_digest(n) := sprintf("sha256:%064d", [n])

_verdict := {
	"digest": _digest(100), "predicate_type": "https://plimsoll.dev/documents/sonarqube-quality-gate/v1", "verified": true,
	"created_at": "2026-11-20T03:00:00Z", "subjects": [_digest(9)], "predicate": {"project": {"key": "shop"}},
	"view": {"static_analysis": {"tool": "SonarQube", "result": "PASSED", "conditions": [{"metric": "coverage", "result": "PASSED"}]}},
}

_with(evidence) := {
	"version": {"manifest_digest": _digest(9)},
	"contents": [{"name": "app.tar", "digest": _digest(1)}, {"name": "a", "digest": null}],
	"evidence": evidence,
}

_but(changes) := _with([object.union(_verdict, changes)])

_says(changes) := _but({"view": {"static_analysis": changes}})

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := quality_gate.violations with input as doc with data.parameters as parameters
}

_examined(doc, parameters) := found if {
	found := quality_gate.examined with input as doc with data.parameters as parameters
}

test_passed if {
	_violations(_with([_verdict]), {}) == set()
	_examined(_with([_verdict]), {}) == {_digest(100)}
	_violations(_but({"subjects": [_digest(1)]}), {}) == set()
}

test_not_passed if {
	_violations(_says({"result": "FAILED"}), {"allowWarned": true}) == {["QUALITY_GATE", _digest(100)]}
	_violations(_says({"result": "WARNED"}), {}) == {["QUALITY_GATE", _digest(100)]}
	_violations(_says({"result": "WARNED"}), {"allowWarned": true}) == set()
	doc := _says({"result": "FAILED", "conditions": [{"metric": "coverage", "result": "FAILED"}, {"metric": "", "result": "FAILED"}]})
	found := quality_gate.violations with input as doc with data.parameters as {}
	{v.message | some v in found} == {"the quality gate says FAILED: coverage"}
	_violations(_says({"result": "FAILED", "conditions": null}), {}) == {["QUALITY_GATE", _digest(100)]}
}

test_the_newest_of_a_project_counts if {
	failed := object.union(_verdict, {"digest": _digest(101), "view": {"static_analysis": {"result": "FAILED"}}})
	later := object.union(failed, {"created_at": "2026-11-20T04:00:00Z"})
	earlier := object.union(failed, {"created_at": "2026-11-20T02:00:00Z"})
	_violations(_with([_verdict, later]), {}) == {["QUALITY_GATE", _digest(101)]}
	_violations(_with([_verdict, earlier]), {}) == set()
	_violations(_with([_verdict, failed]), {}) == {["QUALITY_GATE", _digest(101)]}
	_violations(_with([_verdict, object.union(earlier, {"predicate": {"project": {"key": "other"}}})]), {}) == {["QUALITY_GATE", _digest(101)]}
	_violations(_with([_verdict, object.union(earlier, {"predicate": null})]), {}) == {["QUALITY_GATE", _digest(101)]}
}

test_missing if {
	every doc in [
		{}, _with([]), _with(null), _with({"0": _verdict}), _with(["x"]), _but({"subjects": [_digest(77)]}), _but({"subjects": _digest(9)}),
		_but({"digest": "x"}), _but({"predicate_type": null}), _but({"predicate_type": "https://example.com"}), _but({"verified": false}),
		_but({"verified": "true"}), object.union(_but({}), {"version": null}), object.union(_but({"subjects": [_digest(1)]}), {"contents": null}),
	] {
		_violations(doc, {}) == {["VERDICT_MISSING", "quality gate"]}
		_examined(doc, {}) == set()
	}
	_violations(_but({"verified": false}), {"verified": false}) == set()
}

test_unreadable if {
	every view in [null, {}, "x", {"static_analysis": {"result": ""}}, {"static_analysis": {"result": null}}, {"static_analysis": null}] {
		["REPORT_UNREADABLE", _digest(100)] in _violations(_with([object.union(object.remove(_verdict, ["view"]), {"view": view})]), {})
	}
}

test_parameters_that_are_unusable if {
	every name in ["allowWarned", "verified"] {
		every value in [null, "true", 1, []] {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_with([_verdict]), {name: value})
		}
	}
	every parameters in [null, [], "x"] { _violations(_with([_verdict]), parameters) == set() }
}

test_many_are_summed_up if {
	list := [object.union(_verdict, {"digest": _digest(i), "predicate": null, "view": {"static_analysis": {"result": "FAILED"}}}) |
		some i in numbers.range(1, 1200)
	]
	found := quality_gate.violations with input as _with(list) with data.parameters as {}
	count(found) == 901
	some more in found
	more.code == "MORE_REPORTS"
	startswith(more.message, "300 more")
}
