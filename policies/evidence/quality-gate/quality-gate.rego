# METADATA
# title: The quality gate of the analysis passed
# description: |
#   A tool that judges code by a quality gate of its own, such as SonarQube, said of the version or of one of its contents
#   that it passed, and nothing of the kind says that it did not. With `allowWarned` a warning is as good.
#   Of several verdicts about one project of the tool the newest counts; where the project is not known, each does.
#   With `verified` only what a trust anchor signed counts, or what this installation collected from a tool that proved to be it.
# custom:
#   category: QUALITY
#   remediation: >-
#     Mend what keeps {application} {version} from passing the quality gate, and have the tool judge a version that holds the fix.
#   controls:
#     - NIST-SSDF PW.7.2
#     - NIST-800-53 SA-11
#   evidence: The verdict of a quality gate, by SonarQube's webhook or as a document, about the version or its contents.
#   predicates:
#     - https://plimsoll.dev/documents/sonarqube-quality-gate/v1
#   parameters:
#     - allowWarned
#     - verified
package plimsoll.evidence.quality_gate

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The digests of the verdicts that count.
examined contains e.digest if some e in _verdicts

# METADATA
# description: One for each verdict that is not good enough.
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
	count(_verdicts) == 0
	v := {
		"code": "VERDICT_MISSING",
		"subject": "quality gate",
		"message": "no verdict of a quality gate that counts is attached to the version or its contents",
		"remediation": "Have the tool analyse the code and send its verdict with the digest of the version or of an artifact.",
	}
}

_bad contains v if {
	some e in _verdicts
	not _good_enough(e)
	v := {
		"code": "QUALITY_GATE",
		"subject": e.digest,
		"message": sprintf("the quality gate says %s%s", [e.view.static_analysis.result, _conditions(e)]),
		"remediation": "Mend what the gate names, and have the tool judge a version that holds the fix.",
	}
}

_unreadable contains v if {
	some e in _reports
	not _is_readable(e)
	v := {
		"code": "REPORT_UNREADABLE",
		"subject": e.digest,
		"message": "a verdict of a quality gate cannot be read, so it may be any",
		"remediation": "Push the verdict as the tool wrote it.",
	}
}

_good_enough(e) if e.view.static_analysis.result == "PASSED"

_good_enough(e) if {
	e.view.static_analysis.result == "WARNED"
	object.get(_parameters, "allowWarned", false) == true
}

# In a message: the first few conditions that were not met.
_conditions(e) := sprintf(": %s", [concat(", ", array.slice(metrics, 0, 10))]) if {
	metrics := [substring(c.metric, 0, 100) | some c in e.view.static_analysis.conditions; c.result != "PASSED"; _is_text(c.metric)]
	count(metrics) > 0
} else := ""

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

_reports contains e if {
	some e in _attached
	is_string(e.predicate_type)
	startswith(e.predicate_type, "https://plimsoll.dev/documents/sonarqube-quality-gate/")
	_signed_enough(e)
}

# The newest about each project; at the same instant all of them.
_verdicts contains e if {
	some e in _reports
	_is_readable(e)
	time.parse_rfc3339_ns(e.created_at) == _newest[_project(e)]
}

_newest := {timed[0]: timed[1] |
	some i, timed in _timed
	not _followed(i, timed[0])
}

# By project, then by instant: the last of each project is its newest.
_timed := sort([[_project(e), time.parse_rfc3339_ns(e.created_at)] | some e in _reports])

_followed(i, project) if _timed[i + 1][0] == project

_project(e) := e.predicate.project.key if _is_text(e.predicate.project.key)

else := e.digest

_is_readable(e) if e.view.static_analysis.result in {"PASSED", "WARNED", "FAILED"}

# Only an exact false lets unsigned verdicts count.
_signed_enough(e) if e.verified == true

_signed_enough(_) if object.get(_parameters, "verified", true) == false

# The parameters.

_unusable_parameters contains name if {
	some name in {"allowWarned", "verified"}
	_has(name)
	not is_boolean(_parameters[name])
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
