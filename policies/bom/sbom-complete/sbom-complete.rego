# METADATA
# title: Every artifact has an SBOM
# description: |
#   Every content of the version that has a digest is described by an SBOM of an accepted format that is not empty.
#   An SBOM describes what stands among its subjects by digest; one for the version's manifest describes no artifact.
#   A package that is bound without a digest cannot be described and is left out; an artifact always has one.
# custom:
#   category: SECURITY
#   remediation: >-
#     Make an SBOM of {subject} (CycloneDX or SPDX) that lists its components, and attach it to {application} {version}.
#   controls:
#     - NIST-SSDF PS.3.2
#     - EU-CRA I.II(1)
#   evidence: A CycloneDX or SPDX document for each artifact, with the artifact's digest as its subject.
#   predicates:
#     - https://cyclonedx.org/bom
#     - https://spdx.dev/Document
#   parameters:
#     - formats
#     - minComponents
package plimsoll.bom.sbom_complete

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the SBOMs that describe an artifact of the version.
examined contains sbom.digest if {
	some content in _artifacts
	some sbom in _describing(content.digest)
}

# METADATA
# description: One for each artifact without a good SBOM.
violations contains v if {
	some i, content in _artifacts
	count(_describing(content.digest)) == 0
	v := {
		"code": "SBOM_MISSING",
		"subject": content.digest,
		"message": sprintf("no SBOM describes %s", [_content_name(i, content)]),
		"remediation": sprintf("Make an SBOM of %s and push it with the subject %s.", [_content_name(i, content), content.digest]),
	}
}

violations contains v if {
	some i, content in _artifacts
	count(_describing(content.digest)) > 0
	count(_of_format(content.digest)) == 0
	v := {
		"code": "SBOM_FORMAT",
		"subject": content.digest,
		"message": sprintf("%s is described only by SBOMs of another format than %s", [_content_name(i, content), _format_names]),
		"remediation": sprintf("Push an SBOM in one of the formats %s.", [_format_names]),
	}
}

violations contains v if {
	some i, content in _artifacts
	count(_of_format(content.digest)) > 0
	count(_complete(content.digest)) == 0
	v := {
		"code": "SBOM_INCOMPLETE",
		"subject": content.digest,
		"message": sprintf("the SBOM of %s has fewer than %v components", [_content_name(i, content), _min_components]),
		"remediation": "Make the SBOM from the built artifact with a tool that sees its dependencies, and push it again.",
	}
}

violations contains v if {
	some i, content in _contents
	not _has_digest(content)
	not _package_without_digest(content)
	v := {
		"code": "ARTIFACT_WITHOUT_DIGEST",
		"subject": _content_name(i, content),
		"message": sprintf("%s has no digest, so no SBOM can describe it", [_content_name(i, content)]),
		"remediation": "Bind the artifact by its digest.",
	}
}

violations contains v if {
	count(_artifacts) == 0
	v := {
		"code": "ARTIFACTS_MISSING",
		"subject": _version_subject,
		"message": "the version has no content with a digest that an SBOM could describe",
		"remediation": "Make a version with artifacts, or with packages whose digests are known.",
	}
}

default _contents := []

_contents := input.contents if is_array(input.contents)

# By place, so that a content that is there twice is named once for each.
_artifacts[i] := content if {
	some i, content in _contents
	_is_digest(content.digest)
}

_package_without_digest(content) if {
	content.kind == "PACKAGE"
	content.digest == null
}

_sboms := [s |
	is_array(input.sboms)
	some s in input.sboms
	_is_digest(s.digest)
	is_array(s.subjects)
]

_by_subject := {subject: {i | some i, s in _sboms; subject in s.subjects} |
	some s in _sboms
	some subject in s.subjects
}

_describing(digest) := {_sboms[i] | some i in _by_subject[digest]}

_of_format(digest) := {s | some s in _describing(digest); s.format in _formats}

_complete(digest) := {s |
	some s in _of_format(digest)
	is_number(s.component_count)
	is_number(_min_components)
	s.component_count >= _min_components
	s.component_count >= 1
}

_known_formats := {"CYCLONEDX", "SPDX"}

_formats := _known_formats if not "formats" in object.keys(_parameters)

else := {f | is_array(_parameters.formats); some f in _parameters.formats; f in _known_formats}

_format_names := concat(", ", sort(_formats))

_min_components := object.get(_parameters, "minComponents", 1)

_content_name(i, content) := content.name if {
	is_string(content.name)
	content.name != ""
}

else := content.purl if {
	is_string(content.purl)
	content.purl != ""
}

else := sprintf("contents[%d]", [i])

default _version_subject := "version"

_version_subject := input.version.manifest_digest if _is_digest(input.version.manifest_digest)

# Takes the content, not its digest: an argument that is undefined would make `not` undefined, too.
_has_digest(content) if _is_digest(content.digest)

_is_digest(x) if {
	is_string(x)
	startswith(x, "sha256:")
	count(x) == 71
}
