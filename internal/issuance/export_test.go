package issuance

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
)

// WithPatience waits no longer than so for the log.
func (s *Service) WithPatience(d time.Duration) *Service {
	s.patience = d
	return s
}

// Statements gives the types of the statements that a passport of the version would hold.
func (s *Service) Statements(ctx context.Context, v *db.ApplicationVersion) ([]string, error) {
	g := &gathering{s: s, version: v, files: map[string]file{}}
	err := g.readStatements(ctx)
	types := make([]string, len(g.statements))
	for i, st := range g.statements {
		types[i] = kindOf(st.PredicateType)
	}
	return types, err
}

// FileName is what the passport of a version is called.
func FileName(v *db.ApplicationVersion) string { return fileName(v) }
