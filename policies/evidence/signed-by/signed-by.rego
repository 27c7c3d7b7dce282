# METADATA
# title: Every artifact is signed
# description: |
#   Every content of the version is signed by so many of the signers: something signed that is verified against their
#   trust anchor, of whatever predicate type, speaks of the content's digest. A signature of `cosign sign` counts, and so
#   does signed provenance. A content without a digest, which nobody can sign, is named.
#   What this installation collected from a tool that cannot sign does not count.
#   With acceptIndex evidence of an image index counts for the images that the index holds, too.
# custom:
#   category: SECURITY
#   remediation: >-
#     Have {subject} signed by one of the accepted signers, and attach the signature to {application} {version}.
#   controls:
#     - NIST-SSDF PS.2.1
#     - NIST-800-53 CM-14
#     - NIST-800-53 SI-7
#   evidence: Anything signed about each content; a signature by cosign is enough.
#   predicates:
#     - https://sigstore.dev/cosign/sign/v1
#   parameters:
#     - acceptIndex
#     - count
#     - signers
package plimsoll.evidence.signed_by

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of what is signed and verified about the contents, whoever signed it.
examined contains e.digest if {
	some [digest, _] in _targets
	some e in _of(digest)
}

# METADATA
# description: One for each content that too few of the signers signed.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_CONTENTS",
		"subject": "contents",
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

_bad contains v if {
	some [digest, name] in _targets
	count(_of(digest)) == 0
	v := {
		"code": "SIGNATURE_MISSING",
		"subject": digest,
		"message": sprintf("nothing that is signed and verified speaks of %s", [name]),
		"remediation": sprintf("Sign %s with a key or identity that is a trust anchor, and push the bundle.", [digest]),
	}
}

_bad contains v if {
	some [digest, name] in _targets
	count(_of(digest)) > 0
	not _enough(_signers(digest))
	v := {
		"code": "SIGNER_MISSING",
		"subject": digest,
		"message": sprintf("%s is signed by %d of the signers that the rule names, and %v are asked for", [name, count(_signers(digest)), _count]),
		"remediation": "Have it signed by one of the accepted signers.",
	}
}

# What has to have it: each content by its digest.

_found := sort(((_bad | _without_digest) | _no_contents))

_without_digest contains v if {
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

_no_contents contains v if {
	count(_contents) == 0
	v := {
		"code": "CONTENTS_MISSING",
		"subject": "contents",
		"message": "the version has no contents that evidence could be for",
		"remediation": "Make a version with contents.",
	}
}

_targets contains [content.digest, _content_name(i, content)] if {
	some i, content in _contents
	_is_digest(content.digest)
}

default _contents := []

_contents := input.contents if is_array(input.contents)

_content_name(i, content) := content.name if _is_text(content.name)

else := content.purl if _is_text(content.purl)

else := sprintf("contents[%d]", [i])

# The evidence about each digest. What this installation collected from a tool that cannot sign is not what was asked for.

_signed := [counted |
	some counted in array.concat(_direct, _of_index)
	_is_digest(counted.evidence.digest)
	is_array(counted.about)
	counted.evidence.verified == true
	counted.evidence.collected == false
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

_by_subject := {subject: {i | some i, counted in _signed; subject in counted.about} |
	some counted in _signed
	some subject in counted.about
}

_of(digest) := {_signed[i].evidence | some i in _by_subject[digest]}

_signers(digest) := {e.signer |
	some e in _of(digest)
	_is_text(e.signer)
	_is_texts(_parameters.signers)
	e.signer in _parameters.signers
}

_enough(signers) if {
	is_number(_count)
	count(signers) >= max({1, _count})
}

_count := object.get(_parameters, "count", 1)

# The parameters.

_unusable_parameters contains "signers" if not _is_texts(object.get(_parameters, "signers", null))

_unusable_parameters contains "count" if {
	_has("count")
	not is_number(_parameters.count)
}

_unusable_parameters contains "acceptIndex" if {
	_has("acceptIndex")
	not is_boolean(_parameters.acceptIndex)
}

_is_texts(x) if {
	is_array(x)
	count(x) > 0
	every entry in x { _is_text(entry) }
}

_has(name) if name in object.keys(_parameters)

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
