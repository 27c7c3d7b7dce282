package plimsoll.evidence.signed_by_test

import data.plimsoll.evidence.signed_by

_digest(n) := sprintf("sha256:%064d", [n])

_contents := [
	{"name": "app.tar", "digest": _digest(1), "kind": "ARTIFACT"},
	{"name": "", "purl": "pkg:npm/a@1.0.0", "digest": _digest(2), "kind": "PACKAGE"},
]

_evidence := {
	"digest": _digest(100), "predicate_type": "https://sigstore.dev/cosign/sign/v1", "verified": true, "collected": false,
	"signer": "ci", "subjects": [_digest(1), _digest(2)],
}

_input := {"contents": _contents, "evidence": [_evidence]}

_parameters := {"signers": ["ci", "release"]}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := signed_by.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_codes(doc, parameters) := {pair[0] | some pair in _violations(doc, parameters)}

_examined(doc, parameters) := found if {
	found := signed_by.examined with input as doc with data.parameters as object.union(_parameters, parameters)
}

_messages(doc, parameters) := {v.message | some v in found} if {
	found := signed_by.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_with(evidence) := object.union(_input, {"evidence": evidence})

_but(changes) := _with([object.union(_evidence, changes)])

test_signed if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100)}
	_violations(_but({"predicate_type": "https://example.com"}), {}) == set()
}

test_signed_by_another if {
	every signer in ["other", "", null, 1] {
		_violations(_but({"signer": signer}), {}) == {["SIGNER_MISSING", _digest(1)], ["SIGNER_MISSING", _digest(2)]}
		_examined(_but({"signer": signer}), {}) == {_digest(100)}
	}
}

test_so_many_different_ones if {
	_codes(_input, {"count": 2}) == {"SIGNER_MISSING"}
	again := object.union(_evidence, {"digest": _digest(101)})
	_codes(_with([_evidence, again]), {"count": 2}) == {"SIGNER_MISSING"}
	_violations(_with([_evidence, object.union(again, {"signer": "release"})]), {"count": 2}) == set()
	_codes(_but({"signer": "other"}), {"count": 0}) == {"SIGNER_MISSING"}
}

test_parameters_that_are_unusable if {
	every name, values in {
		"signers": [null, "ci", [], [1], [""]],
		"count": [null, "1", []],
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
	] {
		_violations(doc, {}) == {["SIGNATURE_MISSING", _digest(1)], ["SIGNATURE_MISSING", _digest(2)]}
		_examined(doc, {}) == set()
	}
	_violations(_but({"subjects": [_digest(1)]}), {}) == {["SIGNATURE_MISSING", _digest(2)]}
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
	_codes(doc, {}) == {"SIGNATURE_MISSING"}
	_codes(doc, {"acceptIndex": "true"}) == {"SIGNATURE_MISSING", "PARAMETERS_UNUSABLE"}
	every indexes in [null, [], {"0": of_index}, [object.remove(of_index, ["children"])]] {
		_codes(object.union(doc, {"index_evidence": indexes}), {"acceptIndex": true}) == {"SIGNATURE_MISSING"}
	}
}

test_many_violations_are_summed_up if {
	contents := [{"name": "a", "digest": _digest(i)} | some i in numbers.range(1, 1200)]
	found := signed_by.violations with input as {"contents": contents} with data.parameters as _parameters
	count(found) == 901
	some more in found
	more.code == "MORE_CONTENTS"
	more.message == "300 more violations of this rule are not listed"
}

test_parameters_that_are_missing if {
	every parameters in [null, [], "x", {}] {
		found := signed_by.violations with input as _input with data.parameters as parameters
		"PARAMETERS_UNUSABLE" in {v.code | some v in found}
	}
}
