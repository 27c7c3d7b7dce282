package plimsoll.bom.sbom_complete_test

import data.plimsoll.bom.sbom_complete

_digest(n) := sprintf("sha256:%064d", [n])

_artifact := {"name": "app.tar", "purl": null, "digest": _digest(1), "kind": "ARTIFACT"}

_package := {"name": "", "purl": "pkg:npm/a@1.0.0", "digest": _digest(2), "kind": "PACKAGE"}

_sbom := {"digest": _digest(10), "format": "CYCLONEDX", "subjects": [_digest(1), _digest(2)], "component_count": 12}

_input := {"version": {"manifest_digest": _digest(9)}, "contents": [_artifact, _package], "sboms": [_sbom]}

_violations(doc, parameters) := {[v.code, v.subject] | some v in found} if {
	found := sbom_complete.violations with input as doc with data.parameters as parameters
}

_examined(doc, parameters) := found if {
	found := sbom_complete.examined with input as doc with data.parameters as parameters
}

_with(key, value) := object.union(_input, {key: value})

test_every_artifact_is_described if {
	every parameters in [{}, {"minComponents": 12}, {"formats": ["CYCLONEDX"]}, {"formats": ["SPDX", "CYCLONEDX"]}] {
		_violations(_input, parameters) == set()
		_examined(_input, parameters) == {_digest(10)}
	}
}

test_one_good_sbom_is_enough if {
	sboms := [
		_sbom, object.union(_sbom, {"digest": _digest(11), "component_count": 0}),
		object.union(_sbom, {"digest": _digest(12), "format": "SPDX"}),
	]
	_violations(_with("sboms", sboms), {"formats": ["SPDX"]}) == set()
}

test_an_artifact_without_sbom if {
	doc := _with("sboms", [object.union(_sbom, {"subjects": [_digest(1)]})])
	_violations(doc, {}) == {["SBOM_MISSING", _digest(2)]}
	_examined(doc, {}) == {_digest(10)}
}

test_an_sbom_of_the_manifest_describes_no_artifact if {
	doc := _with("sboms", [object.union(_sbom, {"subjects": [_digest(9)]})])
	_violations(doc, {}) == {["SBOM_MISSING", _digest(1)], ["SBOM_MISSING", _digest(2)]}
	_examined(doc, {}) == set()
}

test_no_usable_sbom if {
	every sboms in [
		[],
		null,
		{},
		"x",
		["x"],
		[object.remove(_sbom, ["digest"])],
		[object.union(_sbom, {"digest": "sha256:short"})],
		[object.union(_sbom, {"subjects": _digest(1)})],
		[object.remove(_sbom, ["subjects"])],
	] {
		_violations(_with("sboms", sboms), {}) == {["SBOM_MISSING", _digest(1)], ["SBOM_MISSING", _digest(2)]}
		_examined(_with("sboms", sboms), {}) == set()
	}
}

test_another_format if {
	every format in ["SPDX", "OTHER", null, 1] {
		doc := _with("sboms", [object.union(_sbom, {"format": format})])
		_violations(doc, {"formats": ["CYCLONEDX"]}) == {["SBOM_FORMAT", _digest(1)], ["SBOM_FORMAT", _digest(2)]}
	}
	_violations(_input, {"formats": "CYCLONEDX"}) == {["SBOM_FORMAT", _digest(1)], ["SBOM_FORMAT", _digest(2)]}
	_violations(_input, {"formats": ["OTHER"]}) == {["SBOM_FORMAT", _digest(1)], ["SBOM_FORMAT", _digest(2)]}
}

test_an_sbom_that_is_empty_or_small if {
	every components in [0, -1, null, "12", [12], {}] {
		doc := _with("sboms", [object.union(_sbom, {"component_count": components})])
		_violations(doc, {}) == {["SBOM_INCOMPLETE", _digest(1)], ["SBOM_INCOMPLETE", _digest(2)]}
		_violations(doc, {"minComponents": 0}) == {["SBOM_INCOMPLETE", _digest(1)], ["SBOM_INCOMPLETE", _digest(2)]}
	}
	every minimum in [13, "1", null, true] {
		_violations(_input, {"minComponents": minimum}) == {["SBOM_INCOMPLETE", _digest(1)], ["SBOM_INCOMPLETE", _digest(2)]}
	}
}

test_an_artifact_without_digest if {
	every artifact in [
		{"name": "app.tar", "kind": "ARTIFACT", "digest": null},
		{"name": "app.tar", "kind": "ARTIFACT"},
		{"name": "", "purl": "app.tar", "kind": "PACKAGE", "digest": 1},
		{"name": null, "purl": "app.tar", "digest": null},
	] {
		_violations(_with("contents", [artifact, _artifact]), {}) == {["ARTIFACT_WITHOUT_DIGEST", "app.tar"]}
	}
	every content in ["x", null, {}, {"name": 1, "purl": 1}] {
		_violations(_with("contents", [_artifact, content]), {}) == {["ARTIFACT_WITHOUT_DIGEST", "contents[1]"]}
	}
}

test_a_package_without_digest_is_left_out if {
	package_only := {"name": "a", "kind": "PACKAGE", "digest": null}
	_violations(_with("contents", [_artifact, package_only]), {}) == set()
	_violations(_with("contents", [package_only]), {}) == {["ARTIFACTS_MISSING", _digest(9)]}
	_examined(_with("contents", [package_only]), {}) == set()
}

test_no_contents if {
	every contents in [[], null, {}, "x"] {
		_violations(_with("contents", contents), {}) == {["ARTIFACTS_MISSING", _digest(9)]}
		_examined(_with("contents", contents), {}) == set()
	}
	_violations({}, {}) == {["ARTIFACTS_MISSING", "version"]}
	_violations({"version": {"manifest_digest": 1}}, {}) == {["ARTIFACTS_MISSING", "version"]}
}

test_parameters_that_are_missing_loosen_nothing if {
	every parameters in [null, [], "x"] {
		_violations(_input, parameters) == set()
		_violations(_with("sboms", [object.union(_sbom, {"component_count": 0})]), parameters) == {
			["SBOM_INCOMPLETE", _digest(1)],
			["SBOM_INCOMPLETE", _digest(2)],
		}
	}
}
