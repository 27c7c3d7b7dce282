package apitest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// Whom these tests erase. As an owner the person is written in lower case; what stands nowhere afterwards is the part that both
// ways of writing have.
const (
	whom   = "Wilhelmina.Ashworth@corp.example"
	needle = "ilhelmina"
)

const erasePerson = `mutation($input: ErasePersonInput!) { erasePerson(input: $input) { pseudonym events } }`

// TestRule40_AnErasedNameStandsNowhereAndEveryProofHolds lets a person do what people do, erases them, and looks at every byte.
func TestRule40_AnErasedNameStandsNowhereAndEveryProofHolds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		person := s.livePerson()
		s.inTree()
		before := s.kept()
		if places := s.places(dsn); len(places) < 5 || !strings.Contains(s.activity(), needle) {
			t.Fatalf("the name stands in %v alone: this test looks in the wrong places", places)
		}
		for _, role := range []string{"VIEWER", "RELEASER", "PROJECT_ADMIN", "AUDITOR"} {
			got := s.post(s.token("some "+role, role, ""), erasePerson, object{"input": object{"name": whom, "reason": "REQ-17"}})
			if code, _ := got.code(); code != "FORBIDDEN" {
				t.Errorf("%s: %s", role, got.raw)
			}
		}
		// Of two at once one does it.
		var both sync.WaitGroup
		answers := make([]answer, 2)
		for i, name := range []string{whom, "user:" + strings.ToLower(whom)} {
			both.Go(func() {
				answers[i] = s.post(admin, erasePerson, object{"input": object{"name": name, "reason": "REQ-17"}})
			})
		}
		both.Wait()
		done, refused := answers[0], answers[1]
		if len(done.Errors) > 0 {
			done, refused = refused, done
		}
		if code, _ := refused.code(); len(done.Errors) > 0 || code != "NOT_FOUND" {
			t.Fatalf("of two at once: %s and %s", done.raw, refused.raw)
		}
		pseudonym := done.at(t, "erasePerson", "pseudonym").(string)
		if n := done.at(t, "erasePerson", "events").(float64); n < 15 {
			t.Errorf("%v events named the person", n)
		}
		if places := s.places(dsn); len(places) > 0 {
			t.Errorf("the name stands in %v", places)
		}
		if got := s.post(person, `{ viewer { principal } }`, nil); !strings.Contains(got.raw, "UNAUTHENTICATED") {
			t.Errorf("the person's token opens something: %s", got.raw)
		}
		s.inTree()
		s.stillThere(t, before, pseudonym)
		s.verifiesLog(t, dsn)
	})
}

// TestRule40_AnErasedPersonStaysWhoTheyWereAtTheGates: under the pseudonym records show who did what, and a rule that
// asks whether somebody is an owner answers as before.
func TestRule40_AnErasedPersonStaysWhoTheyWereAtTheGates(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.livePerson()
		asked := func() string {
			got := s.post(admin, `{ application(key: "gateway") { owners { ref } } applicationVersion(application: "gateway", version: "1.0.0") {
				createdBy promotions(first: 10) { edges { node { actor } } } approvals { by counts } attestations { digest } } }`, nil)
			if len(got.Errors) > 0 {
				t.Fatal(got.raw)
			}
			return got.raw
		}
		before := asked()
		if strings.Count(before, needle) < 5 {
			t.Fatalf("the name is shown too seldom: %s", before)
		}
		pseudonym := s.post(admin, erasePerson, object{"input": object{"name": whom, "reason": "REQ-17"}}).at(t, "erasePerson", "pseudonym").(string)
		want := strings.ReplaceAll(strings.ReplaceAll(before, "user:"+strings.ToLower(whom), pseudonym), whom, pseudonym)
		if after := asked(); after != want {
			t.Errorf("got  %s\nwant %s", after, want)
		}
		// Who comes by the same name is somebody else.
		s.must(admin, "UpdateApplication", object{"key": "gateway", "owners": object{"add": []string{"user:" + strings.ToLower(whom)}}})
		if after := asked(); strings.Count(after, needle) != 1 || !strings.Contains(after, pseudonym) {
			t.Errorf("after the name is used again: %s", after)
		}
		got := s.post(admin, contract(t, "UpdateApplication"), object{"input": object{"key": "gateway", "owners": object{"remove": []string{pseudonym}}}})
		if len(got.Errors) > 0 || strings.Contains(got.raw, pseudonym) {
			t.Errorf("whoever is erased cannot be released from an application: %s", got.raw)
		}
	})
}

