package rego

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// Capabilities returns the capabilities every evaluation runs under, as canonical JSON in the form that
// `opa eval --capabilities FILE` reads: those of the linked OPA without the built-ins that are refused, and with no
// host that may be reached. The caller gets its own copy.
func Capabilities() []byte { return bytes.Clone(allowed().json) }

// CapabilitiesDigest returns the digest of Capabilities, "sha256:<hex>", which an evaluation records.
func CapabilitiesDigest() string { return allowed().digest }

// capabilitySet is what the linked OPA may do here, computed once: it depends on the binary alone.
type capabilitySet struct {
	caps    *ast.Capabilities
	json    []byte
	digest  string
	refused map[string]string // built-in → what to do instead
}

// allowed panics only when the linked OPA cannot read its own capabilities, which a build with another OPA would
// show in the first test.
var allowed = sync.OnceValue(func() *capabilitySet {
	set, err := filterCapabilities(ast.CapabilitiesForThisVersion())
	if err != nil {
		panic(err)
	}
	return set
})

func filterCapabilities(all *ast.Capabilities) (*capabilitySet, error) {
	set := &capabilitySet{refused: make(map[string]string)}
	kept := make([]*ast.Builtin, 0, len(all.Builtins))
	for _, b := range all.Builtins {
		hint, refused := refusedBuiltins[b.Name]
		switch {
		case refused:
			set.refused[b.Name] = hint
		case b.Nondeterministic:
			set.refused[b.Name] = "its answer is not the same each time; pass what it would return in the input"
		default:
			kept = append(kept, b)
		}
	}
	all.Builtins = kept

	// ast.Capabilities drops an empty allow_net when it is marshalled, and a missing one means that any host may be
	// reached: so it is written into the document by hand.
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("marshal OPA's capabilities: %w", err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("read OPA's capabilities: %w", err)
	}
	doc["allow_net"] = []string{}
	if set.json, err = canonical.JSON(doc); err != nil {
		return nil, fmt.Errorf("spell OPA's capabilities: %w", err)
	}
	set.digest = canonical.Digest(set.json)
	if set.caps, err = ast.LoadCapabilitiesJSON(bytes.NewReader(set.json)); err != nil {
		return nil, fmt.Errorf("load the filtered capabilities: %w", err)
	}
	return set, nil
}

// refusedBuiltins are refused by name, with what to do instead. Everything OPA marks as non-deterministic is refused
// as well, so a new one is out before anybody adds it here.
var refusedBuiltins = map[string]string{
	"time.now_ns":        "use input.evaluated_at",
	"http.send":          "a rule sees its input and nothing else; attach what you would fetch as evidence",
	"net.lookup_ip_addr": "a rule sees its input and nothing else",
	"opa.runtime":        "a rule sees its input and data.parameters, not the environment",
	"rand.intn":          "a decision must be repeatable",
	"uuid.rfc4122":       "a decision must be repeatable",

	// These read the clock, the machine's certificates or the network unless told otherwise, and a rule cannot be
	// made to tell them.
	"crypto.x509.parse_and_verify_certificates":              "evidence is verified when it arrives; use evidence[_].verified",
	"crypto.x509.parse_and_verify_certificates_with_options": "evidence is verified when it arrives; use evidence[_].verified",
	"io.jwt.decode_verify":                                   "evidence is verified when it arrives; use evidence[_].verified",
	"io.jwt.encode_sign":                                     "a rule decides, it does not sign",
	"io.jwt.encode_sign_raw":                                 "a rule decides, it does not sign",
	"providers.aws.sign_req":                                 "a rule decides, it does not sign",
	"json.match_schema":                                      "a schema may refer to another host; test the fields instead",
	"json.verify_schema":                                     "a schema may refer to another host; test the fields instead",

	// One call of these can run, or allocate, without end, and OPA cannot interrupt a built-in.
	"bits.lsh":                "one call can exceed any bound; multiply instead",
	"strings.render_template": "one call can exceed any bound; use sprintf",
	"graph.reachable_paths":   "one call can exceed any bound; use graph.reachable",
	"regex.globs_match":       "one call can exceed any bound; use glob.match or regex.match",
}
