package graph

import (
	"github.com/plimsoll/plimsoll/graph/model"
	"github.com/plimsoll/plimsoll/internal/waiver"
)

// overrideEdge gives what a waiver covered the shape of the API.
func overrideEdge(at cursor, w waiver.Waived) *model.OverrideEdge {
	return &model.OverrideEdge{Cursor: at, Node: &w}
}

// shownText is a text that stands in the tables as empty when there is none.
func shownText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
