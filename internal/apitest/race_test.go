package apitest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/policies"
)

// together runs n requests at the same time and returns their answers.
func together(n int, send func(i int) answer) []answer {
	answers := make([]answer, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			answers[i] = send(i)
		})
	}
	close(start)
	done.Wait()
	return answers
}

func TestRule14_OfEightPromotionsAtOnceOneWins(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0.0")
		document := contract(t, "Promote")
		won := 0
		for _, a := range together(8, func(int) answer {
			return s.post(admin, document, object{"input": object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"}})
		}) {
			if len(a.Errors) == 0 {
				won++
				continue
			}
			if code, _ := a.code(); code != "CONFLICT" || a.Errors[0].Extensions["currentStage"] != "DEV" {
				t.Errorf("a loser is told %s", a.raw)
			}
		}
		ctx := auth.System(context.Background())
		promotions := s.db.Read().Promotion.Query().CountX(ctx)
		events := s.db.Read().ActivityEvent.Query().Where(activityevent.Type("VERSION_PROMOTED")).CountX(ctx)
		evaluations := s.db.Read().Evaluation.Query().CountX(ctx)
		if won != 1 || promotions != 1 || events != 1 || evaluations != 1 {
			t.Errorf("%d won, with %d promotions, %d events and %d evaluations", won, promotions, events, evaluations)
		}
	})
}

func TestRule35_TheSameEvidenceEightTimesAtOnceIsOneRecord(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		envelope, document := signed(t, ci, provenance, object{}, image), contract(t, "SubmitEvidence")
		known, ids := 0, map[any]bool{}
		for _, a := range together(8, func(int) answer {
			return s.post(admin, document, object{"input": object{"envelope": envelope}})
		}) {
			if len(a.Errors) > 0 {
				t.Fatal(a.raw)
			}
			ids[a.at(t, "submitEvidence", "evidence", "id")] = true
			if a.at(t, "submitEvidence", "alreadyKnown") == true {
				known++
			}
		}
		if len(ids) != 1 || known != 7 {
			t.Errorf("%d records, %d times known already", len(ids), known)
		}
	})
}

func TestTwoServersOnOnePostgresServeOneOrganisation(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Postgres: run make test")
	}
	dsn := testdb.Postgres(t)
	data := t.TempDir()
	servers := []*server{startOn(t, dsn, data), startOn(t, dsn, data)}
	servers[0].settle("payments", "gateway")
	servers[1].report("gateway", "1.0.0")
	document := contract(t, "Promote")
	won := 0
	for _, a := range together(8, func(i int) answer {
		return servers[i%2].post(admin, document, object{"input": object{"applicationKey": "gateway", "version": "1.0.0", "toStage": "DEV"}})
	}) {
		if code, _ := a.code(); code == "" {
			won++
		} else if code != "CONFLICT" {
			t.Errorf("a loser is told %s", a.raw)
		}
	}
	if won != 1 {
		t.Errorf("%d of 8 promotions through two servers won", won)
	}
	builtin, err := policies.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if n := servers[1].db.Read().PolicyTemplate.Query().CountX(auth.System(context.Background())); n != len(builtin) {
		t.Errorf("%d templates were installed by two servers, want %d", n, len(builtin))
	}
}
