package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/promotion"
)

// Predicate types that templates of the program ask for.
const (
	provenanceType  = "https://slsa.dev/provenance/v1"
	provenanceTypes = "https://slsa.dev/provenance/"
	summaryType     = "https://slsa.dev/verification_summary/v1"
	sarifType       = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"
	sonarType       = "https://plimsoll.dev/documents/sonarqube-quality-gate/v1"
	cycloneDXType   = "https://cyclonedx.org/bom"
	spdxType        = "https://spdx.dev/Document"
	signatureType   = "https://sigstore.dev/cosign/sign/v1"
)

const noteLicence = "its licence is not allowed"

func provenanceKinds() []string { return []string{provenanceType, provenanceTypes + "v0.2"} }

func testTypes() []string {
	types := []string{"https://in-toto.io/attestation/test-result/v0.1"}
	for _, format := range []string{"junit", "xunit", "nunit", "tap", "ctrf"} {
		types = append(types, "https://plimsoll.dev/documents/"+format+"/v1")
	}
	return types
}

func coverageTypes() []string {
	var types []string
	for _, format := range []string{"jacoco", "cobertura", "lcov"} {
		types = append(types, "https://plimsoll.dev/documents/"+format+"/v1")
	}
	return types
}

// billFormat is the format of an SBOM, by its predicate type; "" for what is none.
func billFormat(predicateType string) string {
	switch {
	case strings.HasPrefix(predicateType, cycloneDXType):
		return "CYCLONEDX"
	case strings.HasPrefix(predicateType, spdxType):
		return "SPDX"
	}
	return ""
}

// parameters are those of the templates of the program.
type parameters struct {
	PredicateType      string   `json:"predicateType"`
	OnEveryArtifact    bool     `json:"onEveryArtifact"`
	Verified           *bool    `json:"verified"`
	Signers            []string `json:"signers"`
	Count              float64  `json:"count"`
	Builders           []string `json:"builders"`
	SourceRepositories []string `json:"sourceRepositories"`
	Refs               []string `json:"refs"`
	MinLevel           float64  `json:"minLevel"`
	Formats            []string `json:"formats"`
	MinComponents      float64  `json:"minComponents"`
	Allow              []string `json:"allow"`
	Deny               []string `json:"deny"`
	MinPassed          float64  `json:"minPassed"`
	Tools              []string `json:"tools"`
	Approvers          []string `json:"approvers"`
	MinOwners          float64  `json:"minOwners"`
	Stage              string   `json:"stage"`
	Gate               string   `json:"gate"`
	Hours              float64  `json:"hours"`
}

// trouble is a violation, or its absence where a rule only says that it found nothing, with what the templates know of it.
type trouble struct {
	*bench
	f             *finding
	code, subject string
	p             parameters
}

// recipes says, for each template of the program, what has to be done about a violation; nothing when nothing that is known
// helps. What a template that is made here asks for, nobody knows.
func recipes() map[string]func(t trouble) []*want {
	return map[string]func(t trouble) []*want{
		"evidence-present": trouble.evidencePresent,
		"slsa-provenance":  trouble.provenance, "source-branch": trouble.provenance,
		"signed-by":     trouble.signature,
		"sbom-complete": trouble.bill, "license-allowed": trouble.bill, "max-vulnerability": trouble.bill, "no-deprecated": trouble.bill,
		"tests-passed": trouble.reports, "static-analysis": trouble.reports, "quality-gate": trouble.reports,
		"approved-by": trouble.approval,
		"owner-set":   trouble.record, "not-end-of-life": trouble.record,
		"gate-certified": trouble.gateFirst, "soak-time": trouble.soak,
		notFrozen: trouble.freeze,
	}
}

// wants are what has to be done about what a rule says.
func (b *bench) wants(f *finding, v *Violation) []*want {
	recipe := recipes()[f.rule.Edges.Template.Name]
	if recipe == nil || f.rule.Edges.Template.CreatedBy != nil {
		return nil
	}
	t := trouble{bench: b, f: f}
	if json.Unmarshal([]byte(f.rule.Parameters), &t.p) != nil {
		return nil
	}
	if v != nil {
		t.code, t.subject = v.Code, v.Subject
	}
	wants := slices.DeleteFunc(recipe(t), func(w *want) bool { return w.subjects != nil && len(w.subjects) == 0 })
	for _, w := range wants {
		w.rules, w.addressed = []string{f.rule.Name}, t.subject
	}
	return wants
}

// push wants evidence of one of the types about one of the subjects.
func (t trouble) push(types, subjects []string, signed bool) *want {
	return &want{kind: doEvidence, about: aboutPush, types: types, subjects: subjects, signed: signed}
}

