package gate_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const reviewType = "https://plimsoll.dev/attestations/review/v1"

// indexed sends an image index that holds the image, and a review of the index signed with the installation's key, which
// is a trust anchor. It returns the digests of both pieces of evidence.
func (w *world) indexed() (index, review string) {
	w.tb.Helper()
	must(w.evidence.AddTrustAnchor(w.admin, evidence.AddTrustAnchorInput{Alias: "ci", PublicKey: ptr(string(w.signer.PublicKeyPEM()))}))(w.tb)
	text := fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":%q,"size":1},{"mediaType":"m","digest":%q,"size":1}]}`, digestOf("image"), digestOf("elsewhere"))
	index = canonical.Digest([]byte(text))
	w.submit(evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{MediaType: "application/json", Content: text}})
	st := must(attest.NewStatement([]attest.Subject{{Digest: map[string]string{"sha256": strings.TrimPrefix(index, "sha256:")}}}, reviewType, map[string]any{"decision": "APPROVED"}))(w.tb)
	made := must(w.signer.Sign(w.admin, st))(w.tb)
	w.submit(evidence.SubmitEvidenceInput{Envelope: ptr(string(made.Envelope))})
	return index, made.Digest
}

// wantsReview guards the entry of a stage with evidence-present, with further parameters.
func (w *world) wantsReview(stage, more string) {
	w.tb.Helper()
	name := "review-" + strings.ToLower(stage)
	must(w.policies.CreateRule(w.admin, policy.CreateRuleInput{
		Name: name, Template: "evidence-present", Parameters: json.RawMessage(`{"predicateType":"` + reviewType + `","signers":["ci"]` + more + `}`),
	}))(w.tb)
	must(w.policies.CreatePolicy(w.admin, policy.CreatePolicyInput{
		WaiverApprovals: 1, WaiverMaxDays: 90,
		Name: name, Rules: []string{name}, Mode: block, Enabled: true, Gate: policy.GateInput{Stage: stage, Kind: entry},
		Scope: policy.PolicyScopeInput{Type: gatepolicy.ScopeTypeGLOBAL},
	}))(w.tb)
}

func TestRule34_EvidenceOfAnIndexCountsForItsChildrenOnlyWhereARuleSaysSo(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		if err := w.policies.InstallBuiltin(w.admin); err != nil {
			t.Fatal(err)
		}
		v := w.version("1.0")
		index, review := w.indexed()
		w.wantsReview("DEV", "")
		w.wantsReview("QA", `,"acceptIndex":true`)
		for stage, want := range map[string]string{"DEV": "NOT_EVIDENCED []", "QA": "PASS [" + review + "]"} {
			j := must(w.gates.Judge(w.admin, v.ID, []*db.Stage{w.stage(stage)}, []gateKind{entry}))(t)
			if !slices.Contains(j.EvidenceDigests, review) || !slices.Contains(j.EvidenceDigests, index) || len(j.EvidenceDigests) != 2 {
				t.Errorf("the gate says that it saw %v", j.EvidenceDigests)
			}
			for _, r := range w.results(j.Evaluations[0]) {
				if got := fmt.Sprint(r.Outcome, " ", r.Examined); got != want {
					t.Errorf("%s: %s, want %s", stage, got, want)
				}
			}
		}

		refused := must(w.promote("1.0", "DEV"))(t)
		e := must(w.gates.Evaluation(w.admin, *refused.Evaluations[0].EvalID))(t)
		text := *must(w.gates.Input(w.admin, e))(t)
		if err := schema.Validate(must(jsonschema.UnmarshalJSON(strings.NewReader(text)))(t)); err != nil {
			t.Errorf("the input is not what its schema says: %v", err)
		}
		var in struct {
			Evidence []any
			Index    []struct {
				Digest, Signer     string
				Subjects, Children []string
			} `json:"index_evidence"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("[] [{%s  [%s] [%s]} {%s ci [%s] [%s]}]", index, index, digestOf("image"), review, index, digestOf("image"))
		if got := fmt.Sprint(in.Evidence, in.Index); got != want {
			t.Errorf("the input says\n%s\nwant\n%s", got, want)
		}
	})
}

func TestRule32_AGateSeesWhatWasCollectedAndByWhom(t *testing.T) {
	schema := inputSchema(t)
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		w.version("1.0")
		collecting := must(w.evidence.WithCollector(w.signing))(t)
		body := `{"qualityGate":{"status":"OK"},"properties":{"sonar.analysis.plimsoll.digest":"` + digestOf("image") + `"}}`
		if _, _, err := collecting.CollectSonarQube(w.admin, []byte(body)); err != nil {
			t.Fatal(err)
		}
		w.signed("https://example.org/tests/v1", map[string]any{"passed": true})
		e := must(w.gates.Evaluation(w.admin, *must(w.promote("1.0", "DEV"))(t).Evaluations[0].EvalID))(t)
		text := *must(w.gates.Input(w.admin, e))(t)
		if err := schema.Validate(must(jsonschema.UnmarshalJSON(strings.NewReader(text)))(t)); err != nil {
			t.Errorf("the input is not what its schema says: %v", err)
		}
		var in struct {
			Evidence []struct {
				Verified, Collected bool
				Signer, Provider    string
			}
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(in.Evidence), "[{true true collector sonarqube} {false false  the scanner}]"; got != want {
			t.Errorf("the input says %s, want %s", got, want)
		}
	})
}