// livePerson makes a person who owns the gateway and administers the organisation, and does everything there that leaves a
// name. It returns the person's token.
func (s *server) livePerson() (token string) {
	s.t.Helper()
	ref := "user:" + strings.ToLower(whom)
	s.settle("payments", "gateway")
	s.must(admin, "UpdateApplication", object{"key": "gateway", "owners": object{"add": []string{ref}}})
	send := func(token, mutation string, input object, path ...string) any {
		s.t.Helper()
		kind := strings.ToUpper(mutation[:1]) + mutation[1:]
		fields := "__typename"
		for i, p := range slices.Backward(path) {
			fields = p + map[bool]string{true: "", false: " { " + fields + " }"}[i == len(path)-1]
		}
		got := s.post(token, fmt.Sprintf("mutation($input: %sInput!) { %s(input: $input) { %s } }", kind, mutation, fields), object{"input": input})
		if len(got.Errors) > 0 {
			s.t.Fatalf("%s: %s", mutation, got.raw)
		}
		return got.at(s.t, append([]string{mutation}, path...)...)
	}
	token = send(admin, "createToken", object{"name": whom, "role": "ORGANISATION_ADMIN", "person": true}, "secret").(string)
	target := object{"applicationKey": "gateway", "version": "1.0.0"}
	with := func(more object) object {
		maps.Copy(more, target)
		return more
	}
	send(token, "createRule", object{"name": "bills", "template": "license-allowed", "parameters": object{"deny": []string{"MIT"}}})
	send(token, "createPolicy", object{"name": "bills", "rules": []string{"bills"}, "mode": "BLOCK", "gate": object{"stage": "QA", "kind": "ENTRY"}, "scope": object{"type": "GLOBAL"}})
	send(token, "createRule", object{"name": "released", "template": "sbom-complete", "parameters": object{}})
	send(token, "createPolicy", object{"name": "released", "rules": []string{"released"}, "mode": "BLOCK", "gate": object{"stage": "PROD", "kind": "RELEASE"}, "scope": object{"type": "GLOBAL"}})
	send(token, "bindPackage", object{"applicationKey": "gateway", "purl": "pkg:npm/x"})
	send(token, "reportBuild", object{"name": "ci", "number": "1", "source": object{"repository": "https://git.example.org/gateway", "revision": commit}, "artifacts": []object{{"name": "image", "digest": image}}})
	digest := send(token, "createApplicationVersion", with(object{"sources": object{"artifacts": []object{{"name": "image", "digest": image}}}}), "applicationVersion", "manifestDigest")
	send(token, "submitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": vulnerableBill, "subjects": []object{{"digest": image}}}})
	send(token, "approveApplicationVersion", with(object{"manifestDigest": digest, "comment": "fit for sea"}))
	ask := object{"policy": "bills", "applicationKey": "gateway", "justification": "because of that", "expiresAt": tomorrow()}
	mine := send(token, "requestWaiver", ask, "waiver", "id")
	ask["code"] = "OTHER"
	other := send(admin, "requestWaiver", ask, "waiver", "id")
	send(admin, "decideWaiver", object{"id": mine, "approve": true})
	send(token, "decideWaiver", object{"id": other, "approve": false, "comment": "not that"})
	send(token, "recordTriageDecision", object{"vulnerability": "CVE-0", "applicationKey": "gateway", "status": "AFFECTED", "justification": "because of that", "owner": ref})
	frozen := send(token, "createFreeze", object{"projectKey": "payments", "reason": "because of that", "endsAt": tomorrow()}, "freeze", "id")
	send(token, "liftFreeze", object{"id": frozen})
	for _, stage := range []string{"DEV", "QA"} {
		send(token, "promoteApplicationVersion", with(object{"toStage": stage}))
	}
	send(token, "releaseApplicationVersion", with(object{}))
	send(token, "recordDeployment", with(object{"environment": "production", "kind": "RELEASE", "status": "SUCCEEDED"}))
	send(token, "importAdvisories", object{"format": "OSV", "documents": []string{lodashText}})
	return token
}

