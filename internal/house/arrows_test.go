package house_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// room is a package and what it may import of this module. ARCHITECTURE.md draws the same arrows.
type room struct {
	folder  string
	knows   []string
	because string
}

const (
	engine = "an engine takes bytes and gives values: it knows the library that it wraps, and no record, database or request"
	leaf   = "a leaf is used by everyone, so it may know nobody"
	domain = "a domain may call those below it; whoever needs the other direction reads the tables or asks the caller"
)

// Every domain may know these.
var (
	records = []string{"ent/db", "internal/store"}
	leaves  = []string{"internal/auth", "internal/fault", "internal/id", "internal/check", "internal/purl", "internal/labels", "internal/canonical"}
	domains = []string{
		"internal/access", "internal/activity", "internal/approval", "internal/blast", "internal/build", "internal/catalog", "internal/deployment", "internal/evidence", "internal/export", "internal/freeze", "internal/gate", "internal/issuance", "internal/policy",
		"internal/release", "internal/signing", "internal/translog", "internal/version", "internal/vulnerability", "internal/waiver",
	}
)

func arrows() []room {
	below := func(more ...string) []string { return slices.Concat(records, leaves, more) }
	return []room{
		{".", []string{"internal/cli"}, "package main hands over to the command line at once"},
		{
			"internal/cli",
			[]string{"internal/advisory", "internal/app", "internal/attest", "internal/canonical", "internal/client", "internal/config", "internal/demo", "internal/estate", "internal/fault", "internal/passport", "internal/push", "internal/replay", "internal/tlog", "schema"},
			"a command reads its flags and starts what it names",
		},
		{"internal/client", nil, "it knows the server as any other program does: by what goes over the wire"},
		{
			"internal/push",
			[]string{"internal/attest", "internal/canonical", "internal/client", "internal/fault", "internal/view"},
			"it runs in CI, far from the server: it reads files, asks engines what they are, and sends them",
		},
		{
			"internal/demo",
			[]string{"internal/app", "internal/config", "internal/attest", "internal/canonical", "internal/client", "schema", "testdata/sbom"},
			"the demonstration is a client: it starts the server, then sends what the contract says, and reaches behind the API nowhere",
		},
		{
			"internal/estate",
			[]string{"ent/db", "internal/canonical", "internal/catalog", "internal/deployment", "internal/evidence", "internal/release", "internal/version", "internal/vulnerability"},
			"it loads what it makes up through the verbs, as pipelines do, and opens no store",
		},
		{"internal/apitest", nil, "it asks the running service from outside; its tests start what they ask"},
		{"internal/bench", nil, "it measures the running service from outside; its benchmarks start what they measure"},
		{
			"internal/app",
			slices.Concat(domains, records, []string{"internal/attest", "internal/config", "internal/objects", "internal/tlog", "internal/web", "frontend", "graph"}),
			"the composition root makes the services and hands them out; it decides nothing",
		},
		{"internal/config", nil, leaf},
		{"internal/web", []string{"internal/auth", "internal/fault"}, "web routes requests to handlers that it is given: it knows no domain"},
		{
			"graph",
			slices.Concat(domains, []string{"ent/db", "internal/auth", "internal/fault", "internal/id", "internal/labels", "internal/canonical", "internal/view", "graph/generated", "graph/model"}),
			"graph maps shapes: records come from the domains, so it opens no store and calls no engine (of view it shows the types)",
		},
		{"graph/model", []string{"ent/db", "internal/fault", "internal/gate"}, "scalars and the Node interface"},
		{"ent", nil, "only the generator's entry point"},
		{"ent/schema", []string{"internal/auth", "internal/labels"}, "tables name the types of their columns and nothing else"},

		{"internal/access", below("internal/activity"), domain},
		{"internal/activity", below("internal/tlog"), "every domain appends to the log, so the log can call none of them"},
		{"internal/approval", below("internal/activity", "internal/signing"), domain},
		{"internal/freeze", below("internal/activity"), domain},
		{"internal/waiver", below("internal/activity", "internal/blast", "internal/vulnerability"), domain},
		{"internal/blast", below("internal/advisory", "internal/vulnerability"), domain + "; it reads and writes nothing"},
		{"internal/build", below("internal/activity"), domain},
		{"internal/deployment", below("internal/activity"), domain},
		{"internal/vulnerability", below("internal/activity", "internal/advisory", "internal/fetch", "internal/signing", "internal/view"), domain},
		{"internal/catalog", below("internal/activity"), domain},
		{"internal/evidence", below("internal/activity", "internal/blast", "internal/build", "internal/version", "internal/signing", "internal/attest", "internal/bom", "internal/objects", "internal/view"), domain},
		{"internal/export", below("internal/activity", "internal/translog"), domain + "; it reads and writes nothing"},
		{
			"internal/gate", below("internal/approval", "internal/catalog", "internal/evidence", "internal/freeze", "internal/policy", "internal/version", "internal/vulnerability", "internal/waiver", "internal/rego"),
			domain + "; a gate judges and records, it moves nothing and signs nothing",
		},
		{
			"internal/issuance", below("internal/evidence", "internal/gate", "internal/release", "internal/signing", "internal/translog", "internal/version", "internal/attest", "internal/passport", "internal/replay"),
			domain + "; it reads what a passport holds and writes nothing",
		},
		{"internal/policy", below("internal/activity", "internal/rego", "docs", "policies"), domain},
		{"internal/release", below("internal/activity", "internal/catalog", "internal/gate", "internal/signing", "internal/version", "internal/attest"), domain},
		{"internal/signing", below("internal/activity", "internal/attest"), domain},
		{"internal/translog", below("internal/activity", "internal/tlog"), domain},
		{"internal/version", below("internal/activity", "internal/blast", "internal/build", "internal/catalog", "internal/deployment", "internal/signing", "internal/attest"), domain},

		{"internal/advisory", []string{"internal/canonical", "internal/purl"}, engine},
		{"internal/attest", []string{"internal/canonical"}, engine},
		{"internal/bom", []string{"internal/canonical", "internal/purl"}, engine},
		{"internal/rego", []string{"internal/canonical"}, engine},
		{"internal/view", []string{"internal/canonical", "internal/purl"}, engine},
		{"internal/objects", []string{"internal/canonical"}, engine},

		{"internal/passport", []string{"internal/attest", "internal/canonical", "internal/replay", "internal/tlog", "internal/rego"}, engine},
		{"internal/replay", []string{"internal/canonical"}, engine},
		{"internal/tlog", nil, engine},

		{"internal/fetch", nil, "it gets bytes from a URL within bounds, and knows nothing of what is in them"},

		{"internal/auth", []string{"internal/fault"}, leaf + ", but for the kinds of failure"},
		{"internal/check", []string{"internal/fault"}, leaf + ", but for the kinds of failure"},
		{"internal/canonical", nil, leaf},
		{"internal/fault", nil, leaf},
		{"internal/id", nil, leaf},
		{"internal/labels", nil, leaf},
		{"internal/purl", nil, leaf},

		{"internal/store", []string{"ent/db", "internal/auth", "internal/canonical"}, "the store keeps rows for whoever may see them: it knows no domain"},
		{"internal/store/migrations/gen", []string{"ent/db", "internal/id"}, "a tool of developers, in no binary"},
		{"internal/testdb", []string{"ent/db", "internal/store", "internal/id"}, "databases for tests: it stands in no table above, so no program can import it"},
		{"internal/house", nil, "it reads sources and runs none"},

		{"policies", []string{"internal/rego"}, "templates are data; the engine compiles them"},
		{"schema", nil, "the public contract depends on no code"},
		{"docs", nil, "a schema that people read and the program, too"},
		{"frontend", nil, "files in a binary"},
		{"testdata/sbom", nil, "files for tests"},
	}
}

