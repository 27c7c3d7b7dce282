package apitest_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// eyes are the projects that whoever asks sees; nil is all.
type eyes []string

func (e eyes) see(project string) bool { return e == nil || slices.Contains(e, project) }

// bad is what is asked about, said of each thing by itself; what is nil is not.
type bad struct {
	component func(name, version string) bool
	piece     func(piece) bool
	app       func(*told) bool
	digest    string
	signer    string
}

// seen are the versions that whoever asks sees, by application and then newest first.
func (h *house) seen(by eyes) []*made {
	place := map[*made]int{}
	var list []*made
	for i, v := range h.versions {
		if place[v] = i; by.see(v.app.project) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b *made) int { return cmp.Or(strings.Compare(a.app.key, b.app.key), place[b]-place[a]) })
	return list
}

// sites are the lines of a version that a digest stands for; -1 is the version as a whole.
func (v *made) sites(digest string) (list []int) {
	if digest == v.manifest {
		list = append(list, -1)
	}
	for i, p := range v.pieces {
		if p.digest == digest && digest != "" {
			list = append(list, i)
		}
	}
	return list
}

// about gives the evidence that counts for a version, by the lines that it is about.
func (h *house) about(v *made, each func(e *said, site int)) {
	for _, e := range h.evidence {
		if e.project != "" && e.project != v.app.project {
			continue
		}
		for _, subject := range e.subjects {
			for _, site := range v.sites(subject) {
				each(e, site)
			}
		}
	}
}

// way is a component, or none, and a line of a version, or -1.
type way struct {
	purl string
	site int
}

// ways are those on which a version is hit, and whether directly.
func (h *house) ways(v *made, q bad) map[way]bool {
	list := map[way]bool{}
	if q.app != nil && q.app(v.app) {
		list[way{"", -1}] = true
	}
	for _, site := range v.sites(q.digest) {
		list[way{"", site}] = true
	}
	for i, p := range v.pieces {
		if q.piece != nil && q.piece(p) {
			list[way{"", i}] = true
		}
	}
	h.about(v, func(e *said, site int) {
		if q.signer != "" && e.anchor == q.signer {
			list[way{"", site}] = true
		}
		for _, c := range e.bill {
			if q.component != nil && q.component(c.name, c.version) {
				w := way{purlOf(c.name, c.version), site}
				list[w] = list[w] || c.direct
			}
		}
	})
	return list
}

// owning is the application that a line belongs to: by its package, or because it brought the line.
func (h *house) owning(p piece, by eyes) any {
	base, _, _ := strings.Cut(p.purl, "@")
	owner := cmp.Or(h.bound[p.purl], h.bound[base], p.origin)
	for _, a := range h.apps {
		if a.key == owner && by.see(a.project) {
			return object{"key": a.key, "owners": []object{{"ref": a.owner}}}
		}
	}
	return nil
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// radius answers the second question.
func (h *house) radius(q bad, within func(*made) bool, by eyes) object {
	edges, apps, components := []object{}, map[string]*told{}, map[string]bool{}
	stages, deployments := map[string]int{}, 0
	for _, v := range h.seen(by) {
		ways := h.ways(v, q)
		if len(ways) == 0 || v.archived || !within(v) {
			continue
		}
		through := []object{}
		for w, direct := range ways {
			o := object{"component": nil, "releasable": nil, "direct": direct}
			if w.purl != "" {
				o["component"], components[w.purl] = object{"purl": w.purl}, true
			}
			if w.site >= 0 {
				p := v.pieces[w.site]
				o["releasable"] = object{"purl": orNull(p.purl), "digest": orNull(p.digest), "owningApplication": h.owning(p, by)}
			}
			through = append(through, o)
		}
		rolledOut := []object{}
		for _, d := range h.rollouts {
			if d.of == v {
				rolledOut = append(rolledOut, object{"environment": d.environment, "cluster": ""})
				if h.live(d) {
					deployments++
				}
			}
		}
		apps[v.app.key], stages[v.stage] = v.app, stages[v.stage]+1
		edges = append(edges, object{
			"node": object{
				"version": v.version, "trust": v.trust, "currentStage": namedStage(v.stage), "deployments": rolledOut,
				"application": object{"key": v.app.key, "criticality": v.app.criticality, "owners": []object{{"ref": v.app.owner}}},
			}, "through": through,
		})
	}
	owners := owned(apps, true)
	return object{
		"summary": object{
			"applicationVersions": len(edges), "applications": len(apps), "owners": len(owners), "components": len(components), "deployments": deployments,
		},
		"byStage": staged(stages), "owners": owners,
		"applicationVersions": object{"totalCount": len(edges), "pageInfo": object{"hasNextPage": false}, "edges": edges},
	}
}

func namedStage(name string) any {
	if name == "" {
		return nil
	}
	return object{"name": name}
}

func staged(counts map[string]int) []object {
	list := []object{}
	for _, name := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if (a == "") != (b == "") {
			return len(b) - len(a)
		}
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	}) {
		list = append(list, object{"stage": namedStage(name), "applicationVersions": counts[name]})
	}
	return list
}

