# METADATA
# title: A version has enough parts
# description: Finds versions that were reported with fewer parts than they are built from.
# custom:
#   sentence: a version has at least {parameters.least} parts
#   remediation: Report {application} {version} with all its artifacts; at least {parameters.least} are expected.
#   evidence: []
package acme.enough_parts

examined contains c.name if some c in input.contents

violations contains v if {
	count(input.contents) < data.parameters.least
	v := {
		"code": "TOO_FEW",
		"subject": input.version.version,
		"message": sprintf("it has %d parts", [count(input.contents)]),
	}
}
