package gate_test

import (
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/freeze"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const toRelease = gatepolicy.GateKindRELEASE

func (g *green) path(version, to string) *gate.PathToGreen {
	g.tb.Helper()
	return must(g.gates.PathToGreen(g.admin, "checkout", version, to))(g.tb)
}

// inShort is a path in short: the kinds and sentences of its actions.
func inShort(p *gate.PathToGreen) string {
	var lines []string
	for _, a := range p.Actions {
		lines = append(lines, fmt.Sprintf("%s %q: %s", a.Kind, a.Rules, a.What))
	}
	for _, u := range p.Unreachable {
		lines = append(lines, "unreachable: "+u)
	}
	return strings.Join(lines, "\n")
}

func (g *green) tells(what string, p *gate.PathToGreen, want ...string) {
	g.tb.Helper()
	if got := inShort(p); got != strings.Join(want, "\n") {
		g.tb.Errorf("%s:\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

func TestRule21_OnePushDoesForSeveralRules(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		g := newGreen(t, dsn, 0)
		v := g.made("1.0")
		g.rule("image provenance", "slsa-provenance", `{"builders":["https://ci.example.org/*"]}`)
		g.rule("reviewed", "evidence-present", `{"predicateType":"https://slsa.dev/provenance/v1","signers":["ci","review"]}`)
		g.rule("signed twice", "signed-by", `{"signers":["ci","review"],"count":2}`)
		g.on("secure", "QA", entry, block, false, "image provenance", "reviewed")
		g.on("signed", "DEV", exit, block, false, "signed twice")
		g.on("only warns", "QA", entry, warn, false, "reviewed")
		p := g.path("1.0", "QA")
		about := func(name string) string { return name + " (" + digestOf(v.Version+name) + ")" }
		provenance := func(name, signer string, rules ...string) string {
			return fmt.Sprintf("EVIDENCE %q: Push evidence of type %s about %s, signed by %s, built by https://ci.example.org/*.", rules, slsa, about(name), signer)
		}
		if len(p.Actions) != 4 {
			t.Errorf("to do is\n%s\nwant four pushes", inShort(p))
		}
		for _, name := range []string{"image", "chart"} {
			signers := 0
			for _, signer := range []string{"ci", "review"} {
				signers += strings.Count(inShort(p), provenance(name, signer, "image provenance", "reviewed", "signed twice")) +
					strings.Count(inShort(p), provenance(name, signer, "image provenance", "signed twice"))
			}
			if signers != 1 {
				t.Errorf("to do is\n%s\nwant provenance of %s by one of the signers of the other rule", inShort(p), name)
			}
		}
	})
}

func TestRule21_TheWayItselfIsNoAction(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		g := newGreen(t, dsn, 0)
		g.made("1.0")
		g.rule("was in QA", "gate-certified", `{"stage":"QA","gate":"ENTRY"}`)
		g.rule("soaked", "soak-time", `{"stage":"QA","hours":36}`)
		g.rule("soaked in DEV", "soak-time", `{"stage":"DEV","hours":2}`)
		g.on("certified", "PROD", toRelease, block, false, "was in QA")
		if p := g.path("1.0", "PROD"); !p.Open {
			t.Errorf("what is passed on the way is asked for: %s", inShort(p))
		}
		g.on("patience", "PROD", toRelease, block, false, "soaked", "soaked in DEV")
		g.tells("patience", g.path("1.0", "PROD"),
			`WAIT ["soaked in DEV"]: Wait until 2026-11-21T05:00:00Z before the version goes to QA.`,
			`WAIT ["soaked"]: Leave the version in QA for 36h0m0s before it goes to PROD.`)
		move := func(after time.Duration, to string) bool {
			g.later.Store(int64(after))
			var result *release.Result
			if to == "PROD" {
				result = must(g.release("1.0"))(t)
			} else {
				result = must(g.promote("1.0", to))(t)
			}
			return result.Promotion.Status == "COMPLETED"
		}
		if !move(2*time.Hour, "QA") || move(2*time.Hour+35*time.Hour, "PROD") || !move(2*time.Hour+36*time.Hour, "PROD") {
			t.Error("the version does not get there as was said")
		}
	})
}

func TestRule18_AFreezeIsWaitedFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		g := newGreen(t, dsn, 0)
		g.made("1.0")
		g.rule("soaked", "soak-time", `{"stage":"DEV","hours":24}`)
		g.on("patience", "QA", entry, block, false, "soaked")
		key := "checkout"
		freezeFor := func(from, to time.Duration) {
			must(g.freezes.Create(g.admin, freeze.CreateFreezeInput{ApplicationKey: &key, Reason: "nobody is here", StartsAt: ptr(start.Add(from)), EndsAt: start.Add(to)}))(t)
		}
		freezeFor(0, 3*time.Hour)
		g.tells("a freeze that is over first", g.path("1.0", "PROD"), `WAIT ["not-frozen" "soaked"]: Wait until 2026-11-22T03:00:00Z before the version goes to QA.`)
		freezeFor(20*time.Hour, 30*time.Hour) // it begins while the version waits
		g.tells("a freeze that begins meanwhile", g.path("1.0", "PROD"), `WAIT ["not-frozen" "soaked"]: Wait until 2026-11-22T09:00:00Z before the version goes to QA.`)
	})
}

