package apitest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/issuance"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestAPassportOfMuchAsksNoMoreThanOneOfLittle counts statements of SQL: of a release with one piece of evidence, and of one
// with forty and many moves.
func TestAPassportOfMuchAsksNoMoreThanOneOfLittle(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		released := func(version string, pieces, rounds int) string {
			manifest := s.report("gateway", version)
			for i := range pieces {
				s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, testResult, object{"result": "PASSED", "run": i}, manifest)})
			}
			for range rounds {
				s.move(version, "DEV", "COMPLETED")
				s.must(admin, "Rollback", object{"applicationKey": "gateway", "version": version, "fromStage": "DEV", "reason": "once more"})
			}
			for _, to := range []string{"DEV", "QA"} {
				s.move(version, to, "COMPLETED")
			}
			s.must(admin, "Release", object{"applicationKey": "gateway", "version": version})
			return manifest
		}
		little, much := released("1.0.0", 1, 0), released("2.0.0", 40, 8)
		s.inTree()
		issuing := s.issuing(dsn)
		reader := auth.With(t.Context(), auth.Principal{Name: "ada", Grants: []auth.Grant{{Role: auth.Auditor}}})
		count := func(digest string, files *int) int {
			return len(testdb.Plans(reader, t, dsn, func(ctx context.Context) error {
				p, err := issuing.Issue(ctx, digest, nil)
				if err != nil {
					return err
				}
				p.Close()
				var packed bytes.Buffer
				if err := p.Write(reader, &packed); err != nil { // it reads each piece by itself
					return err
				}
				content, _ := unpacked(t, packed.Bytes())
				*files = len(content)
				return nil
			}))
		}
		var few, many int
		one, all := count(little, &few), count(much, &many)
		if one != all || many < few+2*39 {
			t.Errorf("%d statements of SQL for %d files, %d for %d", one, few, all, many)
		}
		var held []*issuance.Passport
		for range 8 {
			p, err := issuing.Issue(reader, little, nil)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, p)
		}
		if _, err := issuing.Issue(reader, little, nil); err == nil {
			t.Error("any number of passports is made at once")
		} else if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.ResourceExhausted {
			t.Errorf("the ninth at once: %v", err)
		}
		for _, p := range held {
			p.Close()
		}
		testdb.NoScans(reader, t, dsn, func(ctx context.Context) error {
			p, err := issuing.Issue(ctx, much, nil)
			if err == nil {
				p.Close()
			}
			return err
		}, "trust_anchors", "signing_keys", "log_checkpoints", "projects", "applications", "policy_templates")
	})
}

// issuing is what issues passports, on the server's database.
func (s *server) issuing(dsn string) *issuance.Service {
	s.t.Helper()
	cfg := config.Config{
		Data: s.data, Database: dsn, ReleaseKey: filepath.Join(s.data, "release.key"), LogKey: filepath.Join(s.data, "log.key"), LogOrigin: "log.example.test",
		VerifierID: "https://example.test/verifier", BootstrapToken: admin,
	}
	a, err := app.New(s.t.Context(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		s.t.Fatal(fmt.Errorf("start a second server: %w", err))
	}
	s.t.Cleanup(func() {
		if err := a.Close(); err != nil {
			s.t.Error(err)
		}
	})
	with := a.Services()
	return issuance.New(s.db, with.Versions, with.Gates, with.Evidence, with.Tree, cfg.VerifierID, time.Now)
}
