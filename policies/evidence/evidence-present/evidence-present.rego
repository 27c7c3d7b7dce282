# METADATA
# title: Evidence is present
# description: |
#   Evidence of one predicate type is attached to the version, verified, by an accepted signer and young enough.
#   Evidence is for the version when one of its subjects is the digest of the version's manifest or of one of its
#   contents. With onEveryArtifact each content needs evidence of its own, and a content without a digest, for which
#   there can be none, is named.
#   With acceptIndex evidence of an image index counts for the images that the index holds, too.
#   The predicate type is compared exactly, with one exception: https://cyclonedx.org/bom and https://spdx.dev/Document,
#   asked for without a version, also match the same type with one (https://cyclonedx.org/bom/v1.6).
#   Signers are compared on verified evidence only, whatever `verified` says: who signed is known by verifying.
# custom:
#   category: AUDIT
#   remediation: >-
#     Attach evidence of type {parameters.predicateType} for {subject} to {application} {version}, signed by a
#     trust anchor that is accepted, then try again.
#   controls:
#     - NIST-SSDF PO.3.3
#     - NIST-SSDF PS.3.2
#   evidence: Any attestation or document of the predicate type that is asked for.
#   parameters:
#     - acceptIndex
#     - maxAgeDays
#     - onEveryArtifact
#     - predicateType
#     - signers
#     - verified
package plimsoll.evidence.evidence_present

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the evidence of the type that is asked for, whether or not it is good enough.
examined contains e.digest if {
	some target in _targets
	some e in _candidates(target)
}

# METADATA
# description: One for each target without good evidence, with the code of the last thing that was missing.
violations contains _missing(target) if {
	some target in _targets
	count(_candidates(target)) == 0
}

violations contains _unverified(target) if {
	some target in _targets
	count(_candidates(target)) > 0
	count(_trusted(target)) == 0
}

violations contains _wrong_signer(target) if {
	some target in _targets
	count(_trusted(target)) > 0
	count(_signed(target)) == 0
}

violations contains _too_old(target) if {
	some target in _targets
	count(_signed(target)) > 0
	count(_young(target)) == 0
}

violations contains v if {
	_on_every_artifact
	count(_contents) == 0
	v := {
		"code": "CONTENTS_MISSING",
		"subject": _version_subject,
		"message": "the version has no contents that evidence could be for",
		"remediation": "Make a version with contents.",
	}
}

violations contains v if {
	_on_every_artifact
	some i, content in _contents
	not _has_digest(content)
	name := _content_name(i, content)
	v := {
		"code": "CONTENT_WITHOUT_DIGEST",
		"subject": name,
		"message": sprintf("%s has no digest, so no evidence can be for it", [name]),
		"remediation": sprintf("Bind %s by a digest: report the build that made it, or add it as an artifact.", [name]),
	}
}

# What has to have evidence: the version as a whole, or each of its contents.

_targets contains {"subject": _version_subject, "name": "the version", "digests": _version_digests} if {
	not _on_every_artifact
}

_targets contains {"subject": content.digest, "name": _content_name(i, content), "digests": {content.digest}} if {
	_on_every_artifact
	some i, content in _contents
	_is_digest(content.digest)
}

_version_digests := {d | d := input.version.manifest_digest; _is_digest(d)} | {d |
	some content in _contents
	d := content.digest
	_is_digest(d)
}

default _version_subject := "version"

_version_subject := input.version.manifest_digest if _is_digest(input.version.manifest_digest)

default _contents := []

_contents := input.contents if is_array(input.contents)

_content_name(i, content) := content.name if _is_text(content.name)

else := content.purl if _is_text(content.purl)

else := sprintf("contents[%d]", [i])

# The evidence, step by step narrower. The indexes are built once for all targets.

_of_type := [counted |
	some counted in array.concat(_direct, _of_index)
	_is_digest(counted.evidence.digest)
	is_array(counted.about)
	_type_matches(counted.evidence.predicate_type)
]

