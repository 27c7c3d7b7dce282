package view

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// readSLSA1 reads SLSA provenance v1.
func readSLSA1(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("buildDefinition", "runDetails")
	definition := p["buildDefinition"].object("buildType", "externalParameters", "resolvedDependencies")
	run := p["runDetails"].required().object("builder", "metadata")
	metadata := run["metadata"].object("invocationId", "invocationID", "startedOn", "finishedOn")
	v := newProvenance(run["builder"])
	v.BuildType = definition["buildType"].text()
	v.InvocationID = firstOf(metadata["invocationId"].text(), metadata["invocationID"].text())
	v.StartedAt, v.FinishedAt = metadata["startedOn"].instant(), metadata["finishedOn"].instant()
	from := v.readMaterials(definition["resolvedDependencies"])
	v.setSource(externalSource(definition["externalParameters"]), from)
	return view(View{Provenance: v}, f)
}

// readSLSA02 reads SLSA provenance v0.2.
func readSLSA02(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("builder", "buildType", "invocation", "metadata", "materials")
	v := newProvenance(p["builder"])
	v.BuildType = p["buildType"].text()
	v.readMetadata(p["metadata"])
	from := v.readMaterials(p["materials"])
	v.setSource(readSource(p["invocation"].object("configSource")["configSource"]), from)
	return view(View{Provenance: v}, f)
}

// readSLSA01 reads SLSA provenance v0.1, which names the source by its place among the materials.
func readSLSA01(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("builder", "recipe", "metadata", "materials")
	recipe := p["recipe"].object("type", "definedInMaterial")
	v := newProvenance(p["builder"])
	v.BuildType = recipe["type"].text()
	v.readMetadata(p["metadata"])
	var source source
	from := v.readMaterials(p["materials"])
	// Cloud Build writes the number as text, as protocol buffers do, and -1 for none.
	defined := recipe["definedInMaterial"]
	if defined.is('"') {
		defined.raw = []byte(defined.text())
	}
	if defined.given() && string(defined.raw) != "-1" {
		place := int(defined.count())
		if place >= v.MaterialCount {
			defined.wrong("there is no material %d", place)
		}
		p["materials"].each(func(entry field) {
			if strings.HasSuffix(entry.path, "["+strconv.Itoa(place)+"]") {
				source = readSource(entry)
			}
		})
	}
	v.setSource(source, from)
	return view(View{Provenance: v}, f)
}

// readSCAI reads what a SCAI attribute report asserts of how something was made.
func readSCAI(content []byte) (View, error) {
	doc, f := openJSON(content)
	v := &Provenance{Materials: []Material{}, Attributes: []string{}}
	doc.object("attributes")["attributes"].required().each(func(entry field) {
		name := entry.object("attribute")["attribute"].required().text()
		if len(v.Attributes) < MaxEntries {
			v.Attributes = append(v.Attributes, name)
		}
	})
	return view(View{Provenance: v}, f)
}

// newProvenance begins with the builder, without which nothing is provenance. BuildKit writes an empty id where nobody
// told it one.
func newProvenance(builder field) *Provenance {
	id := builder.required().object("id")["id"].required()
	return &Provenance{BuilderID: id.text(), Materials: []Material{}, Attributes: []string{}}
}

// readMetadata reads the metadata of v0.1 and v0.2. Tools and the specification differ in how they spell the id.
func (v *Provenance) readMetadata(metadata field) {
	m := metadata.object("buildInvocationId", "buildInvocationID", "buildStartedOn", "buildFinishedOn")
	v.InvocationID = firstOf(m["buildInvocationId"].text(), m["buildInvocationID"].text())
	v.StartedAt, v.FinishedAt = m["buildStartedOn"].instant(), m["buildFinishedOn"].instant()
}

// maxSources is among how many materials the source is looked for. The others are only counted.
const maxSources = 10 * MaxEntries

// readMaterials reads what went in, and gives what of it may be the source.
func (v *Provenance) readMaterials(list field) (sources []source) {
	read := 0
	v.MaterialCount = list.each(func(entry field) {
		if read++; read > maxSources {
			return
		}
		m := entry.object("uri", "name", "digest")
		if len(v.Materials) < MaxEntries {
			material := Material{URI: firstOf(m["uri"].text(), m["name"].text()), Digest: strongest(m["digest"])}
			v.Materials = append(v.Materials, material)
		}
		if s := readSource(entry); s.git {
			sources = append(sources, s)
		}
	})
	return sources
}

