// Package sbom holds real software bills of materials of public projects, made with stock tools. The README in this
// folder says of each which project it describes and how it was made. Tests read them, and the demonstration data
// uses them as the bills of materials of its services.
package sbom

import "embed"

// FS holds the documents, named <service>.cdx.json (CycloneDX) or <service>.spdx.json (SPDX).
//
//go:embed *.json
var FS embed.FS
