package blast_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// question is what is bad, said of each thing in the estate by itself.
type question struct {
	component func(purl string) bool
	release   func(release) bool
	statement func(statement) bool
	app       func(app int) bool
	digest    string
	// upgrade tells whether a version of a package would be bad, also of one that nobody has; nil asks the others.
	upgrade func(base, version string) bool
}

// asked is a scope: nil and zero say nothing.
type asked struct {
	projects []int
	stages   []int
	live     bool
	at       time.Time
}

type wayKey struct{ component, part int }

// answer is what is hit, found by looking at everything.
func (e *estate) answer(q question, in asked) map[int]map[wayKey]bool {
	hit := map[int]map[wayKey]bool{}
	for v := range e.versions {
		if ways := e.waysTo(v+1, q, in); len(ways) > 0 && e.within(v+1, in) {
			hit[v+1] = ways
		}
	}
	return hit
}

func (e *estate) within(n int, in asked) bool {
	v := e.versions[n-1]
	gone := !v.archived.IsZero() && (in.at.IsZero() || !v.archived.After(in.at))
	switch {
	case gone, !in.at.IsZero() && v.created.After(in.at):
		return false
	case in.projects != nil && !slices.Contains(in.projects, e.apps[v.app-1].project):
		return false
	case in.stages != nil && !slices.Contains(in.stages, e.stageOf(n, in.at)):
		return false
	}
	return !in.live || e.stageOf(n, in.at) != 0 || len(e.running(n, in.at)) > 0
}

func (e *estate) waysTo(n int, q question, in asked) map[wayKey]bool {
	v, ways := e.versions[n-1], map[wayKey]bool{}
	if q.app != nil && q.app(v.app) || q.digest == v.manifest {
		ways[wayKey{}] = true
	}
	at := map[string][]int{v.manifest: {0}} // which parts a digest stands for
	for i, p := range e.parts {
		if p.version != n {
			continue
		}
		if p.digest != "" {
			at[p.digest] = append(at[p.digest], i+1)
		}
		if p.build != 0 {
			at[e.builds[p.build-1]] = append(at[e.builds[p.build-1]], i+1)
		}
		if q.release != nil && p.release != 0 && q.release(e.releases[p.release-1]) || q.app != nil && p.origin != 0 && q.app(p.origin) {
			ways[wayKey{0, i + 1}] = true
		}
	}
	for _, p := range at[q.digest] {
		ways[wayKey{0, p}] = true
	}
	for _, s := range e.evidence {
		if s.project != 0 && s.project != e.apps[v.app-1].project || !in.at.IsZero() && s.created.After(in.at) {
			continue
		}
		for _, d := range s.subjects {
			for _, p := range at[d] {
				e.waysThrough(ways, s, p, q, in)
			}
		}
	}
	return ways
}

func (e *estate) waysThrough(ways map[wayKey]bool, s statement, part int, q question, in asked) {
	if q.statement != nil && q.statement(s) {
		ways[wayKey{0, part}] = true
	}
	counts := s.withdrawn.IsZero() || !in.at.IsZero() && s.withdrawn.After(in.at)
	if s.sbom == 0 || q.component == nil || !counts {
		return
	}
	for _, c := range e.sboms[s.sbom-1] {
		if q.component(e.components[c.component-1]) {
			key := wayKey{c.component, part}
			ways[key] = ways[key] || c.direct
		}
	}
}

func (e *estate) stageOf(n int, at time.Time) int {
	if at.IsZero() {
		return e.versions[n-1].stage
	}
	stage := 0
	for _, p := range e.promotions { // of one version in order
		if p.version == n && p.completed && !p.at.After(at) {
			stage = p.to
		}
	}
	return stage
}

// runs tells whether a rollout is the latest success in its place at an instant.
func (e *estate) runs(i int, at time.Time) bool {
	d := e.rollouts[i]
	if d.status != "SUCCEEDED" || d.finished.After(at) {
		return false
	}
	for _, o := range e.rollouts {
		if o.status == "SUCCEEDED" && o.environment == d.environment && e.versions[o.version-1].app == e.versions[d.version-1].app &&
			o.finished.After(d.finished) && !o.finished.After(at) {
			return false
		}
	}
	return true
}

func (e *estate) running(n int, at time.Time) (environments []string) {
	if at.IsZero() {
		at = hour(1000)
	}
	for i, d := range e.rollouts {
		if d.version == n && e.runs(i, at) {
			environments = append(environments, d.environment)
		}
	}
	return environments
}

