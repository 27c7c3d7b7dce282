package freeze

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/labels"
)

// CreateFreezeInput is a time in which nothing shall move: of a project, an application or a label; without any of them, of
// everything.
type CreateFreezeInput struct {
	ProjectKey, ApplicationKey *string
	Label                      *labels.Label
	Reason                     string
	StartsAt                   *time.Time
	EndsAt                     time.Time
}

// LiftFreezeInput is a freeze to end.
type LiftFreezeInput struct{ ID string }

// FreezeFilter says which freezes to list. What is given must all hold.
type FreezeFilter struct {
	ApplicationKey *string
	Active         *bool
}
