package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// describe pushes bills of materials about parts of versions and about versions: of everybody, or of a project alone; as they are,
// or signed.
func (h *house) describe(s *server, r *rand.Rand) {
	for i, v := range h.versions {
		subjects := []string{v.manifest}
		for _, p := range v.pieces {
			if p.digest != "" && r.IntN(3) > 0 {
				subjects = append(subjects, p.digest)
			}
		}
		subject := subjects[r.IntN(len(subjects))]
		if i%4 == 0 {
			subject = subjects[len(subjects)-1]
		}
		e := &said{subjects: []string{subject}, bill: billBy(r)}
		h.push(s, e, r.IntN(3) == 0, v.app.project, r.IntN(2) == 0, cyclonedx(fmt.Sprint("bill ", i), e.bill))
	}
	for i := range 6 {
		v := h.versions[r.IntN(len(h.versions))]
		e := &said{subjects: []string{v.pieces[0].digest}}
		h.push(s, e, i%2 == 0, h.projects[r.IntN(3)], true, object{"result": "PASSED", "configuration": []object{}})
	}
}

func billBy(r *rand.Rand) (list []listed) {
	for _, name := range libraries {
		for n := 1; n <= 4; n++ {
			if r.IntN(5) == 0 {
				list = append(list, listed{name, major(n), len(list) == 0 || r.IntN(2) == 0})
			}
		}
	}
	if list == nil {
		list = []listed{{"left", major(1), true}}
	}
	return list
}

// cyclonedx is a bill of a thing that needs the direct components; the first of them needs the others.
func cyclonedx(name string, list []listed) object {
	components, direct, others := []object{}, []string{}, []string{}
	for _, c := range list {
		ref := purlOf(c.name, c.version)
		components = append(components, object{
			"bom-ref": ref, "type": "library", "name": c.name, "version": c.version, "purl": ref, "licenses": []object{{"license": object{"id": "MIT"}}},
		})
		if c.direct {
			direct = append(direct, ref)
		} else {
			others = append(others, ref)
		}
	}
	return object{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
		"metadata":     object{"component": object{"bom-ref": "root", "type": "application", "name": name}},
		"dependencies": []object{{"ref": "root", "dependsOn": direct}, {"ref": direct[0], "dependsOn": others}},
		"compositions": []object{{"aggregate": "complete", "assemblies": []string{"root"}}},
	}
}

// push sends evidence and remembers it: for a project, or with the administrator's token for everybody.
func (h *house) push(s *server, e *said, everybody bool, project string, signedFor bool, predicate object) {
	token := admin
	if !everybody {
		e.project, token = project, h.tokens[project]
	}
	predicateType := "https://cyclonedx.org/bom"
	if e.bill == nil {
		predicateType = testResult
	}
	if signedFor || e.bill == nil {
		e.anchor = "ci"
		s.must(token, "SubmitEvidence", object{"envelope": signed(s.t, h.trusted, predicateType, predicate, e.subjects...)})
	} else {
		s.must(token, "SubmitEvidence", object{"document": object{
			"mediaType": "application/vnd.cyclonedx+json", "content": text(s.t, predicate), "subjects": []object{{"digest": e.subjects[0]}},
		}})
	}
	h.evidence = append(h.evidence, e)
}

// judge says of components that a vulnerability does not matter: signed by somebody who is trusted, and by somebody who is not.
func (h *house) judge(s *server) {
	for i, j := range []judged{
		{purlOf("left", "1.0.0"), "CVE-2026-1001", "not_affected", "2026-02-01T00:00:00Z"},
		{purlOf("left", "2.0.0"), "GHSA-aaaa-bbbb-cccc", "not_affected", "2026-02-02T00:00:00Z"},
		{purlOf("log", "2.0.0"), "CVE-2026-1002", "not_affected", "2026-02-03T00:00:00Z"},
	} {
		by, e := h.trusted, &said{project: h.projects[i], anchor: "ci", vex: &j, subjects: []string{digestOf("file of " + j.purl)}}
		if i == 1 {
			by, e.anchor = h.stranger, ""
		}
		st, err := attest.NewStatement([]attest.Subject{{Name: j.purl, Digest: map[string]string{"sha256": strings.TrimPrefix(e.subjects[0], "sha256:")}}},
			openVEX, vexOf(j.vulnerability, j.status, j.at, j.purl))
		if err != nil {
			s.t.Fatal(err)
		}
		envelope, err := by.Sign(s.t.Context(), st)
		if err != nil {
			s.t.Fatal(err)
		}
		s.must(h.tokens[e.project], "SubmitEvidence", object{"envelope": string(envelope.Envelope)})
		h.evidence = append(h.evidence, e)
	}
}

