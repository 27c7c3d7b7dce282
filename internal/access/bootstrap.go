package access

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
)

// The principals that make themselves.
const (
	// InstallationName is the principal as which the service acts by itself.
	InstallationName = "plimsoll"
	// BootstrapName is the first organisation admin, and its token.
	BootstrapName = "bootstrap"
)

// Bootstrap makes the first organisation admin and its token on a database in which nobody but the installation is, and
// does nothing on any other. The token's secret is the given one, of 1 to 512 visible ASCII characters, or
// when that is empty a new one, which is returned as made, to be printed once. Made is empty in every other case.
//
// Of several servers that start at once, one founds the organisation.
func (s *Service) Bootstrap(ctx context.Context, secret string) (made string, err error) {
	if secret == "" {
		secret = newSecret()
		made = secret
	}
	if !sendable(secret) {
		return "", fmt.Errorf("the bootstrap token cannot be used: give %d to %d visible ASCII characters, or none to have one made", minSecret, maxSecret)
	}
	ctx, err = s.Installation(ctx)
	if err != nil {
		return "", err
	}
	founded := false
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		others, err := tx.Principal.Query().Where(principal.NameNEQ(InstallationName)).Exist(auth.System(ctx))
		if err != nil {
			return fmt.Errorf("look for principals: %w", err)
		}
		if others {
			return nil
		}
		founded = true
		in := CreateTokenInput{Name: BootstrapName, Role: auth.OrganisationAdmin}
		if _, err := s.writeToken(ctx, tx, in, nil, secret); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.OrganisationFounded, Subject: InstallationName,
			Summary: fmt.Sprintf("The organisation was founded, with the token %s of role %s.", BootstrapName, auth.OrganisationAdmin),
			Changes: []activity.Change{activity.Added("token", activity.Text(BootstrapName)), activity.Added("role", activity.Text(string(auth.OrganisationAdmin)))},
		})
	})
	if store.IsUnique(err) { // another server was first
		return "", nil
	}
	if err != nil || !founded {
		return "", err
	}
	return made, nil
}

// Installation returns a context in which the service itself acts, as the principal "plimsoll", which is made on first
// use. It has no token and holds no roles: what it writes does not ask auth.Allow, and to read it needs auth.System.
func (s *Service) Installation(ctx context.Context) (context.Context, error) {
	var p *db.Principal
	load := func(c *db.Client) (err error) {
		p, err = c.Principal.Query().Where(principal.Name(InstallationName)).Only(auth.System(ctx))
		return err
	}
	err := load(s.store.Read())
	if db.IsNotFound(err) {
		err = s.store.InTx(ctx, func(tx *db.Client) error {
			return tx.Principal.Create().SetName(InstallationName).SetKind(principal.KindSERVICE).SetCreatedAt(s.now()).Exec(ctx)
		})
		if err == nil || store.IsUnique(err) {
			// Another server may have made it, in a transaction that is not over: the next one sees it.
			err = s.store.InTx(ctx, load)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load the principal of the installation: %w", err)
	}
	return auth.With(ctx, auth.Principal{ID: p.ID, Name: p.Name}), nil
}
