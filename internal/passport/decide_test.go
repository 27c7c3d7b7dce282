package passport_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/replay"
)

const decideJQ = "../replay/folder/decide.jq"

// TestADecisionIsMadeAgainAsTheExportedProgramMakesIt holds Go against decide.jq on made-up cases.
func TestADecisionIsMadeAgainAsTheExportedProgramMakesIt(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not here")
	}
	rng := rand.New(rand.NewPCG(7, 7))
	type made struct {
		Policies []replay.PolicyEntry `json:"policies"`
		Waivers  []replay.Waiver      `json:"waivers"`
		Said     json.RawMessage      `json:"said"`
	}
	var all []made
	for range 400 {
		m := made{Policies: []replay.PolicyEntry{}, Waivers: []replay.Waiver{}}
		said := object{}
		for i := range rng.IntN(3) {
			p := replay.PolicyEntry{Name: fmt.Sprint("p", i), Mode: pick(rng, "BLOCK", "WARN"), Waivable: rng.IntN(4) > 0, Rules: []string{}}
			for range rng.IntN(3) {
				rule := pick(rng, "r0", "r1", "r2")
				p.Rules = append(p.Rules, rule)
				if rng.IntN(6) > 0 {
					said[rule] = answer(rng)
				}
			}
			m.Policies = append(m.Policies, p)
		}
		for range rng.IntN(4) {
			w := replay.Waiver{
				Code: pick(rng, "", "", "A", "B"), Subject: pick(rng, "", "", "s"), Vulnerabilities: []string{},
				Package: pick(rng, "", "", "pkg:npm/a", "pkg:npm/a@1", "pkg:npm/%40x/a", "pkg:npm/@x/a"),
			}
			if rng.IntN(3) == 0 {
				w.Vulnerabilities = append(w.Vulnerabilities, "CVE-2026-1", "GHSA-abcd")
			}
			if rng.IntN(2) == 0 {
				w.Policy = pick(rng, "p0", "p1")
			} else {
				w.Rule = pick(rng, "r0", "r1", "r2")
			}
			m.Waivers = append(m.Waivers, w)
		}
		var err error
		if m.Said, err = canonical.JSON(said); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	seen := map[string]int{}
	for i, want := range decidedByJQ(t, all) {
		got, err := passport.Decide(all[i].Policies, all[i].Waivers, all[i].Said)
		if err != nil {
			t.Fatal(err)
		}
		normal, err := canonical.Normalize(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err = canonical.Normalize(got); err != nil || !bytes.Equal(got, normal) {
			text, _ := json.Marshal(all[i])
			t.Errorf("%s: Go says %s (%v), jq %s", text, got, err, normal)
		}
		for _, word := range []string{"PASS", "WARN", "FAIL", "ERROR"} {
			if strings.Contains(string(got), `"decision":"`+word) {
				seen[word]++
			}
		}
		if strings.Contains(string(got), "WAIVED") {
			seen["WAIVED"]++
		}
	}
	if len(seen) != 5 {
		t.Errorf("the cases come to %v alone", seen)
	}
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }

func answer(rng *rand.Rand) object {
	examined, violations := []string{}, []object{}
	if rng.IntN(4) > 0 {
		examined = append(examined, "x")
	}
	for range rng.IntN(3) {
		v := object{"code": pick(rng, "A", "B"), "subject": pick(rng, "s", "t"), "message": "m"}
		if rng.IntN(2) == 0 {
			v["vulnerability"] = pick(rng, "CVE-2026-1", " cve-2026-1\n", "ghsa-ABCD", "OTHER-1")
		}
		if rng.IntN(2) == 0 {
			v["purl"] = pick(rng, "pkg:npm/a", "pkg:npm/a@1", "pkg:npm/a@2?x=y#z", "pkg:npm/@x/a@1", "pkg:npm/%40x/a@1")
		}
		violations = append(violations, v)
	}
	return object{"examined": examined, "violations": violations}
}

// decidedByJQ runs decide.jq over all cases in one process: the program reads its variables, so it becomes a function of them.
func decidedByJQ(t *testing.T, cases any) []json.RawMessage {
	t.Helper()
	program, err := os.ReadFile(decideJQ)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"cases.json": text,
		"all.jq":     fmt.Appendf(nil, "[.[] | [.policies] as $policies | [.waivers] as $waivers | [.said] as $said | (\n%s)]", program),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "jq", "-f", filepath.Join(dir, "all.jq"), filepath.Join(dir, "cases.json")).Output()
	if err != nil {
		t.Fatalf("jq: %v", err)
	}
	var decisions []json.RawMessage
	if err := json.Unmarshal(out, &decisions); err != nil {
		t.Fatal(err)
	}
	return decisions
}

// TestTheScriptKnowsTheProgramsOfExportedDecisions: it runs no others.
func TestTheScriptKnowsTheProgramsOfExportedDecisions(t *testing.T) {
	script, err := os.ReadFile("guide/verify.sh")
	if err != nil {
		t.Fatal(err)
	}
	var sums []string
	for _, name := range []string{"../replay/folder/verify.sh", decideJQ} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, strings.TrimPrefix(canonical.Digest(text), "sha256:"))
	}
	if pair := strings.Join(sums, " "); !strings.Contains(string(script), "\n"+pair) {
		t.Errorf("add the line %q to replay_programs in guide/verify.sh, and keep those that are there: older passports hold them", pair)
	}
}
