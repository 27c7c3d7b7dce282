package plimsoll.release.gate_certified_test

import data.plimsoll.release.gate_certified

_parameters := {"stage": "QA", "gate": "EXIT"}

_gate := {"stage": "QA", "kind": "EXIT", "decision": "PASS", "eval_id": "eval-qa-exit-1"}

_promotion := {
	"kind": "PROMOTE", "status": "COMPLETED", "from_stage": "QA", "to_stage": "STAGING", "undone": false,
	"gates": [_gate, {"stage": "STAGING", "kind": "ENTRY", "decision": "PASS", "eval_id": "eval-staging-entry-1"}],
}

_codes(history) := {v.code | some v in found} if {
	found := gate_certified.violations with input as {"version": {"history": history}} with data.parameters as _parameters
}

_examined(history) := found if {
	found := gate_certified.examined with input as {"version": {"history": history}} with data.parameters as _parameters
}

_but(field, value) := object.union(_promotion, {field: value})

_but_gate(field, value) := object.union(_promotion, {"gates": [object.union(_gate, {field: value})]})

test_passed if {
	every promotion in [_promotion, _but_gate("decision", "WARN"), _but("kind", "RELEASE")] {
		_codes([promotion]) == set()
		_examined([promotion]) == {"eval-qa-exit-1"}
	}
}

test_passed_again_after_a_rollback if {
	again := _but_gate("eval_id", "eval-qa-exit-2")
	_codes([_but("undone", true), {"kind": "ROLLBACK", "status": "COMPLETED", "gates": []}, again]) == set()
}

test_a_later_attempt_takes_nothing_back if {
	_codes([_promotion, object.union(_but_gate("decision", "FAIL"), {"status": "BLOCKED"})]) == set()
}

test_left_by_rollback if {
	_codes([_but("undone", true)]) == {"GATE_LEFT_BY_ROLLBACK"}
	_examined([_but("undone", true)]) == {"eval-qa-exit-1"}
}

test_tried_but_not_passed if {
	every promotion in [
		_but("status", "BLOCKED"),
		_but("status", "FAILED"),
		_but("status", null),
		_but_gate("decision", "FAIL"),
		_but_gate("decision", "ERROR"),
		_but_gate("decision", null),
		_but_gate("decision", ["PASS"]),
		_but("undone", null),
		_but("undone", "false"),
		_but("undone", 0),
		object.remove(_promotion, ["undone"]),
		object.remove(_promotion, ["status"]),
	] {
		_codes([promotion]) == {"GATE_NOT_PASSED"}
		_examined([promotion]) == {"eval-qa-exit-1"}
	}
}

test_another_gate_or_nothing if {
	every promotion in [
		_but_gate("stage", "qa"),
		_but_gate("kind", "ENTRY"),
		_but_gate("stage", null),
		_but_gate("eval_id", null),
		_but_gate("eval_id", ""),
		_but("kind", "ROLLBACK"),
		_but("kind", null),
		_but("gates", []),
		_but("gates", null),
		_but("gates", {"0": _gate}),
		_but("gates", ["x"]),
		"x",
		null,
	] {
		_codes([promotion]) == {"GATE_NOT_PASSED"}
		_examined([promotion]) == set()
	}
}

test_no_history if {
	every history in [[], null, {}, {"0": _promotion}, "x"] {
		_codes(history) == {"GATE_NOT_PASSED"}
		_examined(history) == set()
	}
	found := gate_certified.violations with input as {} with data.parameters as {}
	{v.subject | some v in found} == {"(no stage given)/(no gate given)"}
}

test_the_gate_is_named if {
	found := gate_certified.violations with input as {"version": {"history": []}} with data.parameters as _parameters
	{v.subject | some v in found} == {"QA/EXIT"}
}

test_parameters_that_are_missing_certify_nothing if {
	every parameters in [null, [], {}, {"stage": "QA"}] {
		found := gate_certified.violations with input as {"version": {"history": [_promotion]}} with data.parameters as parameters
		{v.code | some v in found} == {"GATE_NOT_PASSED"}
	}
}