// owned groups applications by their owners.
func owned(apps map[string]*told, contact bool) []object {
	by := map[string][]object{}
	for _, key := range slices.Sorted(maps.Keys(apps)) {
		by[apps[key].owner] = append(by[apps[key].owner], object{"key": key})
	}
	list := []object{}
	for _, ref := range slices.Sorted(maps.Keys(by)) {
		owner := object{"ref": ref}
		if contact {
			owner["contact"] = ""
		}
		list = append(list, object{"owner": owner, "applications": by[ref]})
	}
	return list
}

// holds is bad where it is a package: in bills and as a part of versions.
func holds(name string, takes func(version string) bool) bad {
	return bad{
		component: func(n, version string) bool { return n == name && takes(version) },
		piece: func(p piece) bool {
			base, version, _ := strings.Cut(p.purl, "@")
			return base == purlOf(name, "") && takes(version)
		},
	}
}

// affects tells whether an advisory of a vulnerability which holds speaks of a version.
func (h *house) affects(vulnerability, name, version string) bool {
	return h.warned(vulnerability, name, version) != nil
}

func (h *house) warned(vulnerability, name, version string) *warning {
	n := 0
	_, _ = fmt.Sscanf(version, "%d.", &n) // of our own making
	for _, a := range h.advisories {
		if a.vulnerability == vulnerability && a.name == name && !a.withdrawn && n < a.fixed {
			return a
		}
	}
	return nil
}

// users answers the first question.
func (h *house) users(by eyes) object {
	edges := []object{}
	for _, d := range h.deprecated {
		apps, known := map[string]*told{}, false
		q := bad{
			component: func(name, _ string) bool { return purlOf(name, "") == d.purl },
			piece:     func(p piece) bool { return strings.HasPrefix(p.purl, d.purl+"@") },
		}
		for _, a := range h.apps {
			known = known || h.bound[d.purl] == a.key && by.see(a.project)
		}
		for _, v := range h.seen(by) {
			known = known || slices.ContainsFunc(v.pieces, q.piece)
			if len(h.ways(v, q)) > 0 && !v.archived {
				apps[v.app.key] = v.app
			}
		}
		if known {
			edges = append(edges, object{"node": object{
				"purl": d.purl, "deprecated": object{"reason": d.reason, "since": d.since}, "blastRadius": object{"owners": owned(apps, false)},
			}})
		}
	}
	return object{"edges": edges}
}

// origins answers the third question.
func (h *house) origins(v *made, vulnerability string, by eyes) []object {
	list := []object{}
	if !by.see(v.app.project) {
		return list
	}
	sites := map[listed]map[int]bool{}
	h.about(v, func(e *said, site int) {
		for _, c := range e.bill {
			if c.direct = false; h.affects(vulnerability, c.name, c.version) {
				if sites[c] == nil {
					sites[c] = map[int]bool{}
				}
				sites[c][site] = true
			}
		}
	})
	for c, at := range sites {
		if len(at) > 1 {
			delete(at, -1) // a part says more than the version
		}
		for site := range at {
			since := h.since(v, vulnerability, c.name)
			o := object{
				"component": object{"purl": purlOf(c.name, c.version)}, "releasable": nil, "source": nil,
				"introducedIn": object{"version": since.version, "createdAt": since.created, "createdBy": "bootstrap"},
			}
			if site >= 0 {
				p := v.pieces[site]
				o["releasable"] = object{"purl": orNull(p.purl), "owningApplication": h.owning(p, by)}
				if p.by != nil {
					o["source"] = object{"repository": repository, "revision": p.by.revision}
				}
			}
			list = append(list, o)
		}
	}
	return list
}