// strength lists digest algorithms as in-toto names them, the strongest first. Others come behind, by name.
const strength = " sha512 sha3_512 sha384 sha3_384 sha256 sha3_256 sha512_256 sha224 gitCommit sha1 md5 "

func strongest(digests field) string {
	rank := func(algorithm string) int {
		if at := strings.Index(strength, " "+algorithm+" "); at >= 0 {
			return at
		}
		return len(strength)
	}
	best, value := "", ""
	digests.pairs(func(algorithm string, f field) {
		s := f.text()
		if best == "" || cmp.Or(cmp.Compare(rank(algorithm), rank(best)), strings.Compare(algorithm, best)) < 0 {
			best, value = algorithm, s
		}
	})
	if value == "" {
		return ""
	}
	return scanText(best + ":" + value)
}

// source is where something was built from.
type source struct {
	repository, revision, ref string
	git                       bool // something says that it is a commit
}

var (
	commitPath = regexp.MustCompile(`^(.*)/commit/([0-9a-f]{40}|[0-9a-f]{64})$`)
	revision   = regexp.MustCompile(`^[0-9a-fA-F]{7,128}$`)
)

// readSource reads a URI with a digest.
func readSource(f field) source {
	m := f.object("uri", "digest")
	digest := m["digest"].object("gitCommit", "sha1")
	s := parseSource(m["uri"].text())
	for _, name := range []string{"gitCommit", "sha1"} {
		if commit := digest[name].text(); commit != "" && (name == "gitCommit" || s.git || s.ref != "" || strings.HasPrefix(s.repository, "https://")) {
			if s.git = true; revision.MatchString(commit) {
				s.revision = strings.ToLower(commit)
			}
			break
		}
	}
	return s
}

// parseSource takes apart git+https://host/repository@ref (SPDX), https://host/repository.git#ref:folder (BuildKit) and
// https://host/repository/commit/revision (Cloud Build).
func parseSource(uri string) source {
	s := source{repository: uri}
	if rest, ok := strings.CutPrefix(uri, "git+"); ok {
		s.repository, s.git = rest, true
	}
	start := 0 // of the path; before it, an @ ends the name of a user
	if at := strings.Index(s.repository, "://"); at >= 0 {
		start = at + len("://")
		if slash := strings.IndexByte(s.repository[start:], '/'); slash >= 0 {
			start += slash
		}
	}
	before, fragment, _ := strings.Cut(s.repository[start:], "#")
	path, ref, found := strings.Cut(before, "@")
	if !found {
		ref, _, _ = strings.Cut(fragment, ":")
	}
	s.repository, s.ref = s.repository[:start]+path, ref
	if m := commitPath.FindStringSubmatch(s.repository); m != nil {
		s.repository, s.revision, s.git = m[1], m[2], true
	}
	if revision.MatchString(s.ref) && len(s.ref) >= 40 {
		s.revision, s.ref = strings.ToLower(s.ref), ""
	}
	return s
}

// externalSource reads the source out of the parameters of the builds that are known. Parameters are what their build
// type makes of them: what has another shape is no mistake, and is left alone.
func externalSource(parameters field) source {
	if !parameters.is('{') {
		return source{}
	}
	p := parameters.object("workflow", "buildConfigSource", "source", "configSource", "sourceToBuild")
	for _, name := range []string{"workflow", "buildConfigSource", "sourceToBuild", "source", "configSource"} {
		switch f := p[name]; {
		case f.is('"'):
			return parseSource(f.text())
		case f.is('{'):
			m := f.object("repository", "uri", "ref")
			for _, where := range []string{"repository", "uri"} {
				if !m[where].is('"') || m[where].text() == "" {
					continue
				}
				s := parseSource(m[where].text())
				if m["ref"].is('"') {
					s.ref = m["ref"].text()
				}
				return s
			}
		}
	}
	return source{}
}

// setSource sets the source that is named, with the revision that the same repository has among the materials; where
// none is named, the first material that is a commit.
func (v *Provenance) setSource(named source, materials []source) {
	place := slices.IndexFunc(materials, func(m source) bool {
		return named.repository == "" || m.repository == named.repository
	})
	if place >= 0 {
		m := materials[place]
		named = source{repository: m.repository, revision: cmp.Or(named.revision, m.revision), ref: cmp.Or(named.ref, m.ref)}
	}
	v.SourceRepository, v.SourceRevision, v.SourceRef = named.repository, named.revision, named.ref
}
