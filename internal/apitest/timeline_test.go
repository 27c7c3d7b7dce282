package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const openVEX = "https://openvex.dev/ns/v0.2.0"

// vexOf is an OpenVEX document that says of a vulnerability whether it matters.
func vexOf(vulnerability, status, at string, products ...string) object {
	statement := object{"vulnerability": object{"name": vulnerability}, "status": status, "justification": "vulnerable_code_not_present"}
	var named []object
	for _, p := range products {
		named = append(named, object{"@id": p})
	}
	if named != nil {
		statement["products"] = named
	}
	return object{"@context": openVEX, "@id": "urn:vex:" + at, "author": "security", "timestamp": at, "version": 1, "statements": []object{statement}}
}

// affects writes that a vulnerability affects a component that is there, as an import does.
func (s *server) affects(name, severity, purl string) {
	s.t.Helper()
	ctx := auth.System(context.Background())
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	err := s.db.InTx(ctx, func(tx *db.Client) error {
		v := tx.Vulnerability.Create().SetName(name).SetSeverity("HIGH").SetCreatedAt(now)
		if severity == "CRITICAL" {
			v.SetSeverity("CRITICAL")
		}
		row := v.SaveX(ctx)
		for _, alias := range []string{name, "PYSEC-" + name} {
			tx.VulnerabilityAlias.Create().SetName(alias).SetVulnerabilityID(row.ID).ExecX(ctx)
		}
		a := tx.Advisory.Create().SetName("PYSEC-" + name).SetDigest("").SetModifiedAt(now).SetImportedAt(now).SetVulnerabilityID(row.ID).SaveX(ctx)
		tx.ComponentMatch.Create().SetComponentID(tx.Component.Query().Where(component.Purl(purl)).OnlyIDX(ctx)).SetAdvisoryID(a.ID).
			SetVulnerabilityID(row.ID).SetBecause("fixed 9.0.0").SetFixedIn([]string{"9.0.0"}).SetCreatedAt(now).ExecX(ctx)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestTheTimelineOfAVersionTellsWhichVulnerabilitiesMatter(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		s.report("gateway", "1.0.0")
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/json", "content": billOf(
			library("lodash", "4.17.20", "MIT"), library("express", "4.0.0", "MIT"),
		), "subjects": []object{{"digest": image}}}})
		const lodash, express = "pkg:npm/lodash@4.17.20", "pkg:npm/express@4.0.0"
		s.affects("CVE-2026-1", "HIGH", lodash)
		s.affects("CVE-2026-2", "CRITICAL", express)
		states := func() string {
			t.Helper()
			got := s.post(admin, contract(t, "VersionTimeline"), object{"application": "gateway", "version": "1.0.0"})
			if len(got.Errors) > 0 {
				t.Fatal(got.raw)
			}
			line := ""
			for _, e := range got.at(t, "applicationVersion", "vulnerabilities", "edges").([]any) {
				n := e.(object)["node"].(object)
				line += n["vulnerability"].(object)["id"].(string) + " " + n["component"].(object)["purl"].(string) + " " + n["state"].(string) + "\n"
			}
			return line
		}
		if got := states(); got != "CVE-2026-2 "+express+" AFFECTED\nCVE-2026-1 "+lodash+" AFFECTED\n" {
			t.Errorf("found is\n%s", got)
		}
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, openVEX, vexOf("CVE-2026-2", "not_affected", "2026-02-01T00:00:00Z", express), image)})
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, key(t), openVEX, vexOf("CVE-2026-1", "not_affected", "2026-02-01T00:00:00Z"), image)})
		if got := states(); got != "CVE-2026-2 "+express+" NOT_AFFECTED\nCVE-2026-1 "+lodash+" AFFECTED\n" {
			t.Errorf("after statements of somebody who is trusted and of somebody who is not:\n%s", got)
		}

		t.Run("page by page", func(t *testing.T) {
			s.t = t
			const query = `query($after: String) { applicationVersion(application: "gateway", version: "1.0.0") { vulnerabilities(first: 1, after: $after) {
				totalCount edges { node { vulnerability { id } direct } } pageInfo { hasNextPage endCursor } } } }`
			path := []string{"applicationVersion", "vulnerabilities"}
			one := s.ask(admin, query, nil, path...).(object)
			cursor := one["pageInfo"].(object)["endCursor"]
			two := s.ask(admin, query, object{"after": cursor}, path...).(object)
			if text(t, one["edges"]) != `[{"node":{"direct":true,"vulnerability":{"id":"CVE-2026-2"}}}]` || text(t, two["edges"]) != `[{"node":{"direct":true,"vulnerability":{"id":"CVE-2026-1"}}}]` ||
				two["totalCount"] != 2.0 || two["pageInfo"].(object)["hasNextPage"] != false {
				t.Errorf("the pages are %s and %s", text(t, one), text(t, two))
			}
			s.affects("CVE-2026-3", "HIGH", lodash)
			if code, at := s.post(admin, query, object{"after": cursor}).code(); code != "BAD_USER_INPUT" || at != "after" {
				t.Errorf("a cursor of the list before is refused with %s at %q", code, at)
			}
		})
	})
}

