package estate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// component is one version of a package.
type component struct {
	kind, group, name, version string
	license                    string
}

// pool is everything that bills list, by rank.
type pool struct {
	components []component
	// lines are the components as bills have them.
	lines []string
}

// newPool makes packages of four ecosystems, of one to four versions each, in an order in which they have nothing to do
// with each other.
func newPool(s Shape) pool {
	r := s.random(1<<40-1, 0)
	kinds := []string{"npm", "maven", "golang", "pypi"}
	licenses := []string{"MIT", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT", "Apache-2.0", "MPL-2.0", "MIT"}
	p := pool{components: make([]component, 0, s.Pool), lines: make([]string, s.Pool)}
	for number := 0; len(p.components) < s.Pool; number++ {
		c := component{kind: kinds[r.IntN(len(kinds))], name: fmt.Sprintf("lib-%d", number), group: fmt.Sprintf("org%d", number%700)}
		c.license = licenses[r.IntN(len(licenses))]
		for major := range 1 + r.IntN(4) {
			if len(p.components) < s.Pool {
				c.version = fmt.Sprintf("%d.%d", major+1, r.IntN(20))
				p.components = append(p.components, c)
			}
		}
	}
	r.Shuffle(s.Pool, func(i, j int) { p.components[i], p.components[j] = p.components[j], p.components[i] })
	for i, c := range p.components {
		p.lines[i] = fmt.Sprintf(`{"bom-ref":%q,"type":"library","group":%q,"name":%q,"version":%q,"purl":%q,"licenses":[{"license":{"id":%q}}]}`,
			c.purl(), c.spelledGroup(), c.name, c.spelledVersion(), c.purl(), c.license)
	}
	return p
}

func (c component) spelledGroup() string {
	switch c.kind {
	case "npm":
		return "@" + c.group
	case "golang":
		return "example.org/" + c.group
	case "pypi":
		return ""
	}
	return c.group
}

func (c component) spelledVersion() string {
	if c.kind == "golang" {
		return "v" + c.version + ".0"
	}
	return c.version + ".0"
}

func (c component) purl() string {
	group := strings.Replace(c.spelledGroup(), "@", "%40", 1)
	if group != "" {
		group += "/"
	}
	return "pkg:" + c.kind + "/" + group + c.name + "@" + c.spelledVersion()
}

// osv is an advisory in the OSV format that speaks of this one version.
func (c component) osv(id, summary string) string {
	ecosystem, name, kind := "npm", c.spelledGroup()+"/"+c.name, "SEMVER"
	switch c.kind {
	case "maven":
		ecosystem, name, kind = "Maven", c.group+":"+c.name, "ECOSYSTEM"
	case "golang":
		ecosystem = "Go"
	case "pypi":
		ecosystem, name, kind = "PyPI", c.name, "ECOSYSTEM"
	}
	return fmt.Sprintf(`{"schema_version":"1.6.0","id":%q,"modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z","summary":%q,`+
		`"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":%q,"events":[{"introduced":"%s.0"},{"fixed":"%s.1"}]}]}],`+
		`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`, id, summary, ecosystem, name, kind, c.version, c.version)
}

// bill writes a bill of materials in CycloneDX. The root depends on a tenth of the components, and each of these on those
// that follow it.
func (p pool) bill(to *strings.Builder, name string, revision int, contents []int32) {
	const direct = 10
	fmt.Fprintf(to, `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"timestamp":"2026-01-01T00:00:00Z",`+
		`"component":{"bom-ref":"root","type":"application","name":%q,"version":"%d"}},"components":[`, name, revision)
	for i, c := range contents {
		if i > 0 {
			to.WriteByte(',')
		}
		to.WriteString(p.lines[c])
	}
	to.WriteString(`],"dependencies":[{"ref":"root","dependsOn":[`)
	for i := 0; i < len(contents); i += direct {
		p.reference(to, i, contents[i])
	}
	for i := 0; i < len(contents); i += direct {
		to.WriteString(`]},{"ref":"`)
		to.WriteString(p.components[contents[i]].purl())
		to.WriteString(`","dependsOn":[`)
		for j := i + 1; j < min(i+direct, len(contents)); j++ {
			p.reference(to, j-i-1, contents[j])
		}
	}
	to.WriteString(`]}]}`)
}

func (p pool) reference(to *strings.Builder, before int, c int32) {
	if before > 0 {
		to.WriteByte(',')
	}
	to.WriteByte('"')
	to.WriteString(p.components[c].purl())
	to.WriteByte('"')
}

// some draws n different components of the pool that are not among those taken.
func (p pool) some(r *rand.Rand, n int, taken map[int32]bool) []int32 {
	var list []int32
	for len(list) < n {
		if c := int32(r.IntN(len(p.components))); !taken[c] {
			taken[c] = true
			list = append(list, c)
		}
	}
	return list
}
