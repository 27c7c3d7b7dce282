package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// house is what an organisation told the server, as whoever told it remembers: the questions are answered from it by looking
// at everything. The server's tables are not asked.
type house struct {
	projects   []string
	apps       []*told
	bound      map[string]string // package or a version of it: the key of an application
	deprecated []deprecation
	builds     []*run
	versions   []*made
	evidence   []*said
	advisories []*warning
	rollouts   []*rolled
	tokens     map[string]string // contributors, by project

	trusted, stranger *attest.Signer
}

type (
	told        struct{ key, project, criticality, owner string }
	deprecation struct{ purl, reason, since string }
	run         struct {
		name, project, revision string
		artifacts               []object
	}
	// piece is a line of a version. Origin is the application that first brought it, by what made it.
	piece struct {
		name, purl, digest, origin string
		by                         *run
	}
	made struct {
		app                        *told
		version, manifest, created string
		pieces                     []piece
		stage, trust               string
		archived                   bool
	}
	// said is a piece of evidence: of the whole organisation when it has no project.
	said struct {
		project, anchor string
		subjects        []string
		bill            []listed
		vex             *judged
	}
	listed struct {
		name, version string
		direct        bool
	}
	judged struct{ purl, vulnerability, status, at string }
	// warning is an advisory about a package before a version; its aliases tell which vulnerability it is of.
	warning struct {
		id, vulnerability, name string
		fixed                   int
		withdrawn               bool
	}
	rolled struct {
		of          *made
		environment string
		status      string
		decision    string
	}
)

const repository = "https://git.example.test/estate"

// libraries are what SBOMs list, in the versions 1.0.0 to 4.0.0. Names begin alike.
var libraries = []string{"left", "left-pad", "@acme/ui", "@acme/old", "zlib", "log"}

func purlOf(name, version string) string {
	return strings.TrimSuffix("pkg:npm/"+strings.ReplaceAll(name, "@", "%40")+"@"+version, "@")
}

func estateOf(seed uint64) (*house, *rand.Rand) {
	h := &house{
		projects: []string{"alpha", "beta", "gamma"}, tokens: map[string]string{},
		bound: map[string]string{purlOf("@acme/ui", ""): "app-2", purlOf("@acme/old", ""): "app-5", purlOf("left", "3.0.0"): "app-4"},
	}
	for i := range 7 {
		h.apps = append(h.apps, &told{
			key: fmt.Sprint("app-", i+1), project: h.projects[i%3], criticality: []string{"LOW", "HIGH", "CRITICAL"}[i%3],
			owner: fmt.Sprint("team:", []string{"red", "green", "blue", "grey"}[i%4]),
		})
	}
	h.advisories = []*warning{
		{id: "GHSA-aaaa-bbbb-cccc", vulnerability: "CVE-2026-1001", name: "left", fixed: 3},
		{id: "OSV-2026-1", vulnerability: "CVE-2026-1001", name: "left-pad", fixed: 2},
		{id: "OSV-2026-2", vulnerability: "CVE-2026-1001", name: "zlib", fixed: 9, withdrawn: true},
		{id: "GHSA-dddd-eeee-ffff", vulnerability: "CVE-2026-1002", name: "log", fixed: 4},
	}
	return h, rand.New(rand.NewPCG(seed, 7))
}

func (h *house) aliases(vulnerability string) (list []string) {
	for _, a := range h.advisories {
		if a.vulnerability == vulnerability {
			list = append(list, a.id)
		}
	}
	slices.Sort(list)
	return list
}

// catalogue tells the server who there is: projects with the stages of the organisation, teams, applications, packages.
func (h *house) catalogue(s *server) {
	for name, category := range map[string]string{"DEV": "CODE", "QA": "PROMOTE", "PROD": "RELEASE"} {
		s.must(admin, "CreateStage", object{"name": name, "category": category, "production": category == "RELEASE"})
	}
	for _, p := range h.projects {
		s.must(admin, "CreateProject", object{"key": p, "name": "Project " + p})
		s.must(admin, "SetLifecycle", object{"projectKey": p, "stages": []string{"DEV", "QA", "PROD"}})
		h.tokens[p] = s.token("ci of "+p, "CONTRIBUTOR", p)
	}
	for _, a := range h.apps {
		s.must(admin, "CreateApplication", object{
			"projectKey": a.project, "key": a.key, "name": "Application " + a.key, "criticality": a.criticality, "owners": []string{a.owner},
		})
	}
	for _, purl := range []string{purlOf("@acme/ui", ""), purlOf("@acme/old", ""), purlOf("left", "3.0.0")} {
		s.must(admin, "BindPackage", object{"applicationKey": h.bound[purl], "purl": purl})
	}
	h.trusted, h.stranger = key(s.t), key(s.t)
	s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(h.trusted.PublicKeyPEM())})
	// Of one project releases are vouched for.
	s.must(admin, "CreatePolicyTemplate", object{
		"name": "has-contents", "category": "CUSTOM", "parametersSchema": object{"type": "object", "properties": object{}},
		"rego": "package acme.contents\n\nexamined contains c.name if some c in input.contents\n\nviolations contains v if {\n\tsome c in input.contents\n\tc.name == \"\"\n\tv := {\"code\": \"NAMELESS\", \"subject\": \"contents\", \"message\": \"a part has no name\"}\n}\n",
	})
	s.must(admin, "CreateRule", object{"name": "contents", "template": "has-contents", "parameters": object{}})
	s.must(admin, "CreatePolicy", object{
		"name": "contents", "rules": []string{"contents"}, "mode": "BLOCK",
		"gate": object{"stage": "PROD", "kind": "RELEASE"}, "scope": object{"type": "PROJECT", "projectKeys": []string{"alpha"}},
	})
}

