package plimsoll.catalog.owner_set_test

import data.plimsoll.catalog.owner_set

_input := {"application": {"key": "checkout", "owners": [{"ref": "team:payments"}, {"ref": "person:a"}]}}

_with(owners) := {"application": {"key": "checkout", "owners": owners}}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := owner_set.violations with input as doc with data.parameters as parameters
}

_examined(doc) := found if {
	found := owner_set.examined with input as doc with data.parameters as {}
}

test_owned if {
	_violations(_input, {}) == set()
	_examined(_input) == {"checkout"}
	_violations(_input, {"minOwners": 2, "team": true}) == set()
}

test_too_few if {
	_violations(_input, {"minOwners": 3}) == {["OWNER_MISSING", "checkout"]}
	_violations(_with([]), {}) == {["OWNER_MISSING", "checkout"]}
	_violations(_with([]), {"minOwners": 0}) == {["OWNER_MISSING", "checkout"]}
	_examined(_with([])) == {"checkout"}
	_violations(_with([{"ref": "person:a"}, {"ref": "person:a"}]), {"minOwners": 2}) == {["OWNER_MISSING", "checkout"]}
}

test_no_team if {
	_violations(_with([{"ref": "person:a"}]), {"team": true}) == {["TEAM_MISSING", "checkout"]}
	_violations(_with([{"ref": "person:a"}]), {"team": false}) == set()
}

test_owners_that_are_none if {
	every owner in ["x", null, {}, {"ref": ""}, {"ref": "team:"}, {"ref": "payments"}, {"ref": 1}] {
		_violations(_with([owner]), {}) == {["OWNER_MISSING", "checkout"]}
	}
}

test_nothing_known if {
	every owners in [null, {}, "x"] {
		_violations(_with(owners), {}) == {["OWNER_MISSING", "checkout"]}
		_examined(_with(owners)) == set()
	}
	every doc in [{}, {"application": null}, {"application": {"owners": _input.application.owners}}] {
		_violations(doc, {}) == {["OWNER_MISSING", "application"]}
		_examined(doc) == set()
	}
}

test_parameters_that_are_unusable if {
	every name, values in {"minOwners": [null, "1", []], "team": [null, "true", 1]} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
	every parameters in [null, [], "x"] { _violations(_input, parameters) == set() }
}
