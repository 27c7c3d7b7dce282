package catalog

// DeprecatePackageInput is a package to deprecate, or to take that back from.
type DeprecatePackageInput struct {
	PURL string
	// Reason is 10 to 2,000 characters; nil when it is taken back.
	Reason     *string
	Deprecated bool
}
