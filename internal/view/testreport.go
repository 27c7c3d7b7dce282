package view

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is how one test ended.
type verdict int

const (
	good verdict = iota
	bad
	skip
)

// dialect says how a family of tools writes test reports in XML: tests within suites, which also count their tests.
type dialect struct {
	roots  []string
	suites []string
	test   string
	// total, failed and skipped are the attributes of suites that are added up; took is their duration in seconds.
	total, failed, skipped, took []string
	// verdict tells how a test ended by its attributes; what stands inside it can only make it worse.
	verdict func(t *tag) verdict
	// bad and skip are the elements within a test that say so, message the one within them that says why.
	bad, skip []string
	message   string
	// suite is the attribute of a test that names where it belongs.
	suite string
	// tool tells what wrote the report, by a suite or what stands in it.
	tool func(t *tag) string
}

// tally is what was counted within a suite, and what it says itself.
type tally struct{ total, failed, skipped, ms int64 }

func (t *tally) add(u tally) {
	t.total, t.failed, t.skipped, t.ms = t.total+u.total, t.failed+u.failed, t.skipped+u.skipped, t.ms+u.ms
}

// with takes what a suite says beside what was counted in it, the larger of each: reports without single tests only say,
// others forget to, and some count the tests of inner suites while others leave them to those. Of durations the suite's
// own counts, since tests run beside each other.
func (t tally) with(said tally) tally {
	t.failed, t.skipped = max(t.failed, said.failed), max(t.skipped, said.skipped)
	t.total = max(t.total, said.total, t.failed+t.skipped)
	if said.ms > 0 {
		t.ms = said.ms
	}
	return t
}

// tests makes the view of a run that passed unless a test failed.
func (t tally) tests(tool string, failures []Failure) (*Tests, error) {
	if t.total > maxCount {
		return nil, fmt.Errorf("the document counts %d tests in all; at most %d are believed", t.total, maxCount)
	}
	if t.ms > maxMilliseconds {
		return nil, fmt.Errorf("the document says that its tests took %d milliseconds in all; at most %d are believed", t.ms, int64(maxMilliseconds))
	}
	v := &Tests{
		Tool: scanText(tool), Result: Passed, Total: int(t.total), Passed: int(t.total - t.failed - t.skipped),
		Failed: int(t.failed), Skipped: int(t.skipped), DurationMs: t.ms, Failures: failures,
	}
	if t.failed > 0 {
		v.Result = Failed
	}
	return v, nil
}

// read reads a report of the dialect.
func (d dialect) read(content []byte) (View, error) {
	r := &reportReader{dialect: d, failures: []Failure{}, tallies: []tally{{}}}
	if err := walkXML(content, d.roots, visitor{start: r.start, end: r.end}); err != nil {
		return View{}, err
	}
	tests, err := r.tallies[0].tests(r.named, r.failures)
	if err != nil {
		return View{}, err
	}
	return View{Tests: tests}, nil
}

type reportReader struct {
	dialect
	named    string
	failures []Failure
	tallies  []tally // of the suites that are open, below them the whole
	verdict  verdict // of the test that is open
	why      string
	testAt   int // how many elements are open with the test; 0 outside of one
}

func (r *reportReader) start(open []*tag) error {
	t := open[len(open)-1]
	if r.named == "" && r.tool != nil {
		r.named = r.tool(t)
	}
	switch {
	case r.testAt > 0:
		if len(open) == r.testAt+1 && slices.Contains(r.bad, t.name) {
			r.verdict = bad
		}
		if len(open) == r.testAt+1 && slices.Contains(r.skip, t.name) && r.verdict != bad {
			r.verdict = skip
		}
	case t.name == r.test:
		r.testAt, r.verdict, r.why = len(open), r.dialect.verdict(t), ""
	case slices.Contains(r.suites, t.name):
		r.tallies = append(r.tallies, tally{})
	}
	return nil
}

func (r *reportReader) end(open []*tag) error {
	t := open[len(open)-1]
	switch {
	case r.testAt == len(open):
		r.testAt = 0
		return r.endTest(open)
	case r.testAt > 0:
		inside := open[r.testAt].name
		if r.why == "" && slices.Contains(r.bad, inside) && (len(open) == r.testAt+1 || t.name == r.message) {
			r.why = firstOf(t.attr("message"), t.words(), t.attr("type"))
		}
	case slices.Contains(r.suites, t.name):
		said, err := r.said(t)
		if err != nil {
			return err
		}
		last := len(r.tallies) - 1
		done := r.tallies[last].with(said)
		r.tallies = r.tallies[:last]
		r.tallies[last-1].add(done)
	}
	return nil
}

func (r *reportReader) endTest(open []*tag) error {
	t := open[len(open)-1]
	counted := tally{total: 1}
	var err error
	if counted.ms, err = r.duration(t); err != nil {
		return err
	}
	switch r.verdict {
	case good:
	case skip:
		counted.skipped = 1
	case bad:
		counted.failed = 1
		if len(r.failures) < MaxEntries {
			suite := ""
			if len(open) > 1 {
				suite = open[len(open)-2].attr("name")
			}
			r.failures = append(r.failures, Failure{Suite: scanText(firstOf(t.attr(r.suite), suite)), Name: scanText(t.attr("name")), Message: scanText(r.why)})
		}
	}
	r.tallies[len(r.tallies)-1].add(counted)
	return nil
}

// said is what a suite says of itself.
func (r *reportReader) said(t *tag) (said tally, err error) {
	for _, c := range []struct {
		into  *int64
		attrs []string
	}{{&said.total, r.total}, {&said.failed, r.failed}, {&said.skipped, r.skipped}} {
		for _, name := range c.attrs {
			value := t.attr(name)
			if value == "" {
				continue
			}
			n, err := readCount(t.name+"/@"+name, value)
			if err != nil {
				return tally{}, err
			}
			*c.into += int64(n)
		}
	}
	said.ms, err = r.duration(t)
	return said, err
}

func (r *reportReader) duration(t *tag) (int64, error) {
	for _, name := range r.took {
		// NUnit 2 gives its root the time of the day.
		if value := t.attr(name); value != "" && !strings.Contains(value, ":") {
			return readSeconds(t.name+"/@"+name, value)
		}
	}
	return 0, nil
}

// firstOf gives the first text that says something.
func firstOf(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}