// kept is what has to be the same afterwards.
type kept struct {
	attestations, evaluations string
	leaves                    []string
	proofs                    []object
}

func (s *server) kept() (k kept) {
	s.t.Helper()
	version := s.post(admin, `{ applicationVersion(application: "gateway", version: "1.0.0") { manifestDigest manifest attestations { digest statement bundle logIndex }
		promotions(first: 10) { edges { node { evaluations { evalId decision explanation } } } } } }`, nil)
	if len(version.Errors) > 0 {
		s.t.Fatal(version.raw)
	}
	k.attestations = version.raw
	for _, b := range s.db.Read().Blob.Query().Order(db.Asc("id")).AllX(auth.System(context.Background())) {
		k.evaluations += b.Digest + "\n"
	}
	for i, e := range s.db.Read().ActivityEvent.Query().Order(db.Asc(activityevent.FieldLogIndex)).AllX(auth.System(context.Background())) {
		k.leaves = append(k.leaves, string(e.Leaf))
		k.proofs = append(k.proofs, s.post(admin, contract(s.t, "InclusionProof"), object{"logIndex": i}).at(s.t, "inclusionProof").(object))
	}
	return k
}

// stillThere compares what was there before with what is there now, and looks at the event of the erasure.
func (s *server) stillThere(t *testing.T, before kept, pseudonym string) {
	t.Helper()
	after := s.kept()
	if before.attestations != after.attestations || before.evaluations != after.evaluations {
		t.Errorf("statements, bundles or evaluations changed:\n%s\n%s", before.attestations, after.attestations)
	}
	for i, leaf := range before.leaves {
		if after.leaves[i] != leaf {
			t.Errorf("leaf %d changed", i)
		}
		for _, p := range []object{before.proofs[i], after.proofs[i]} {
			tree := opened(t, s.fetch("/log/key"), p["checkpoint"].(string))
			if err := tlog.CheckRecord(hashesOf(t, p["hashes"]), tree.N, tree.Hash, int64(i), tlog.RecordHash([]byte(leaf))); err != nil {
				t.Errorf("leaf %d is no longer proved: %v", i, err)
			}
		}
	}
	erasures := 0
	for _, leaf := range after.leaves[len(before.leaves):] {
		if strings.Contains(leaf, "PERSON_ERASED") {
			erasures++
			if !strings.Contains(leaf, pseudonym) || !strings.Contains(leaf, "REQ-17") {
				t.Errorf("the event of the erasure says %s", leaf)
			}
		}
	}
	if erasures != 1 {
		t.Errorf("%d events of the erasure are in the tree", erasures)
	}
	shown := s.activity()
	if strings.Contains(shown, needle) || !strings.Contains(shown, `"actor":"erased"`) || !strings.Contains(shown, `"to":"erased"`) {
		t.Errorf("the log shows %s", shown)
	}
}

// activity is all of the activity log, as an export of it would be.
func (s *server) activity() string {
	s.t.Helper()
	got := s.post(admin, `{ activityLog(first: 100) { edges { node { actor subject summary leaf changes { field from to } } } } }`, nil)
	if len(got.Errors) > 0 {
		s.t.Fatal(got.raw)
	}
	return got.raw
}

func (s *server) verifiesLog(t *testing.T, dsn string) {
	t.Helper()
	found, err := app.VerifyLog(t.Context(), config.Config{Data: s.data, Database: dsn, LogKey: filepath.Join(s.data, "log.key"), LogOrigin: "log.example.test"})
	if err != nil || found.Difference != nil || found.Events == 0 {
		t.Errorf("the log is verified as %+v, %v", found, err)
	}
}

// places are where the name stands: in rows, in what blobs hold, in files, and in what the database keeps of rows that are gone.
func (s *server) places(dsn string) (found []string) {
	s.t.Helper()
	for _, b := range s.db.Read().Blob.Query().AllX(auth.System(context.Background())) {
		r, err := gzip.NewReader(bytes.NewReader(b.Content))
		if err != nil {
			s.t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			s.t.Fatal(err)
		}
		if bytes.Contains(content, []byte(needle)) {
			found = append(found, "blob "+b.Digest)
		}
	}
	roots := []string{s.data}
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		roots = append(roots, filepath.Dir(path))
	} else {
		found = append(found, s.inPostgres(dsn)...)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for at := bytes.Index(b, []byte(needle)); at >= 0 && len(found) < 20; at = indexFrom(b, at+1) {
				found = append(found, fmt.Sprintf("%s at %d", filepath.Base(path), at))
			}
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return found
}

