package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
)

const backtestUsage = `Says what a policy would have decided about what was decided already: plimsoll policy backtest NAME|--draft FILE [FLAGS]

Nothing is written. The time is asked about month by month, and what is done is told on the way; Ctrl-C ends it.

  --mode MODE      the mode that the policy would have, WARN or BLOCK (default)
  --rules A,B      the rules that it would have; without it, those it has
  --draft FILE     a policy that is not there yet: the input of createPolicy, as JSON
  --from INSTANT   such as 2026-01-31T12:00:00Z; without it, 90 days before --to
  --to INSTANT     without it, now
`

const backtestPolicy = `query BacktestPolicy($input: BacktestPolicyInput!) {
  backtestPolicy(input: $input) { evaluationsConsidered flipCount unreadable
    flips { evaluation { evalId evaluatedAt } application { key owners { ref } } version { version } was wouldBe waitedSeconds
      results { rule { name } outcome error result violations { code subject message } } } }
}`

// backtestWindow is how much time one question is about. One that has more decisions to tell than an answer holds is asked in
// halves, down to backtestSmallest, and so is one that takes longer than an answer may, down to backtestShort.
const (
	backtestWindow   = 30 * 24 * time.Hour
	backtestShort    = 24 * time.Hour
	backtestSmallest = time.Minute
)

// flip is a decision that would have been another one.
type flip struct {
	Evaluation struct {
		EvalID      string    `json:"evalId"`
		EvaluatedAt time.Time `json:"evaluatedAt"`
	} `json:"evaluation"`
	Application struct {
		Key    string `json:"key"`
		Owners []struct {
			Ref string `json:"ref"`
		} `json:"owners"`
	} `json:"application"`
	Version struct {
		Version string `json:"version"`
	} `json:"version"`
	Was           string       `json:"was"`
	WouldBe       string       `json:"wouldBe"`
	WaitedSeconds *int         `json:"waitedSeconds"`
	Results       []flipResult `json:"results"`
}

type flipResult struct {
	Rule       inside  `json:"rule"`
	Outcome    string  `json:"outcome"`
	Error      *string `json:"error"`
	Result     *string `json:"result"`
	Violations []struct {
		Code    string `json:"code"`
		Subject string `json:"subject"`
		Message string `json:"message"`
	} `json:"violations"`
}

// backtested is what came out of a back-test.
type backtested struct {
	EvaluationsConsidered int    `json:"evaluationsConsidered"`
	FlipCount             int    `json:"flipCount"`
	Unreadable            int    `json:"unreadable"`
	Flips                 []flip `json:"flips"`
	// Digest is that which the server gives when it is asked about the whole time at once; empty when it told some flips
	// by their number alone.
	Digest string `json:"digest,omitempty"`
}

// backtester asks window by window.
type backtester struct {
	env    environment
	server *client.Client
	input  map[string]any
	sum    backtested
}

func runBacktest(ctx context.Context, env environment, args []string) error {
	var r remote
	var mode, rules, draft, from, to string
	fs := remoteFlags(env, "policy backtest", &r)
	for name, value := range map[string]*string{"mode": &mode, "rules": &rules, "draft": &draft, "from": &from, "to": &to} {
		fs.StringVar(value, name, "", "")
	}
	words, err := r.parse(env, fs, backtestUsage, args)
	if err != nil {
		return err
	}
	input, err := backtestInput(words, draft, mode, rules)
	if err != nil {
		return err
	}
	begin, end, err := period(from, to, time.Now())
	if err != nil {
		return err
	}
	b := backtester{env: env, input: input, sum: backtested{Flips: []flip{}}}
	if b.server, err = r.client(); err != nil {
		return err
	}
	for at := begin; at.Before(end); at = at.Add(backtestWindow) {
		next := at.Add(backtestWindow)
		if next.After(end) {
			next = end
		}
		if err := b.ask(ctx, at, next); err != nil {
			return fmt.Errorf("back-test from %s on: %w", at.Format(time.RFC3339), err)
		}
		fmt.Fprintf(env.stderr, "until %s: %d decisions made again, %d would have been others\n", next.Format(time.RFC3339), b.sum.EvaluationsConsidered, b.sum.FlipCount)
	}
	if b.sum.FlipCount == len(b.sum.Flips) {
		if b.sum.Digest, err = b.sum.digest(); err != nil {
			return err
		}
	}
	if r.output == "json" {
		return writeJSON(env.stdout, b.sum)
	}
	return b.sum.write(env.stdout)
}

// backtestInput is what is asked, but for the time.
func backtestInput(words []string, draft, mode, rules string) (map[string]any, error) {
	input := map[string]any{}
	switch {
	case len(words) == 1 && draft == "":
		input["policy"] = words[0]
	case len(words) == 0 && draft != "":
		text, err := os.ReadFile(draft)
		if err != nil {
			return nil, fmt.Errorf("%w: --draft: %w", errWrongCall, err)
		}
		if !json.Valid(text) {
			return nil, fmt.Errorf("%w: --draft: %s is not JSON", errWrongCall, draft)
		}
		input["draft"] = json.RawMessage(text)
	default:
		return nil, fmt.Errorf("%w: give either the name of one policy, or --draft FILE", errWrongCall)
	}
	if mode != "" {
		input["mode"] = mode
	}
	if rules != "" {
		input["rules"] = strings.Split(rules, ",")
	}
	return input, nil
}

