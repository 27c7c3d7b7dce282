package advisory

import (
	"fmt"
	"slices"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// Level is a severity in one word.
type Level string

// The levels of CVSS 3 and 4. Unknown is what nobody has rated.
const (
	None     Level = "NONE"
	Low      Level = "LOW"
	Medium   Level = "MEDIUM"
	High     Level = "HIGH"
	Critical Level = "CRITICAL"
	Unknown  Level = "UNKNOWN"
)

// Rating is how severe a vulnerability is, and by which measure.
type Rating struct {
	Level Level
	// Score is between 0 and 10, and 0 when Version is "".
	Score float64
	// Version is that of CVSS, "2.0", "3.0", "3.1" or "4.0", and Vector its vector; "" when only a word is known.
	Version, Vector string
}

// maxVector is the longest vector that is read; CVSS 4.0 with every metric has some 200 bytes.
const maxVector = 512

// Rate scores a CVSS vector of version 2.0 to 4.0. Of versions 2 and 3 it is the base score; threat and environment are
// those of whoever asks.
func Rate(vector string) (Rating, error) {
	r := Rating{Vector: strings.TrimSpace(vector)}
	if len(r.Vector) > maxVector {
		return Rating{}, fmt.Errorf("the CVSS vector is %d bytes long; at most %d are read", len(r.Vector), maxVector)
	}
	var scored interface{ BaseScore() float64 }
	var err error
	switch {
	case strings.HasPrefix(r.Vector, "CVSS:4.0/"):
		var v *gocvss40.CVSS40
		if v, err = gocvss40.ParseVector(r.Vector); err == nil {
			r.Version, r.Score = "4.0", v.Score()
		}
	case strings.HasPrefix(r.Vector, "CVSS:3.1/"):
		r.Version = "3.1"
		scored, err = gocvss31.ParseVector(r.Vector)
	case strings.HasPrefix(r.Vector, "CVSS:3.0/"):
		r.Version = "3.0"
		scored, err = gocvss30.ParseVector(r.Vector)
	default:
		r.Version = "2.0"
		r.Vector = strings.TrimSuffix(strings.TrimPrefix(r.Vector, "("), ")")
		scored, err = gocvss20.ParseVector(r.Vector)
	}
	if err != nil {
		return Rating{}, fmt.Errorf("%q is not a CVSS vector: %w", r.Vector, err)
	}
	if scored != nil {
		r.Score = scored.BaseScore()
	}
	r.Level = levelOfScore(r.Version, r.Score)
	return r, nil
}

// levelOfScore rates as CVSS 3 and 4 do; NVD does the same for version 2, which knows neither critical nor none.
func levelOfScore(version string, score float64) Level {
	switch {
	case score >= 9 && version != "2.0":
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0 || version == "2.0":
		return Low
	}
	return None
}

// levelOf reads the words that databases and distributions use.
func levelOf(word string) Level {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return Critical
	case "high", "important":
		return High
	case "medium", "moderate":
		return Medium
	case "low", "negligible", "unimportant":
		return Low
	case "none":
		return None
	}
	return Unknown
}

// Rating is that of the newest version of CVSS that the advisory has a valid vector of, and of several the worst. Where
// the advisory as a whole has none, those of its entries count; where there is no vector at all, the worst word.
func (r Record) Rating() Rating {
	best := newest(r.Severities)
	word := worst(Unknown, levelOf(r.SeverityText), wordOf(r.Severities))
	var inEntries Rating
	for _, a := range r.Affected {
		inEntries = newer(inEntries, newest(a.Severities))
		word = worst(word, levelOf(a.SeverityText), wordOf(a.Severities))
	}
	switch {
	case best.Version != "":
		return best
	case inEntries.Version != "":
		return inEntries
	}
	return Rating{Level: word}
}

func newest(severities []Severity) Rating {
	var best Rating
	for _, s := range severities {
		if found, err := Rate(s.Score); err == nil {
			best = newer(best, found)
		}
	}
	return best
}

func newer(a, b Rating) Rating {
	if b.Version > a.Version || b.Version == a.Version && b.Score > a.Score {
		return b
	}
	return a
}

func wordOf(severities []Severity) Level {
	level := Unknown
	for _, s := range severities {
		level = worst(level, levelOf(s.Score))
	}
	return level
}

func worst(levels ...Level) Level {
	order := [...]Level{Critical, High, Medium, Low, None}
	for _, level := range order {
		if slices.Contains(levels, level) {
			return level
		}
	}
	return Unknown
}
