package plimsoll.bom.license_allowed_test

import data.plimsoll.bom.license_allowed

_codes(licenses, parameters) := {v.code | some v in _violations(licenses, parameters)}

_violations(licenses, parameters) := found if {
	found := license_allowed.violations with input as {"components": [_component(licenses)]}
		with data.parameters as parameters
}

_component(licenses) := {"purl": "pkg:npm/a@1.0.0", "name": "a", "version": "1.0.0", "licenses": licenses}

_allow := {"allow": ["MIT", "Apache-2.0", "GPL-2.0-only"]}

_deny := {"deny": ["AGPL-3.0-only", "GPL-3.0-only"]}

test_satisfied_by_the_allow_list if {
	every licenses in [
		["MIT"],
		["mit"],
		["MIT", "Apache-2.0"],
		["MIT OR AGPL-3.0-only"],
		["AGPL-3.0-only OR MIT"],
		["MIT AND Apache-2.0"],
		["MIT and Apache-2.0 or Foo"],
		["(MIT)"],
		["((MIT AND (Apache-2.0 OR Foo)) OR (AGPL-3.0-only AND MIT))"],
		["((((((((MIT))))))))"],
		["Apache-2.0+"],
		["GPL-2.0"],
		["GPL-2.0+"],
		["GPL-2.0-or-later"],
		["GPL-2.0-only WITH Classpath-exception-2.0"],
		["GPL-2.0-or-later  with  Classpath-exception-2.0"],
		["MIT OR Foo AND Bar"],
	] {
		_codes(licenses, _allow) == set()
	}
}

test_not_on_the_allow_list if {
	every licenses in [
		["BSD-3-Clause"],
		["MIT", "BSD-3-Clause"],
		["MIT AND BSD-3-Clause"],
		["(MIT OR Apache-2.0) AND BSD-3-Clause"],
		["BSD-3-Clause OR BSD-2-Clause"],
		["GPL-3.0-only WITH Classpath-exception-2.0"],
		["BSD-3-Clause AND MIT OR BSD-2-Clause"],
	] {
		_codes(licenses, _allow) == {"LICENSE_NOT_ALLOWED"}
	}
}

test_denied if {
	every licenses in [
		["AGPL-3.0-only"],
		["AGPL-3.0"],
		["agpl-3.0-only"],
		["AGPL-3.0-or-later"],
		["AGPL-3.0+"],
		["AGPL-3.0-only AND MIT"],
		["MIT", "AGPL-3.0-only"],
		["GPL-3.0-only WITH Classpath-exception-2.0"],
		["AGPL-3.0-only OR GPL-3.0-only"],
		["AGPL-3.0-only AND Foo"],
	] {
		_codes(licenses, _deny) == {"LICENSE_DENIED"}
	}
}

test_not_denied if {
	every licenses in [["MIT"], ["MIT OR AGPL-3.0-only"], ["LGPL-3.0-only"], ["GPL-2.0-or-later"], ["Apache-2.0+"]] {
		_codes(licenses, _deny) == set()
	}
}

test_unknown if {
	every licenses in [
		["Foo"],
		["NOASSERTION"],
		["NONE"],
		["MIT", "NOASSERTION"],
		["MIT AND Foo"],
		["LicenseRef-house"],
		["DocumentRef-x:LicenseRef-house"],
		["MIT AND GPL-3.0-only WITH No-such-exception OR Foo"],
		[],
		null,
		"MIT",
		{"MIT": true},
	] {
		_codes(licenses, _deny) == {"LICENSE_UNKNOWN"}
	}
	_codes(["MIT AND Foo"], _allow) == {"LICENSE_UNKNOWN"}
}

test_a_component_without_the_field if {
	found := license_allowed.violations with input as {"components": [{"name": "a", "version": "1"}]}
		with data.parameters as _allow
	{[v.code, v.subject] | some v in found} == {["LICENSE_UNKNOWN", "a@1"]}
}

test_never_allowed_when_unparsable if {
	every licenses in [
		[""],
		["The MIT License"],
		["MIT Apache-2.0"],
		["MIT/X11"],
		["(MIT"],
		["MIT)"],
		["()"],
		["(MIT)(MIT)"],
		["MIT AND"],
		["OR MIT"],
		["MIT AND OR MIT"],
		["MIT And Apache-2.0"],
		["MIT WITH"],
		["WITH MIT"],
		["AND WITH MIT"],
		["MIT WITH AND"],
		["MIT WITH A WITH B"],
		["(MIT) WITH Classpath-exception-2.0"],
		["T"],
		["MIT|Apache-2.0"],
		["(((((((((MIT)))))))))"],
		[1],
		[null],
		[["MIT"]],
		["MIT", 1],
	] {
		count(_codes(licenses, _allow)) == 1
		_codes(licenses, _allow) & {"LICENSE_UNPARSABLE", "LICENSE_UNKNOWN"} != set()
	}
	_codes(["The MIT License"], _allow) == {"LICENSE_UNPARSABLE"}
	_codes(["(MIT"], _allow) == {"LICENSE_UNPARSABLE"}
	_codes(["(((((((((MIT)))))))))"], _allow) == {"LICENSE_UNPARSABLE"}
}

