package blast_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
)

// estate is an organisation as its tables hold it. Row numbers are places in the lists, from 1; 0 is none.
type estate struct {
	apps       []app
	versions   []version
	parts      []part
	builds     []string // digests
	evidence   []statement
	sboms      [][]entry
	components []string // purls, or name@version
	packages   []string
	releases   []release // versions of packages
	matches    []match
	promotions []promotion
	rollouts   []rollout
	ownerships []period // of owners over applications
	bindings   []period // of applications over packages
}

type (
	app     struct{ project int }
	version struct {
		app, stage        int
		created, archived time.Time
		manifest          string
	}
	part struct {
		version, build, origin, release int
		digest                          string
	}
	statement struct {
		project, anchor, sbom int
		created, withdrawn    time.Time // zero for never
		subjects              []string
	}
	entry struct {
		component int
		direct    bool
	}
	release   struct{ pkg, version string }
	match     struct{ vulnerability, advisory, component int }
	promotion struct {
		version, to int
		completed   bool
		at          time.Time
	}
	rollout struct {
		version     int
		environment string
		status      string
		finished    time.Time
		live        bool
	}
	period struct {
		holder, held int
		since, until time.Time
	}
)

const (
	projects = 3
	stages   = 3
	owners   = 4
)

var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	// libraries are packages whose names begin alike, each in these versions.
	libraries       = []string{"pkg:npm/left", "pkg:npm/left-pad", "pkg:npm/left.js", "pkg:npm/%40left/pad", "pkg:npm/right"}
	libraryVersions = []string{"1.0.0", "1.1.0", "2.0.0", "2.1.0-rc.1", "2.10.0", "3.0.0", "main"}
)

func hour(n int) time.Time             { return start.Add(time.Duration(n) * time.Hour) }
func digest(kind string, n int) string { return canonical.Digest(fmt.Appendf(nil, "%s %d", kind, n)) }

// grow makes an estate by chance: a seed is an estate.
func grow(seed uint64) *estate {
	r := rand.New(rand.NewPCG(seed, 1))
	e := &estate{builds: []string{digest("build", 1), digest("build", 2), digest("build", 3)}}
	for _, l := range libraries {
		e.packages = append(e.packages, l)
		for _, v := range libraryVersions {
			e.components = append(e.components, l+"@"+v)
			e.releases = append(e.releases, release{l, v})
		}
	}
	e.components = append(e.components, "pkg:npm/left", "pkg:npm/left@2.0.0?os=linux", "pkg:npm/left@2.0.0#lib", "left@2.0.0")
	for range 12 {
		var list []entry
		for c := range e.components {
			if r.IntN(6) == 0 {
				list = append(list, entry{c + 1, r.IntN(2) == 0})
			}
		}
		e.sboms = append(e.sboms, list)
	}
	for a := range 8 {
		e.apps = append(e.apps, app{project: a%projects + 1})
		for range 4 {
			e.growVersion(r, a+1)
		}
	}
	e.growAround(r)
	return e
}

func (e *estate) growVersion(r *rand.Rand, app int) {
	n := len(e.versions) + 1
	v := version{app: app, created: hour(n), manifest: digest("manifest", n)}
	if r.IntN(8) == 0 {
		v.archived = hour(60 + r.IntN(40))
	}
	at := n
	for range r.IntN(4) {
		at += 1 + r.IntN(20)
		p := promotion{n, r.IntN(stages + 1), r.IntN(4) > 0, hour(at)}
		if e.promotions = append(e.promotions, p); p.completed {
			v.stage = p.to
		}
	}
	e.versions = append(e.versions, v)
	for range 3 {
		p := part{version: n}
		switch r.IntN(5) {
		case 0:
			p.release = 1 + r.IntN(len(e.releases))
		case 1:
			p.build = 1 + r.IntN(len(e.builds))
			fallthrough
		default:
			p.digest = digest("artifact", r.IntN(40))
		}
		if r.IntN(5) == 0 {
			p.origin = 1 + r.IntN(8)
		}
		e.parts = append(e.parts, p)
	}
}

