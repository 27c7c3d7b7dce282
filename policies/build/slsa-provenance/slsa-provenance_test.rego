package plimsoll.build.slsa_provenance_test

import data.plimsoll.build.slsa_provenance

_digest(n) := sprintf("sha256:%064d", [n])

_contents := [
	{"name": "app.tar", "digest": _digest(1), "kind": "ARTIFACT"},
	{"name": "", "purl": "pkg:npm/a@1.0.0", "digest": _digest(2), "kind": "PACKAGE"},
]

_provenance := {"builder_id": "https://ci.example/builder@v1", "source_repository": "https://git.example/shop/checkout"}

_evidence := {
	"digest": _digest(100), "predicate_type": "https://slsa.dev/provenance/v1", "verified": true, "collected": false,
	"subjects": [_digest(1), _digest(2)], "view": {"provenance": _provenance},
}

_input := {"contents": _contents, "evidence": [_evidence]}

_parameters := {"builders": ["https://ci.example/builder@v1"]}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := slsa_provenance.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_codes(doc, parameters) := {pair[0] | some pair in _violations(doc, parameters)}

_examined(doc, parameters) := found if {
	found := slsa_provenance.examined with input as doc with data.parameters as object.union(_parameters, parameters)
}

_messages(doc, parameters) := {v.message | some v in found} if {
	found := slsa_provenance.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_with(evidence) := object.union(_input, {"evidence": evidence})

_but(changes) := _with([object.union(_evidence, changes)])

_says(changes) := _but({"view": {"provenance": object.union(_provenance, changes)}})

test_built_by_an_accepted_builder if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100)}
	every type in ["https://slsa.dev/provenance/v0.1", "https://slsa.dev/provenance/v0.2"] {
		_violations(_but({"predicate_type": type}), {}) == set()
	}
	_violations(_input, {"builders": ["other", "https://ci.example/*"]}) == set()
}

test_built_by_another if {
	every builders in [["https://ci.example/builder"], ["https://other.example/*"], ["https://ci.example/builder@v1/"]] {
		_codes(_input, {"builders": builders}) == {"BUILDER_NOT_ACCEPTED"}
		_examined(_input, {"builders": builders}) == {_digest(100)}
	}
	every id in ["", null, 1, ["https://ci.example/builder@v1"]] {
		_codes(_says({"builder_id": id}), {"builders": ["*"]}) == {"BUILDER_NOT_ACCEPTED"}
	}
	"app.tar was built by nothing that it says, which the rule does not name" in _messages(_says({"builder_id": ""}), {})
}

test_built_from_an_accepted_repository if {
	every repositories in [
		["https://git.example/shop/checkout"], ["https://git.example/shop/checkout.git"], ["git+https://git.example/shop/checkout/"],
		["https://git.example/shop/*"], ["other", "https://git.example/shop/checkout"],
	] {
		_violations(_input, {"sourceRepositories": repositories}) == set()
	}
	_violations(_says({"source_repository": "git+https://git.example/shop/checkout.git"}), {"sourceRepositories": ["https://git.example/shop/checkout"]}) == set()
}

test_built_from_another if {
	every repositories in [["https://git.example/shop"], ["https://git.example/other/*"]] {
		_codes(_input, {"sourceRepositories": repositories}) == {"SOURCE_NOT_ACCEPTED"}
	}
	every repository in ["", null, 1] {
		_codes(_says({"source_repository": repository}), {"sourceRepositories": ["*"]}) == {"SOURCE_NOT_ACCEPTED"}
	}
}

test_one_statement_says_all_of_it if {
	elsewhere := object.union(_provenance, {"source_repository": "https://git.example/fork"})
	other_builder := object.union(_provenance, {"builder_id": "https://other.example"})
	doc := _with([
		object.union(_evidence, {"view": {"provenance": elsewhere}}),
		object.union(_evidence, {"digest": _digest(101), "view": {"provenance": other_builder}}),
	])
	_codes(doc, {"sourceRepositories": ["https://git.example/shop/checkout"]}) == {"SOURCE_NOT_ACCEPTED"}
}

_summary := {
	"digest": _digest(102), "predicate_type": "https://slsa.dev/verification_summary/v1", "verified": true, "collected": false,
	"subjects": [_digest(1), _digest(2)], "view": {"approval": {"decision": "APPROVED", "levels": ["ORG_LEVEL", "SLSA_BUILD_LEVEL_3"]}},
}