// since is the first version, from this one back without a gap, that had something affected of a package.
func (h *house) since(v *made, vulnerability, name string) *made {
	first := v
	for _, o := range slices.Backward(h.versions[:slices.Index(h.versions, v)]) {
		if o.app != v.app {
			continue
		}
		has := false
		h.about(o, func(e *said, _ int) {
			has = has || slices.ContainsFunc(e.bill, func(c listed) bool { return c.name == name && h.affects(vulnerability, name, c.version) })
		})
		if !has {
			break
		}
		first = o
	}
	return first
}

// inReach tells whether whoever asks sees a piece of evidence.
func (h *house) inReach(e *said, by eyes) bool {
	if e.project != "" {
		return by.see(e.project)
	}
	return by == nil || slices.ContainsFunc(h.seen(by), func(v *made) bool {
		return slices.ContainsFunc(e.subjects, func(d string) bool { return len(v.sites(d)) > 0 })
	})
}

// vulnerable answers the fourth question.
func (h *house) vulnerable(vulnerability string, by eyes) object {
	found := map[string]object{}
	for _, e := range h.evidence {
		for _, c := range e.bill {
			purl := purlOf(c.name, c.version)
			if a := h.warned(vulnerability, c.name, c.version); a != nil && h.inReach(e, by) {
				found[purl] = object{
					"purl": purl, "fixedIn": []string{major(a.fixed)}, "vex": h.judgements(vulnerability, purl, by),
					"matchedBecause": fmt.Sprintf("%s is affected: introduced 0, fixed %s", c.version, major(a.fixed)),
				}
			}
		}
	}
	edges := []object{}
	for _, purl := range slices.Sorted(maps.Keys(found)) {
		edges = append(edges, object{"node": found[purl]})
	}
	return object{
		"id": vulnerability, "aliases": h.aliases(vulnerability), "severity": "HIGH", "cvss": 7.2, "kev": false, "epss": nil,
		"components": object{"totalCount": len(edges), "edges": edges},
	}
}

func (h *house) judgements(vulnerability, purl string, by eyes) []object {
	list := []object{}
	for _, e := range slices.Backward(h.evidence) { // newest first
		if e.vex != nil && e.vex.purl == purl && h.inReach(e, by) && (e.vex.vulnerability == vulnerability || slices.Contains(h.aliases(vulnerability), e.vex.vulnerability)) {
			list = append(list, object{"status": "NOT_AFFECTED", "justification": "vulnerable_code_not_present", "applied": e.anchor != ""})
		}
	}
	return list
}

// proof is what the digest is, and which released versions hold it: newest first, archived ones, too.
func (h *house) proof(digest string, by eyes) any {
	name, releases := "", []object{}
	for _, v := range slices.Backward(h.versions) {
		i := slices.IndexFunc(v.pieces, func(p piece) bool { return p.digest == digest })
		if i < 0 || !by.see(v.app.project) {
			continue
		}
		if name == "" {
			name = v.pieces[i].name
		}
		if v.trust == "PRE_RELEASE" {
			continue
		}
		const ours = "https://plimsoll.dev/attestations/"
		types, standing := []string{ours + "manifest/v1", ours + "promotion/v1", ours + "promotion/v1"}, any(nil)
		if v.trust == "TRUSTED_RELEASE" {
			types, standing = append(types, "https://slsa.dev/verification_summary/v1", ours+"release/v1"), "GOOD"
		} else {
			types = append(types, ours+"promotion/v1")
		}
		var attestations []object
		for _, typ := range types {
			attestations = append(attestations, object{"predicateType": typ, "bundle": true, "logIndex": true})
		}
		releases = append(releases, object{"node": object{
			"version": v.version, "trust": v.trust, "standing": standing, "application": object{"key": v.app.key},
			"attestations": attestations, "passportUrl": "/passports/" + v.manifest,
		}})
	}
	if name == "" {
		return nil
	}
	return object{"name": name, "digest": digest, "releases": object{"edges": releases}}
}
