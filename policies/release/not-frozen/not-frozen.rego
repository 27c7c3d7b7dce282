# METADATA
# title: No freeze holds
# description: |
#   No freeze of the organisation, of the project, of the application or of one of its labels holds at this moment. A
#   freeze holds from its beginning on, and no longer at its end. While one does, every gate of a promotion or a release
#   shows this rule as that of a policy called freeze, whether a policy asks for it or not.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Wait until the freeze is over, or have it lifted by whoever may: freezes are listed by asking for those that cover
#     {application}.
#   controls:
#     - NIST-800-53 CM-3
#     - NIST-800-53 CM-5
#   evidence: None to attach. The freezes that cover the application are looked at.
package plimsoll.release.not_frozen

# METADATA
# description: The instant, and every freeze that is not over, whether it has begun or not.
examined contains sprintf("the freezes at %s", [input.evaluated_at]) if {
	_listed
	is_string(input.evaluated_at)
}

examined contains sprintf("freeze %s", [_said(freeze, "id")]) if {
	_listed
	some freeze in input.freezes
}

# METADATA
# description: One for each freeze that holds. One that does not say from when until when is taken to hold.
violations contains v if {
	_listed
	some freeze in input.freezes
	not _waits(freeze)
	not _over(freeze)
	v := {
		"code": "FROZEN",
		"subject": sprintf("freeze %s of %s", [_said(freeze, "id"), _said(freeze, "scope")]),
		"message": sprintf("nothing moves until %s: %s", [_said(freeze, "ends_at"), _said(freeze, "reason")]),
	}
}

violations contains v if {
	not _listed
	v := {
		"code": "FREEZES_UNKNOWN",
		"subject": "freezes",
		"message": "it is not known whether a freeze holds",
	}
}

_listed if is_array(input.freezes)

_waits(freeze) if {
	is_string(freeze.starts_at)
	time.parse_rfc3339_ns(freeze.starts_at) > time.parse_rfc3339_ns(input.evaluated_at)
}

_over(freeze) if {
	is_string(freeze.ends_at)
	time.parse_rfc3339_ns(freeze.ends_at) <= time.parse_rfc3339_ns(input.evaluated_at)
}

_said(freeze, field) := freeze[field] if {
	is_string(freeze[field])
} else := "(unknown)"