func (e *estate) growAround(r *rand.Rand) {
	for i := range 70 {
		s := statement{project: r.IntN(projects + 1), created: hour(r.IntN(100)), sbom: r.IntN(len(e.sboms) + 1), anchor: r.IntN(3)}
		if i%5 == 4 {
			s.withdrawn = s.created.Add(time.Duration(i) * time.Hour)
		}
		for range 1 + r.IntN(2) {
			subject := digest("artifact", r.IntN(40))
			switch r.IntN(6) {
			case 0:
				subject = e.versions[r.IntN(len(e.versions))].manifest
			case 1:
				subject = e.builds[r.IntN(len(e.builds))]
			}
			s.subjects = append(s.subjects, subject)
		}
		e.evidence = append(e.evidence, s)
	}
	for i := range 40 {
		e.rollouts = append(e.rollouts, rollout{
			version: 1 + r.IntN(len(e.versions)), environment: []string{"prod-eu", "prod-us"}[r.IntN(2)],
			status: []string{"SUCCEEDED", "SUCCEEDED", "FAILED"}[r.IntN(3)], finished: hour(20 + 2*i),
		})
	}
	for i := range e.rollouts {
		e.rollouts[i].live = e.runs(i, hour(1000))
	}
	for c := range e.components {
		// Of the third vulnerability every record was withdrawn, of the second one of two.
		if c%2 == 0 {
			e.matches = append(e.matches, match{1 + c/2%3, 1 + c/6%2, c + 1})
		}
	}
	for a := range e.apps {
		moved := 10 + r.IntN(80)
		first := 1 + r.IntN(owners-1)
		e.ownerships = append(e.ownerships, period{first, a + 1, start, hour(moved)}, period{first + 1, a + 1, hour(moved), time.Time{}})
	}
	for p := range e.packages {
		moved := 10 + r.IntN(80)
		e.bindings = append(e.bindings, period{1 + r.IntN(8), p + 1, start, hour(moved)}, period{1 + r.IntN(8), p + 1, hour(moved), time.Time{}})
	}
}

