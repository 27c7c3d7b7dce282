package view

import (
	"errors"
	"fmt"
	"strings"
)

// trivyType is the type of a report of Trivy in its own JSON.
const trivyType = "https://plimsoll.dev/documents/trivy/v1"

type trivyReport struct {
	SchemaVersion *int
	CreatedAt     string
	Trivy         struct{ Version string }
	Results       []trivyResult
}

type trivyResult struct {
	row
	Target            string
	Vulnerabilities   []trivyVulnerability
	Misconfigurations []trivyMisconfiguration
	Secrets           []trivySecret
}

type trivyVulnerability struct {
	row
	VulnerabilityID, PkgName, InstalledVersion, FixedVersion, Severity string

	VendorIDs     []string
	PkgIdentifier struct{ PURL string }
	CVSS          map[string]struct{ V2Score, V3Score, V40Score float64 }
}

type trivyMisconfiguration struct {
	row
	ID, AVDID, Title, Message, Severity, Status string

	CauseMetadata struct{ StartLine int }
}

type trivySecret struct {
	row
	RuleID, Title, Severity string
	StartLine               int
}

// readTrivy reads a report of Trivy, schema version 2. One without Results found nothing. Misconfigurations and secrets
// are findings of static analysis.
func readTrivy(content []byte) (View, error) {
	var report trivyReport
	if err := decodeScan("Trivy report", content, &report); err != nil {
		return View{}, err
	}
	if report.SchemaVersion == nil {
		return View{}, errors.New("the Trivy report has no SchemaVersion")
	}
	if *report.SchemaVersion != 2 {
		return View{}, fmt.Errorf("the Trivy report says SchemaVersion %d; version 2 is read", *report.SchemaVersion)
	}
	found := &Vulnerabilities{Scanner: "Trivy", ScannerVersion: report.Trivy.Version, ScannedAt: scanTime(report.CreatedAt)}
	analysis := &StaticAnalysis{Tool: "Trivy", Version: report.Trivy.Version}
	for i, result := range report.Results {
		for j, v := range result.Vulnerabilities {
			if v.VulnerabilityID == "" {
				return View{}, fmt.Errorf("the Trivy report has no Results[%d].Vulnerabilities[%d].VulnerabilityID", i, j)
			}
			found.add(v.finding())
		}
		result.analyse(analysis)
	}
	view := found.sorted()
	if len(analysis.Findings) > 0 {
		view.StaticAnalysis = analysis.sorted()
	}
	return view, nil
}

func (v trivyVulnerability) finding() VulnerabilityFinding {
	f := VulnerabilityFinding{
		ID: v.VulnerabilityID, Aliases: v.VendorIDs, Severity: severityOf(v.Severity), Package: v.PkgName,
		PURL: v.PkgIdentifier.PURL, Version: v.InstalledVersion, FixedVersions: strings.Split(v.FixedVersion, ","),
	}
	for _, c := range v.CVSS {
		f.Score = max(f.Score, score(c.V2Score), score(c.V3Score), score(c.V40Score))
	}
	return f
}

func (r trivyResult) analyse(a *StaticAnalysis) {
	for _, m := range r.Misconfigurations {
		if strings.EqualFold(m.Status, "PASS") || strings.EqualFold(m.Status, "EXCEPTION") {
			continue
		}
		rule := m.AVDID
		if rule == "" {
			rule = m.ID
		}
		message := m.Message
		if message == "" {
			message = m.Title
		}
		a.add(Finding{Rule: rule, Level: levelOfSeverity(m.Severity), Message: message, File: r.Target, Line: m.CauseMetadata.StartLine})
	}
	for _, s := range r.Secrets {
		a.add(Finding{Rule: s.RuleID, Level: levelOfSeverity(s.Severity), Message: s.Title, File: r.Target, Line: s.StartLine})
	}
}

// levelOfSeverity says a severity in SARIF's levels, as Trivy does when it writes SARIF.
func levelOfSeverity(word string) Level {
	switch severityOf(word) {
	case Critical, High:
		return Error
	case Medium:
		return Warning
	case Low, Negligible:
		return Note
	case Unknown:
	}
	return Warning
}