func TestEveryPackageKnowsOnlyWhatItMay(t *testing.T) {
	rooms := map[string]room{}
	for _, r := range arrows() {
		rooms[r.folder] = r
	}
	seen := map[string]bool{}
	for _, s := range readTree(t).written() {
		r, known := rooms[s.folder()]
		if !known {
			t.Errorf("%s: package %s stands in no row of arrows(): say what it may import, and why", s.path, s.folder())
			continue
		}
		seen[r.folder] = true
		for _, imported := range importsOf(s) {
			if inner, ours := strings.CutPrefix(imported, module+"/"); ours && !r.mayKnow(inner) {
				t.Errorf("%s imports %s: %s", s.path, inner, r.because)
			}
		}
	}
	for folder := range rooms {
		if !seen[folder] {
			t.Errorf("arrows() has a row for %s, which is not there", folder)
		}
	}
}

// mayKnow tells whether the room may import a package. Packages that ent generates beside its client go with it.
func (r room) mayKnow(folder string) bool {
	if strings.HasPrefix(folder, "ent/db/") {
		folder = "ent/db"
	}
	return slices.Contains(r.knows, folder)
}

func importsOf(s source) []string {
	list := make([]string, len(s.file.Imports))
	for i, imp := range s.file.Imports {
		list[i] = strings.Trim(imp.Path.Value, `"`)
	}
	return list
}