func TestWhoIntroducedAVulnerability(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("shared", "library")
		s.made("1.0.0", billOf(library("express", "4.0.0", "MIT")))
		s.made("1.1.0", billOf(library("express", "4.0.0", "MIT"), library("lodash", "4.17.20", "MIT")))
		s.made("1.2.0", billOf(library("lodash", "4.17.20", "MIT")))
		s.affects("CVE-2026-1", "HIGH", "pkg:npm/lodash@4.17.20")
		asked := object{"application": "gateway", "version": "1.2.0", "vulnerability": "PYSEC-CVE-2026-1"}
		list := s.post(admin, contract(t, "WhoIntroduced"), asked).at(t, "vulnerabilityOrigin").([]any)
		if len(list) != 1 {
			t.Fatalf("it came in %d ways", len(list))
		}
		got := list[0].(object)
		if got["component"].(object)["purl"] != "pkg:npm/lodash@4.17.20" || got["introducedIn"].(object)["version"] != "1.1.0" || got["releasable"] == nil || got["source"] != nil {
			t.Errorf("it came by %s", text(t, got))
		}
		for who, c := range map[string]struct {
			token string
			input object
		}{
			"a version without it":              {admin, object{"application": "gateway", "version": "1.0.0", "vulnerability": "CVE-2026-1"}},
			"a version that there is not":       {admin, object{"application": "gateway", "version": "9", "vulnerability": "CVE-2026-1"}},
			"a vulnerability that there is not": {admin, object{"application": "gateway", "version": "1.2.0", "vulnerability": "CVE-2026-9"}},
			"somebody who sees another project": {s.token("viewer", "VIEWER", "shared"), asked},
		} {
			if got := s.post(c.token, contract(t, "WhoIntroduced"), c.input); len(got.Errors) > 0 || len(got.at(t, "vulnerabilityOrigin").([]any)) != 0 {
				t.Errorf("%s: %s", who, got.raw)
			}
		}
	})
}

func TestAVulnerableComponentShowsWhatWasSaidOfIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/json", "content": billOf(library("lodash", "4.17.20", "MIT")), "subjects": []object{{"digest": image}}}})
		s.affects("CVE-2026-1", "HIGH", "pkg:npm/lodash@4.17.20")
		s.must(admin, "SubmitEvidence", object{"document": object{
			"mediaType": "application/json", "content": text(t, vexOf("CVE-2026-1", "not_affected", "2026-02-01T00:00:00Z")),
			"subjects": []object{{"digest": image, "purl": "pkg:npm/lodash@4.17.20"}},
		}})
		const query = `{ applicationVersion(application: "gateway", version: "1.0.0") { vulnerabilities { edges { node { state component {
			vex { status justification applied evidence { predicateType } } } } } } } }`
		got := text(t, s.ask(admin, query, nil, "applicationVersion", "vulnerabilities", "edges"))
		want := `[{"node":{"component":{"vex":[{"applied":false,"evidence":{"predicateType":"` + openVEX + `"},"justification":"vulnerable_code_not_present","status":"NOT_AFFECTED"}]},"state":"AFFECTED"}}]`
		if got != want {
			t.Errorf("shown is %s", got)
		}
	})
}
