package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// severityOf reads the words that scanners and distributions use.
func severityOf(word string) Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return Critical
	case "high", "important":
		return High
	case "medium", "moderate":
		return Medium
	case "low":
		return Low
	case "negligible", "none", "info", "informational":
		return Negligible
	}
	return Unknown
}

// severityOfScore rates a CVSS score (CVSS v3.1, section 5). Zero is what nobody has scored.
func severityOfScore(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	}
	return Unknown
}

// severityRank orders severities, worst first.
func severityRank(s Severity) int {
	return slices.Index([]Severity{Critical, High, Medium, Low, Negligible, Unknown}, s)
}

// score bounds a CVSS score to what the standard allows; 0 for anything else.
func score(n float64) float64 {
	if n > 0 && n <= 10 {
		return n
	}
	return 0
}

// cvssScore reads a CVSS vector of version 2, 3 or 4, or a plain number, and gives the base score; 0 when it is neither.
func cvssScore(s string) float64 {
	s = strings.TrimSpace(s)
	switch {
	case len(s) > MaxText:
		return 0
	case strings.HasPrefix(s, "CVSS:4.0/"):
		if v, err := gocvss40.ParseVector(s); err == nil {
			return score(v.Score())
		}
	case strings.HasPrefix(s, "CVSS:3.1/"):
		if v, err := gocvss31.ParseVector(s); err == nil {
			return score(v.BaseScore())
		}
	case strings.HasPrefix(s, "CVSS:3.0/"):
		if v, err := gocvss30.ParseVector(s); err == nil {
			return score(v.BaseScore())
		}
	case strings.HasPrefix(s, "AV:"):
		if v, err := gocvss20.ParseVector(s); err == nil {
			return score(v.BaseScore())
		}
	default:
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return score(n)
		}
	}
	return 0
}

// add counts a finding and keeps it, until sorted.
func (v *Vulnerabilities) add(f VulnerabilityFinding) {
	switch f.Severity {
	case Critical:
		v.Counts.Critical++
	case High:
		v.Counts.High++
	case Medium:
		v.Counts.Medium++
	case Low:
		v.Counts.Low++
	case Negligible:
		v.Counts.Negligible++
	case Unknown:
		v.Counts.Unknown++
	}
	f.ID, f.Package, f.Version = scanText(f.ID), scanText(f.Package), scanText(f.Version)
	f.PURL = scanPURL(f.PURL)
	f.Aliases = scanTexts(slices.DeleteFunc(slices.Clone(f.Aliases), func(a string) bool { return a == f.ID }))
	f.FixedVersions = scanTexts(f.FixedVersions)
	v.Findings = append(v.Findings, f)
}

// sorted gives the view of what was added: the worst first, cut at MaxEntries.
func (v *Vulnerabilities) sorted() View {
	v.Scanner, v.ScannerVersion = scanText(v.Scanner), scanText(v.ScannerVersion)
	slices.SortStableFunc(v.Findings, func(a, b VulnerabilityFinding) int {
		return cmp.Or(
			cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Package, b.Package), cmp.Compare(a.Version, b.Version))
	})
	v.Findings = slices.Clone(v.Findings[:min(len(v.Findings), MaxEntries)])
	if v.Findings == nil {
		v.Findings = []VulnerabilityFinding{}
	}
	return View{Vulnerabilities: v}
}

// add counts a finding and keeps it, until sorted.
func (a *StaticAnalysis) add(f Finding) {
	switch f.Level {
	case Error:
		a.Counts.Error++
	case Warning:
		a.Counts.Warning++
	case Note:
		a.Counts.Note++
	case None:
		a.Counts.None++
	}
	f.Rule, f.Message, f.File = scanText(f.Rule), scanText(f.Message), scanText(f.File)
	a.Findings = append(a.Findings, f)
}

// sorted puts the worst first and cuts the lists at MaxEntries.
func (a *StaticAnalysis) sorted() *StaticAnalysis {
	a.Tool, a.Version = scanText(a.Tool), scanText(a.Version)
	levels := []Level{Error, Warning, Note, None}
	slices.SortStableFunc(a.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(levels, x.Level), slices.Index(levels, y.Level)),
			cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	a.Findings = append([]Finding{}, a.Findings[:min(len(a.Findings), MaxEntries)]...)
	a.Conditions = append([]Condition{}, a.Conditions[:min(len(a.Conditions), MaxEntries)]...)
	return a
}