test_one_violation_for_each_code if {
	_codes(["Foo", "BSD-3-Clause", "The MIT License"], _allow) == {"LICENSE_UNKNOWN", "LICENSE_NOT_ALLOWED", "LICENSE_UNPARSABLE"}
	some v in _violations(["BSD-3-Clause", "BSD-2-Clause"], _allow)
	v.message == "pkg:npm/a@1.0.0: the licence is not among those that are allowed: BSD-2-Clause, BSD-3-Clause"
}

test_the_more_exact_name_wins if {
	with_exception := {"allow": ["GPL-2.0-only WITH Classpath-exception-2.0"], "deny": ["GPL-2.0-only"]}
	_codes(["GPL-2.0-only WITH Classpath-exception-2.0"], with_exception) == set()
	_codes(["GPL-2.0-only"], with_exception) == {"LICENSE_DENIED"}
	_codes(["GPL-2.0-only WITH GCC-exception-2.0"], with_exception) == {"LICENSE_DENIED"}

	plain := {"allow": ["GPL-2.0-only"], "deny": ["GPL-2.0-only WITH GCC-exception-2.0"]}
	_codes(["GPL-2.0-only"], plain) == set()
	_codes(["GPL-2.0-only WITH GCC-exception-2.0"], plain) == {"LICENSE_DENIED"}
}

test_deny_wins_over_allow if {
	_codes(["MIT"], {"allow": ["MIT"], "deny": ["MIT"]}) == {"LICENSE_DENIED"}
}

test_own_licences_may_be_named if {
	_codes(["LicenseRef-house"], {"allow": ["LicenseRef-house"]}) == set()
	_codes(["LicenseRef-house"], {"deny": ["LicenseRef-house"]}) == {"LICENSE_DENIED"}
}

test_an_entry_may_be_an_expression if {
	_codes(["MIT"], {"allow": ["(MIT OR Apache-2.0)"]}) == set()
	_codes(["Apache-2.0"], {"deny": ["MIT OR Apache-2.0"]}) == {"LICENSE_DENIED"}
}

test_parameters_that_say_nothing if {
	every parameters in [
		{},
		{"allow": []},
		{"allow": "MIT"},
		{"allow": [1]},
		{"deny": []},
		{"deny": "MIT"},
		{"deny": {"MIT": true}},
	] {
		"PARAMETERS_UNUSABLE" in _codes(["MIT"], parameters)
	}
	_codes(["MIT"], {"deny": ["GPL"]}) == {"PARAMETERS_UNUSABLE"}
}

test_no_components if {
	every components in [[], null, "x", {}, {"a": _component(["MIT"])}] {
		found := license_allowed.violations with input as {"components": components} with data.parameters as _allow
		{v.code | some v in found} == {"COMPONENTS_MISSING"}
		seen := license_allowed.examined with input as {"components": components} with data.parameters as _allow
		seen == set()
	}
	found := license_allowed.violations with input as {} with data.parameters as _allow
	{v.code | some v in found} == {"COMPONENTS_MISSING"}
}

test_a_component_that_is_none if {
	found := license_allowed.violations with input as {"components": ["x", _component(["MIT"])]}
		with data.parameters as _allow
	{[v.code, v.subject] | some v in found} == {["COMPONENT_UNREADABLE", "components[0]"]}
	seen := license_allowed.examined with input as {"components": ["x", _component(["MIT"])]} with data.parameters as _allow
	seen == {"pkg:npm/a@1.0.0"}
}

test_components_are_named if {
	components := [{"purl": "", "name": "b", "version": "2", "licenses": ["MIT"]}, {"purl": null, "licenses": ["MIT"]}]
	seen := license_allowed.examined with input as {"components": components} with data.parameters as _allow
	seen == {"b@2", "components[1]"}
}

test_many_violations_are_summed_up if {
	components := [c |
		some i in numbers.range(1, 1200)
		c := {"purl": sprintf("pkg:npm/p%d@1", [i]), "licenses": ["BSD-3-Clause"]}
	]
	found := license_allowed.violations with input as {"components": components} with data.parameters as _allow
	count(found) == 901
	some more in found
	more.code == "MORE_COMPONENTS"
	more.message == "300 more violations of this rule are not listed"
}

test_parameters_that_are_missing if {
	every parameters in [null, [], "x"] {
		_codes(["MIT"], parameters) == {"PARAMETERS_UNUSABLE"}
	}
}
