# METADATA
# title: Static analysis found little enough
# description: |
#   Every SARIF log that is attached to the version, or to one of its contents, counts no more errors than `maxErrors` and
#   no more warnings than `maxWarnings`. Findings that were suppressed do not count. Every log counts for itself: a later
#   one does not take back what an earlier one found.
#   With `tools` the logs of those tools alone count, and there has to be one of each. Names are compared without regard
#   to case; a log with several runs goes by the tool of its first.
#   A log that says that a tool did not come to its end violates; where it is longer than 64 KiB nobody sees that.
#   Logs are counted whoever sent them; with `verified` those alone that a trust anchor signed.
# custom:
#   category: QUALITY
#   remediation: >-
#     Mend what static analysis found in {application} {version}, or suppress it in the code with a reason, and attach the
#     log of another run to a version that holds the fix.
#   controls:
#     - NIST-SSDF PW.7.2
#     - NIST-800-53 SA-11(1)
#   evidence: SARIF 2.1.0 logs about the version or its contents.
#   predicates:
#     - https://docs.oasis-open.org/sarif/sarif/v2.1.0
#   parameters:
#     - maxErrors
#     - maxWarnings
#     - tools
#     - verified
package plimsoll.evidence.static_analysis

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the SARIF logs that count.
examined contains e.digest if some e in _readable

# METADATA
# description: One for each log that found too much, and one for each tool that did not report.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_REPORTS",
		"subject": "reports",
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

_found := array.concat(sort(_missing | _unreadable), sort(_bad))

_missing contains v if {
	count(_readable) == 0
	v := {
		"code": "ANALYSIS_MISSING",
		"subject": "static analysis",
		"message": "no SARIF log that counts is attached to the version or its contents",
		"remediation": "Analyse the code and push the SARIF log with the digest of the version or of an artifact as its subject.",
	}
}

_missing contains v if {
	some tool in _tools
	not tool in {lower(e.view.static_analysis.tool) | some e in _readable}
	v := {
		"code": "TOOL_MISSING",
		"subject": tool,
		"message": sprintf("no SARIF log of %s is attached to the version or its contents", [tool]),
		"remediation": sprintf("Run %s and push its SARIF log with the digest of the version or of an artifact as its subject.", [tool]),
	}
}

_bad contains v if {
	some e in _readable
	not e.view.static_analysis.counts.error <= _max_errors
	v := {
		"code": "ANALYSIS_ERRORS",
		"subject": e.digest,
		"message": sprintf("%s found %d errors, and %v are let pass", [_tool(e), e.view.static_analysis.counts.error, _max_errors]),
		"remediation": "Mend what was found, or suppress it in the code with a reason.",
	}
}

_bad contains v if {
	some e in _readable
	_has("maxWarnings")
	not _few_warnings(e)
	v := {
		"code": "ANALYSIS_WARNINGS",
		"subject": e.digest,
		"message": sprintf("%s found %d warnings, and %v are let pass", [_tool(e), e.view.static_analysis.counts.warning, _parameters.maxWarnings]),
		"remediation": "Mend what was found, or suppress it in the code with a reason.",
	}
}

_bad contains v if {
	some e in _readable
	some run in e.predicate.runs
	some invocation in run.invocations
	invocation.executionSuccessful == false
	v := {
		"code": "ANALYSIS_UNFINISHED",
		"subject": e.digest,
		"message": sprintf("%s did not come to its end, so there may be more to find", [_tool(e)]),
		"remediation": "Find out why it stopped, and run it again.",
	}
}

_unreadable contains v if {
	some e in _logs
	not _is_readable(e)
	v := {
		"code": "REPORT_UNREADABLE",
		"subject": e.digest,
		"message": "a SARIF log cannot be read, so it may say anything",
		"remediation": "Push the log as the tool wrote it.",
	}
}

# In a message.
_tool(e) := substring(e.view.static_analysis.tool, 0, 200)

# What the reports speak of: the version or one of its contents, by digest.

_about contains input.version.manifest_digest if _is_digest(input.version.manifest_digest)

_about contains content.digest if {
	is_array(input.contents)
	some content in input.contents
	_is_digest(content.digest)
}

_attached := [e |
	is_array(input.evidence)
	some e in input.evidence
	_is_digest(e.digest)
	is_array(e.subjects)
	some subject in e.subjects
	subject in _about
]

_logs contains e if {
	some e in _attached
	is_string(e.predicate_type)
	startswith(e.predicate_type, "https://docs.oasis-open.org/sarif/")
	_signed_enough(e)
}

_readable contains e if {
	some e in _logs
	_is_readable(e)
	_tool_counts(e)
}

_is_readable(e) if {
	_is_text(e.view.static_analysis.tool)
	_is_count(e.view.static_analysis.counts.error)
	_is_count(e.view.static_analysis.counts.warning)
}

_tool_counts(_) if not _has("tools")

_tool_counts(e) if lower(e.view.static_analysis.tool) in _tools

_few_warnings(e) if {
	_is_count(_parameters.maxWarnings)
	e.view.static_analysis.counts.warning <= _parameters.maxWarnings
}

# Only an exact false, or nothing, lets unsigned reports count.
_signed_enough(e) if e.verified == true

_signed_enough(_) if object.get(_parameters, "verified", false) == false

# The parameters. What cannot be read is as strict as can be, and said.

default _max_errors := 0

_max_errors := _parameters.maxErrors if _is_count(_parameters.maxErrors)

_tools contains lower(tool) if {
	_is_texts(_parameters.tools)
	some tool in _parameters.tools
}

_unusable_parameters contains "maxErrors" if not _is_count(object.get(_parameters, "maxErrors", null))

_unusable_parameters contains "maxWarnings" if {
	_has("maxWarnings")
	not _is_count(_parameters.maxWarnings)
}

_unusable_parameters contains "tools" if {
	_has("tools")
	not _is_texts(_parameters.tools)
}

_unusable_parameters contains "verified" if {
	_has("verified")
	not is_boolean(_parameters.verified)
}

_is_count(x) if {
	is_number(x)
	x >= 0
	x == floor(x)
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

_is_digest(x) if {
	is_string(x)
	startswith(x, "sha256:")
	count(x) == 71
}
