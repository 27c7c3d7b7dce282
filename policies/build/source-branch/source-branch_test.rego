package plimsoll.build.source_branch_test

import data.plimsoll.build.source_branch

_digest(n) := sprintf("sha256:%064d", [n])

_contents := [
	{"name": "app.tar", "digest": _digest(1), "kind": "ARTIFACT"},
	{"name": "", "purl": "pkg:npm/a@1.0.0", "digest": _digest(2), "kind": "PACKAGE"},
]

_provenance := {"builder_id": "https://ci.example/builder@v1", "source_ref": "refs/heads/main"}

_evidence := {
	"digest": _digest(100), "predicate_type": "https://slsa.dev/provenance/v1", "verified": true, "collected": false,
	"subjects": [_digest(1), _digest(2)], "view": {"provenance": _provenance},
}

_input := {"contents": _contents, "evidence": [_evidence]}

_parameters := {"refs": ["refs/heads/main"]}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := source_branch.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_codes(doc, parameters) := {pair[0] | some pair in _violations(doc, parameters)}

_examined(doc, parameters) := found if {
	found := source_branch.examined with input as doc with data.parameters as object.union(_parameters, parameters)
}

_messages(doc, parameters) := {v.message | some v in found} if {
	found := source_branch.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_with(evidence) := object.union(_input, {"evidence": evidence})

_but(changes) := _with([object.union(_evidence, changes)])

_says(changes) := _but({"view": {"provenance": object.union(_provenance, changes)}})

test_built_from_a_named_branch if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100)}
	_violations(_says({"source_ref": "refs/heads/release/1.4"}), {"refs": ["refs/heads/main", "refs/heads/release/*"]}) == set()
	_violations(_input, {"builders": ["https://ci.example/*"]}) == set()
}

test_built_from_another if {
	every ref in ["refs/heads/main2", "refs/heads/feature", "main", "", null, 1] {
		_codes(_says({"source_ref": ref}), {}) == {"BRANCH_NOT_ACCEPTED"}
		_examined(_says({"source_ref": ref}), {}) == {_digest(100)}
	}
	_codes(_says({"source_ref": ""}), {"refs": ["*"]}) == {"BRANCH_NOT_ACCEPTED"}
	"app.tar was built from no branch that it says, which the rule does not name" in _messages(_says({"source_ref": ""}), {})
	"app.tar was built from refs/heads/x, which the rule does not name" in _messages(_says({"source_ref": "refs/heads/x"}), {})
}

test_built_by_another if {
	_codes(_input, {"builders": ["https://other.example"]}) == {"BUILDER_NOT_ACCEPTED"}
	_codes(_says({"builder_id": null}), {"builders": ["*"]}) == {"BUILDER_NOT_ACCEPTED"}
}

test_one_statement_says_both if {
	doc := _with([
		object.union(_evidence, {"view": {"provenance": object.union(_provenance, {"source_ref": "refs/heads/x"})}}),
		object.union(_evidence, {"digest": _digest(101), "view": {"provenance": object.union(_provenance, {"builder_id": "other"})}}),
	])
	_codes(doc, {"builders": ["https://ci.example/builder@v1"]}) == {"BRANCH_NOT_ACCEPTED"}
}

test_parameters_that_are_unusable if {
	every name, values in {
		"refs": [null, "refs/heads/main", [], [1], [""]],
		"builders": [null, "x", [], [1]],
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
	found := source_branch.violations with input as {"contents": contents} with data.parameters as _parameters
	count(found) == 901
	some more in found
	more.code == "MORE_CONTENTS"
	more.message == "300 more violations of this rule are not listed"
}

test_parameters_that_are_missing if {
	every parameters in [null, [], "x", {}] {
		found := source_branch.violations with input as _input with data.parameters as parameters
		"PARAMETERS_UNUSABLE" in {v.code | some v in found}
	}
}
