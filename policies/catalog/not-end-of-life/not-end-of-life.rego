# METADATA
# title: The application is not at its end of life
# description: |
#   The maturity of the application, as it is at this moment, is not END_OF_LIFE. UNSPECIFIED is nobody's word that it is
#   at its end, and passes unless `specified` is on. What the parts of a version are worth is not looked at here: use
#   no-deprecated.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Do not release {application} any more, or correct its maturity if it is still looked after.
#   controls:
#     - EU-CRA 13(8)
#     - NIST-800-53 SA-22
#   evidence: None to attach. The maturity of the application is looked at.
#   parameters:
#     - specified
package plimsoll.catalog.not_end_of_life

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The application, when its maturity is known.
examined contains input.application.key if {
	_is_text(input.application.key)
	input.application.maturity in _maturities
}

# METADATA
# description: One when the application is at its end of life, or its maturity is not known.
violations contains v if {
	input.application.maturity == "END_OF_LIFE"
	v := {
		"code": "APPLICATION_END_OF_LIFE",
		"subject": _application,
		"message": sprintf("%s is at its end of life", [_application]),
		"remediation": "Release what takes its place, or correct its maturity if it is still looked after.",
	}
}

violations contains v if {
	_specified
	input.application.maturity == "UNSPECIFIED"
	v := {
		"code": "MATURITY_UNSPECIFIED",
		"subject": _application,
		"message": sprintf("nobody said how mature %s is", [_application]),
		"remediation": sprintf("Say how mature %s is.", [_application]),
	}
}

violations contains v if {
	not _known
	v := {
		"code": "MATURITY_MISSING",
		"subject": _application,
		"message": "the input does not say how mature the application is",
		"remediation": "Evaluate the version again.",
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

_known if {
	_is_text(input.application.key)
	input.application.maturity in _maturities
}

_maturities := {"UNSPECIFIED", "EXPERIMENTAL", "PRODUCTION", "END_OF_LIFE"}

default _application := "application"

_application := input.application.key if _is_text(input.application.key)

# Only an exact false, or nothing, lets it do without.
_specified if object.get(_parameters, "specified", false) != false

_unusable_parameters contains "specified" if {
	_has("specified")
	not is_boolean(_parameters.specified)
}

_has(name) if name in object.keys(_parameters)

_is_text(x) if {
	is_string(x)
	x != ""
}
