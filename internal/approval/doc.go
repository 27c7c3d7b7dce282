// Package approval keeps what people say of versions, signed for and bound to the digests of their manifests.
package approval
