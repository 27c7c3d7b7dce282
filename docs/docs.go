// Package docs holds what the documentation and the program share: the JSON Schema of policy inputs.
package docs

import _ "embed"

// PolicyInputSchema is the JSON Schema of what every rule sees as input; see policy-input.md.
//
//go:embed policy-input.schema.json
var PolicyInputSchema []byte
