package approval

// ApproveApplicationVersionInput is what to say of a version.
type ApproveApplicationVersionInput struct {
	ApplicationKey, Version, ManifestDigest string
	Approve                                 bool
	Comment                                 *string
}
