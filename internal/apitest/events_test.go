package apitest_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestRule40_EveryChangeWritesOneEvent sends every mutation so that it changes something, and then so that it does not.
func TestRule40_EveryChangeWritesOneEvent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		s.must(admin, "CreateRule", object{"name": "bills", "template": "sbom-complete", "parameters": object{}})
		victim := s.must(admin, "CreateToken", object{"name": "victim", "role": "VIEWER", "projectKey": "payments"}, "createToken", "token", "id").(string)
		s.must(admin, "CreatePolicy", object{
			"name": "bills", "rules": []string{"bills"}, "mode": "WARN", "gate": object{"stage": "QA", "kind": "ENTRY"}, "scope": object{"type": "GLOBAL"},
		})
		s.person("bootstrap")
		all := calls(s.prepare(victim))
		pem := string(key(t).PublicKeyPEM())
		target := object{"applicationKey": "gateway", "version": "1.0.0"}
		scope := object{"type": "GLOBAL"}
		of := func(version string, more object) object {
			in := object{"applicationKey": "gateway", "version": version}
			maps.Copy(in, more)
			return in
		}
		draft := func(version string) object {
			return of(version, object{"draft": true, "sources": object{"artifacts": []object{{"name": "x", "digest": image}}}})
		}
		sent := []string{}
		for _, c := range []struct {
			mutation string
			input    object // nil: that of calls
			again    bool   // the same again is taken, and changes nothing
		}{
			{"createProject", nil, false},
			{"createStage", nil, false},
			{"setLifecycle", object{"projectKey": "payments", "stages": []string{"DEV", "QA", "PROD"}, "enforceOrder": false}, true},
			{"createApplication", nil, false},
			{"updateApplication", object{"key": "gateway", "owners": object{"add": []string{"user:bob"}}}, true},
			{"importOwners", object{"format": "CODEOWNERS", "content": "gate* team:x @bob # who else\n"}, true},
			{"archiveApplication", object{"key": "gateway"}, true},
			{"archiveApplication", object{"key": "gateway", "archived": false}, true},
			{"bindPackage", object{"applicationKey": "gateway", "purl": "pkg:npm/x"}, true},
			{"unbindPackage", object{"applicationKey": "gateway", "purl": "pkg:npm/x"}, false},
			{"deprecatePackage", object{"purl": "pkg:npm/x", "reason": "there is a better one"}, true},
			{"createToken", nil, false},
			{"revokeToken", nil, true},
			{"addTrustAnchor", object{"alias": "ci", "publicKey": pem}, false},
			{"revokeTrustAnchor", object{"alias": "ci"}, false},
			{"createPolicyTemplate", nil, true},
			{"createRule", nil, false},
			{"createPolicy", object{"name": "p", "rules": []string{"bills"}, "mode": "WARN", "gate": object{"stage": "QA", "kind": "ENTRY"}, "scope": scope}, false},
			{"updatePolicy", object{"name": "p", "enabled": false}, true},
			{"requestWaiver", nil, true},
			{"decideWaiver", nil, false},
			{"cancelWaiver", nil, false},
			{"revokeWaiver", nil, false},
			{"liftFreeze", nil, false},
			{"approveApplicationVersion", nil, true},
			{"reportBuild", nil, true},
			{"createApplicationVersion", nil, false},
			{"createApplicationVersion", draft("2.0.0"), false},
			{"addVersionSources", of("2.0.0", object{"sources": object{"packages": []object{{"purl": "pkg:npm/a@1"}}}}), true},
			{"updateApplicationVersion", of("2.0.0", object{"tag": "next", "properties": object{"set": []object{{"key": "ticket", "value": "CHG-1"}}}}), true},
			{"lockApplicationVersion", of("2.0.0", nil), true},
			{"archiveApplicationVersion", of("2.0.0", nil), true},
			{"archiveApplicationVersion", of("2.0.0", object{"archived": false}), true},
			{"createApplicationVersion", draft("3.0.0"), false},
			{"deleteDraftVersion", of("3.0.0", nil), false},
			{"submitEvidence", nil, true},
			{"submitEvidenceBatch", nil, true},
			{"importAdvisories", nil, true},
			{"recordTriageDecision", nil, true},
			{"revokeTriageDecision", nil, false},
			{"promoteApplicationVersion", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"}, false},
			{"releaseApplicationVersion", target, false},
			{"createFreeze", nil, true},
			{"recordDeployment", object{"applicationKey": "gateway", "version": "1.0.0", "environment": "production", "kind": "RELEASE", "status": "SUCCEEDED", "startedAt": "2026-01-01T00:00:00Z"}, true},
			{"rollbackApplicationVersion", object{"applicationKey": "gateway", "version": "1.0.0", "fromStage": "PROD", "reason": "because of that"}, false},
			{"erasePerson", nil, false},
			{"withdrawEvidence", nil, false},
		} {
			sent = append(sent, c.mutation)
			input := c.input
			if input == nil {
				input = all[c.mutation].input(1)
			}
			before := s.events()
			if got := s.post(admin, document(t, c.mutation), object{"input": input}); len(got.Errors) > 0 {
				t.Fatalf("%s: %s", c.mutation, got.raw)
			}
			if n := s.events() - before; n != 1 {
				t.Errorf("%s wrote %d events, want one", c.mutation, n)
			}
			before = s.events()
			if got := s.post(admin, document(t, c.mutation), object{"input": input}); c.again != (len(got.Errors) == 0) {
				t.Errorf("%s again: %s", c.mutation, got.raw)
			}
			if n := s.events() - before; n != 0 {
				t.Errorf("%s again wrote %d events", c.mutation, n)
			}
		}
		slices.Sort(sent)
		sent = slices.Compact(sent)
		if !slices.Equal(sent, mutations(t)) {
			t.Errorf("tried %v, the schema has %v", sent, mutations(t))
		}
		s.checkLeaves(t)
	})
}

// person makes a principal one, as whom a person would come in.
func (s *server) person(name string) {
	s.t.Helper()
	ctx := auth.System(context.Background())
	err := s.db.InTx(ctx, func(tx *db.Client) error {
		_, err := tx.ExecContext(ctx, "UPDATE principals SET kind = 'USER' WHERE name = '"+name+"'")
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) events() int {
	return s.db.Read().ActivityEvent.Query().CountX(auth.System(context.Background()))
}

// checkLeaves holds every leaf to its form: canonical JSON of version 1, hashed as RFC 6962 says, naming no person.
func (s *server) checkLeaves(t *testing.T) {
	t.Helper()
	ctx := auth.System(context.Background())
	for _, e := range s.db.Read().ActivityEvent.Query().Order(db.Asc(activityevent.FieldID)).AllX(ctx) {
		again, err := canonical.Normalize(e.Leaf)
		if err != nil || !bytes.Equal(again, e.Leaf) {
			t.Errorf("leaf %d is not canonical: %s", e.ID, e.Leaf)
		}
		if !bytes.Contains(e.Leaf, []byte(`"v":1`)) {
			t.Errorf("leaf %d says no version: %s", e.ID, e.Leaf)
		}
		if hash := tlog.RecordHash(e.Leaf); !bytes.Equal(hash[:], e.LeafHash) {
			t.Errorf("leaf %d has another hash", e.ID)
		}
		for _, person := range []string{"alice", "bob"} {
			if bytes.Contains(e.Leaf, []byte(person)) {
				t.Errorf("leaf %d names %s: %s", e.ID, person, e.Leaf)
			}
		}
	}
}
