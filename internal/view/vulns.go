package view

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

type vulnsPredicate struct {
	Scanner *struct {
		URI     string `json:"uri"`
		Version string `json:"version"`
		DB      struct {
			LastUpdate string `json:"lastUpdate"`
		} `json:"db"`
		Result jsontext.Value `json:"result"`
	} `json:"scanner"`
	Metadata struct {
		ScanStartedOn  string `json:"scanStartedOn"`
		ScanFinishedOn string `json:"scanFinishedOn"`
	} `json:"metadata"`
}

type vulnsResult struct {
	row
	ID       string `json:"id"`
	Severity []struct {
		row
		Method string         `json:"method"`
		Score  jsontext.Value `json:"score"`
	} `json:"severity"`
}

// readVulns reads the predicate of in-toto vulns (v0.1, v0.2) and that of cosign, whose result is whatever the scanner
// wrote. A result that is not understood is an error: it must not pass for one without findings.
func readVulns(content []byte) (View, error) {
	var p vulnsPredicate
	if err := decodeScan("vulnerability predicate", content, &p); err != nil {
		return View{}, err
	}
	if p.Scanner == nil {
		return View{}, errors.New("the vulnerability predicate has no scanner")
	}
	if len(p.Scanner.Result) == 0 || p.Scanner.Result.Kind() == 'n' {
		return View{}, errors.New("the vulnerability predicate has no scanner.result; a scan that found nothing writes an empty list")
	}
	view, err := readScannerResult(p.Scanner.Result)
	if err != nil {
		return View{}, fmt.Errorf("scanner.result: %w", err)
	}
	v := view.Vulnerabilities
	if v == nil {
		return view, nil
	}
	if v.Scanner == "" {
		v.Scanner = scanText(p.Scanner.URI)
	}
	if v.ScannerVersion == "" {
		v.ScannerVersion = scanText(p.Scanner.Version)
	}
	if at := scanTime(p.Scanner.DB.LastUpdate); at != nil {
		v.DatabaseDate = at
	}
	for _, s := range []string{p.Metadata.ScanStartedOn, p.Metadata.ScanFinishedOn} {
		if at := scanTime(s); at != nil {
			v.ScannedAt = at
		}
	}
	return view, nil
}

func readScannerResult(raw jsontext.Value) (View, error) {
	if raw.Kind() == '[' {
		return readVulnsResults(raw)
	}
	switch t := typeOfJSON(raw).PredicateType; t {
	case trivyType:
		return readTrivy(raw)
	case grypeType:
		return readGrype(raw)
	case osvScannerType:
		return readOSVScanner(raw)
	case sarifType:
		return readSARIF(raw)
	}
	return View{}, errors.New("it is neither a list nor a report of Trivy, Grype or OSV-Scanner, nor SARIF")
}

func readVulnsResults(raw jsontext.Value) (View, error) {
	var results []vulnsResult
	if err := decodeScan("list", raw, &results); err != nil {
		return View{}, err
	}
	found := &Vulnerabilities{}
	for i, r := range results {
		if r.ID == "" {
			return View{}, fmt.Errorf("[%d] has no id", i)
		}
		f := VulnerabilityFinding{ID: r.ID, Severity: Unknown}
		for _, s := range r.Severity {
			said := s.Score.String()
			if s.Score.Kind() == '"' {
				text, err := jsontext.AppendUnquote(nil, s.Score)
				if err != nil {
					return View{}, fmt.Errorf("[%d].severity: %w", i, err)
				}
				said = string(text)
			}
			f.Score = max(f.Score, cvssScore(said))
			if word := severityOf(said); severityRank(word) < severityRank(f.Severity) {
				f.Severity = word
			}
		}
		if f.Severity == Unknown {
			f.Severity = severityOfScore(f.Score)
		}
		found.add(f)
	}
	return found.sorted(), nil
}
