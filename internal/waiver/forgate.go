package waiver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/vulnerabilityalias"
	entwaiver "github.com/plimsoll/plimsoll/ent/db/waiver"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// InForce returns the waivers that count for a version at an instant, in the order of their rows: approved, not ended, and
// expiring later. It reads as the service itself, because a decision must not depend on who asks for it. Client is the store's
// reader or a transaction.
func (s *Service) InForce(ctx context.Context, client *db.Client, v *db.ApplicationVersion, at time.Time) ([]*db.Waiver, error) {
	list, err := client.Waiver.Query().Where(
		entwaiver.ApplicationID(v.ApplicationID), entwaiver.StateEQ(entwaiver.StateAPPROVED), entwaiver.ExpiresAtGT(at),
		entwaiver.Or(entwaiver.VersionIDIsNil(), entwaiver.VersionID(v.ID)),
	).Order(entwaiver.ByID()).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load waivers of version %d: %w", v.ID, err)
	}
	return list, nil
}

// Names returns all names of the vulnerabilities that waivers are about, by the name that stands in the waiver. That name comes
// first, the others follow sorted.
func (s *Service) Names(ctx context.Context, list []*db.Waiver) (map[string][]string, error) {
	names := map[string][]string{}
	var given []string
	for _, w := range list {
		if w.Vulnerability != "" && names[w.Vulnerability] == nil {
			names[w.Vulnerability] = []string{w.Vulnerability}
			given = append(given, w.Vulnerability)
		}
	}
	if len(given) == 0 {
		return names, nil
	}
	sys := auth.System(ctx)
	rows, err := s.store.Read().VulnerabilityAlias.Query().Where(vulnerabilityalias.NameIn(given...)).All(sys)
	if err != nil {
		return nil, fmt.Errorf("look up vulnerabilities of waivers: %w", err)
	}
	of := map[int][]string{} // the given names of a vulnerability
	var ids []int
	for _, row := range rows {
		of[row.VulnerabilityID] = append(of[row.VulnerabilityID], row.Name)
		ids = append(ids, row.VulnerabilityID)
	}
	others, err := s.store.Read().VulnerabilityAlias.Query().Where(vulnerabilityalias.VulnerabilityIDIn(ids...)).
		Order(vulnerabilityalias.ByName()).All(sys)
	if err != nil {
		return nil, fmt.Errorf("load names of vulnerabilities: %w", err)
	}
	for _, row := range others {
		for _, name := range of[row.VulnerabilityID] {
			if !slices.Contains(names[name], row.Name) {
				names[name] = append(names[name], row.Name)
			}
		}
	}
	return names, nil
}
