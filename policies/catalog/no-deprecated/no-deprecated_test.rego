package plimsoll.catalog.no_deprecated_test

import data.plimsoll.catalog.no_deprecated

_digest(n) := sprintf("sha256:%064d", [n])

_old := {"purl": "pkg:npm/left-pad", "reason": "use padStart", "since": "2026-11-01T03:00:00Z", "in": "CONTENTS"}

_input := {
	"evaluated_at": "2026-11-21T03:00:00Z",
	"contents": [{"purl": null, "digest": _digest(1)}, {"purl": "pkg:npm/a@1", "digest": null}, {"purl": null, "name": "b"}],
	"components": [{"purl": "pkg:npm/a@1", "sboms": [_digest(10), 1]}, {"purl": "pkg:npm/b@1", "sboms": null}],
	"deprecated": [],
}

_with(list) := object.union(_input, {"deprecated": list})

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := no_deprecated.violations with input as doc with data.parameters as parameters
}

_examined(doc, parameters) := found if {
	found := no_deprecated.examined with input as doc with data.parameters as parameters
}

test_none if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(1), "pkg:npm/a@1", "contents[2]", _digest(10)}
	_examined(_input, {"parts": ["CONTENTS"]}) == {_digest(1), "pkg:npm/a@1", "contents[2]"}
	_examined(_input, {"parts": ["COMPONENTS"]}) == {_digest(10)}
}

test_deprecated if {
	found := no_deprecated.violations with input as _with([_old]) with data.parameters as {}
	found == {{
		"code": "PACKAGE_DEPRECATED", "subject": "pkg:npm/left-pad", "purl": "pkg:npm/left-pad",
		"message": "pkg:npm/left-pad among the contents is deprecated since 2026-11-01T03:00:00Z: use padStart",
		"remediation": "Replace it by what its deprecation recommends.",
	}}
	_violations(_with([object.remove(_old, ["reason"])]), {}) == {["PACKAGE_DEPRECATED", "pkg:npm/left-pad"]}
}

test_where if {
	_violations(_with([_old]), {"parts": ["COMPONENTS"]}) == set()
	_violations(_with([object.union(_old, {"in": "COMPONENTS"})]), {"parts": ["COMPONENTS"]}) == {["PACKAGE_DEPRECATED", "pkg:npm/left-pad"]}
	_violations(_with([object.union(_old, {"in": "COMPONENTS"})]), {"parts": ["CONTENTS"]}) == set()
}

test_grace if {
	_violations(_with([_old]), {"graceDays": 20}) == set()
	_violations(_with([_old]), {"graceDays": 19}) == {["PACKAGE_DEPRECATED", "pkg:npm/left-pad"]}
	_violations(_with([_old]), {"graceDays": 0}) == {["PACKAGE_DEPRECATED", "pkg:npm/left-pad"]}
}

test_unreadable if {
	every entry in ["x", null, {}, object.union(_old, {"purl": ""}), object.union(_old, {"since": null}), object.union(_old, {"in": "x"})] {
		_violations(_with([entry]), {}) == {["DEPRECATED_UNREADABLE", "deprecated[0]"]}
	}
}

test_parts_that_cannot_be_read if {
	every entry in ["x", null, {}, {"purl": ""}, {"purl": 1}, [{"purl": null}]] {
		_violations(object.union(_input, {"contents": [entry]}), {}) == {["PART_UNREADABLE", "contents[0]"]}
		_violations(object.union(_input, {"components": [entry]}), {}) == {["PART_UNREADABLE", "components[0]"]}
		_examined(object.union(_input, {"contents": [entry]}), {}) == set()
		_violations(object.union(_input, {"components": [entry]}), {"parts": ["CONTENTS"]}) == set()
	}
}

test_nobody_looked if {
	every list in [null, "x", 1, {}] {
		["DEPRECATED_MISSING", "deprecated"] in _violations(_with(list), {})
		_examined(_with(list), {}) == set()
	}
	_violations({"deprecated": {"0": _old}}, {"parts": ["CONTENTS"]}) == {
		["DEPRECATED_MISSING", "deprecated"],
		["CONTENTS_MISSING", "contents"],
		["DEPRECATED_UNREADABLE", "deprecated[0]"],
	}
	_violations({}, {}) == {["DEPRECATED_MISSING", "deprecated"], ["CONTENTS_MISSING", "contents"], ["COMPONENTS_MISSING", "components"]}
	every empty in [[], null, {}] {
		_violations(object.union(_input, {"components": empty}), {}) == {["COMPONENTS_MISSING", "components"]}
		_examined(object.union(_input, {"contents": "x"}), {}) == set()
	}
}

test_parameters_that_are_unusable if {
	every name, values in {"parts": [null, "CONTENTS", [], ["x"], {}], "graceDays": [null, "1", -1, 0.5]} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
			["PACKAGE_DEPRECATED", "pkg:npm/left-pad"] in _violations(_with([_old]), {name: value})
		}
	}
	every parameters in [null, [], "x"] { _violations(_input, parameters) == set() }
}

test_many_are_summed_up if {
	list := [object.union(_old, {"purl": sprintf("pkg:npm/p%d", [i])}) | some i in numbers.range(1, 1200)]
	found := no_deprecated.violations with input as _with(list) with data.parameters as {}
	count(found) == 901
	some more in found
	more.code == "MORE_DEPRECATED"
	startswith(more.message, "300 more")
}
