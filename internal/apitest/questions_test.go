package apitest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

// question is one document of the contract, sent once, and its whole answer by looking at everything that was told.
type question struct {
	name, operation string
	variables       object
	want            func(h *house, by eyes) object
	// unordered are the lists whose order says nothing, by the name of their field.
	unordered string
}

// questions are those that the service exists for.
func questions(t testing.TB, h *house) []question {
	list := []question{{"1: which teams use what is deprecated", "TeamsUsingDeprecated", object{"first": 20}, func(h *house, by eyes) object {
		return object{"deprecatedPackages": h.users(by)}
	}, ""}}
	list = append(list, radii(t, h)...)
	for _, v := range h.versions {
		for _, name := range []string{"CVE-2026-1001", "GHSA-dddd-eeee-ffff"} {
			list = append(list, question{
				"3: who brought " + name + " into " + v.app.key + " " + v.version, "WhoIntroduced",
				object{"application": v.app.key, "version": v.version, "vulnerability": name},
				func(h *house, by eyes) object {
					return object{"vulnerabilityOrigin": h.origins(v, h.vulnerability(name), by)}
				}, "vulnerabilityOrigin",
			})
		}
	}
	for _, name := range []string{"CVE-2026-1001", "CVE-2026-1002", "OSV-2026-1"} {
		list = append(list, question{"4: what is vulnerable to " + name, "PackagesVulnerableTo", object{"id": name, "first": 100}, func(h *house, by eyes) object {
			return object{"vulnerability": h.vulnerable(h.vulnerability(name), by)}
		}, ""})
	}
	return append(list, proofs(h)...)
}

// proofs are the seventh question, of everything that a version holds, and of nothing.
func proofs(h *house) []question {
	var list []question
	asked := map[string]bool{"": true}
	ask := func(digest string) {
		if !asked[digest] {
			asked[digest] = true
			list = append(list, question{"7: was " + digest + " approved", "ProveApproved", object{"digest": digest}, func(h *house, by eyes) object {
				return object{"artifact": h.proof(digest, by)}
			}, ""})
		}
	}
	for _, v := range h.versions {
		for _, p := range v.pieces {
			ask(p.digest)
		}
	}
	ask(digestOf("nothing"))
	return list
}

func (h *house) vulnerability(name string) string {
	for _, a := range h.advisories {
		if a.id == name {
			return a.vulnerability
		}
	}
	return name
}

// radii are the second question, of everything that it can begin from.
func radii(t testing.TB, h *house) []question {
	var list []question
	ask := func(of, in object, what func(by eyes) bad, within func(*made) bool) {
		list = append(list, question{
			"2: where is " + text(t, of) + " " + text(t, in), "BlastRadius",
			object{"of": of, "in": in, "first": 50},
			func(h *house, by eyes) object { return object{"blastRadius": h.radius(what(by), within, by)} }, "through",
		})
	}
	all := func(*made) bool { return true }
	always := func(b bad) func(eyes) bad { return func(eyes) bad { return b } }
	left := always(holds("left", func(string) bool { return true }))
	ask(object{"purl": "pkg:npm/left"}, nil, left, all)
	ask(object{"purl": "pkg:npm/left"}, object{"liveOnly": true}, left, h.isLive)
	ask(object{"purl": "pkg:npm/left"}, object{"stages": []string{"QA", "PROD"}}, left, func(v *made) bool { return v.stage == "QA" || v.stage == "PROD" })
	ask(object{"purl": "pkg:npm/left"}, object{"projectKeys": []string{"alpha", "beta"}}, left, func(v *made) bool { return v.app.project != "gamma" })
	ask(object{"purl": "pkg:npm/@acme/ui@1.0.0"}, nil, always(holds("@acme/ui", func(v string) bool { return v == "1.0.0" })), all)
	ask(object{"purlRange": object{"purl": "pkg:npm/left", "range": "vers:npm/>=2.0.0|<4.0.0"}}, nil,
		always(holds("left", func(v string) bool { return v == "2.0.0" || v == "3.0.0" })), all)
	for _, name := range []string{"CVE-2026-1001", "osv-2026-1", "GHSA-dddd-eeee-ffff"} {
		of := object{"vulnerability": strings.ReplaceAll(name, "osv", "OSV")}
		ask(of, nil, always(bad{component: func(n, v string) bool { return h.affects(h.vulnerability(of["vulnerability"].(string)), n, v) }}), all)
	}
	ask(object{"vulnerability": "CVE-2026-1001"}, object{"upgraded": []string{"pkg:npm/left@9.0.0", "pkg:npm/log@1.0.0"}},
		always(bad{component: func(n, v string) bool { return n == "left-pad" && h.affects("CVE-2026-1001", n, v) }}), all)
	ask(object{"purlRange": object{"purl": "pkg:npm/left", "range": "vers:npm/<3.0.0"}}, object{"upgraded": []string{"pkg:npm/left@2.9.0"}}, left, all)
	ask(object{"digest": h.versions[0].pieces[0].digest}, nil, always(bad{digest: h.versions[0].pieces[0].digest}), all)
	ask(object{"digest": h.versions[1].manifest}, nil, always(bad{digest: h.versions[1].manifest}), all)
	ask(object{"signer": "ci"}, nil, always(bad{signer: "ci"}), all)
	ask(object{"owner": "team:green"}, nil, func(by eyes) bad { return h.ofOwner("team:green", by) }, all)
	return list
}