// period reads the time that is asked about.
func period(from, to string, now time.Time) (begin, end time.Time, err error) {
	read := func(flag, text string, otherwise time.Time) time.Time {
		if text == "" {
			return otherwise
		}
		at, wrong := time.Parse(time.RFC3339, text)
		if wrong != nil {
			err = fmt.Errorf("%w: --%s is an instant such as 2026-01-31T12:00:00Z, not %q", errWrongCall, flag, text)
		}
		return at.UTC()
	}
	end = read("to", to, now.UTC())
	begin = read("from", from, end.AddDate(0, 0, -90))
	if err == nil && !begin.Before(end) {
		err = fmt.Errorf("%w: --from must be before --to", errWrongCall)
	}
	return begin, end, err
}

// ask asks about a window, in halves when more is to be told than an answer holds.
func (b *backtester) ask(ctx context.Context, from, to time.Time) error {
	b.input["from"], b.input["to"] = from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano)
	var out struct{ BacktestPolicy backtested }
	op := client.Operation{Name: "BacktestPolicy", Document: backtestPolicy, Variables: map[string]any{"input": b.input}}
	err := client.Retry(ctx, pause, func() error { return stopIfLate(b.server.Ask(ctx, op, &out)) })
	late, _ := errors.AsType[*lateError](err)
	if err != nil && (late == nil || ctx.Err() != nil || to.Sub(from) <= backtestShort) {
		return err
	}
	got := out.BacktestPolicy
	if late != nil || got.FlipCount > len(got.Flips) && to.Sub(from) > backtestSmallest {
		middle := from.Add(to.Sub(from) / 2).Truncate(time.Microsecond)
		if err := b.ask(ctx, from, middle); err != nil {
			return err
		}
		return b.ask(ctx, middle, to)
	}
	b.sum.EvaluationsConsidered += got.EvaluationsConsidered
	b.sum.FlipCount += got.FlipCount
	b.sum.Unreadable += got.Unreadable
	b.sum.Flips = append(b.sum.Flips, got.Flips...)
	return nil
}

// lateError is an answer that took too long. To ask the same again would take as long.
type lateError struct{ err error }

// Error implements the error interface.
func (l *lateError) Error() string {
	return "it takes longer than an answer may; ask for less time, or when the server has less to do: " + l.err.Error()
}

// stopIfLate hides from those who try again an answer that took too long.
func stopIfLate(err error) error {
	p, answered := errors.AsType[*client.AnswerError](err)
	if errors.Is(err, context.DeadlineExceeded) || answered && strings.HasPrefix(p.Message, "gave up") {
		return &lateError{err}
	}
	return err
}

// digest is that of the report, as docs/backtest.md spells it.
func (s backtested) digest() (string, error) {
	decisions := make([]any, len(s.Flips))
	for i, f := range s.Flips {
		results := make([]any, len(f.Results))
		for k, r := range f.Results {
			results[k] = map[string]any{"rule": r.Rule.Name, "outcome": r.Outcome, "result": r.Result}
		}
		decisions[i] = map[string]any{"eval_id": f.Evaluation.EvalID, "was": f.Was, "would_be": f.WouldBe, "results": results}
	}
	b, err := canonical.JSON(map[string]any{"decisions": decisions, "evaluations": s.EvaluationsConsidered, "unreadable": s.Unreadable})
	if err != nil {
		return "", fmt.Errorf("spell the report: %w", err)
	}
	return canonical.Digest(b), nil
}

func (s backtested) write(w io.Writer) error {
	var text bytes.Buffer
	for _, f := range s.Flips {
		fmt.Fprintf(&text, "%s %s@%s %s → %s (%s)", f.Evaluation.EvaluatedAt.Format(time.RFC3339), f.Application.Key, f.Version.Version, f.Was, f.WouldBe, f.Evaluation.EvalID)
		if f.WaitedSeconds != nil {
			fmt.Fprintf(&text, ", would have waited %v", time.Duration(*f.WaitedSeconds)*time.Second)
		}
		owners := make([]string, len(f.Application.Owners))
		for i, o := range f.Application.Owners {
			owners[i] = o.Ref
		}
		fmt.Fprintf(&text, ", owned by %s\n", strings.Join(slices.Sorted(slices.Values(owners)), ", "))
		for _, r := range f.Results {
			r.write(&text)
		}
	}
	fmt.Fprintf(&text, "%d decisions made again, %d would have been others, %d could not be read\n", s.EvaluationsConsidered, s.FlipCount, s.Unreadable)
	if s.Digest != "" {
		fmt.Fprintln(&text, s.Digest)
	}
	_, err := w.Write(text.Bytes())
	return err
}

func (r flipResult) write(w io.Writer) {
	fmt.Fprintf(w, "  %s: %s\n", r.Rule.Name, r.Outcome)
	if r.Error != nil {
		fmt.Fprintf(w, "    %s\n", *r.Error)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(w, "    %s %s: %s\n", v.Code, v.Subject, v.Message)
	}
}
