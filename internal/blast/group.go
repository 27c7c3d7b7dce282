package blast

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/ent/db"
)

// ApplicationCount is an application and how many of its versions are hit.
type ApplicationCount struct{ Application, Versions int }

// ComponentCount is a component through which versions are hit, how many and of how many applications.
type ComponentCount struct {
	Component              Component
	Versions, Applications int
}

// ByApplication returns the applications that are hit, by key, and a name for the list as it is now.
func (r *Radius) ByApplication(ctx context.Context) ([]ApplicationCount, string, error) {
	return nil, "", errors.New("todo")
}

// Applications loads a page of what ByApplication gave, in its order.
func (r *Radius) Applications(ctx context.Context, page []ApplicationCount) ([]*db.Application, error) {
	return nil, errors.New("todo")
}

// ByComponent returns the components through which versions are hit: those in most versions first, at most MaxComponents.
func (r *Radius) ByComponent(ctx context.Context) ([]ComponentCount, error) {
	return nil, errors.New("todo")
}
