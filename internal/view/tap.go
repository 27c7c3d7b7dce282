package view

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	tapVersion = regexp.MustCompile(`^TAP version 1[234]\s*$`)
	tapPlan    = regexp.MustCompile(`^1\.\.(\d+)\s*(?:#.*)?$`)
	tapPoint   = regexp.MustCompile(`^(ok|not ok)(?:[ \t]+(\d+))?(?:[ \t]+(?:-[ \t]*)?(.*))?$`)
	// tapDirective is what follows the description of a test; a # that is part of one is written \#.
	tapDirective = regexp.MustCompile(`(?i)(?:^|[^\\])#\s*(skip|todo)\b`)
)

// readTAP reads the Test Anything Protocol, versions 12 to 14. Tests within tests are indented and are summed up by the
// one that follows them. A run that does not keep to its plan failed.
func readTAP(content []byte) (View, error) {
	if err := refusePacked(content); err != nil {
		return View{}, err
	}
	r := tapReader{failures: []Failure{}}
	number := 0
	for line := range bytes.Lines(withoutMark(content)) {
		number++
		if err := r.line(bytes.TrimRight(line, "\r\n")); err != nil {
			return View{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	switch {
	case !r.planned && !r.bailed:
		return View{}, errors.New("there is no plan such as 1..5: this is no TAP, or its end is missing")
	case r.planned && !r.bailed && r.total != int64(r.plan):
		r.fail("", fmt.Sprintf("%d tests were planned, %d ran", r.plan, r.total))
		// The tests that did not run failed, and a test too many is one thing that failed more.
		missing := max(int64(r.plan)-r.total, 0)
		r.total += missing
		r.failed = min(r.failed+max(missing, 1), r.total)
	}
	tests, err := r.with(tally{}).tests("", r.failures)
	if err != nil {
		return View{}, err
	}
	if r.broken {
		tests.Result = Failed
	}
	return View{Tests: tests}, nil
}

type tapReader struct {
	tally
	failures []Failure
	plan     int
	planned  bool
	bailed   bool
	broken   bool
}

func (r *tapReader) fail(name, message string) {
	r.broken = true
	if len(r.failures) < MaxEntries {
		r.failures = append(r.failures, Failure{Name: scanText(name), Message: scanText(message)})
	}
}

func (r *tapReader) line(line []byte) error {
	if r.bailed {
		return nil
	}
	if plan := tapPlan.FindSubmatch(line); plan != nil {
		if r.planned {
			return errors.New("there is a second plan")
		}
		n, err := readCount("the plan", string(plan[1]))
		r.plan, r.planned = n, true
		return err
	}
	if reason, ok := bytes.CutPrefix(line, []byte("Bail out!")); ok {
		r.bailed = true
		r.total++
		r.failed++
		r.fail("", "Bail out!"+string(reason))
		return nil
	}
	point := tapPoint.FindSubmatch(line)
	if point == nil {
		return nil // a comment, a diagnostic, or what the program under test wrote
	}
	r.total++
	description, directive := string(point[3]), ""
	if at := tapDirective.FindStringSubmatchIndex(description); at != nil {
		directive = strings.ToLower(description[at[2]:at[3]])
		description = description[:at[0]]
	}
	failed := string(point[1]) == "not ok"
	switch {
	case directive == "skip", directive == "todo" && failed:
		r.skipped++
	case failed:
		r.failed++
		r.fail(strings.TrimSpace(description), "")
	}
	return nil
}
