package blast

import "time"

// BlastRadiusInput is what to start from: exactly one of the fields.
type BlastRadiusInput struct {
	Vulnerability *string
	Purl          *string
	PurlRange     *PurlRangeInput
	Digest        *string
	// Evidence is the global id of a piece of evidence.
	Evidence *string
	// Signer is the alias of a trust anchor, Owner the reference of an owner.
	Signer *string
	Owner  *string
}

// PurlRangeInput is versions of a package.
type PurlRangeInput struct {
	Purl string
	// Range is a VERS range.
	Range string
}

// BlastRadiusScope says where to look. What is given must all hold.
type BlastRadiusScope struct {
	ProjectKeys []string
	Stages      []string
	LiveOnly    bool
	AsOf        *time.Time
	// Upgraded are purls with versions: what every SBOM would list in place of other versions of their packages.
	Upgraded []string
}
