# METADATA
# title: The version has been in a stage for long enough
# description: |
#   The version was in the stage for at least so many hours on end. It comes into a stage by a promotion, a release or a
#   rollback that was completed, and leaves it by the next; a stay that a rollback took back does not count, and being rolled
#   back into a stage begins a new one. Stages are compared by name, letter for letter.
#   The clock is that of the evaluation. The newest 200 promotions are looked at.
# custom:
#   category: WORKFLOW
#   remediation: >-
#     Leave {application} {version} in {parameters.stage} until it has been there for {parameters.hours} hours.
#   controls:
#     - NIST-SSDF PO.4.1
#     - NIST-800-53 CM-4
#   evidence: None to attach. The history of the version's promotions is looked at.
#   parameters:
#     - hours
#     - stage
package plimsoll.release.soak_time

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The stays in the stage, by the instant of their beginning.
examined contains sprintf("%s since %s", [_parameters.stage, stay.at]) if some stay in _stays

# METADATA
# description: One when the version was never in the stage, or not for long enough.
violations contains v if {
	count(_stays) == 0
	v := {
		"code": "STAGE_NOT_REACHED",
		"subject": _stage,
		"message": sprintf("the version has not been in %s", [_stage]),
		"remediation": sprintf("Promote the version into %s before this gate.", [_stage]),
	}
}

violations contains v if {
	count(_stays) > 0
	not _long_enough
	v := {
		"code": "SOAK_TIME",
		"subject": _stage,
		"message": sprintf("the version was in %s for %d hours on end, and %v are asked for", [_stage, floor(_longest / _hour), _hours]),
		"remediation": sprintf("Leave the version in %s for longer, and try again.", [_stage]),
	}
}

violations contains v if {
	some i, entry in input.version.history
	not _is_readable(entry)
	v := {
		"code": "HISTORY_UNREADABLE",
		"subject": sprintf("history[%v]", [i]),
		"message": sprintf("promotion %v of the version cannot be read, so the version may have left the stage by it", [i]),
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

_long_enough if {
	is_number(_hours)
	_hours > 0
	_longest >= _hours * _hour
}

_hour := ((60 * 60) * 1000) * 1000000

_longest := max([stay.ns | some stay in _stays])

# A stay ends when the next move was completed, or is going on.
_stays contains {"at": entry.at, "ns": end - start} if {
	_is_text(_parameters.stage)
	some i, entry in _moves
	entry.to_stage == _parameters.stage
	entry.undone == false
	start := time.parse_rfc3339_ns(entry.at)
	end := _end(i)
}

_end(i) := time.parse_rfc3339_ns(_moves[i + 1].at) if i + 1 < count(_moves)

else := time.parse_rfc3339_ns(input.evaluated_at) if input.version.current_stage == _parameters.stage

# Oldest first, as the input has them.
_moves := [entry |
	is_array(input.version.history)
	some entry in input.version.history
	_is_readable(entry)
	entry.status == "COMPLETED"
]

_is_readable(entry) if {
	entry.kind in {"PROMOTE", "RELEASE", "ROLLBACK"}
	entry.status in {"COMPLETED", "BLOCKED", "FAILED"}
	is_boolean(entry.undone)
	_is_text(entry.at)
}

# The parameters.

default _stage := "the stage"

_stage := _parameters.stage if _is_text(_parameters.stage)

_hours := object.get(_parameters, "hours", "how many")

_unusable_parameters contains "stage" if not _is_text(object.get(_parameters, "stage", null))

_unusable_parameters contains "hours" if not _is_positive(_hours)

_is_positive(x) if {
	is_number(x)
	x > 0
}

_is_text(x) if {
	is_string(x)
	x != ""
}