// warn imports the advisories, of which one was withdrawn.
func (h *house) warn(s *server) {
	var documents []string
	for _, a := range h.advisories {
		r := record(a.id, a.vulnerability, a.name, major(a.fixed), "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H")
		if a.withdrawn {
			r["withdrawn"] = "2026-01-02T00:00:00Z"
		}
		documents = append(documents, text(s.t, r))
	}
	s.must(admin, "ImportAdvisories", object{"format": "OSV", "documents": documents})
}

// move promotes versions, some all the way, and rolls some out: also one that was never released. At last some are archived.
func (h *house) move(s *server, r *rand.Rand) {
	for i, v := range h.versions {
		stages := []string{"DEV", "QA"}[:r.IntN(3)]
		for _, stage := range stages {
			s.must(admin, "Promote", object{"applicationKey": v.app.key, "version": v.version, "toStage": stage})
			v.stage = stage
		}
		if len(stages) == 2 && r.IntN(3) > 0 {
			got := s.must(admin, "Release", object{"applicationKey": v.app.key, "version": v.version}, "releaseApplicationVersion", "promotion", "status")
			if got != "COMPLETED" {
				s.t.Fatalf("the release of %s %s is %v", v.app.key, v.version, got)
			}
			if v.stage, v.trust = "PROD", "RELEASED"; v.app.project == "alpha" {
				v.trust = "TRUSTED_RELEASE"
			}
		}
		if v.stage == "PROD" || i%5 == 0 {
			h.rollOut(s, r, v)
		}
	}
	for i, v := range h.versions {
		if i%9 == 4 {
			s.ask(admin, `mutation($input: ArchiveApplicationVersionInput!) { archiveApplicationVersion(input: $input) { applicationVersion { version } } }`,
				object{"input": object{"applicationKey": v.app.key, "version": v.version}})
			v.archived = true
		}
	}
}

func (h *house) rollOut(s *server, r *rand.Rand, v *made) {
	d := &rolled{
		of: v, environment: []string{"eu", "us"}[r.IntN(2)], status: []string{"SUCCEEDED", "SUCCEEDED", "FAILED"}[r.IntN(3)],
		decision: map[string]string{"PRE_RELEASE": "NOT_RELEASED", "RELEASED": "RELEASED", "TRUSTED_RELEASE": "TRUSTED"}[v.trust],
	}
	s.must(admin, "RecordDeployment", object{
		"applicationKey": v.app.key, "version": v.version, "environment": d.environment, "kind": "RELEASE", "status": d.status,
		"finishedAt": fmt.Sprintf("2026-01-01T%02d:%02d:00Z", len(h.rollouts)/60, len(h.rollouts)%60),
	})
	h.rollouts = append(h.rollouts, d)
}

// live tells whether a rollout is what runs in its place: the latest success there.
func (h *house) live(d *rolled) bool {
	var latest *rolled
	for _, o := range h.rollouts {
		if o.of.app == d.of.app && o.environment == d.environment && o.status == "SUCCEEDED" {
			latest = o
		}
	}
	return d == latest
}

// isLive tells whether a version is in a stage, or runs somewhere.
func (h *house) isLive(v *made) bool {
	return v.stage != "" || slices.ContainsFunc(h.rollouts, func(d *rolled) bool { return d.of == v && h.live(d) })
}
