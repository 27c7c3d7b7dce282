package bench_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/rego"
)

const promote = `mutation($input: PromoteApplicationVersionInput!) { promoteApplicationVersion(input: $input) { promotion { status } evaluations { evalId decision } } }`

// BenchmarkPromote is one promotion over the API, durable when it is answered: two gates of five rules over about 500
// components. Its bound is the same ten evaluations, prepared, over the same parsed inputs, and nothing else.
func BenchmarkPromote(b *testing.B) {
	s := newService(b)
	s.settle()
	artifacts := s.bills()
	s.guard("DEV", "EXIT")
	s.guard("QA", "ENTRY")
	made := 0
	fresh := func() string {
		made++
		version := fmt.Sprintf("1.%d", made)
		s.do("createApplicationVersion", "CreateApplicationVersionInput", object{"applicationKey": "gateway", "version": version, "sources": object{"artifacts": artifacts}})
		s.do("promoteApplicationVersion", "PromoteApplicationVersionInput", object{"applicationKey": "gateway", "version": version, "toStage": "DEV"})
		return version
	}
	move := func(version string) []byte {
		return s.send(request(b, promote, object{"input": object{"applicationKey": "gateway", "version": version, "toStage": "QA"}}))
	}
	var bound time.Duration
	b.Run("opa-alone", func(b *testing.B) {
		evaluations := recorded(b, s, move(fresh()), 10)
		for b.Loop() {
			for _, e := range evaluations {
				if _, err := e.policy.Evaluate(b.Context(), e.input, rego.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		}
		bound = b.Elapsed() / time.Duration(b.N)
	})
	b.Run("plimsoll", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			version := fresh()
			b.StartTimer()
			move(version)
		}
		if bound > 0 {
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(bound), "×opa")
		}
	})
}

// evaluation is one rule over one input, both prepared.
type evaluation struct {
	policy *rego.Policy
	input  rego.Input
}

// recorded prepares the evaluations of a promotion, so many, from what the API says of them.
func recorded(b *testing.B, s *service, promoted []byte, want int) []evaluation {
	b.Helper()
	var got struct {
		Data struct {
			PromoteApplicationVersion struct{ Evaluations []struct{ EvalID string } }
		}
	}
	read(b, promoted, &got)
	sources := s.sources()
	var out []evaluation
	for _, e := range got.Data.PromoteApplicationVersion.Evaluations {
		var detail struct {
			Data struct {
				Evaluation struct {
					Input   string
					Results []struct {
						Rule struct {
							Template   string
							Parameters json.RawMessage
						}
					}
				}
			}
		}
		read(b, s.send(request(b, `query($id: String!) { evaluation(evalId: $id) { input results { rule { template parameters } } } }`, object{"id": e.EvalID})), &detail)
		var parts map[string]json.RawMessage
		read(b, []byte(detail.Data.Evaluation.Input), &parts)
		values := map[string]rego.Value{}
		for key, raw := range parts {
			v, err := rego.ParseValue(raw)
			if err != nil {
				b.Fatal(err)
			}
			values[key] = v
		}
		for _, r := range detail.Data.Evaluation.Results {
			p, err := rego.Compile(b.Context(), []byte(sources[r.Rule.Template]), r.Rule.Parameters)
			if err != nil {
				b.Fatal(err)
			}
			out = append(out, evaluation{p, rego.NewInput(values)})
		}
	}
	if len(out) != want {
		b.Fatalf("%d evaluations, want %d", len(out), want)
	}
	return out
}

// sources returns the Rego of every template.
func (s *service) sources() map[string]string {
	s.b.Helper()
	var got struct {
		Data struct {
			PolicyTemplates struct {
				Edges []struct{ Node struct{ Name, Rego string } }
			}
		}
	}
	read(s.b, s.send(request(s.b, `{ policyTemplates { edges { node { name rego } } } }`, nil)), &got)
	sources := map[string]string{}
	for _, e := range got.Data.PolicyTemplates.Edges {
		sources[e.Node.Name] = e.Node.Rego
	}
	return sources
}

func read(b testing.TB, raw []byte, into any) {
	b.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		b.Fatalf("%v in %.300s", err, raw)
	}
}
