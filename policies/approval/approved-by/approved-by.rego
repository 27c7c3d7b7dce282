# METADATA
# title: The version is approved
# description: |
#   So many different people among the approvers approved this version, and none of them rejected it. An approval is of
#   the version's digest: it says nothing of another version. The latest word of each person counts.
#   An entry of `approvers` is an owner of the application (team:… or person:…), OWNERS for any owner, or the name of a
#   role, such as RELEASER, that the person held when they said it. What services say does not count: they are no people.
#   With `notAuthor` whoever made the version cannot approve it; their rejection counts all the same.
#   What was said by people who are no approvers is left aside.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Have {application} {version} approved by {parameters.count} of {parameters.approvers}.
#   controls:
#     - NIST-SSDF PO.2.1
#     - NIST-SSDF PW.7.2
#     - NIST-800-53 AC-5
#     - NIST-800-53 CM-3
#   evidence: None to attach. What people said of the version here is looked at.
#   parameters:
#     - approvers
#     - count
#     - notAuthor
package plimsoll.approval.approved_by

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the signed statements of approvers, as far as they count.
examined contains word.statement if some word in _words

# METADATA
# description: One for each approver who rejected the version, and one when too few approved it.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_APPROVALS",
		"subject": "approvals",
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

_found := array.concat(sort(_missing), sort(_rejected | _unreadable))

_missing contains v if {
	not _enough
	v := {
		"code": "APPROVAL_MISSING",
		"subject": _version_subject,
		"message": sprintf("%d of the approvers approved the version, and %v are asked for", [count(_approving), _wanted]),
		"remediation": sprintf("Ask for the approval of %s.", [_names]),
	}
}

_rejected contains v if {
	some word in _words
	word.decision == "REJECTED"
	v := {
		"code": "VERSION_REJECTED",
		"subject": word.by,
		"message": sprintf("%s, who is an approver, rejected the version", [word.by]),
		"remediation": "Find out why; who rejected it can approve it after all, or make another version.",
	}
}

_unreadable contains v if {
	some i, word in _approvals
	not _is_readable(word)
	v := {
		"code": "APPROVAL_UNREADABLE",
		"subject": sprintf("approvals[%d]", [i]),
		"message": sprintf("approval %d cannot be read, so it may be a rejection", [i]),
		"remediation": "Evaluate the version again.",
	}
}

_enough if {
	is_number(_wanted)
	count(_approving) >= max({1, _wanted})
}

_approving contains word.by if {
	some word in _words
	word.decision == "APPROVED"
	_not_author(word)
}

# Only an exact false lets the author approve.
_not_author(_) if object.get(_parameters, "notAuthor", true) == false

_not_author(word) if {
	_is_text(input.version.created_by)
	word.by != input.version.created_by
}

# The latest words of people who are approvers.
_words contains word if {
	some word in _approvals
	_is_readable(word)
	word.counts == true
	startswith(word.by, "person:")
	some approver in _approvers
	_is(word, approver)
}

_is(word, approver) if {
	approver == "OWNERS"
	word.owner == true
}

_is(word, approver) if approver in word.owner_refs

_is(word, approver) if {
	startswith(approver, "person:")
	word.by == approver
}

_is(word, approver) if {
	not contains(approver, ":")
	approver in word.roles
}

_is_readable(word) if {
	_is_text(word.by)
	_is_text(word.statement)
	word.decision in {"APPROVED", "REJECTED"}
	is_boolean(word.counts)
	is_boolean(word.owner)
	is_array(word.roles)
	is_array(word.owner_refs)
}

default _approvals := []

_approvals := input.approvals if is_array(input.approvals)

default _version_subject := "version"

_version_subject := input.version.manifest_digest if _is_text(input.version.manifest_digest)

# In a message: ten are enough to see who is meant.
_names := concat(", ", array.slice(sort(_approvers), 0, 10)) if count(_approvers) > 0

else := "those whom the rule names"

# The parameters.

_approvers contains entry if {
	is_array(_parameters.approvers)
	some entry in _parameters.approvers
	_is_text(entry)
}

_wanted := object.get(_parameters, "count", 1)

_unusable_parameters contains "approvers" if not _is_texts(object.get(_parameters, "approvers", null))

_unusable_parameters contains "count" if {
	_has("count")
	not is_number(_parameters.count)
}

_unusable_parameters contains "notAuthor" if {
	_has("notAuthor")
	not is_boolean(_parameters.notAuthor)
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
