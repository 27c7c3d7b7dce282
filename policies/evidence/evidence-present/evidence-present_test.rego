package plimsoll.evidence.evidence_present_test

import data.plimsoll.evidence.evidence_present

_digest(n) := sprintf("sha256:%064d", [n])

_type := "https://slsa.dev/provenance/v1"

_evidence := {
	"digest": _digest(100), "predicate_type": _type, "verified": true, "signer": "ci",
	"created_at": "2026-11-20T03:00:00Z", "subjects": [_digest(9)],
}

_input := {
	"evaluated_at": "2026-11-21T03:00:00Z",
	"version": {"manifest_digest": _digest(9)},
	"contents": [
		{"name": "app.tar", "purl": null, "digest": _digest(1), "kind": "ARTIFACT"},
		{"name": "", "purl": "pkg:npm/a@1.0.0", "digest": _digest(2), "kind": "PACKAGE"},
	],
	"evidence": [_evidence],
}

_parameters := {"predicateType": _type, "verified": true, "onEveryArtifact": false}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := evidence_present.violations with input as doc with data.parameters as object.union(_parameters, parameters)
}

_examined(doc, parameters) := found if {
	found := evidence_present.examined with input as doc with data.parameters as object.union(_parameters, parameters)
}

_with(evidence) := object.union(_input, {"evidence": evidence})

_but(field, value) := _with([object.union(_evidence, {field: value})])

_every := {"onEveryArtifact": true}

test_evidence_for_the_version if {
	_violations(_input, {}) == set()
	_examined(_input, {}) == {_digest(100)}
	_violations(_but("subjects", [_digest(77), _digest(2)]), {}) == set()
}

test_one_good_piece_is_enough if {
	bad := object.union(_evidence, {"digest": _digest(101), "verified": false})
	doc := _with([bad, _evidence])
	_violations(doc, {}) == set()
	_examined(doc, {}) == {_digest(100), _digest(101)}
}

test_missing if {
	every doc in [
		_with([]),
		_with(null),
		_with({"0": _evidence}),
		_with(["x", null]),
		_but("predicate_type", "https://slsa.dev/provenance/v0.2"),
		_but("predicate_type", null),
		_but("subjects", [_digest(77)]),
		_but("subjects", []),
		_but("subjects", _digest(9)),
		_but("digest", null),
		_but("digest", "sha256:short"),
		object.remove(_input, ["evidence"]),
	] {
		_violations(doc, {}) == {["EVIDENCE_MISSING", _digest(9)]}
		_examined(doc, {}) == set()
	}
}

test_without_the_version_there_is_nothing_to_match if {
	_violations({"evidence": [_evidence]}, {}) == {["EVIDENCE_MISSING", "version"]}
	found := evidence_present.violations with input as {"evidence": [_evidence]} with data.parameters as {}
	some v in found
	v.message == "no evidence of type (none given) is attached for the version"
}

test_unverified if {
	every verified in [false, null, "true", 1, [true]] {
		_violations(_but("verified", verified), {}) == {["EVIDENCE_UNVERIFIED", _digest(9)]}
		_examined(_but("verified", verified), {}) == {_digest(100)}
	}
	_violations(_but("verified", false), {"verified": null}) == {["EVIDENCE_UNVERIFIED", _digest(9)]}
}

test_unverified_may_be_enough if {
	_violations(_but("verified", false), {"verified": false}) == set()
}

test_signers if {
	_violations(_input, {"signers": ["other", "ci"]}) == set()
	_violations(_input, {"signers": ["other"]}) == {["EVIDENCE_WRONG_SIGNER", _digest(9)]}
	_violations(_but("signer", null), {"signers": ["ci"]}) == {["EVIDENCE_WRONG_SIGNER", _digest(9)]}
	_violations(_input, {"signers": "ci"}) == {["EVIDENCE_WRONG_SIGNER", _digest(9)]}
}

test_a_signer_is_only_known_by_verifying if {
	_violations(_but("verified", false), {"verified": false, "signers": ["ci"]}) == {["EVIDENCE_UNVERIFIED", _digest(9)]}
}

test_age if {
	_violations(_input, {"maxAgeDays": 1}) == set()
	_violations(_but("created_at", "2026-11-20T02:59:59Z"), {"maxAgeDays": 1}) == {["EVIDENCE_TOO_OLD", _digest(9)]}
	_violations(_but("created_at", "2026-11-21T03:00:01Z"), {"maxAgeDays": 1}) == {["EVIDENCE_TOO_OLD", _digest(9)]}
	_violations(object.remove(_input, ["evaluated_at"]), {"maxAgeDays": 1}) == {["EVIDENCE_TOO_OLD", _digest(9)]}
}

test_the_three_demands_are_met_by_one_piece if {
	signed_but_old := object.union(_evidence, {"created_at": "2020-01-01T00:00:00Z"})
	young_by_another := object.union(_evidence, {"digest": _digest(101), "signer": "other"})
	doc := _with([signed_but_old, young_by_another])
	_violations(doc, {"signers": ["ci"], "maxAgeDays": 1}) == {["EVIDENCE_TOO_OLD", _digest(9)]}
}

