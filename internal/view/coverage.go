package view

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// measured makes the view of a report that only says what was covered.
func measured(tool string, c Coverage) (View, error) {
	for _, n := range []struct {
		what         string
		all, covered int
	}{{"lines", c.Lines, c.LinesCovered}, {"branches", c.Branches, c.BranchesCovered}} {
		switch {
		case n.all > maxCount:
			return View{}, fmt.Errorf("the document counts %d %s; at most %d are believed", n.all, n.what, maxCount)
		case n.covered > n.all:
			return View{}, fmt.Errorf("the document says that %d of %d %s are covered", n.covered, n.all, n.what)
		}
	}
	return View{Tests: &Tests{Tool: tool, Result: Passed, Failures: []Failure{}, Coverage: &c}}, nil
}

// readJaCoCo reads the counters of the whole report, which stand right inside its root.
func readJaCoCo(content []byte) (View, error) {
	var c Coverage
	found := false
	start := func(open []*tag) error {
		t := open[len(open)-1]
		kind := t.attr("type")
		if len(open) != 2 || t.name != "counter" || kind != "LINE" && kind != "BRANCH" {
			return nil
		}
		missed, err := readCount("counter/@missed", t.attr("missed"))
		if err != nil {
			return err
		}
		covered, err := readCount("counter/@covered", t.attr("covered"))
		if err != nil {
			return err
		}
		if found = true; kind == "LINE" {
			c.Lines, c.LinesCovered = missed+covered, covered
		} else {
			c.Branches, c.BranchesCovered = missed+covered, covered
		}
		return nil
	}
	if err := walkXML(content, []string{"report"}, visitor{start: start, end: ignoreEnd}); err != nil {
		return View{}, err
	}
	if !found {
		return View{}, errors.New("report: has no counter of LINE or BRANCH, so that it measures nothing")
	}
	return measured("JaCoCo", c)
}

func ignoreEnd([]*tag) error { return nil }

// conditions is how Cobertura counts the branches of a line: 50% (1/2).
var conditions = regexp.MustCompile(`\((\d+)/(\d+)\)`)

// readCobertura reads the totals of the root; the first versions had none, so that the lines of the classes are counted.
func readCobertura(content []byte) (View, error) {
	var said, counted Coverage
	totals := false
	start := func(open []*tag) (err error) {
		t := open[len(open)-1]
		switch {
		case len(open) == 1:
			if t.attr("line-rate") == "" && t.attr("lines-valid") == "" {
				return errors.New("the root says neither line-rate nor lines-valid: this is not Cobertura's")
			}
			totals = t.attr("lines-valid") != ""
			said, err = coberturaTotals(t)
			return err
		// The lines of methods are among those of their class too.
		case t.name == "line" && len(open) > 2 && open[len(open)-3].name == "class":
			return counted.countLine(t)
		}
		return nil
	}
	if err := walkXML(content, []string{"coverage"}, visitor{start: start, end: ignoreEnd}); err != nil {
		return View{}, err
	}
	if totals {
		return measured("", said)
	}
	return measured("", counted)
}

func coberturaTotals(t *tag) (c Coverage, err error) {
	for _, n := range []struct {
		into *int
		name string
	}{
		{&c.Lines, "lines-valid"},
		{&c.LinesCovered, "lines-covered"},
		{&c.Branches, "branches-valid"},
		{&c.BranchesCovered, "branches-covered"},
	} {
		if value := t.attr(n.name); value != "" {
			if *n.into, err = readCount("coverage/@"+n.name, value); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

func (c *Coverage) countLine(t *tag) error {
	c.Lines++
	if hits := strings.Trim(t.attr("hits"), "0"); hits != "" && !strings.HasPrefix(hits, "-") {
		c.LinesCovered++
	}
	m := conditions.FindStringSubmatch(t.attr("condition-coverage"))
	if m == nil {
		return nil
	}
	covered, err := readCount("line/@condition-coverage", m[1])
	if err != nil {
		return err
	}
	all, err := readCount("line/@condition-coverage", m[2])
	c.Branches, c.BranchesCovered = c.Branches+all, c.BranchesCovered+covered
	return err
}

// readLCOV adds up the totals of each file. A file without totals is counted by its lines and branches.
func readLCOV(content []byte) (View, error) {
	if err := refusePacked(content); err != nil {
		return View{}, err
	}
	var sum Coverage
	var said, counted Coverage // of the file that is open
	within, files, number := false, 0, 0
	for line := range bytes.Lines(withoutMark(content)) {
		number++
		name, value, _ := strings.Cut(strings.TrimSpace(string(line[:min(len(line), MaxText)])), ":")
		var err error
		switch {
		case name == "SF" && within:
			err = errors.New("a file begins before end_of_record ends the one before")
		case name == "SF":
			within, said, counted = true, Coverage{}, Coverage{}
		case name == "end_of_record" && within:
			within = false
			files++
			sum.addFile(said, counted)
		case within:
			err = lcovLine(name, value, &said, &counted)
		}
		if err != nil {
			return View{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if within || files == 0 {
		return View{}, errors.New("there is no end_of_record: this is no LCOV, or its end is missing")
	}
	return measured("", sum)
}

func (c *Coverage) addFile(said, counted Coverage) {
	if said.Lines == 0 {
		said.Lines, said.LinesCovered = counted.Lines, counted.LinesCovered
	}
	if said.Branches == 0 {
		said.Branches, said.BranchesCovered = counted.Branches, counted.BranchesCovered
	}
	c.Lines, c.LinesCovered = c.Lines+said.Lines, c.LinesCovered+said.LinesCovered
	c.Branches, c.BranchesCovered = c.Branches+said.Branches, c.BranchesCovered+said.BranchesCovered
}

func lcovLine(name, value string, said, counted *Coverage) (err error) {
	switch name {
	case "LF":
		said.Lines, err = readCount(name, value)
	case "LH":
		said.LinesCovered, err = readCount(name, value)
	case "BRF":
		said.Branches, err = readCount(name, value)
	case "BRH":
		said.BranchesCovered, err = readCount(name, value)
	case "DA":
		counted.Lines++
		_, hits, _ := strings.Cut(value, ",")
		if hits, _, _ = strings.Cut(hits, ","); hits != "0" && hits != "" && hits[0] != '-' {
			counted.LinesCovered++
		}
	case "BRDA":
		counted.Branches++
		if taken := value[strings.LastIndexByte(value, ',')+1:]; taken != "0" && taken != "-" {
			counted.BranchesCovered++
		}
	}
	return err
}