// ofOwner is what a team answers for, as far as whoever asks sees it: its applications, what they brought, and their packages.
func (h *house) ofOwner(owner string, by eyes) bad {
	var keys []string
	for _, a := range h.apps {
		if a.owner == owner && by.see(a.project) {
			keys = append(keys, a.key)
		}
	}
	bound := func(purl string) bool {
		base, _, _ := strings.Cut(purl, "@")
		return slices.Contains(keys, h.bound[purl]) || slices.Contains(keys, h.bound[base])
	}
	return bad{
		app:       func(a *told) bool { return slices.Contains(keys, a.key) },
		component: func(name, version string) bool { return bound(purlOf(name, version)) },
		piece:     func(p piece) bool { return slices.Contains(keys, p.origin) || p.purl != "" && bound(p.purl) },
	}
}

// plain puts an answer into words: without cursors, of what is random only that it is there, and with what has no order sorted.
func plain(t testing.TB, v any, unordered string) any {
	switch v := v.(type) {
	case object:
		delete(v, "endCursor")
		for _, random := range []string{"bundle", "logIndex"} {
			if _, there := v[random]; there {
				v[random] = v[random] != nil
			}
		}
		for name, field := range v {
			v[name] = plain(t, field, unordered)
			if list, ok := v[name].([]any); ok && name == unordered {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(text(t, a), text(t, b)) })
			}
		}
	case []any:
		for i := range v {
			v[i] = plain(t, v[i], unordered)
		}
	}
	return v
}

// apart cuts two long texts to where they part.
func apart(a, b string) (string, string) {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, i-300):min(len(s), i+500)] }
	return cut(a), cut(b)
}

// settled tells a server everything.
func settled(t testing.TB, s *server, seed uint64) *house {
	h, r := estateOf(seed)
	h.catalogue(s)
	h.release(s, r)
	h.deprecate(s)
	h.describe(s, r)
	h.judge(s)
	h.warn(s)
	h.move(s, r)
	s.inTree()
	return h
}

// TestRule38EachQuestionIsAnsweredByOneQuery asks the administrator and a viewer of each project; what the viewer does not see is
// in no answer (rule 45).
func TestRule38EachQuestionIsAnsweredByOneQuery(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		h := settled(t, s, 1)
		said := map[string]int{}
		for who, by := range map[string]eyes{"": nil, "alpha": {"alpha"}, "beta": {"beta"}, "gamma": {"gamma"}} {
			token := admin
			if who != "" {
				token = s.token("viewer of "+who, "VIEWER", who)
			}
			for _, q := range questions(t, h) {
				a := s.post(token, contract(t, q.operation), q.variables)
				if code, path := a.code(); by != nil && strings.Contains(q.name, `"owner"`) && code == "NOT_FOUND" && path == "of.owner" {
					continue // of whom nothing is in reach
				}
				if len(a.Errors) > 0 {
					t.Fatalf("%s, %q: %s", q.name, who, a.raw)
				}
				want := answer{Data: []byte(text(t, q.want(h, by)))}
				got, key := text(t, plain(t, a.at(t), q.unordered)), text(t, plain(t, want.at(t), q.unordered))
				if got != key {
					got, key = apart(got, key)
					t.Errorf("%s, as %q sees it: got\n%s\nwant\n%s", q.name, who, got, key)
				}
				if by == nil {
					said[q.name[:1]] += len(got)
				}
			}
		}
		for _, n := range []string{"1", "2", "3", "4", "7"} {
			if said[n] < 500 {
				t.Errorf("question %s is hardly asked: its answers have %d characters", n, said[n])
			}
		}
	})
}

// TestWhatWasNeverReleasedIsFlaggedWhereItRuns compares all rollouts with what was told.
func TestWhatWasNeverReleasedIsFlaggedWhereItRuns(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		h := settled(t, s, 2)
		var want []object
		flagged := 0
		for _, d := range h.rollouts {
			if d.decision == "NOT_RELEASED" {
				flagged++
			}
			want = append(want, object{"node": object{
				"environment": d.environment, "status": d.status, "decision": d.decision, "live": h.live(d),
				"applicationVersion": object{"version": d.of.version, "application": object{"key": d.of.app.key}},
			}})
		}
		got := s.ask(admin, `{ deployments(first: 100) { edges { node { environment status decision live applicationVersion { version application { key } } } } } }`, nil, "deployments", "edges")
		if text(t, got) != text(t, want) || flagged == 0 || flagged == len(want) {
			t.Errorf("%d are flagged: got\n%s\nwant\n%s", flagged, text(t, got), text(t, want))
		}
	})
}
