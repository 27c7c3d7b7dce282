# METADATA
# title: The gate was passed
# description: |
#   The version passed a gate of an earlier stage and has not left it by rollback since. It did when a promotion or
#   release of this version is COMPLETED, no later rollback took it back, and the decision of that gate in it is PASS
#   or WARN. Stages are compared by name, letter for letter.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Promote {application} {version} through the {parameters.gate} gate of {parameters.stage} first; what it needs is
#     listed by asking for the policies that the stage requires.
#   controls:
#     - NIST-SSDF PO.4.1
#     - NIST-SSDF PO.4.2
#   evidence: None to attach. The history of the version's promotions is looked at.
#   parameters:
#     - gate
#     - stage
package plimsoll.release.gate_certified

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The evaluations of that gate in the version's history, whatever they decided.
examined contains attempt.gate.eval_id if some attempt in _attempts

# METADATA
# description: One when the gate was not passed, or not since the last rollback.
violations contains v if {
	count(_certified) == 0
	count(_undone) == 0
	v := {
		"code": "GATE_NOT_PASSED",
		"subject": _gate,
		"message": sprintf("the version has not passed the gate %s", [_gate]),
		"remediation": sprintf("Promote the version through %s before this gate.", [_gate]),
	}
}

violations contains v if {
	count(_certified) == 0
	count(_undone) > 0
	v := {
		"code": "GATE_LEFT_BY_ROLLBACK",
		"subject": _gate,
		"message": sprintf("the version passed the gate %s, but a rollback has taken that back since", [_gate]),
		"remediation": sprintf("Promote the version through %s again.", [_gate]),
	}
}

_attempts contains {"promotion": promotion, "gate": gate} if {
	is_array(input.version.history)
	some promotion in input.version.history
	promotion.kind in {"PROMOTE", "RELEASE"}
	is_array(promotion.gates)
	some gate in promotion.gates
	gate.stage == _parameters.stage
	gate.kind == _parameters.gate
	is_string(gate.eval_id)
	gate.eval_id != ""
}

_passed contains attempt if {
	some attempt in _attempts
	attempt.promotion.status == "COMPLETED"
	attempt.gate.decision in {"PASS", "WARN"}
}

_certified contains attempt if {
	some attempt in _passed
	attempt.promotion.undone == false
}

_undone contains attempt if {
	some attempt in _passed
	attempt.promotion.undone == true
}

_gate := sprintf("%v/%v", [
	object.get(_parameters, "stage", "(no stage given)"),
	object.get(_parameters, "gate", "(no gate given)"),
])
