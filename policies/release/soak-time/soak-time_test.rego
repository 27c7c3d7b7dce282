package plimsoll.release.soak_time_test

import data.plimsoll.release.soak_time

_arrival := {"kind": "PROMOTE", "status": "COMPLETED", "from_stage": "DEV", "to_stage": "QA", "at": "2026-11-20T03:00:00Z", "undone": false}

_with(history) := {"evaluated_at": "2026-11-21T03:00:00Z", "version": {"current_stage": "QA", "history": history}}

_input := _with([_arrival])

_parameters := {"stage": "QA", "hours": 24}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := soak_time.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_examined(doc) := found if {
	found := soak_time.examined with input as doc with data.parameters as _parameters
}

test_long_enough if {
	_violations(_input, {}) == set()
	_examined(_input) == {"QA since 2026-11-20T03:00:00Z"}
	_violations(_input, {"hours": 0.5}) == set()
}

test_not_long_enough if {
	found := soak_time.violations with input as _input with data.parameters as {"stage": "QA", "hours": 24.1}
	{[v.code, v.message] | some v in found} == {["SOAK_TIME", "the version was in QA for 24 hours on end, and 24.1 are asked for"]}
	_violations(object.union(_input, {"evaluated_at": "2026-11-21T02:59:59Z"}), {}) == {["SOAK_TIME", "QA"]}
}

test_it_moved_on if {
	next := {"kind": "PROMOTE", "status": "COMPLETED", "to_stage": "STAGING", "at": "2026-11-20T05:00:00Z", "undone": false}
	left := object.union(_with([_arrival, next]), {"version": {"current_stage": "STAGING"}})
	_violations(left, {}) == {["SOAK_TIME", "QA"]}
	_violations(left, {"hours": 2}) == set()
	every status in ["BLOCKED", "FAILED"] {
		_violations(_with([_arrival, object.union(next, {"status": status})]), {}) == set()
	}
}

test_rollbacks if {
	undone := object.union(_arrival, {"undone": true})
	_violations(_with([undone]), {}) == {["STAGE_NOT_REACHED", "QA"]}
	next := {"kind": "PROMOTE", "status": "COMPLETED", "to_stage": "STAGING", "at": "2026-11-20T05:00:00Z", "undone": true}
	back := {"kind": "ROLLBACK", "status": "COMPLETED", "to_stage": "QA", "at": "2026-11-20T06:00:00Z", "undone": false}
	_violations(_with([_arrival, next, back]), {}) == {["SOAK_TIME", "QA"]}
	_violations(_with([_arrival, next, back]), {"hours": 21}) == set()
}

test_never_there if {
	every doc in [
		{}, _with([]), _with(null), _with("x"), _with([object.union(_arrival, {"to_stage": "qa"})]), _with([object.union(_arrival, {"to_stage": null})]),
		_with([object.union(_arrival, {"status": "BLOCKED"})]), object.union(_input, {"version": {"current_stage": "DEV"}}),
		object.union(_input, {"version": {"current_stage": null}}),
	] {
		_violations(doc, {}) == {["STAGE_NOT_REACHED", "QA"]}
		_examined(doc) == set()
	}
}

test_unreadable if {
	every changes in [{"kind": "x"}, {"kind": null}, {"status": ""}, {"undone": "false"}, {"undone": null}, {"at": null}, {"at": ""}] {
		_violations(_with([_arrival, object.union(_arrival, changes)]), {}) == {["HISTORY_UNREADABLE", "history[1]"]}
	}
	_violations(_with([_arrival, "x"]), {}) == {["HISTORY_UNREADABLE", "history[1]"]}
}

test_parameters_that_are_unusable if {
	every name, values in {"stage": [null, "", 1], "hours": [null, "24", 0, -1]} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
	every parameters in [null, [], {}] {
		found := soak_time.violations with input as _input with data.parameters as parameters
		{[v.code, v.subject] | some v in found} == {
			["PARAMETERS_UNUSABLE", "parameters.stage"], ["PARAMETERS_UNUSABLE", "parameters.hours"],
			["STAGE_NOT_REACHED", "the stage"],
		}
	}
}
