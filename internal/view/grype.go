package view

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// grypeType is the type of a report of Grype in its own JSON.
const grypeType = "https://plimsoll.dev/documents/grype/v1"

type grypeReport struct {
	Matches    []grypeMatch `json:"matches"`
	Descriptor struct {
		Name      string         `json:"name"`
		Version   string         `json:"version"`
		Timestamp string         `json:"timestamp"`
		DB        jsontext.Value `json:"db"`
	} `json:"descriptor"`
}

type grypeMatch struct {
	row
	Vulnerability          grypeVulnerability   `json:"vulnerability"`
	RelatedVulnerabilities []grypeVulnerability `json:"relatedVulnerabilities"`
	Artifact               struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	} `json:"artifact"`
}

type grypeVulnerability struct {
	row
	ID       string `json:"id"`
	Severity string `json:"severity"`
	CVSS     []struct {
		row
		Metrics struct {
			BaseScore float64 `json:"baseScore"`
		} `json:"metrics"`
	} `json:"cvss"`
	Fix struct {
		Versions []string `json:"versions"`
	} `json:"fix"`
}

// readGrype reads a report of Grype. Its ignoredMatches are not findings.
func readGrype(content []byte) (View, error) {
	var report grypeReport
	if err := decodeScan("Grype report", content, &report); err != nil {
		return View{}, err
	}
	if report.Matches == nil {
		return View{}, errors.New("the Grype report has no matches; a scan that found nothing writes an empty list")
	}
	found := &Vulnerabilities{
		Scanner: "Grype", ScannerVersion: report.Descriptor.Version,
		ScannedAt: scanTime(report.Descriptor.Timestamp), DatabaseDate: scanTime(grypeBuilt(report.Descriptor.DB)),
	}
	for i, m := range report.Matches {
		if m.Vulnerability.ID == "" {
			return View{}, fmt.Errorf("the Grype report has no matches[%d].vulnerability.id", i)
		}
		f := VulnerabilityFinding{
			ID: m.Vulnerability.ID, Severity: severityOf(m.Vulnerability.Severity), Package: m.Artifact.Name,
			PURL: m.Artifact.PURL, Version: m.Artifact.Version, FixedVersions: m.Vulnerability.Fix.Versions,
		}
		for _, v := range append(m.RelatedVulnerabilities, m.Vulnerability) {
			f.Aliases = append(f.Aliases, v.ID)
			for _, c := range v.CVSS {
				f.Score = max(f.Score, score(c.Metrics.BaseScore))
			}
		}
		found.add(f)
	}
	return found.sorted(), nil
}

// grypeBuilt finds when the database was built: newer versions write it a level deeper.
func grypeBuilt(raw jsontext.Value) string {
	var db struct {
		Built  string `json:"built"`
		Status struct {
			Built string `json:"built"`
		} `json:"status"`
	}
	if len(raw) == 0 || decodeScan("db", raw, &db) != nil {
		return ""
	}
	if db.Built != "" {
		return db.Built
	}
	return db.Status.Built
}