// evidencePresent: evidence for a content is for the version, too.
func (t trouble) evidencePresent() []*want {
	if !strings.HasPrefix(t.code, "EVIDENCE_") && t.code != "" {
		return nil
	}
	subjects := t.everySubject()
	if t.p.OnEveryArtifact {
		subjects = t.one()
	}
	w := t.push([]string{t.p.PredicateType}, subjects, t.p.Verified == nil || *t.p.Verified || t.p.Signers != nil)
	w.signers = t.p.Signers
	return []*want{w}
}

func (t trouble) provenance() []*want {
	switch t.code {
	case "", "PROVENANCE_MISSING", "BUILDER_NOT_ACCEPTED", "SOURCE_NOT_ACCEPTED", "BRANCH_NOT_ACCEPTED":
		w := t.push(provenanceKinds(), t.one(), true)
		w.says = map[string][]string{}
		for name, patterns := range map[string][]string{"builder": t.p.Builders, "source": t.p.SourceRepositories, "ref": t.p.Refs} {
			if patterns != nil {
				w.says[name] = patterns
			}
		}
		return []*want{w}
	case "LEVEL_NOT_SHOWN":
		w := t.push([]string{summaryType}, t.one(), true)
		w.least = map[string]float64{"level": t.p.MinLevel}
		return []*want{w}
	}
	return nil
}

// signature: anything that is signed will do, of as many signers as are lacking.
func (t trouble) signature() []*want {
	if t.code != "" && t.code != "SIGNATURE_MISSING" && t.code != "SIGNER_MISSING" {
		return nil
	}
	left := slices.Clone(t.p.Signers)
	for _, e := range t.sub.evidence {
		if e.Verified && !e.Row.Collected && slices.Contains(e.Subjects, t.subject) {
			left = slices.DeleteFunc(left, func(s string) bool { return s == e.Anchor })
		}
	}
	lacking := max(1, int(t.p.Count)) - (len(t.p.Signers) - len(left))
	if lacking > len(left) {
		return nil
	}
	var wants []*want
	for n := range lacking {
		w := t.push(nil, t.one(), true)
		w.signers, w.apart = left, []string{t.f.rule.Name + " " + t.subject}
		w.least = map[string]float64{"signature": float64(n + 1)}
		wants = append(wants, w)
	}
	return wants
}

// bill is for the templates that look at SBOMs, and at what is known of their components.
func (t trouble) bill() []*want {
	types := []string{cycloneDXType, spdxType}
	if t.p.Formats != nil {
		types = slices.DeleteFunc(types, func(kind string) bool { return !slices.Contains(t.p.Formats, billFormat(kind)) })
	}
	switch t.code {
	case "", "SBOM_MISSING", "SBOM_FORMAT", "SBOM_INCOMPLETE":
		w := t.push(types, t.one(), false)
		w.least = map[string]float64{"components": t.p.MinComponents}
		return []*want{w}
	case "COMPONENTS_MISSING":
		w := t.push(types, t.contents(), false)
		w.says = t.licences()
		return []*want{w}
	case "FEED_MISSING", "FEED_STALE":
		return []*want{{kind: doEvidence, about: aboutFeed, thing: t.subject}}
	case "KNOWN_EXPLOITED", "VULNERABILITY_SEVERITY":
		return []*want{{kind: doMend, about: aboutComponent, thing: t.subject, notes: []string{"it is vulnerable"}}}
	case "LICENSE_DENIED", "LICENSE_NOT_ALLOWED", "LICENSE_UNKNOWN", "LICENSE_UNPARSABLE":
		return []*want{{kind: doMend, about: aboutComponent, thing: t.subject, says: t.licences(), notes: []string{noteLicence}}}
	case "PACKAGE_DEPRECATED":
		return []*want{{kind: doMend, about: aboutPackage, thing: t.subject, notes: []string{"it is deprecated"}}}
	}
	return nil
}

// licences are those that a component may have; any where the rule is not about licences.
func (t trouble) licences() map[string][]string {
	if t.f.rule.Edges.Template.Name != "license-allowed" {
		return nil
	}
	allowed := t.p.Allow
	if allowed == nil {
		allowed = []string{"MIT", "Apache-2.0", "BSD-3-Clause", "ISC", "MPL-2.0"}
	}
	return map[string][]string{"license": slices.DeleteFunc(slices.Clone(allowed), func(l string) bool { return slices.Contains(t.p.Deny, l) })}
}

