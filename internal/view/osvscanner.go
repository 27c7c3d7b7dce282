package view

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// osvScannerType is the type of a report of OSV-Scanner in its own JSON.
const osvScannerType = "https://plimsoll.dev/documents/osv-scanner/v1"

type osvReport struct {
	Results []osvResult `json:"results"`
}

type osvResult struct {
	row
	Packages []osvPackage `json:"packages"`
}

type osvPackage struct {
	row
	Package struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	} `json:"package"`
	Vulnerabilities []osvVulnerability `json:"vulnerabilities"`
	Groups          []osvGroup         `json:"groups"`
}

type osvGroup struct {
	row
	IDs         []string `json:"ids"`
	Aliases     []string `json:"aliases"`
	MaxSeverity string   `json:"max_severity"`
}

type osvVulnerability struct {
	row
	ID       string   `json:"id"`
	Aliases  []string `json:"aliases"`
	Severity []struct {
		row
		Score string `json:"score"`
	} `json:"severity"`
	Affected []struct {
		row
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			row
			Type   string `json:"type"`
			Events []struct {
				row
				Fixed string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
	DatabaseSpecific jsontext.Value `json:"database_specific"`
}

// readOSVScanner reads a report of OSV-Scanner. A vulnerability that several databases know is one group there and one
// finding here: a count is of what is wrong, not of who says so.
func readOSVScanner(content []byte) (View, error) {
	var report osvReport
	if err := decodeScan("OSV-Scanner report", content, &report); err != nil {
		return View{}, err
	}
	if report.Results == nil {
		return View{}, errors.New("the OSV-Scanner report has no results; a scan that found nothing writes an empty list")
	}
	found := &Vulnerabilities{Scanner: "OSV-Scanner"}
	for i, result := range report.Results {
		for j, p := range result.Packages {
			if err := p.into(found); err != nil {
				return View{}, fmt.Errorf("the OSV-Scanner report has no results[%d].packages[%d].%w", i, j, err)
			}
		}
	}
	return found.sorted(), nil
}

func (p osvPackage) into(found *Vulnerabilities) error {
	byID := map[string]*osvVulnerability{}
	groups := slices.Clone(p.Groups)
	grouped := map[string]bool{}
	for _, g := range groups {
		for _, id := range g.IDs {
			grouped[id] = true
		}
	}
	for i := range p.Vulnerabilities {
		v := &p.Vulnerabilities[i]
		if v.ID == "" {
			return fmt.Errorf("vulnerabilities[%d].id", i)
		}
		byID[v.ID] = v
		if !grouped[v.ID] {
			groups = append(groups, osvGroup{IDs: []string{v.ID}})
		}
	}
	for i, g := range groups {
		if len(g.IDs) == 0 {
			return fmt.Errorf("groups[%d].ids", i)
		}
		f := VulnerabilityFinding{
			ID: g.IDs[0], Aliases: slices.Concat(g.IDs, g.Aliases), Severity: Unknown,
			Score: cvssScore(g.MaxSeverity), Package: p.Package.Name, PURL: p.Package.PURL, Version: p.Package.Version,
		}
		for _, id := range g.IDs {
			if v := byID[id]; v != nil {
				v.into(&f, p.Package.Name)
				delete(byID, id) // an id is in one group; a thousand groups of the same would cost a thousand times as much
			}
		}
		if f.Score > 0 {
			f.Severity = severityOfScore(f.Score)
		}
		found.add(f)
	}
	return nil
}

// into adds what one database says. The words of a database count only where nobody gives a score.
func (v *osvVulnerability) into(f *VulnerabilityFinding, name string) {
	f.Aliases = append(f.Aliases, v.Aliases...)
	for _, s := range v.Severity {
		f.Score = max(f.Score, cvssScore(s.Score))
	}
	var said struct {
		Severity string `json:"severity"`
	}
	if len(v.DatabaseSpecific) > 0 && decodeScan("database_specific", v.DatabaseSpecific, &said) == nil {
		if s := severityOf(said.Severity); severityRank(s) < severityRank(f.Severity) {
			f.Severity = s
		}
	}
	for _, a := range v.Affected {
		if !strings.EqualFold(a.Package.Name, name) {
			continue
		}
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				if r.Type != "GIT" {
					f.FixedVersions = append(f.FixedVersions, e.Fixed)
				}
			}
		}
	}
}