// deprecate says of packages that they should be used no longer, once they are known.
func (h *house) deprecate(s *server) {
	for _, name := range []string{"@acme/old", "log"} {
		d := deprecation{purl: purlOf(name, ""), reason: "nobody looks after " + name}
		d.since = s.ask(admin, `mutation($input: DeprecatePackageInput!) { deprecatePackage(input: $input) { package { deprecated { since } } } }`,
			object{"input": object{"purl": d.purl, "reason": d.reason}}, "deprecatePackage", "package", "deprecated", "since").(string)
		h.deprecated = append(h.deprecated, d)
	}
}

// release reports versions of every application: of artifacts, packages, builds and versions of others.
func (h *house) release(s *server, r *rand.Rand) {
	for round := range 3 {
		for _, a := range h.apps {
			v := &made{app: a, version: fmt.Sprintf("%d.0.0", round+1), trust: "PRE_RELEASE"}
			sources := object{"artifacts": []object{v.artifact()}}
			if len(h.versions) == 0 || r.IntN(2) == 0 {
				name, version := libraries[r.IntN(len(libraries))], major(1+r.IntN(4))
				if len(h.versions) == 0 {
					name = "log"
				}
				sources["packages"] = []object{{"purl": purlOf(name, version)}}
				v.add(piece{name: name[strings.Index(name, "/")+1:], purl: purlOf(name, version)})
			}
			if r.IntN(2) == 0 {
				b := h.build(s, a, v)
				sources["builds"] = []object{{"name": b.name, "number": "1"}}
			}
			if from := h.another(r, a); from != nil {
				sources["versions"] = []object{{"applicationKey": from.app.key, "version": from.version}}
				for _, p := range from.pieces {
					p.by = nil
					if p.origin == "" {
						p.origin = from.app.key
					}
					v.add(p)
				}
			}
			got := s.must(admin, "CreateApplicationVersion", object{"applicationKey": a.key, "version": v.version, "sources": sources},
				"createApplicationVersion", "applicationVersion").(object)
			v.manifest, v.created = got["manifestDigest"].(string), got["createdAt"].(string)
			h.versions = append(h.versions, v)
		}
	}
}

func major(n int) string { return fmt.Sprintf("%d.0.0", n) }

func digestOf(what string) string { return canonical.Digest([]byte(what)) }

// add puts a line into the version, unless it is there.
func (v *made) add(p piece) {
	if !slices.ContainsFunc(v.pieces, func(o piece) bool { return o.name == p.name && o.purl == p.purl && o.digest == p.digest }) {
		v.pieces = append(v.pieces, p)
	}
}

func (v *made) artifact() object {
	p := piece{name: "image", digest: digestOf("image of " + v.app.key + v.version)}
	v.add(p)
	return object{"name": p.name, "digest": p.digest}
}

// build reports a build that made a file, and a package of its application when it has one.
func (h *house) build(s *server, a *told, v *made) *run {
	b := &run{name: "build of " + a.key + " " + v.version, project: a.project, revision: digestOf("revision of " + a.key + v.version)[7:47]}
	v.add(piece{name: "archive", digest: digestOf("archive of " + a.key + v.version), by: b})
	b.artifacts = []object{{"name": "archive", "digest": digestOf("archive of " + a.key + v.version)}}
	if a.key == "app-2" {
		p := piece{name: "ui", purl: purlOf("@acme/ui", v.version), digest: digestOf("ui " + v.version), by: b}
		v.add(p)
		b.artifacts = append(b.artifacts, object{"name": "ui.tgz", "digest": p.digest, "purl": p.purl})
	}
	s.must(admin, "ReportBuild", object{
		"name": b.name, "number": "1", "projectKey": b.project, "source": object{"repository": repository, "revision": b.revision}, "artifacts": b.artifacts,
	})
	h.builds = append(h.builds, b)
	return b
}

// another is a version of another application to put in.
func (h *house) another(r *rand.Rand, a *told) *made {
	if len(h.versions) == 0 || r.IntN(3) > 0 {
		return nil
	}
	if v := h.versions[r.IntN(len(h.versions))]; v.app != a {
		return v
	}
	return nil
}