// reports is for the templates that look at what tools say of the code.
func (t trouble) reports() []*want {
	signed := t.p.Verified != nil && *t.p.Verified
	switch t.code {
	case "", "TESTS_MISSING", "TESTS_TOO_FEW", "VERDICT_MISSING", "ANALYSIS_MISSING", "TOOL_MISSING":
		types := map[string][]string{"static-analysis": {sarifType}, "quality-gate": {sonarType}}[t.f.rule.Edges.Template.Name]
		if types == nil {
			types = testTypes()
		}
		w := t.push(types, t.everySubject(), signed)
		w.least = map[string]float64{"passed": t.p.MinPassed}
		if t.code == "TOOL_MISSING" {
			w.says = map[string][]string{"tool": {t.subject}}
		} else if t.p.Tools != nil {
			w.says = map[string][]string{"tool": lower(t.p.Tools)}
		}
		return []*want{w}
	case "COVERAGE_MISSING":
		w := t.push(coverageTypes(), t.everySubject(), signed)
		w.least = map[string]float64{"coverage": 1, "lines": 1}
		return []*want{w}
	case "TESTS_FAILED", "COVERAGE_TOO_LOW", "QUALITY_GATE", "ANALYSIS_ERRORS", "ANALYSIS_WARNINGS", "ANALYSIS_UNFINISHED":
		return []*want{{kind: doMend, about: aboutReports, notes: []string{t.code}}}
	}
	return nil
}

func (t trouble) approval() []*want {
	w := &want{kind: doApproval, about: aboutVersion, notes: []string{}}
	switch t.code {
	case "", "APPROVAL_MISSING":
		w.least = map[string]float64{"count": max(1, t.p.Count)}
	case "REJECTED":
		w.notes = []string{"rejected by " + t.subject}
	default:
		return nil
	}
	w.approvers = t.p.Approvers
	return []*want{w}
}

func (t trouble) record() []*want {
	switch t.code {
	case "OWNER_MISSING":
		return []*want{{kind: doRecord, about: aboutOwners, least: map[string]float64{"owners": max(1, t.p.MinOwners)}}}
	case "TEAM_MISSING":
		return []*want{{kind: doRecord, about: aboutOwners, least: map[string]float64{"team": 1}}}
	case "END_OF_LIFE", "MATURITY_UNSPECIFIED":
		return []*want{{kind: doRecord, about: aboutMaturity}}
	}
	return nil
}

// gateFirst: a gate that lies on the way is passed by going it, so only one that does not is an act, where the lifecycle lets
// versions go back.
func (t trouble) gateFirst() []*want {
	i := t.index(t.p.Stage)
	release := gatepolicy.GateKind(t.p.Gate) == gatepolicy.GateKindRELEASE
	if i < 0 || t.enforced || release || t.hop(t.stages[i]) == nil {
		return nil
	}
	return []*want{{kind: doGate, about: aboutStage, thing: t.p.Stage, least: map[string]float64{"hours": 0}}}
}

// soak waits before the version leaves the stage, if it is there on the way.
func (t trouble) soak() []*want {
	soak := time.Duration(t.p.Hours * float64(time.Hour))
	for n, l := range t.legs[:t.f.leg+1] {
		if l.from == nil || l.from.Name != t.p.Stage {
			continue
		}
		w := &want{kind: doWait, about: aboutMove, leg: n, wait: soak}
		if n == 0 {
			entered, ok := t.sub.entered(t.p.Stage)
			if !ok {
				return nil
			}
			w.wait, w.until = 0, entered.Add(soak)
		}
		return []*want{w}
	}
	if wants := t.gateFirst(); wants != nil {
		wants[0].least["hours"] = t.p.Hours
		return wants
	}
	return nil
}

// freeze waits until a freeze is over.
func (t trouble) freeze() []*want {
	for _, f := range t.sub.freezes {
		if strings.HasPrefix(t.subject, fmt.Sprintf("freeze %d of ", f.ID)) {
			return []*want{{kind: doWait, about: aboutMove, leg: t.f.leg, until: f.EndsAt.UTC()}}
		}
	}
	return nil
}

// entered is since when the version is in the stage that it is in.
func (sub *subject) entered(stage string) (time.Time, bool) {
	for _, e := range slices.Backward(sub.history) {
		if e.Status != promotion.StatusCOMPLETED {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, e.At)
		return at, err == nil && e.ToStage != nil && *e.ToStage == stage
	}
	return time.Time{}, false
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// one is the content that a violation is about; every content when it is about none.
func (t trouble) one() []string {
	if strings.HasPrefix(t.subject, "sha256:") {
		return []string{t.subject}
	}
	return t.contents()
}

// contents are the digests of the version's contents.
func (t trouble) contents() []string {
	if t.sub.version == nil {
		return nil
	}
	list := []string{}
	for _, c := range t.sub.contents {
		if c.Digest != nil {
			list = append(list, *c.Digest)
		}
	}
	return list
}

// everySubject is what evidence about the version may be about: its contents and its manifest.
func (t trouble) everySubject() []string {
	if t.sub.version == nil {
		return nil
	}
	return append([]string{t.sub.version.ManifestDigest}, t.contents()...)
}