// null is what the database holds for nothing.
func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// settle writes the estate into a database.
func (e *estate) settle(tb testing.TB, s *store.Store) {
	tb.Helper()
	ctx := auth.System(context.Background())
	err := s.InTx(ctx, func(tx *db.Client) error {
		for _, table := range e.tables() {
			if err := s.Insert(ctx, tx, table, nil); err != nil {
				return err
			}
		}
		return s.PutBlobs(ctx, tx, e.records(tb))
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func table(name string, columns ...string) *store.Rows {
	return &store.Rows{Table: name, Columns: columns}
}

// tables are the rows, in an order in which each refers to those before.
func (e *estate) tables() []store.Rows {
	var all []store.Rows
	for _, some := range [][]*store.Rows{e.catalog(), e.released(), e.said(), e.moved()} {
		for _, t := range some {
			if len(t.Values) > 0 {
				all = append(all, *t)
			}
		}
	}
	return all
}

func (e *estate) catalog() []*store.Rows {
	people := table("principals", "id", "name", "kind", "created_at")
	people.Add(1, "robin", "USER", start)
	project := table("projects", "id", "key", "name", "created_at")
	for i := 1; i <= projects; i++ {
		project.Add(i, fmt.Sprint("project-", i), "P", start)
	}
	stage := table("stages", "id", "name", "category", "production", "realm", "created_at")
	for i, name := range []string{"DEV", "QA", "PROD"} {
		stage.Add(i+1, name, "PROMOTE", false, "", start)
	}
	application := table("applications", "id", "key", "name", "project_id", "created_at")
	for i, a := range e.apps {
		application.Add(i+1, keyOf(i+1), keyOf(i+1), a.project, start)
	}
	owner := table("owners", "id", "ref", "pseudonym", "created_at")
	for i := 1; i <= owners; i++ {
		owner.Add(i, fmt.Sprint("team:", i), fmt.Sprint("team:", i), start)
	}
	owned := table("ownerships", "id", "since", "until", "application_id", "owner_id", "assigned_by")
	for i, o := range e.ownerships {
		owned.Add(i+1, o.since, null(o.until), o.held, o.holder, 1)
	}
	packages := table("packages", "id", "purl", "created_at")
	numbers := map[string]int{}
	for i, p := range e.packages {
		packages.Add(i+1, p, start)
		numbers[p] = i + 1
	}
	releases := table("package_versions", "id", "purl", "package_id", "created_at")
	for i, p := range e.releases {
		releases.Add(i+1, p.pkg+"@"+p.version, numbers[p.pkg], start)
	}
	bound := table("bindings", "id", "since", "until", "package_id", "application_id", "bound_by")
	for i, b := range e.bindings {
		bound.Add(i+1, b.since, null(b.until), b.held, b.holder, 1)
	}
	return []*store.Rows{people, project, stage, application, owner, owned, packages, releases, bound}
}

// keyOf gives keys whose order is not that of the row numbers.
func keyOf(application int) string {
	return fmt.Sprintf("app-%c-%d", 'z'-rune(application%7), application)
}

func (e *estate) released() []*store.Rows {
	made := table("builds", "id", "name", "number", "realm", "digest", "repository", "revision", "created_at", "created_by")
	for i, d := range e.builds {
		made.Add(i+1, "build", fmt.Sprint(i), "", d, "r", "r", start, 1)
	}
	versions := table("application_versions", "id", "version", "tag", "status", "trust", "manifest_digest", "manifest", "properties", "context",
		"releasable_count", "moves", "created_at", "archived_at", "project_id", "application_id", "stage_id", "created_by")
	for i, v := range e.versions {
		versions.Add(i+1, fmt.Sprint("1.0.", i), "", "LOCKED", "PRE_RELEASE", v.manifest, "{}", "[]", "{}", 3, 0, v.created, null(v.archived),
			e.apps[v.app-1].project, v.app, null(v.stage), 1)
	}
	parts := table("releasables", "id", "name", "kind", "source_kind", "purl", "digest", "version_id", "source_build_id", "origin_application_id", "package_id", "package_version_id")
	numbers := map[string]int{}
	for i, p := range e.packages {
		numbers[p] = i + 1
	}
	for i, p := range e.parts {
		kind, purl, pkg := "ARTIFACT", "", 0
		if p.release != 0 {
			of := e.releases[p.release-1]
			kind, purl, pkg = "PACKAGE", of.pkg+"@"+of.version, numbers[of.pkg]
		}
		parts.Add(i+1, fmt.Sprint("part-", i), kind, kind, null(purl), null(p.digest), p.version, null(p.build), null(p.origin), null(pkg), null(p.release))
	}
	return []*store.Rows{made, versions, parts}
}

func (e *estate) said() []*store.Rows {
	anchors := table("trust_anchors", "id", "alias", "kind", "public_key", "fingerprint", "algorithm", "created_at")
	for i := 1; i <= 2; i++ {
		anchors.Add(i, fmt.Sprint("signer-", i), "PUBLIC_KEY", "k", fmt.Sprint(i), "ECDSA_P256", start)
	}
	bills := table("sboms", "id", "digest", "format", "spec_version", "component_count", "complete", "created_at")
	components := table("components", "id", "identity", "purl", "name", "version")
	for i, c := range e.components {
		name, version, _ := strings.Cut(c, "@")
		purl := c
		if !strings.HasPrefix(c, "pkg:") {
			purl = ""
		}
		components.Add(i+1, c, null(purl), name, version)
	}
	entries := table("sbom_components", "id", "licenses", "direct", "sbom_id", "component_id")
	n := 0
	for i, list := range e.sboms {
		bills.Add(i+1, digest("sbom", i), "CYCLONEDX", "1.6", len(list), true, start)
		for _, c := range list {
			n++
			entries.Add(n, fmt.Sprintf(`["of bill %d"]`, i+1), c.direct, i+1, c.component)
		}
	}
	evidence := table("evidence", "id", "digest", "signer_key", "realm", "raw_digest", "media_type", "size", "predicate_type", "category",
		"verified", "verification", "anchor_id", "project_id", "sbom_id", "created_at", "created_by")
	subjects := table("evidence_subjects", "name", "digest", "evidence_id")
	withdrawn := table("evidence_withdrawals", "reason", "at", "evidence_id", "withdrawn_by")
	for i, s := range e.evidence {
		if !s.withdrawn.IsZero() {
			withdrawn.Add("wrong", s.withdrawn, i+1, 1)
		}
		evidence.Add(i+1, digest("evidence", i), "k", fmt.Sprint(s.project), "d", "m", 1, "p", "SECURITY", s.anchor != 0, "v",
			null(s.anchor), null(s.project), null(s.sbom), s.created, 1)
		for _, d := range s.subjects {
			subjects.Add("", d, i+1)
		}
	}
	return append([]*store.Rows{anchors, bills, components, entries, evidence, subjects, withdrawn}, e.warned()...)
}

func (e *estate) warned() []*store.Rows {
	vulnerabilities := table("vulnerabilities", "id", "name", "withdrawn_at", "created_at")
	aliases := table("vulnerability_aliases", "name", "vulnerability_id")
	advisories := table("advisories", "id", "name", "digest", "modified_at", "imported_at", "withdrawn_at", "vulnerability_id")
	spoken := table("affected_packages", "package_key", "advisory_id")
	for v := 1; v <= 3; v++ {
		var all, second time.Time
		if v == 3 {
			all = start
		}
		if v >= 2 {
			second = start
		}
		vulnerabilities.Add(v, fmt.Sprint("CVE-", v), null(all), start)
		aliases.Add(fmt.Sprint("CVE-", v), v)
		aliases.Add(fmt.Sprint("GHSA-", v), v)
		advisories.Add(2*v-1, fmt.Sprint("CVE-", v), e.record(v, 1).digest(), start, start, null(all), v)
		advisories.Add(2*v, fmt.Sprint("GHSA-", v), e.record(v, 2).digest(), start, start, null(second), v)
		for a := 1; a <= 2; a++ {
			for _, base := range e.record(v, a).bases() {
				spoken.Add("npm:"+nameOf(base), 2*v-2+a)
			}
		}
	}
	matches := table("component_matches", "because", "vers", "fixed_in", "created_at", "component_id", "advisory_id", "vulnerability_id")
	for _, m := range e.matches {
		matches.Add("b", "", "[]", start, m.component, 2*m.vulnerability-2+m.advisory, m.vulnerability)
	}
	return []*store.Rows{vulnerabilities, aliases, advisories, spoken, matches}
}

func (e *estate) moved() []*store.Rows {
	promotions := table("promotions", "kind", "status", "comment", "at", "project_id", "version_id", "to_stage_id", "actor_id")
	for _, p := range e.promotions {
		status := "BLOCKED"
		if p.completed {
			status = "COMPLETED"
		}
		promotions.Add("PROMOTE", status, "", p.at, e.apps[e.versions[p.version-1].app-1].project, p.version, null(p.to), 1)
	}
	rollouts := table("deployments", "environment", "cluster", "kind", "status", "finished_at", "decision", "live", "version_id", "application_id",
		"project_id", "created_at", "created_by")
	for _, d := range e.rollouts {
		of := e.versions[d.version-1].app
		rollouts.Add(d.environment, "", "RELEASE", d.status, d.finished, "RELEASED", d.live, d.version, of, e.apps[of-1].project, d.finished, 1)
	}
	return []*store.Rows{promotions, rollouts}
}
