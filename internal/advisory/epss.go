package advisory

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxEPSS is the largest table of exploit prediction scores that is read, in bytes when unpacked. In 2026 it has 11 MB.
	MaxEPSS     = 256 << 20
	maxEPSSLine = 1024
)

// EPSS says how likely a vulnerability is to be exploited within 30 days, as FIRST says.
type EPSS struct {
	CVE string
	// Score is the probability and Percentile the share of vulnerabilities with the same or a lower one, from 0 to 1.
	Score, Percentile float64
}

// EPSSModel says by which model and of which day the scores are.
type EPSSModel struct {
	Version string
	Date    time.Time // in UTC
}

// ParseEPSS reads the table as FIRST publishes it, in CSV, packed by gzip or not, line by line, and hands each score to
// the function, whose error ends the reading and is returned. Other errors name the line; scores before it were handed
// over by then.
func ParseEPSS(in io.Reader, each func(EPSS) error) (EPSSModel, error) {
	model, line, err := parseEPSS(in, each)
	if err != nil {
		return EPSSModel{}, fmt.Errorf("the exploit prediction scores cannot be read: line %d: %w", line, err)
	}
	return model, nil
}

func parseEPSS(in io.Reader, each func(EPSS) error) (model EPSSModel, line int, err error) {
	raw := bufio.NewReader(&bounded{in: in, left: MaxEPSS, limit: MaxEPSS})
	if magic, _ := raw.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		packed, err := gzip.NewReader(raw)
		if err != nil {
			return model, 1, err
		}
		raw = bufio.NewReader(&bounded{in: packed, left: MaxEPSS, limit: MaxEPSS})
	}
	lines := bufio.NewScanner(raw)
	lines.Buffer(make([]byte, maxEPSSLine), maxEPSSLine)
	headed := false
	for lines.Scan() {
		line++
		text := strings.TrimRight(lines.Text(), " \t\r")
		switch {
		case line == 1 && strings.HasPrefix(text, "#"):
			model, err = epssModel(text)
		case !headed:
			if headed = text == "cve,epss,percentile"; !headed {
				err = fmt.Errorf("expected the heading cve,epss,percentile, not %q", cut(strings.ToValidUTF8(text, "?"), 64))
			}
		default:
			var score EPSS
			if score, err = epssScore(text); err == nil {
				err = each(score)
			}
		}
		if err != nil {
			return model, line, err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return model, line + 1, fmt.Errorf("it is longer than %d bytes", maxEPSSLine-1)
	case err != nil:
		return model, line + 1, err
	case !headed:
		return model, line + 1, errors.New("expected the heading cve,epss,percentile, found the end")
	}
	return model, line, nil
}

// epssModel reads a line such as #model_version:v2025.03.14,score_date:2026-08-20T12:55:00Z.
func epssModel(text string) (EPSSModel, error) {
	var m EPSSModel
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "#"), ",") {
		key, value, _ := strings.Cut(part, ":")
		switch key {
		case "model_version":
			m.Version = visible(strings.ToValidUTF8(value, ""))
		case "score_date":
			date, err := time.Parse("2006-01-02T15:04:05Z0700", value)
			if err != nil {
				date, err = time.Parse(time.RFC3339, value)
			}
			if err != nil {
				return m, fmt.Errorf("score_date: must be a time like 2006-01-02T15:04:05Z, not %q", value)
			}
			m.Date = date.UTC()
		}
	}
	return m, nil
}

func epssScore(text string) (EPSS, error) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return EPSS{}, fmt.Errorf("expected 3 fields, found %d", len(fields))
	}
	if !cveID.MatchString(fields[0]) {
		return EPSS{}, fmt.Errorf("%q is not the id of a CVE", fields[0])
	}
	score, err := share("epss", fields[1])
	if err != nil {
		return EPSS{}, err
	}
	percentile, err := share("percentile", fields[2])
	return EPSS{CVE: fields[0], Score: score, Percentile: percentile}, err
}

func share(name, text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 1) {
		return 0, fmt.Errorf("%s: must be a number between 0 and 1, not %q", name, text)
	}
	return n, nil
}
