package version

import (
	"context"
	"errors"

	"entgo.io/contrib/entgql"

	"github.com/plimsoll/plimsoll/ent/db"
)

// Artifact is something with a digest that versions hold.
type Artifact struct {
	Name, Digest string
}

// Artifact returns what has the digest; nil when no version in the caller's reach holds it.
func (s *Service) Artifact(ctx context.Context, digest string) (*Artifact, error) {
	return nil, errors.New("not written yet")
}

// Releases returns a page of the released versions that hold an artifact, newest first.
func (s *Service) Releases(ctx context.Context, digest string, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ApplicationVersionConnection, error) {
	return nil, errors.New("not written yet")
}
