package plimsoll.release.not_frozen_test

import data.plimsoll.release.not_frozen

_now := "2026-11-21T03:00:00.000001Z"

_freeze := {
	"id": "7", "scope": "PROJECT", "reason": "the quarter ends", "active": true,
	"starts_at": "2026-11-20T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z",
}

_codes(freezes) := {v.code | some v in found} if {
	found := not_frozen.violations with input as {"evaluated_at": _now, "freezes": freezes}
}

_examined(freezes) := found if {
	found := not_frozen.examined with input as {"evaluated_at": _now, "freezes": freezes}
}

_but(field, value) := object.union(_freeze, {field: value})

test_none if {
	_codes([]) == set()
	_examined([]) == {"the freezes at 2026-11-21T03:00:00.000001Z"}
}

test_one_holds if {
	_codes([_freeze]) == {"FROZEN"}
	_examined([_freeze]) == {"the freezes at 2026-11-21T03:00:00.000001Z", "freeze 7"}
	found := not_frozen.violations with input as {"evaluated_at": _now, "freezes": [_freeze]}
	{[v.subject, v.message] | some v in found} == {["freeze 7 of PROJECT", "nothing moves until 2026-12-01T00:00:00Z: the quarter ends"]}
}

test_two_hold if {
	found := not_frozen.violations with input as {"evaluated_at": _now, "freezes": [_freeze, _but("id", "8")]}
	count(found) == 2
}

test_from_its_first_instant_to_the_last_before_its_end if {
	_codes([_but("starts_at", _now)]) == {"FROZEN"}
	_codes([_but("ends_at", "2026-11-21T03:00:00.000002Z")]) == {"FROZEN"}
	_codes([_but("starts_at", "2026-11-21T03:00:00.000002Z")]) == set()
	_codes([_but("ends_at", _now)]) == set()
}

test_what_another_says_of_it_does_not_matter if {
	_codes([_but("active", false)]) == {"FROZEN"}
}

test_one_that_cannot_be_read_holds if {
	every freeze in [null, "x", 1, [], {}, object.remove(_freeze, ["starts_at", "ends_at"]), _but("starts_at", null), _but("ends_at", 7)] {
		_codes([freeze]) == {"FROZEN"}
	}
	_examined([{}]) == {"the freezes at 2026-11-21T03:00:00.000001Z", "freeze (unknown)"}
}

test_no_list if {
	every freezes in [null, {}, {"0": _freeze}, "x", 7] {
		_codes(freezes) == {"FREEZES_UNKNOWN"}
		_examined(freezes) == set()
	}
	found := not_frozen.violations with input as {"evaluated_at": _now}
	{v.code | some v in found} == {"FREEZES_UNKNOWN"}
}

test_no_instant if {
	every now in [null, 7] {
		found := not_frozen.examined with input as {"evaluated_at": now, "freezes": []}
		found == set()
	}
}
