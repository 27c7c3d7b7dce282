package demo

import "encoding/json"

// What is read of the answers.

type named struct {
	Name string `json:"name"`
}

type owner struct {
	Ref string `json:"ref"`
}

type evaluation struct {
	EvalID      *string      `json:"evalId"`
	Decision    string       `json:"decision"`
	Explanation string       `json:"explanation"`
	Gate        gateName     `json:"gate"`
	Policies    []named      `json:"policies"`
	Results     []ruleResult `json:"results"`
}

type gateName struct {
	Stage string `json:"stage"`
	Kind  string `json:"kind"`
}

type ruleResult struct {
	Rule   named `json:"rule"`
	Policy struct {
		Name string `json:"name"`
		Mode string `json:"mode"`
	} `json:"policy"`
	Outcome    string      `json:"outcome"`
	Violations []violation `json:"violations"`
}

type violation struct {
	Code        string  `json:"code"`
	Subject     string  `json:"subject"`
	Message     string  `json:"message"`
	Remediation string  `json:"remediation"`
	Owners      []owner `json:"owners"`
}

type promotion struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Kind   string `json:"kind"`
}

// move is the payload of Promote and of Release.
type move struct {
	Promotion          *promotion   `json:"promotion"`
	Evaluations        []evaluation `json:"evaluations"`
	ApplicationVersion struct {
		Trust        string        `json:"trust"`
		Standing     *string       `json:"standing"`
		Attestations []attestation `json:"attestations"`
	} `json:"applicationVersion"`
}

type attestation struct {
	PredicateType   string          `json:"predicateType"`
	Digest          string          `json:"digest"`
	Bundle          json.RawMessage `json:"bundle"`
	VerificationKey string          `json:"verificationKey"`
}

type evidence struct {
	Digest        string  `json:"digest"`
	PredicateType string  `json:"predicateType"`
	Category      string  `json:"category"`
	Subjects      []named `json:"subjects"`
	Verified      bool    `json:"verified"`
	Signer        *struct {
		Anchor   *string `json:"anchor"`
		Identity string  `json:"identity"`
	} `json:"signer"`
}

type releasable struct {
	Purl              *string `json:"purl"`
	Name              string  `json:"name"`
	Digest            *string `json:"digest"`
	ConnectionLevel   string  `json:"connectionLevel"`
	OwningApplication *struct {
		Key    string  `json:"key"`
		Owners []owner `json:"owners"`
	} `json:"owningApplication"`
}

type event struct {
	At      string `json:"at"`
	Actor   string `json:"actor"`
	Type    string `json:"type"`
	Result  string `json:"result"`
	Subject string `json:"subject"`
	Summary string `json:"summary"`
}

// trustedRelease is what is taken along of a released version.
type trustedRelease struct {
	Trust          string  `json:"trust"`
	Standing       *string `json:"standing"`
	ManifestDigest string  `json:"manifestDigest"`
	Manifest       string  `json:"manifest"`
	Sbom           *struct {
		ComponentCount int `json:"componentCount"`
		Documents      []struct {
			Format         string `json:"format"`
			SpecVersion    string `json:"specVersion"`
			ComponentCount int    `json:"componentCount"`
		} `json:"documents"`
	} `json:"sbom"`
	Evidence     total         `json:"evidence"`
	Promotions   total         `json:"promotions"`
	Attestations []attestation `json:"attestations"`
}

type total struct {
	TotalCount int `json:"totalCount"`
}
