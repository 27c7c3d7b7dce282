package view

import (
	"errors"
	"fmt"
	"strings"
)

// sonarQubeType is the type of what SonarQube says of a quality gate: its webhook, or the answer of its API.
const sonarQubeType = "https://plimsoll.dev/documents/sonarqube-quality-gate/v1"

type sonarDocument struct {
	QualityGate *struct {
		Status     string           `json:"status"`
		Conditions []sonarCondition `json:"conditions"`
	} `json:"qualityGate"`
	ProjectStatus *struct {
		Status     string           `json:"status"`
		Conditions []sonarCondition `json:"conditions"`
	} `json:"projectStatus"`
}

// sonarCondition holds the names of the webhook and those of the API.
type sonarCondition struct {
	row
	Metric         string `json:"metric"`
	Value          string `json:"value"`
	ErrorThreshold string `json:"errorThreshold"`
	Status         string `json:"status"`
	MetricKey      string `json:"metricKey"`
	ActualValue    string `json:"actualValue"`
}

// readSonarQube reads the verdict of a quality gate.
func readSonarQube(content []byte) (View, error) {
	var d sonarDocument
	if err := decodeScan("SonarQube document", content, &d); err != nil {
		return View{}, err
	}
	at, gate := "qualityGate", d.QualityGate
	if gate == nil {
		at, gate = "projectStatus", d.ProjectStatus
	}
	if gate == nil {
		return View{}, errors.New("the SonarQube document has neither qualityGate (the webhook) nor projectStatus (the API)")
	}
	out := &StaticAnalysis{Tool: "SonarQube"}
	var err error
	if out.Result, err = sonarResult(gate.Status); err != nil {
		return View{}, fmt.Errorf("the SonarQube document cannot be read: %s.status %w", at, err)
	}
	for i, c := range gate.Conditions {
		// NO_VALUE: there was nothing to measure, such as no new code, and SonarQube lets it pass.
		result := Passed
		if c.Status != "NO_VALUE" {
			if result, err = sonarResult(c.Status); err != nil {
				return View{}, fmt.Errorf("the SonarQube document cannot be read: %s.conditions[%d].status %w", at, i, err)
			}
		}
		out.Conditions = append(out.Conditions, Condition{
			Metric: scanText(c.Metric + c.MetricKey), Result: result,
			Value: scanText(c.Value + c.ActualValue), Threshold: scanText(c.ErrorThreshold),
		})
	}
	return View{StaticAnalysis: out.sorted()}, nil
}

// sonarResult reads a status. NONE, a project without a gate, is no verdict and so refused.
func sonarResult(status string) (Result, error) {
	switch strings.ToUpper(status) {
	case "OK":
		return Passed, nil
	case "WARN":
		return Warned, nil
	case "ERROR":
		return Failed, nil
	}
	return "", fmt.Errorf("is %q; it is one of OK, WARN, ERROR", scanText(status))
}
