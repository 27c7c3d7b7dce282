package attest

import (
	"strconv"
	"strings"
	"time"
)

// VerificationResult is the verdict of a VSA.
type VerificationResult string

// The two verdicts SLSA knows. A stock verifier of signatures takes both; slsa-verifier refuses FAILED.
const (
	Passed VerificationResult = "PASSED"
	Failed VerificationResult = "FAILED"
)

// VSA is the predicate of a SLSA Verification Summary v1: what a verifier decided about its subjects, without how.
type VSA struct {
	Verifier     Verifier
	TimeVerified time.Time // written in UTC, to the second
	// ResourceURI names what was verified the way a consumer asks for it; slsa-verifier compares it as one string.
	ResourceURI       string
	Policy            Resource
	InputAttestations []Resource
	Result            VerificationResult
	// VerifiedLevels are SLSA levels, written SLSA_<TRACK>_LEVEL_<n>, and any levels of the verifier's own.
	VerifiedLevels []string
	// SLSAVersion is the version of the SLSA specification the levels are meant in, e.g. "1.1"; may be empty.
	SLSAVersion string
}

// Verifier is who decided.
type Verifier struct {
	ID string `json:"id"`
	// Version maps the verifier's components to their versions.
	Version map[string]string `json:"version,omitempty"`
}

// Resource points to a document by URI, by digest, or by both.
type Resource struct {
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

type vsaPredicate struct {
	Verifier          Verifier           `json:"verifier"`
	TimeVerified      string             `json:"timeVerified"`
	ResourceURI       string             `json:"resourceUri"`
	Policy            Resource           `json:"policy"`
	InputAttestations []Resource         `json:"inputAttestations,omitempty"`
	Result            VerificationResult `json:"verificationResult"`
	VerifiedLevels    []string           `json:"verifiedLevels"`
	SLSAVersion       string             `json:"slsaVersion,omitempty"`
}

// Statement makes the statement that says v about the subjects. It fails, naming the field, on a VSA that SLSA or
// slsa-verifier would not read.
func (v VSA) Statement(subjects []Subject) (Statement, error) {
	if err := v.check(); err != nil {
		return Statement{}, err
	}
	levels := v.VerifiedLevels
	if levels == nil {
		levels = []string{}
	}
	return NewStatement(subjects, PredicateVSA, vsaPredicate{
		Verifier:          v.Verifier,
		TimeVerified:      v.TimeVerified.UTC().Format(time.RFC3339),
		ResourceURI:       v.ResourceURI,
		Policy:            v.Policy,
		InputAttestations: v.InputAttestations,
		Result:            v.Result,
		VerifiedLevels:    levels,
		SLSAVersion:       v.SLSAVersion,
	})
}

func (v VSA) check() error {
	if v.Verifier.ID == "" {
		return at("verifier.id", "must not be empty")
	}
	if v.TimeVerified.IsZero() {
		return at("timeVerified", "must be set")
	}
	if v.ResourceURI == "" {
		return at("resourceUri", "must not be empty")
	}
	if err := v.Policy.check("policy"); err != nil {
		return err
	}
	for i, r := range v.InputAttestations {
		if err := r.check("inputAttestations[" + strconv.Itoa(i) + "]"); err != nil {
			return err
		}
	}
	if v.Result != Passed && v.Result != Failed {
		return at("verificationResult", "%q is neither %s nor %s", clip(string(v.Result)), Passed, Failed)
	}
	for i, level := range v.VerifiedLevels {
		if !wellFormedLevel(level) {
			return at("verifiedLevels["+strconv.Itoa(i)+"]", "%q is not a level; SLSA's are written SLSA_<TRACK>_LEVEL_<n>", clip(level))
		}
	}
	return nil
}

func (r Resource) check(path string) error {
	if r.URI == "" && len(r.Digest) == 0 {
		return at(path, "needs a uri or a digest")
	}
	for algorithm, value := range r.Digest {
		if err := checkDigest(algorithm, value); err != nil {
			return at(path+".digest."+clip(algorithm), "%w", err)
		}
	}
	return nil
}

// wellFormedLevel tells whether slsa-verifier can read the level: one malformed SLSA_ string makes it refuse the VSA.
func wellFormedLevel(level string) bool {
	if !strings.HasPrefix(level, "SLSA_") {
		return level != ""
	}
	parts := strings.SplitN(level, "_", 4)
	if len(parts) != 4 || parts[1] == "" || parts[2] != "LEVEL" {
		return false
	}
	_, err := strconv.ParseUint(parts[3], 10, 16)
	return err == nil
}
