# METADATA
# title: Every artifact has SLSA provenance
# description: |
#   Every content of the version has SLSA provenance (v0.1, v0.2 or v1) that is verified against a trust anchor, was made
#   by one of the builders and, where `sourceRepositories` names some, from one of them. One statement has to say all of
#   that. A content without a digest, for which there can be none, is named.
#   Builders and repositories are compared letter for letter; an entry that ends in * stands for all that begin as it
#   does, so end what stands before it at a / or @. Repositories are compared without "git+" before and ".git" or "/"
#   behind them.
#   Provenance itself shows level 1 of the SLSA build track. It does not say its level: with a `minLevel` of 2 or 3 a
#   verified SLSA verification summary, which passed and names such a level, has to speak of the same content.
#   With acceptIndex evidence of an image index counts for the images that the index holds, too.
# custom:
#   category: SECURITY
#   remediation: >-
#     Build {subject} with a builder that signs SLSA provenance and is accepted, and attach it to {application} {version}.
#   controls:
#     - NIST-SSDF PS.3.2
#     - NIST-SSDF PO.3.2
#     - NIST-SSDF PO.5.1
#     - NIST-800-53 SR-4
#     - NIST-800-53 SI-7
#   evidence: SLSA provenance for each content, signed by a trust anchor; from level 2 on a verification summary, too.
#   predicates:
#     - https://slsa.dev/provenance/v1
#     - https://slsa.dev/provenance/v0.2
#     - https://slsa.dev/provenance/v0.1
#     - https://slsa.dev/verification_summary/v1
#   parameters:
#     - acceptIndex
#     - builders
#     - minLevel
#     - sourceRepositories
package plimsoll.build.slsa_provenance

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the verified provenance and of the verification summaries for the contents.
examined contains e.digest if {
	some [digest, _] in _targets
	some e in _of(digest)
}

# METADATA
# description: One for each content without good provenance, with the code of the last thing that was missing.
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
		"message": sprintf("no verified SLSA provenance is attached for %s", [name]),
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
		"message": sprintf("%s was built by %s, which the rule does not name", [name, _list({e.view.provenance.builder_id | some e in _of(digest)})]),
		"remediation": "Build it with one of the accepted builders, or have the builder added to the rule.",
	}
}

_bad contains v if {
	some [digest, name] in _targets
	count(_built(digest)) > 0
	count(_sourced(digest)) == 0
	v := {
		"code": "SOURCE_NOT_ACCEPTED",
		"subject": digest,
		"message": sprintf("%s was built from %s, which the rule does not name", [name, _list({e.view.provenance.source_repository | some e in _built(digest)})]),
		"remediation": "Build it from one of the accepted repositories, or have the repository added to the rule.",
	}
}

_bad contains v if {
	some [digest, name] in _targets
	count(_sourced(digest)) > 0
	not _leveled(digest)
	v := {
		"code": "LEVEL_NOT_SHOWN",
		"subject": digest,
		"message": sprintf("no verified verification summary says that %s reached SLSA build level %v", [name, _parameters.minLevel]),
		"remediation": sprintf("Have the build verified, and push the verification summary with the subject %s.", [digest]),
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

_built(digest) := {e |
	some e in _of(digest)
	_matches(e.view.provenance.builder_id, _builders)
}

_sourced(digest) := {e |
	some e in _built(digest)
	_from(e.view.provenance.source_repository)
}

_from(_) if not _has("sourceRepositories")

_from(repository) if {
	_is_text(repository)
	_matches(_plain(repository), {_plain(entry) | some entry in _parameters.sourceRepositories; _is_text(entry)})
}

_plain(repository) := trim_suffix(trim_suffix(trim_prefix(repository, "git+"), "/"), ".git")

_leveled(_) if not _has("minLevel")

_leveled(_) if _parameters.minLevel == 1

_leveled(digest) if {
	some counted in _signed
	digest in counted.about
	startswith(counted.evidence.predicate_type, "https://slsa.dev/verification_summary/")
	counted.evidence.view.approval.decision == "APPROVED"
	some level in counted.evidence.view.approval.levels
	some [_, number] in regex.find_all_string_submatch_n(`^SLSA_(?:BUILD_)?LEVEL_([0-4])$`, level, 1)
	to_number(number) >= _level_wanted
}

_level_wanted := _parameters.minLevel if _parameters.minLevel in {1, 2, 3}

default _builders := []

_builders := _parameters.builders if _is_texts(_parameters.builders)

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

else := "nothing that it says"

# The parameters.

_unusable_parameters contains "builders" if not _is_texts(object.get(_parameters, "builders", null))

_unusable_parameters contains "sourceRepositories" if {
	_has("sourceRepositories")
	not _is_texts(_parameters.sourceRepositories)
}

_unusable_parameters contains "minLevel" if {
	_has("minLevel")
	not _parameters.minLevel in {1, 2, 3}
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