func indexFrom(b []byte, from int) int {
	if i := bytes.Index(b[from:], []byte(needle)); i >= 0 {
		return from + i
	}
	return -1
}

// inPostgres looks into every column of every table, into what the planner knows of them, and into the bytes of the files.
func (s *server) inPostgres(dsn string) (found []string) {
	s.t.Helper()
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	list := func(query string, args ...any) (out []string) {
		s.t.Helper()
		rows, err := pool.Query(query, args...)
		if err != nil {
			s.t.Fatalf("%s: %v", query, err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				s.t.Fatal(err)
			}
			out = append(out, text)
		}
		if err := rows.Err(); err != nil {
			s.t.Fatal(err)
		}
		return out
	}
	for _, query := range list(`SELECT format('SELECT %L FROM %I WHERE position($1 in %s) > 0 LIMIT 1', table_name || '.' || column_name, table_name,
		CASE data_type WHEN 'bytea' THEN format('encode(%I, ''escape'')', column_name) ELSE format('%I::text', column_name) END)
		FROM information_schema.columns WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying', 'bytea', 'json', 'jsonb')`) {
		found = append(found, list(query, needle)...)
	}
	found = append(found, list(`SELECT 'statistics of ' || tablename || '.' || attname FROM pg_stats WHERE position($1 in most_common_vals::text || coalesce(histogram_bounds::text, '')) > 0
		OR position($1 in histogram_bounds::text) > 0`, needle)...)
	if _, err := pool.Exec("CHECKPOINT"); err != nil { // what is not in files yet
		s.t.Fatal(err)
	}
	return append(found, list(`SELECT 'file of ' || relname FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm') AND relfilenode <> 0 AND (relnamespace = current_schema()::regnamespace OR relname = 'pg_statistic' OR relkind = 't')
		AND position(convert_to($1, 'UTF8') in coalesce(pg_read_binary_file(pg_relation_filepath(oid), 0, 1 << 26, true), '')) > 0`, needle)...)
}

// TestRule40_TheReasonOfAnErasureIsKeptAndNamesNobody sends what a reason must not be.
func TestRule40_TheReasonOfAnErasureIsKeptAndNamesNobody(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	for reason, want := range map[string]string{"": "BAD_USER_INPUT", "Alice asked for it.": "BAD_USER_INPUT", strings.Repeat("x", 1001): "BAD_USER_INPUT", "REQ-1": ""} {
		got := s.post(admin, erasePerson, object{"input": object{"name": "user:alice", "reason": reason}})
		if code, path := got.code(); code != want || want != "" && path != "input.reason" {
			t.Errorf("%.20q: %s", reason, got.raw)
		}
	}
	var changes struct{ Changes json.RawMessage }
	e := s.db.Read().ActivityEvent.Query().Where(activityevent.Type("PERSON_ERASED")).OnlyX(auth.System(context.Background()))
	if err := json.Unmarshal(e.Leaf, &changes); err != nil || string(changes.Changes) != `[{"field":"reason","to":"REQ-1"}]` {
		t.Errorf("the leaf says %s, %v", e.Leaf, err)
	}
}

// TestRule40_TheStartFinishesAnErasure makes an erasure unfinished, as a kill after its transaction leaves it, and starts again.
func TestRule40_TheStartFinishesAnErasure(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		if got := s.post(admin, erasePerson, object{"input": object{"name": "user:alice", "reason": "REQ-1"}}); len(got.Errors) > 0 {
			t.Fatal(got.raw)
		}
		ctx := auth.System(context.Background())
		finished := func() int { return s.db.Read().Owner.Query().Where(owner.ErasedAtNotNil()).CountX(ctx) }
		if finished() != 1 {
			t.Fatalf("%d owners are erased", finished())
		}
		if err := s.db.InTx(ctx, func(tx *db.Client) error { return tx.Owner.Update().ClearErasedAt().Exec(ctx) }); err != nil {
			t.Fatal(err)
		}
		startOn(t, dsn, s.data)
		if finished() != 1 {
			t.Error("the start did not finish it")
		}
	})
}
