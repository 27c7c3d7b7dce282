# METADATA
# title: Every artifact is built from a named branch
# description: |
#   Every content of the version has verified SLSA provenance that says it was built from one of the branches or tags
#   that `refs` names, such as refs/heads/main, and by one of the `builders` where some are named. One statement has to say
#   both. A content without a digest, for which there can be no provenance, is named.
#   Refs and builders are compared letter for letter; an entry that ends in * stands for all that begin as it does.
#   That a branch is protected is not in the provenance: name those that are.
#   With acceptIndex evidence of an image index counts for the images that the index holds, too.
# custom:
#   category: SECURITY
#   remediation: >-
#     Merge what {subject} in {application} {version} was built from into a branch that is accepted, and build it from there.
#   controls:
#     - NIST-SSDF PS.1.1
#     - NIST-SSDF PW.7.1
#     - NIST-800-53 CM-3
#   evidence: SLSA provenance for each content that names the branch or tag, signed by a trust anchor.
#   predicates:
#     - https://slsa.dev/provenance/v1
#     - https://slsa.dev/provenance/v0.2
#     - https://slsa.dev/provenance/v0.1
#   parameters:
#     - acceptIndex
#     - builders
#     - refs
package plimsoll.build.source_branch

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the verified provenance for the contents.
examined contains e.digest if {
	some [digest, _] in _targets
	some e in _of(digest)
}

# METADATA
# description: One for each content that is not built from a named branch, with the code of the last thing that was missing.
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
		"code": "PROVENANCE_MISSING",
		"subject": digest,
		"message": sprintf("no verified SLSA provenance is attached for %s, so its branch is not known", [name]),
		"remediation": sprintf("Push SLSA provenance whose subject is %s, signed by a trust anchor.", [digest]),
	}
}

_bad contains v if {
	some [digest, name] in _targets
	count(_of(digest)) > 0
	count(_built(digest)) == 0
	v := {
		"code": "BUILDER_NOT_ACCEPTED",
		"subject": digest,
		"message": sprintf("%s was not built by one of the builders that the rule names", [name]),
		"remediation": "Build it with one of the accepted builders, or have the builder added to the rule.",
	}
}

_bad contains v if {
	some [digest, name] in _targets
	count(_built(digest)) > 0
	count(_from(digest)) == 0
	v := {
		"code": "BRANCH_NOT_ACCEPTED",
		"subject": digest,
		"message": sprintf("%s was built from %s, which the rule does not name", [name, _list({e.view.provenance.source_ref | some e in _built(digest)})]),
		"remediation": "Build it from one of the accepted branches or tags.",
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

_provenance := [counted |
	some counted in _signed
	_is_provenance(counted.evidence.predicate_type)
	is_object(counted.evidence.view.provenance)
]

_is_provenance(type) if {
	is_string(type)
	startswith(type, "https://slsa.dev/provenance/")
}

_by_subject := {subject: {i | some i, counted in _provenance; subject in counted.about} |
	some counted in _provenance
	some subject in counted.about
}

_of(digest) := {_provenance[i].evidence | some i in _by_subject[digest]}

_built(digest) := _of(digest) if not _has("builders")

else := {e |
	some e in _of(digest)
	_is_texts(_parameters.builders)
	_matches(e.view.provenance.builder_id, _parameters.builders)
}

_from(digest) := {e |
	some e in _built(digest)
	_is_texts(_parameters.refs)
	_matches(e.view.provenance.source_ref, _parameters.refs)
}

# An entry that ends in * stands for all that begin as it does.
_matches(value, list) if {
	_is_text(value)
	some entry in list
	value == entry
}

_matches(value, list) if {
	_is_text(value)
	some entry in list
	endswith(entry, "*")
	startswith(value, trim_suffix(entry, "*"))
}

# In a message: ten are enough to see which kind it is.
_list(names) := concat(", ", array.slice(sort([_name(n) | some n in names]), 0, 10))

_name(n) := substring(n, 0, 200) if _is_text(n)

else := "no branch that it says"

# The parameters.

_unusable_parameters contains "refs" if not _is_texts(object.get(_parameters, "refs", null))

_unusable_parameters contains "builders" if {
	_has("builders")
	not _is_texts(_parameters.builders)
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
