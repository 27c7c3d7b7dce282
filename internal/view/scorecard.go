package view

import (
	"errors"
	"fmt"
	"strconv"
)

// scorecardType is the type of a result of OpenSSF Scorecard.
const scorecardType = "https://scorecard.dev/result/v0.1"

type scorecardResult struct {
	Scorecard struct {
		Version string `json:"version"`
	} `json:"scorecard"`
	Checks []struct {
		row
		Name  string   `json:"name"`
		Score *float64 `json:"score"`
	} `json:"checks"`
}

// readScorecard reads the scores of the checks, 0 to 10; -1 is what could not be told. They are no verdict: which score
// is enough is for a policy.
func readScorecard(content []byte) (View, error) {
	var r scorecardResult
	if err := decodeScan("Scorecard result", content, &r); err != nil {
		return View{}, err
	}
	if r.Checks == nil {
		return View{}, errors.New("the Scorecard result has no checks")
	}
	out := &StaticAnalysis{Tool: "Scorecard", Version: r.Scorecard.Version}
	for i, c := range r.Checks {
		if c.Name == "" {
			return View{}, fmt.Errorf("the Scorecard result has no checks[%d].name", i)
		}
		if c.Score == nil {
			return View{}, fmt.Errorf("the Scorecard result has no checks[%d].score", i)
		}
		out.Conditions = append(out.Conditions, Condition{
			Metric: scanText(c.Name), Value: strconv.FormatFloat(*c.Score, 'g', -1, 64),
		})
	}
	return View{StaticAnalysis: out.sorted()}, nil
}
