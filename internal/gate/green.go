package gate

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/ent/db"
)

// PathToGreen is what to do so that a version gets to a stage.
type PathToGreen struct {
	Open        bool
	Actions     []*GreenAction
	Unreachable []string
}

// GreenAction is something to do so that a gate opens.
type GreenAction struct {
	Kind, What, Command string
	Owner               *db.Owner
	Rules               []string
}

// PathToGreen finds the smallest set of actions that opens every gate between a version and a stage.
func (s *Service) PathToGreen(ctx context.Context, application, version, toStage string) (*PathToGreen, error) {
	return nil, errors.New("todo")
}
