package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
)

const backtest = `query($input: BacktestPolicyInput!) { backtestPolicy(input: $input) { evaluationsConsidered flipCount unreadable digest } }`

// BenchmarkBacktest makes decisions again over the API, with one rule and with five, on about 500 components, which are others
// in every decision, so that nothing is read twice. EVALUATIONS says how many; the bound is 10,000 within a minute on two cores.
func BenchmarkBacktest(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("EVALUATIONS"))
	if err != nil {
		n = 1000
	}
	s := newService(b)
	s.settle()
	s.guard("DEV", "ENTRY")
	s.do("createApplicationVersion", "CreateApplicationVersionInput", object{"applicationKey": "gateway", "version": "1.0", "sources": object{"artifacts": s.bills()}})
	s.do("promoteApplicationVersion", "PromoteApplicationVersionInput", object{"applicationKey": "gateway", "version": "1.0", "toStage": "DEV"})
	s.recordAgain(n - 1)
	for name, rules := range map[string][]string{"one-rule": {"DEV-ENTRY-2"}, "five-rules": nil} {
		input := object{"policy": "DEV-ENTRY", "to": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
		if rules != nil {
			input["rules"] = rules
		}
		b.Run(name, func(b *testing.B) {
			var first []byte
			for b.Loop() {
				said := s.send(request(b, backtest, object{"input": input}))
				if first == nil {
					first = said
				}
				if !bytes.Equal(said, first) || !bytes.Contains(said, fmt.Appendf(nil, `"evaluationsConsidered":%d,"flipCount":%d,"unreadable":0`, n, n)) {
					b.Fatalf("%s, and first %s", said, first)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/decision")
		})
	}
}

// recordAgain records the one decision that there is so many times more, each with components of its own.
func (s *service) recordAgain(n int) {
	s.b.Helper()
	ctx := auth.System(context.Background())
	beside, err := store.Open(ctx, s.dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		s.b.Fatal(err)
	}
	defer beside.Close()
	row := beside.Read().Evaluation.Query().OnlyX(ctx)
	var refs []struct {
		Key    string `json:"key"`
		Digest string `json:"digest"`
	}
	read(s.b, []byte(row.InputParts), &refs)
	parts := make([][]byte, len(refs))
	for i, ref := range refs {
		if parts[i], err = beside.Blob(ctx, ref.Digest); err != nil {
			s.b.Fatal(err)
		}
	}
	for from := 0; from < n; from += 200 {
		var rows []*db.EvaluationCreate
		var packed []store.Packed
		err := beside.InTx(ctx, func(tx *db.Client) error {
			for i := from; i < min(n, from+200); i++ {
				var doc bytes.Buffer
				for k, ref := range refs {
					text := parts[k]
					if ref.Key == "components" || ref.Key == "version" {
						text = bytes.Replace(text, []byte(`"version":"`), fmt.Appendf(nil, `"version":"%d.`, i), 1)
						p, err := store.Pack(text)
						if err != nil {
							return err
						}
						refs[k].Digest, packed = p.Digest, append(packed, p)
					}
					fmt.Fprintf(&doc, `%c%q:%s`, "{,"[min(k, 1)], ref.Key, text)
				}
				doc.WriteByte('}')
				named, err := json.Marshal(refs)
				if err != nil {
					return err
				}
				rows = append(rows, again(tx, row, i, canonical.Digest(doc.Bytes()), string(named)))
			}
			if err := beside.PutBlobs(ctx, tx, packed); err != nil {
				return err
			}
			return tx.Evaluation.CreateBulk(rows...).Exec(ctx)
		})
		if err != nil {
			s.b.Fatal(err)
		}
	}
}

func again(tx *db.Client, e *db.Evaluation, i int, digest, parts string) *db.EvaluationCreate {
	return tx.Evaluation.Create().SetEvalID(fmt.Sprintf("eval-again-%d", i)).SetStageName(e.StageName).SetGateKind(e.GateKind).
		SetDecision(e.Decision).SetExplanation(e.Explanation).SetEvaluatedAt(e.EvaluatedAt.Add(time.Duration(i) * time.Millisecond)).SetInputDigest(digest).
		SetInputParts(parts).SetCapabilitiesDigest(e.CapabilitiesDigest).SetPolicies(e.Policies).SetFeeds(e.Feeds).SetWaivers(e.Waivers).
		SetResultsDigest(e.ResultsDigest).SetProjectID(e.ProjectID).SetVersionID(e.VersionID).SetPromotionID(e.PromotionID)
}