test_families_of_predicate_types if {
	every pair in [
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bom"],
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.6"],
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bom/1.4"],
		["https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"],
		["https://spdx.dev/Document", "https://spdx.dev/Document@3"],
	] {
		_violations(_but("predicate_type", pair[1]), {"predicateType": pair[0]}) == set()
	}
	every pair in [
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bomb"],
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.6/x"],
		["https://cyclonedx.org/bom", "https://cyclonedx.org/bom/"],
		["https://cyclonedx.org/bom", 1],
		["https://cyclonedx.org/bom/v1.6", "https://cyclonedx.org/bom"],
		["https://cyclonedx.org/bom/v1.6", "https://cyclonedx.org/bom/v1.5"],
		["https://slsa.dev/provenance", "https://slsa.dev/provenance/v1"],
	] {
		_violations(_but("predicate_type", pair[1]), {"predicateType": pair[0]}) == {["EVIDENCE_MISSING", _digest(9)]}
	}
}

test_on_every_artifact if {
	_violations(_but("subjects", [_digest(1), _digest(2)]), _every) == set()
	_examined(_but("subjects", [_digest(1), _digest(2)]), _every) == {_digest(100)}
	_violations(_but("subjects", [_digest(1), _digest(2)]), {"onEveryArtifact": "yes"}) == set()
}

test_on_every_artifact_the_version_is_not_enough if {
	_violations(_input, _every) == {["EVIDENCE_MISSING", _digest(1)], ["EVIDENCE_MISSING", _digest(2)]}
	_examined(_input, _every) == set()
	_violations(_but("subjects", [_digest(1)]), _every) == {["EVIDENCE_MISSING", _digest(2)]}
}

test_on_every_artifact_contents_without_digest_are_named if {
	good := _but("subjects", [_digest(1)])
	every name, content in {
		"lib.tar": {"name": "lib.tar", "digest": null},
		"pkg:npm/b@1": {"name": null, "purl": "pkg:npm/b@1", "digest": 1},
		"contents[1]": "x",
	} {
		doc := object.union(good, {"contents": [_input.contents[0], content]})
		_violations(doc, _every) == {["CONTENT_WITHOUT_DIGEST", name]}
	}
}

test_on_every_artifact_of_none if {
	every contents in [[], null, {}, "x"] {
		doc := object.union(_input, {"contents": contents})
		_violations(doc, _every) == {["CONTENTS_MISSING", _digest(9)]}
		_examined(doc, _every) == set()
	}
}

_of_index := object.union(_evidence, {"digest": _digest(102), "subjects": [_digest(50)], "children": [_digest(1)]})

_indexed(evidence) := object.union(_with([]), {"index_evidence": evidence})

_accept := {"acceptIndex": true}

test_evidence_of_an_index_counts_where_the_rule_says_so if {
	_violations(_indexed([_of_index]), _accept) == set()
	_examined(_indexed([_of_index]), _accept) == {_digest(102)}
	_violations(_input, _accept) == set()
	every accept in [false, null, "true", 1, [true], {}] {
		_violations(_indexed([_of_index]), {"acceptIndex": accept}) == {["EVIDENCE_MISSING", _digest(9)]}
		_examined(_indexed([_of_index]), {"acceptIndex": accept}) == set()
	}
	_violations(_indexed([_of_index]), {}) == {["EVIDENCE_MISSING", _digest(9)]}
}

test_evidence_of_an_index_counts_for_what_the_index_holds if {
	every change in [
		{"children": [_digest(77)]},
		{"children": []},
		{"children": null},
		{"children": _digest(1)},
		{"digest": null},
		{"predicate_type": "https://slsa.dev/provenance/v0.2"},
	] {
		_violations(_indexed([object.union(_of_index, change)]), _accept) == {["EVIDENCE_MISSING", _digest(9)]}
	}

	# What speaks of the version's digests itself stands among the evidence: subjects do not count here.
	_violations(_indexed([object.union(_of_index, {"subjects": [_digest(9)], "children": []})]), _accept) == {["EVIDENCE_MISSING", _digest(9)]}
	_violations(_indexed([object.remove(_of_index, ["children"])]), _accept) == {["EVIDENCE_MISSING", _digest(9)]}
}

test_evidence_of_an_index_on_every_artifact if {
	parameters := object.union(_accept, _every)
	_violations(_indexed([_of_index]), parameters) == {["EVIDENCE_MISSING", _digest(2)]}
	_violations(_indexed([object.union(_of_index, {"children": [_digest(1), _digest(2)]})]), parameters) == set()
	both := object.union(_but("subjects", [_digest(2)]), {"index_evidence": [_of_index]})
	_violations(both, parameters) == set()
	_examined(both, parameters) == {_digest(100), _digest(102)}
}

test_evidence_of_an_index_meets_the_same_demands if {
	parameters := object.union(_accept, {"signers": ["ci"], "maxAgeDays": 1})
	_violations(_indexed([_of_index]), parameters) == set()
	every code, change in {
		"EVIDENCE_UNVERIFIED": {"verified": false},
		"EVIDENCE_WRONG_SIGNER": {"signer": "other"},
		"EVIDENCE_TOO_OLD": {"created_at": "2020-01-01T00:00:00Z"},
	} {
		_violations(_indexed([object.union(_of_index, change)]), parameters) == {[code, _digest(9)]}
	}
}

test_inputs_without_evidence_of_indexes if {
	every indexes in [null, [], {"0": _of_index}, "x", [null, "x"]] {
		_violations(_indexed(indexes), _accept) == {["EVIDENCE_MISSING", _digest(9)]}
		_violations(object.union(_input, {"index_evidence": indexes}), _accept) == set()
	}
	_violations(_with([]), _accept) == {["EVIDENCE_MISSING", _digest(9)]}
}

test_parameters_that_are_missing_match_nothing if {
	every parameters in [null, [], {}] {
		found := evidence_present.violations with input as _input with data.parameters as parameters
		{v.code | some v in found} == {"EVIDENCE_MISSING"}
	}
}
