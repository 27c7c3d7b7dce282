package plimsoll.approval.approved_by_test

import data.plimsoll.approval.approved_by

_digest(n) := sprintf("sha256:%064d", [n])

_word := {
	"by": "person:a", "roles": ["RELEASER", "VIEWER"], "owner": true, "owner_refs": ["team:payments", "person:a"],
	"decision": "APPROVED", "at": "2026-11-20T05:00:00Z", "statement": _digest(100), "counts": true,
}

_second := object.union(_word, {"by": "person:b", "owner": false, "owner_refs": [], "statement": _digest(101)})

_with(approvals) := {"version": {"manifest_digest": _digest(9), "created_by": "person:maker"}, "approvals": approvals}

_input := _with([_word, _second])

_but(changes) := _with([object.union(_word, changes)])

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := approved_by.violations with input as doc with data.parameters as object.union({"approvers": ["OWNERS"]}, parameters)
}

_codes(doc, parameters) := {pair[0] | some pair in _violations(doc, parameters)}

_examined(doc, parameters) := found if {
	found := approved_by.examined with input as doc with data.parameters as object.union({"approvers": ["OWNERS"]}, parameters)
}

test_approved if {
	every approvers in [["OWNERS"], ["team:payments"], ["person:a"], ["RELEASER"], ["team:x", "VIEWER"]] {
		_violations(_input, {"approvers": approvers}) == set()
		_digest(100) in _examined(_input, {"approvers": approvers})
	}
	_examined(_input, {}) == {_digest(100)}
	_violations(_with([_second]), {"approvers": ["person:b"]}) == set()
}

test_by_nobody_who_may if {
	every approvers in [["team:other"], ["person:c"], ["AUDITOR"], ["owners"], ["payments"], ["person:"]] {
		_violations(_input, {"approvers": approvers}) == {["APPROVAL_MISSING", _digest(9)]}
		_examined(_input, {"approvers": approvers}) == set()
	}
	every changes in [{"owner": false}, {"counts": false}] { _codes(_but(changes), {}) == {"APPROVAL_MISSING"} }
}

test_services_are_no_people if {
	every name in ["deploy-bot", "RELEASER", "OWNERS", "team:payments"] {
		_codes(_but({"by": name}), {"approvers": ["OWNERS", "RELEASER", "team:payments"]}) == {"APPROVAL_MISSING"}
	}
	_codes(_but({"roles": ["team:x"]}), {"approvers": ["team:x"]}) == {"APPROVAL_MISSING"}
}

test_so_many_different_people if {
	_violations(_input, {"approvers": ["RELEASER"], "count": 2}) == set()
	_codes(_input, {"approvers": ["RELEASER"], "count": 3}) == {"APPROVAL_MISSING"}
	_codes(_with([_word, object.union(_word, {"statement": _digest(102)})]), {"count": 2}) == {"APPROVAL_MISSING"}
	_codes(_with([]), {"count": 0}) == {"APPROVAL_MISSING"}
	found := approved_by.violations with input as _input with data.parameters as {"approvers": ["OWNERS"], "count": 2}
	{[v.message, v.remediation] | some v in found} == {["1 of the approvers approved the version, and 2 are asked for", "Ask for the approval of OWNERS."]}
}

test_not_the_author if {
	doc := object.union(_input, {"version": {"created_by": "person:a"}})
	_codes(doc, {}) == {"APPROVAL_MISSING"}
	_examined(doc, {}) == {_digest(100)}
	_violations(doc, {"notAuthor": false}) == set()
	every author in ["", null, 1] {
		_codes(object.union(_input, {"version": {"created_by": author}}), {}) == {"APPROVAL_MISSING"}
		_codes(object.union(_input, {"version": {"created_by": author}}), {"notAuthor": false}) == set()
	}
}

test_rejected if {
	no := object.union(_word, {"decision": "REJECTED"})
	_violations(_with([no, _second]), {"approvers": ["RELEASER"]}) == {["VERSION_REJECTED", "person:a"]}
	_violations(_with([object.union(no, {"counts": false}), _second]), {"approvers": ["RELEASER"]}) == set()
	_violations(_with([_word, object.union(_second, {"decision": "REJECTED"})]), {}) == set()
	by_author := object.union(_with([no, _second]), {"version": {"created_by": "person:a"}})
	_violations(by_author, {"approvers": ["RELEASER"]}) == {["VERSION_REJECTED", "person:a"]}
}

test_unreadable if {
	every changes in [
		{"by": null}, {"by": ""}, {"statement": null}, {"decision": "YES"}, {"decision": null}, {"counts": "true"}, {"owner": 1},
		{"roles": "RELEASER"}, {"owner_refs": null},
	] {
		_codes(_with([_word, object.union(_second, changes)]), {}) == {"APPROVAL_UNREADABLE"}
	}
	_codes(_with([_word, "x"]), {}) == {"APPROVAL_UNREADABLE"}
}

test_nothing_said if {
	every approvals in [[], null, {}, "x", {"0": _word}] {
		_violations(_with(approvals), {}) == {["APPROVAL_MISSING", _digest(9)]}
		_examined(_with(approvals), {}) == set()
	}
	_violations({}, {}) == {["APPROVAL_MISSING", "version"]}
}

test_parameters_that_are_unusable if {
	every name, values in {"approvers": [null, "OWNERS", [], [""], [1]], "count": [null, "1", []], "notAuthor": [null, "false", 0]} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
	every parameters in [null, [], {}] {
		found := approved_by.violations with input as _input with data.parameters as parameters
		{v.code | some v in found} == {"PARAMETERS_UNUSABLE", "APPROVAL_MISSING"}
	}
}

test_many_are_summed_up if {
	list := [object.union(_word, {"by": sprintf("person:%d", [i]), "decision": "REJECTED"}) | some i in numbers.range(1, 1200)]
	found := approved_by.violations with input as _with(list) with data.parameters as {"approvers": ["OWNERS"]}
	count(found) == 901
	some more in found
	more.code == "MORE_APPROVALS"
	startswith(more.message, "301 more")
}
