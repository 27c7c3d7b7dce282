package plimsoll.catalog.not_end_of_life_test

import data.plimsoll.catalog.not_end_of_life

_with(maturity) := {"application": {"key": "checkout", "maturity": maturity}}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := not_end_of_life.violations with input as doc with data.parameters as parameters
}

_examined(doc) := found if {
	found := not_end_of_life.examined with input as doc with data.parameters as {}
}

test_alive if {
	every maturity in ["UNSPECIFIED", "EXPERIMENTAL", "PRODUCTION"] {
		_violations(_with(maturity), {}) == set()
		_examined(_with(maturity)) == {"checkout"}
	}
	_violations(_with("PRODUCTION"), {"specified": true}) == set()
}

test_at_its_end if {
	_violations(_with("END_OF_LIFE"), {}) == {["APPLICATION_END_OF_LIFE", "checkout"]}
	_examined(_with("END_OF_LIFE")) == {"checkout"}
}

test_unspecified if {
	_violations(_with("UNSPECIFIED"), {"specified": true}) == {["MATURITY_UNSPECIFIED", "checkout"]}
	_violations(_with("UNSPECIFIED"), {"specified": false}) == set()
}

test_nothing_known if {
	every maturity in [null, "", "OLD", 1, ["PRODUCTION"]] {
		_violations(_with(maturity), {}) == {["MATURITY_MISSING", "checkout"]}
		_examined(_with(maturity)) == set()
	}
	every doc in [{}, {"application": null}, {"application": {"maturity": "PRODUCTION"}}] {
		_violations(doc, {}) == {["MATURITY_MISSING", "application"]}
		_examined(doc) == set()
	}
}

test_parameters_that_are_unusable if {
	every value in [null, "true", 1] {
		["PARAMETERS_UNUSABLE", "parameters.specified"] in _violations(_with("PRODUCTION"), {"specified": value})
	}
	every parameters in [null, [], "x"] { _violations(_with("PRODUCTION"), parameters) == set() }
}