// TestEveryLibraryHasItsRooms keeps libraries where they are wrapped: whoever replaces one changes one package.
func TestEveryLibraryHasItsRooms(t *testing.T) {
	homes := []struct {
		library string
		rooms   []string
	}{
		{"net/http", []string{"internal/web", "internal/app", "internal/client", "internal/fetch", "graph"}},
		{"github.com/99designs/gqlgen", []string{"graph", "graph/model"}},
		{"github.com/vektah/gqlparser", []string{"graph", "internal/demo"}},
		{"github.com/open-policy-agent/opa", []string{"internal/rego"}},
		{"github.com/santhosh-tekuri/jsonschema", []string{"internal/policy"}},
		{"github.com/sigstore", []string{"internal/attest"}},
		{"github.com/secure-systems-lab", []string{"internal/attest"}},
		{"github.com/pandatix/go-cvss", []string{"internal/advisory", "internal/view"}},
		{"github.com/google/osv-scalibr", []string{"internal/advisory"}},
		{"gocloud.dev", []string{"internal/objects"}},
		{"github.com/CycloneDX", []string{"internal/bom", "internal/view"}},
		{"github.com/spdx", []string{"internal/bom"}},
		{"github.com/klauspost/compress", []string{"internal/store"}},
		{"github.com/package-url", []string{"internal/purl"}},
		{"github.com/mattn/go-sqlite3", []string{"internal/store", "internal/store/migrations/gen"}},
		{"github.com/jackc/pgx", []string{"internal/store", "internal/store/migrations/gen", "internal/testdb"}},
		{"github.com/pressly/goose", []string{"internal/store"}},
		{"ariga.io/atlas", []string{"internal/store/migrations/gen"}},
		{"github.com/prometheus", []string{"internal/web"}},
		{"golang.org/x/mod", []string{"internal/tlog"}},
	}
	for _, s := range readTree(t).written() {
		for _, imported := range importsOf(s) {
			for _, h := range homes {
				within := imported == h.library || strings.HasPrefix(imported, h.library+"/")
				if within && !slices.Contains(h.rooms, s.folder()) {
					t.Errorf("%s imports %s, which belongs to %s: call that instead", s.path, imported, strings.Join(h.rooms, ", "))
				}
			}
		}
	}
}

// TestNoFeatureOfThePagesKnowsAnother: app → features → components, lib.
func TestNoFeatureOfThePagesKnowsAnother(t *testing.T) {
	const features = "frontend/src/features/"
	for _, file := range tracked(t) {
		rest, inside := strings.CutPrefix(file, features)
		own, _, inFolder := strings.Cut(rest, "/")
		if !inside || !inFolder {
			continue
		}
		for _, imported := range relativeImports(read(t, file)) {
			target := path.Join(path.Dir(file), imported)
			if other, ok := strings.CutPrefix(target, features); ok && !strings.HasPrefix(other, own+"/") {
				t.Errorf("%s imports %s: features do not know each other; what two of them need goes to components or lib", file, imported)
			}
		}
	}
}

func relativeImports(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		for _, quote := range []string{"'", `"`} {
			_, rest, found := strings.Cut(line, "from "+quote+".")
			if !found {
				continue
			}
			name, _, _ := strings.Cut(rest, quote)
			list = append(list, "."+name)
		}
	}
	return list
}
