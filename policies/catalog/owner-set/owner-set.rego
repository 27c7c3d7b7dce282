# METADATA
# title: The application has an owner
# description: |
#   Somebody answers for the application: it has at least `minOwners` owners and, with `team`, a team is among them, so
#   that nobody's leaving leaves it without one. Owners are those of this moment, not those of when the version was made.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Name an owner of {application}: {parameters.minOwners} at least.
#   controls:
#     - NIST-SSDF PO.2.1
#     - NIST-800-53 CM-8(4)
#   evidence: None to attach. The owners of the application are looked at.
#   parameters:
#     - minOwners
#     - team
package plimsoll.catalog.owner_set

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The application, when its owners are known, even where it has none.
examined contains input.application.key if {
	_is_text(input.application.key)
	is_array(input.application.owners)
}

# METADATA
# description: One when there are too few owners, and one when no team is among them.
violations contains v if {
	not _enough
	v := {
		"code": "OWNER_MISSING",
		"subject": _application,
		"message": sprintf("the application has %d owners, and %v are asked for", [count(_owners), _min_owners]),
		"remediation": sprintf("Name an owner of %s.", [_application]),
	}
}

violations contains v if {
	_team
	not _has_team
	v := {
		"code": "TEAM_MISSING",
		"subject": _application,
		"message": "no team is among the owners of the application",
		"remediation": sprintf("Name a team as an owner of %s.", [_application]),
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

_enough if {
	_is_text(input.application.key)
	is_number(_min_owners)
	count(_owners) >= max({1, _min_owners})
}

_has_team if {
	some ref in _owners
	startswith(ref, "team:")
}

_owners contains owner.ref if {
	is_array(input.application.owners)
	some owner in input.application.owners
	_is_ref(owner.ref)
}

_is_ref(ref) if {
	is_string(ref)
	regex.match("^(team|person):.", ref)
}

default _application := "application"

_application := input.application.key if _is_text(input.application.key)

# The parameters.

_min_owners := object.get(_parameters, "minOwners", 1)

# Only an exact false, or nothing, lets it do without.
_team if object.get(_parameters, "team", false) != false

_unusable_parameters contains "minOwners" if {
	_has("minOwners")
	not is_number(_parameters.minOwners)
}

_unusable_parameters contains "team" if {
	_has("team")
	not is_boolean(_parameters.team)
}

_has(name) if name in object.keys(_parameters)

_is_text(x) if {
	is_string(x)
	x != ""
}
