package graph

import (
	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/view"
)

// shownBatch gives the results of a batch the shape of the API, with how many there are of each kind.
func shownBatch(results []evidence.Result) *model.SubmitEvidenceBatchPayload {
	out := &model.SubmitEvidenceBatchPayload{Results: make([]*model.SubmitEvidenceResult, len(results))}
	for i, r := range results {
		shown := &model.SubmitEvidenceResult{Index: r.Index, Evidence: r.Evidence, AlreadyKnown: r.AlreadyKnown}
		switch {
		case r.Refused != nil:
			out.Refused++
			shown.Error = &model.SubmitEvidenceError{Code: string(r.Refused.Kind), Path: r.Refused.Path, Message: r.Refused.Message}
		case r.AlreadyKnown:
			out.AlreadyKnown++
		default:
			out.Accepted++
		}
		out.Results[i] = shown
	}
	return out
}

// given is nil for a verdict that a tool did not give.
func given(r view.Result) *view.Result {
	if r == "" {
		return nil
	}
	return &r
}