test_levels if {
	_violations(_input, {"minLevel": 1}) == set()
	_codes(_input, {"minLevel": 2}) == {"LEVEL_NOT_SHOWN"}
	every level in [1, 2, 3] { _violations(_with([_evidence, _summary]), {"minLevel": level}) == set() }
	every changes in [
		{"verified": false}, {"collected": true}, {"subjects": [_digest(9)]}, {"predicate_type": "https://example.com"}, {"view": null},
		{"view": {"approval": {"decision": "REJECTED"}}}, {"view": {"approval": {"levels": null}}},
		{"view": {"approval": {"levels": ["SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_3", "SLSA_BUILD_LEVEL_33"]}}},
	] {
		_codes(_with([_evidence, object.union(_summary, changes)]), {"minLevel": 2}) == {"LEVEL_NOT_SHOWN"}
	}
	_violations(_with([_evidence, object.union(_summary, {"view": {"approval": {"levels": ["SLSA_LEVEL_2"]}}})]), {"minLevel": 2}) == set()
}

test_parameters_that_are_unusable if {
	every name, values in {
		"builders": [null, "x", [], [1], [""], {}],
		"sourceRepositories": [null, "x", [], [1]],
		"minLevel": [null, 0, "2", 2.5, 4],
		"acceptIndex": [null, "true", 1],
	} {
		every value in values {
			["PARAMETERS_UNUSABLE", sprintf("parameters.%s", [name])] in _violations(_input, {name: value})
		}
	}
}

test_missing if {
	every doc in [
		_with([]), _with(null), _with({"0": _evidence}), _with(["x"]),
		_but({"verified": false}), _but({"verified": "true"}), _but({"verified": null}),
		_but({"collected": true}), _but({"collected": null}),
		_but({"digest": "x"}), _but({"subjects": []}), _but({"subjects": _digest(1)}), _but({"subjects": [_digest(9)]}),
		_but({"predicate_type": "https://example.com"}), _but({"predicate_type": null}), _but({"view": null}),
	] {
		_violations(doc, {}) == {["PROVENANCE_MISSING", _digest(1)], ["PROVENANCE_MISSING", _digest(2)]}
		_examined(doc, {}) == set()
	}
	_violations(_but({"subjects": [_digest(1)]}), {}) == {["PROVENANCE_MISSING", _digest(2)]}
}

test_contents_without_digest_are_named if {
	every name, content in {
		"lib.tar": {"name": "lib.tar", "digest": null},
		"pkg:npm/b@1": {"name": null, "purl": "pkg:npm/b@1", "digest": 1},
		"contents[1]": "x",
	} {
		_violations(object.union(_input, {"contents": [_contents[0], content]}), {}) == {["CONTENT_WITHOUT_DIGEST", name]}
	}
	every contents in [[], null, {}, "x"] {
		_violations(object.union(_input, {"contents": contents}), {}) == {["CONTENTS_MISSING", "contents"]}
		_examined(object.union(_input, {"contents": contents}), {}) == set()
	}
}

test_evidence_of_an_index_counts_where_the_rule_says_so if {
	of_index := object.union(_evidence, {"subjects": [_digest(50)], "children": [_digest(1), _digest(2)]})
	doc := object.union(_with([]), {"index_evidence": [of_index]})
	_violations(doc, {"acceptIndex": true}) == set()
	_examined(doc, {"acceptIndex": true}) == {_digest(100)}
	_codes(doc, {}) == {"PROVENANCE_MISSING"}
	_codes(doc, {"acceptIndex": "true"}) == {"PROVENANCE_MISSING", "PARAMETERS_UNUSABLE"}
	every indexes in [null, [], {"0": of_index}, [object.remove(of_index, ["children"])]] {
		_codes(object.union(doc, {"index_evidence": indexes}), {"acceptIndex": true}) == {"PROVENANCE_MISSING"}
	}
}

test_many_violations_are_summed_up if {
	contents := [{"name": "a", "digest": _digest(i)} | some i in numbers.range(1, 1200)]
	found := slsa_provenance.violations with input as {"contents": contents} with data.parameters as _parameters
	count(found) == 901
	some more in found
	more.code == "MORE_CONTENTS"
	more.message == "300 more violations of this rule are not listed"
}

test_parameters_that_are_missing if {
	every parameters in [null, [], "x", {}] {
		found := slsa_provenance.violations with input as _input with data.parameters as parameters
		"PARAMETERS_UNUSABLE" in {v.code | some v in found}
	}
}