func TestRule21_WhatNothingMends(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		g := newGreen(t, dsn, 0)
		g.made("1.0")
		g.rule("odd", "say", `{"say":"advice"}`)
		g.rule("broken", "say", `{"say":"divide"}`)
		g.rule("silent", "say", `{"say":"nothing"}`)
		g.rule("owned", "owner-set", `{"minOwners":3}`)
		g.on("one", "QA", entry, block, true, "odd", "silent")
		g.on("two", "DEV", exit, block, true, "odd")
		g.tells("waivable", g.path("1.0", "QA"),
			`WAIVER ["odd"]: Get a waiver of rule odd for checkout 1.0, for WRONG of it: it is wrong.`,
			`WAIVER ["silent"]: Get a waiver of policy one for checkout 1.0.`)
		g.on("three", "QA", entry, block, false, "odd", "broken", "owned")
		g.tells("not waivable", g.path("1.0", "QA"),
			`RECORD ["owned"]: Name owners of application checkout, 3 in all.`,
			`WAIVER ["silent"]: Get a waiver of policy one for checkout 1.0.`,
			`WAIVER ["odd"]: Get a waiver of policy two for checkout 1.0, for WRONG of it: it is wrong.`,
			`unreachable: broken of policy three, at the ENTRY gate of QA: it could not be judged: `+g.whyBroken(),
			`unreachable: odd of policy three, at the ENTRY gate of QA: it is wrong: do as I say`)
	})
}

// whyBroken is why the rule broken cannot be judged, in the words of the engine.
func (g *green) whyBroken() string {
	g.tb.Helper()
	for _, required := range must(g.gates.Required(g.admin, "checkout", ptr("1.0"), "QA"))(g.tb) {
		for _, p := range required.Policies {
			for _, r := range p.Rules {
				if r.Name == "broken" {
					return strings.TrimPrefix(r.Missing[0].What, "the rule could not be judged: ")
				}
			}
		}
	}
	g.tb.Fatal("there is no rule broken")
	return ""
}

func TestRule21_AComponentIsMendedOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		g := newGreen(t, dsn, 0)
		v := g.made("1.0")
		for _, name := range []string{"image", "chart"} {
			g.submit(evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{
				MediaType: "application/vnd.cyclonedx+json", Content: string(predicateOf(gate.Act{Type: cyclonedx}).(json.RawMessage)),
				Subjects: []*evidence.EvidenceSubjectInput{{Digest: ptr(digestOf(v.Version + name))}},
			}})
		}
		if err := g.vulnerabilities.IndexComponents(g.admin); err != nil {
			t.Fatal(err)
		}
		g.advise("very bad")
		g.rule("safe", "max-vulnerability", `{"kev":false}`)
		g.rule("critical", "max-vulnerability", `{"kev":false,"cvss":9}`)
		g.rule("licensed", "license-allowed", `{"allow":["MIT"]}`)
		g.on("secure", "QA", entry, block, false, "safe", "critical")
		g.tells("vulnerable", g.path("1.0", "QA"), `MEND ["critical" "safe"]: Upgrade pkg:npm/a@1 to 2.0.0, and make a version that holds it.`)
		g.on("lawful", "DEV", exit, block, false, "licensed")
		g.tells("without a licence, too", g.path("1.0", "QA"),
			`MEND ["critical" "licensed" "safe"]: Replace pkg:npm/a@1 by a component whose licence is allowed, or correct its licence in the SBOM, and make a version with that.`)
	})
}

// TestRule21_TheFewestActs compares the search with one that tries everything.
func TestRule21_TheFewestActs(t *testing.T) {
	all := []string{"a", "b", "c"}
	r := mathrand.New(mathrand.NewPCG(3, 3))
	one := func() []string {
		list := slices.DeleteFunc(slices.Clone(all), func(string) bool { return r.IntN(2) == 0 })
		if len(list) == 0 {
			return nil
		}
		return list
	}
	for range 300 {
		wants := make([][3][]string, 1+r.IntN(6))
		for i := range wants {
			wants[i] = [3][]string{one(), one(), one()}
		}
		if got, want := gate.Fewest(wants), fewest(wants, all); got != want {
			t.Fatalf("%v take %d acts, want %d", wants, got, want)
		}
	}
}

// fewest is how many of all possible acts do for all wants.
func fewest(wants [][3][]string, all []string) int {
	does := map[int]bool{} // sets of wants that one act does for
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				set := 0
				for i, w := range wants {
					if fits(w[0], a) && fits(w[1], b) && fits(w[2], c) {
						set |= 1 << i
					}
				}
				does[set] = true
			}
		}
	}
	reached := map[int]bool{0: true}
	for n := 0; ; n++ {
		if reached[1<<len(wants)-1] {
			return n
		}
		next := map[int]bool{}
		for have := range reached {
			for set := range does {
				next[have|set] = true
			}
		}
		reached = next
	}
}

func fits(list []string, s string) bool { return list == nil || slices.Contains(list, s) }