func holders(list []period, held int, at time.Time) (all []int) {
	for _, p := range list {
		if held == p.held && (at.IsZero() && p.until.IsZero() || !at.IsZero() && !p.since.After(at) && (p.until.IsZero() || p.until.After(at))) {
			all = append(all, p.holder)
		}
	}
	return all
}

// told is an answer in words: how much, where, whose, and each version with its ways.
func (e *estate) told(hit map[int]map[wayKey]bool, in asked) string {
	components, apps, byStage, owned := map[int]bool{}, map[int]bool{}, map[int]int{}, map[int][]string{}
	var versions []int
	deployments := 0
	for v, ways := range hit {
		versions, apps[e.versions[v-1].app] = append(versions, v), true
		byStage[e.stageOf(v, in.at)]++
		deployments += len(e.running(v, in.at))
		for w := range ways {
			if w.component != 0 {
				components[w.component] = true
			}
		}
	}
	for a := range apps {
		for _, o := range holders(e.ownerships, a, in.at) {
			owned[o] = append(owned[o], keyOf(a))
		}
	}
	slices.SortFunc(versions, func(a, b int) int {
		if c := strings.Compare(keyOf(e.versions[a-1].app), keyOf(e.versions[b-1].app)); c != 0 {
			return c
		}
		return b - a
	})
	var out strings.Builder
	fmt.Fprintln(&out, "versions", len(hit), "applications", len(apps), "owners", len(owned), "components", len(components), "deployments", deployments)
	fmt.Fprintln(&out, "stages", byStage)
	fmt.Fprintln(&out, e.grouped(hit))
	for o := 1; o <= owners; o++ {
		if slices.Sort(owned[o]); len(owned[o]) > 0 {
			fmt.Fprintln(&out, "team:", o, owned[o])
		}
	}
	for _, v := range versions {
		var ways []string
		for w, direct := range hit[v] {
			c := ""
			if w.component != 0 {
				c = e.components[w.component-1]
			}
			ways = append(ways, fmt.Sprint(c, " in ", w.part, " ", direct))
		}
		slices.Sort(ways)
		fmt.Fprintln(&out, "version", v, ways)
	}
	return out.String()
}

// grouped counts what is hit by application and by component, in words.
func (e *estate) grouped(hit map[int]map[wayKey]bool) string {
	apps, versions, within, direct := map[string]int{}, map[int]map[int]bool{}, map[int]map[int]bool{}, map[int]bool{}
	for v, ways := range hit {
		of := e.versions[v-1].app
		apps[keyOf(of)]++
		for w, d := range ways {
			if w.component == 0 {
				continue
			}
			if versions[w.component] == nil {
				versions[w.component], within[w.component] = map[int]bool{}, map[int]bool{}
			}
			versions[w.component][v], within[w.component][of] = true, true
			direct[w.component] = direct[w.component] || d
		}
	}
	components := slices.SortedFunc(maps.Keys(versions), func(a, b int) int {
		return cmp.Or(len(versions[b])-len(versions[a]), strings.Compare(e.components[a-1], e.components[b-1]))
	})
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(apps)) {
		fmt.Fprint(&out, key, " ", apps[key], "; ")
	}
	for _, c := range components {
		fmt.Fprint(&out, e.components[c-1], " in ", len(versions[c]), " of ", len(within[c]), " ", direct[c], "; ")
	}
	return out.String()
}

// anArtifact is the digest of something that a version contains.
func (e *estate) anArtifact() string {
	for _, p := range e.parts {
		if p.digest != "" && e.versions[p.version-1].archived.IsZero() {
			return p.digest
		}
	}
	return ""
}

// pieces are a piece of evidence of the organisation, one of a project and one that was withdrawn, by which something is hit.
func (e *estate) pieces() []int {
	first := func(want func(statement) bool) int {
		return slices.IndexFunc(e.evidence, func(s statement) bool {
			return want(s) && len(e.answer(question{statement: s.is}, asked{})) > 0
		})
	}
	return []int{
		first(func(s statement) bool { return s.project == 0 && s.withdrawn.IsZero() }),
		first(func(s statement) bool { return s.project != 0 && s.withdrawn.IsZero() }),
		first(func(s statement) bool { return !s.withdrawn.IsZero() }),
	}
}

// is tells whether two are the same piece: each has a list of its own.
func (s statement) is(o statement) bool { return &s.subjects[0] == &o.subjects[0] }
