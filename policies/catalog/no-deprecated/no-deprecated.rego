# METADATA
# title: No package is deprecated
# description: |
#   Nothing in the version is a package that the organisation deprecated. `parts` says where to look: CONTENTS are what
#   the version was composed of, COMPONENTS what its SBOMs list. Both are looked at where it does not say.
#   With `graceDays` a package may be used for so long after it was deprecated.
#   Components that nobody lists cannot be judged: use it together with sbom-complete.
# custom:
#   category: QUALITY
#   remediation: >-
#     Replace {subject} in {application} {version} by what its deprecation recommends.
#   controls:
#     - NIST-SSDF PW.4.1
#     - NIST-SSDF PW.4.4
#     - NIST-800-53 SA-22
#   evidence: CycloneDX or SPDX documents that list the components, unless contents alone are looked at.
#   predicates:
#     - https://cyclonedx.org/bom
#     - https://spdx.dev/Document
#   parameters:
#     - graceDays
#     - parts
package plimsoll.catalog.no_deprecated

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The contents by their digest or package URL, and the SBOMs; nothing while any of it is missing.
examined contains name if {
	_evidenced
	"CONTENTS" in _parts
	some i, content in input.contents
	name := _content_name(i, content)
}

examined contains sbom if {
	_evidenced
	"COMPONENTS" in _parts
	some component in input.components
	is_array(component.sboms)
	some sbom in component.sboms
	_is_text(sbom)
}

# METADATA
# description: One for each deprecated package and part; beyond nine hundred the rest is summed up in one.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_DEPRECATED",
		"subject": "deprecated",
		"message": sprintf("%d more violations of this rule are not listed", [more]),
		"remediation": "Mend those that are listed first: they have the same cause as a rule.",
	}
}

violations contains v if {
	some name in _unusable_parameters
	v := {
		"code": "PARAMETERS_UNUSABLE",
		"subject": sprintf("parameters.%s", [name]),
		"message": sprintf("the rule's parameter %s is not what its schema asks for", [name]),
		"remediation": sprintf("Correct the parameter %s of the rule.", [name]),
	}
}

_found := array.concat(sort(_gaps), sort(_bad | _unreadable))

_evidenced if count(_gaps) == 0

_gaps contains v if {
	not _is_list("deprecated")
	v := {
		"code": "DEPRECATED_MISSING",
		"subject": "deprecated",
		"message": "the input does not say which packages are deprecated",
		"remediation": "Evaluate the version again.",
	}
}

_gaps contains v if {
	some part in _parts
	count(_of_part(part)) == 0
	v := {
		"code": _code[part],
		"subject": lower(part),
		"message": _because[part],
		"remediation": _remedy[part],
	}
}

_code := {"CONTENTS": "CONTENTS_MISSING", "COMPONENTS": "COMPONENTS_MISSING"}

_gaps contains v if {
	some part in _parts
	some i, entry in _of_part(part)
	not _is_named(entry)
	v := {
		"code": "PART_UNREADABLE",
		"subject": sprintf("%s[%d]", [lower(part), i]),
		"message": sprintf("line %d of the %s cannot be read, so it may be a deprecated package", [i, lower(part)]),
		"remediation": "Evaluate the version again.",
	}
}

# One without a package URL is no package that can be deprecated.
_is_named(entry) if entry.purl == null

_is_named(entry) if _is_text(entry.purl)

_because := {
	"CONTENTS": "the version has no contents",
	"COMPONENTS": "no SBOM of the version lists a component",
}

_remedy := {
	"CONTENTS": "Make a version with contents.",
	"COMPONENTS": "Make an SBOM of each artifact and push it with the artifact's digest as its subject.",
}

_bad contains v if {
	some i in _readable
	entry := input.deprecated[i]
	entry["in"] in _parts
	not _in_grace(entry)
	v := {
		"code": "PACKAGE_DEPRECATED",
		"subject": entry.purl,
		"purl": entry.purl,
		"message": sprintf("%s among the %s is deprecated since %s%s", [entry.purl, lower(entry["in"]), entry.since, _reason(entry)]),
		"remediation": "Replace it by what its deprecation recommends.",
	}
}

_unreadable contains v if {
	some i, _ in input.deprecated
	not i in _readable
	v := {
		"code": "DEPRECATED_UNREADABLE",
		"subject": sprintf("deprecated[%v]", [i]),
		"message": sprintf("deprecated package %v cannot be read, so it may be any", [i]),
		"remediation": "Evaluate the version again.",
	}
}

_readable contains i if {
	is_array(input.deprecated)
	some i, entry in input.deprecated
	_is_text(entry.purl)
	_is_text(entry.since)
	entry["in"] in {"CONTENTS", "COMPONENTS"}
}

_reason(entry) := sprintf(": %s", [substring(entry.reason, 0, 500)]) if _is_text(entry.reason)

else := ""

_in_grace(entry) if {
	_is_count(_parameters.graceDays)
	_parameters.graceDays > 0
	age := time.parse_rfc3339_ns(input.evaluated_at) - time.parse_rfc3339_ns(entry.since)
	age <= ((((_parameters.graceDays * 24) * 60) * 60) * 1000) * 1000000
}

_of_part("CONTENTS") := [c | is_array(input.contents); some c in input.contents]

_of_part("COMPONENTS") := [c | is_array(input.components); some c in input.components]

_content_name(i, content) := content.digest if _is_text(content.digest)

else := content.purl if _is_text(content.purl)

else := sprintf("contents[%d]", [i])

# The parameters.

_parts := _all_parts if not _has("parts")

else := {part | some part in _parameters.parts; part in _all_parts} if _is_parts(_parameters.parts)

else := _all_parts

_all_parts := {"CONTENTS", "COMPONENTS"}

_is_parts(x) if {
	is_array(x)
	count(x) > 0
	every part in x { part in _all_parts }
}

_unusable_parameters contains "parts" if {
	_has("parts")
	not _is_parts(_parameters.parts)
}

_unusable_parameters contains "graceDays" if {
	_has("graceDays")
	not _is_count(_parameters.graceDays)
}

_is_list(part) if is_array(input[part])

_is_count(x) if {
	is_number(x)
	x >= 0
	x == floor(x)
}

_has(name) if name in object.keys(_parameters)

_is_text(x) if {
	is_string(x)
	x != ""
}