_direct := [{"evidence": e, "about": e.subjects} |
	is_array(input.evidence)
	some e in input.evidence
]

# Only an exact true takes these in: a parameter of another type must not loosen the rule. Older inputs have no such part.
_of_index := [{"evidence": e, "about": e.children} |
	_parameters.acceptIndex == true
	is_array(input.index_evidence)
	some e in input.index_evidence
]

_by_subject := {subject: {i | some i, counted in _of_type; subject in counted.about} |
	some counted in _of_type
	some subject in counted.about
}

_candidates(target) := {_of_type[i].evidence |
	some digest in target.digests
	some i in _by_subject[digest]
}

_trusted(target) := {e | some e in _candidates(target); _verified_enough(e)}

_signed(target) := {e | some e in _trusted(target); _signer_accepted(e)}

_young(target) := {e | some e in _signed(target); _young_enough(e)}

_type_matches(got) if got == _parameters.predicateType

_type_matches(got) if {
	some family in {"https://cyclonedx.org/bom", "https://spdx.dev/Document"}
	_parameters.predicateType == family
	is_string(got)
	startswith(got, family)
	regex.match(`^[/@]v?[0-9]+(\.[0-9]+)*$`, substring(got, count(family), -1))
}

# Only an exact false takes the demand back: a parameter of another type must not loosen the rule.
_verified_enough(e) if e.verified == true

_verified_enough(_) if {
	_parameters.verified == false
	not _has_parameter("signers")
}

_signer_accepted(_) if not _has_parameter("signers")

_signer_accepted(e) if {
	is_array(_parameters.signers)
	_is_text(e.signer)
	e.signer in _parameters.signers
}

_young_enough(_) if not _has_parameter("maxAgeDays")

_young_enough(e) if {
	age := time.parse_rfc3339_ns(input.evaluated_at) - time.parse_rfc3339_ns(e.created_at)
	age >= 0
	age <= ((((_parameters.maxAgeDays * 24) * 60) * 60) * 1000) * 1000000
}

_on_every_artifact if {
	_has_parameter("onEveryArtifact")
	_parameters.onEveryArtifact != false
}

_has_parameter(name) if name in object.keys(_parameters)

_is_text(x) if {
	is_string(x)
	x != ""
}

# Takes the content, not its digest: an argument that is undefined would make `not` undefined, too.
_has_digest(content) if _is_digest(content.digest)

_is_digest(x) if {
	is_string(x)
	startswith(x, "sha256:")
	count(x) == 71
}

# What is said.

_missing(target) := {
	"code": "EVIDENCE_MISSING",
	"subject": target.subject,
	"message": sprintf("no evidence of type %v is attached for %s", [_wanted, target.name]),
	"remediation": sprintf("Push evidence of type %v whose subject is %s.", [_wanted, target.subject]),
}

_unverified(target) := {
	"code": "EVIDENCE_UNVERIFIED",
	"subject": target.subject,
	"message": sprintf("evidence of type %v for %s is there, but its signature is not by a known trust anchor", [_wanted, target.name]),
	"remediation": "Sign the evidence with a key or identity that is a trust anchor and push it again, or have its signer added.",
}

_wrong_signer(target) := {
	"code": "EVIDENCE_WRONG_SIGNER",
	"subject": target.subject,
	"message": sprintf("evidence of type %v for %s is verified, but not signed by one of %s", [
		_wanted, target.name,
		concat(", ", sort([sprintf("%v", [s]) | some s in _parameters.signers])),
	]),
	"remediation": "Push evidence that is signed by one of the accepted signers.",
}

_too_old(target) := {
	"code": "EVIDENCE_TOO_OLD",
	"subject": target.subject,
	"message": sprintf("evidence of type %v for %s is older than %v days", [_wanted, target.name, _parameters.maxAgeDays]),
	"remediation": sprintf("Produce evidence of type %v again and push it.", [_wanted]),
}

_wanted := object.get(_parameters, "predicateType", "(none given)")
