package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/ent/db/project"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

const (
	maxEvidenceTypes = 50
	maxEvidenceType  = 512
)

// CreateTokenInput is a token to make. Without ProjectKey its role is held on the organisation, without ExpiresAt it does
// not end by itself, without EvidenceTypes its holder may push any predicate type.
type CreateTokenInput struct {
	Name string
	Role auth.Role
	// Person says that a person holds it and not a program.
	Person        bool
	ProjectKey    *string
	ExpiresAt     *time.Time
	EvidenceTypes []string
}

// CreateToken makes a principal with one role, a service account or a person, and a token for it. The secret is returned this once. It fails with
// CONFLICT when a principal has the name already.
func (s *Service) CreateToken(ctx context.Context, in CreateTokenInput) (_ *db.Token, secret string, _ error) {
	if err := s.check(in); err != nil {
		return nil, "", err
	}
	secret = newSecret()
	var t *db.Token
	err := s.store.InTx(ctx, func(tx *db.Client) error {
		p, err := projectOf(ctx, tx, in.ProjectKey)
		if err != nil {
			return err
		}
		if err := allow(ctx, "createToken", p); err != nil {
			return err
		}
		used, err := tx.Principal.Query().Where(principal.Name(in.Name)).Exist(auth.System(ctx))
		if err != nil {
			return fmt.Errorf("look for principal: %w", err)
		}
		if used {
			return nameTaken(in.Name)
		}
		if t, err = s.writeToken(ctx, tx, in, p, secret); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, created(t, p, in.Person))
	})
	if store.IsUnique(err) { // of the same name, made at the same time
		return nil, "", nameTaken(in.Name)
	}
	if err != nil {
		return nil, "", err
	}
	t, err = s.store.Read().Token.Get(ctx, t.ID)
	return t, secret, err
}

func (s *Service) check(in CreateTokenInput) error {
	if err := check.Name("input.name", in.Name); err != nil {
		return err
	}
	if in.Name == activity.Erased {
		return fault.At("input.name", "%q stands for people whose names were erased; choose another name", in.Name)
	}
	if strings.HasPrefix(strings.ToLower(in.Name), pseudonymPrefix) {
		return fault.At("input.name", "names that begin with %q stand for people who were erased; choose another name", pseudonymPrefix)
	}
	if !slices.Contains(roles(), in.Role) {
		return fault.At("input.role", "there is no role %q; give one of %v", in.Role, roles())
	}
	if in.ProjectKey != nil {
		if err := check.Key("input.projectKey", *in.ProjectKey); err != nil {
			return err
		}
		if in.Role == auth.OrganisationAdmin {
			return fault.At("input.role", "%s is held on the whole organisation; leave out projectKey, or give %s", in.Role, auth.ProjectAdmin)
		}
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.After(s.now()) {
		return fault.At("input.expiresAt", "a token ends in the future; give a later instant, or leave it out")
	}
	return checkEvidenceTypes(in.EvidenceTypes)
}

func checkEvidenceTypes(types []string) error {
	if err := check.List("input.evidenceTypes", len(types), maxEvidenceTypes); err != nil {
		return err
	}
	for i, t := range types {
		if err := check.Line(fmt.Sprintf("input.evidenceTypes.%d", i), t, 1, maxEvidenceType); err != nil {
			return err
		}
	}
	return nil
}

func roles() []auth.Role {
	return []auth.Role{
		auth.Viewer, auth.Contributor, auth.EvidencePusher, auth.Releaser, auth.PolicyManager, auth.WaiverApprover, auth.Auditor,
		auth.ProjectAdmin, auth.OrganisationAdmin,
	}
}

// projectOf loads the project that a role is to be held on; nil for the organisation.
func projectOf(ctx context.Context, tx *db.Client, key *string) (*db.Project, error) {
	if key == nil {
		return nil, nil
	}
	p, err := tx.Project.Query().Where(project.Key(*key)).Only(ctx)
	if db.IsNotFound(err) {
		return nil, &fault.Error{Kind: fault.NotFound, Path: "input.projectKey", Message: fmt.Sprintf("there is no project %q; name one that you can see", *key)}
	}
	if err != nil {
		return nil, fmt.Errorf("load project %s: %w", *key, err)
	}
	return p, nil
}

// allow refuses whoever may not send the mutation for tokens of the project, or of the organisation when p is nil. The
// latter are for its admin alone: with one of them anybody could make themselves anything.
func allow(ctx context.Context, mutation string, p *db.Project) error {
	if p != nil {
		_, err := auth.Allow(ctx, mutation, p.ID)
		return err
	}
	actor, err := auth.Allow(ctx, mutation, auth.Organisation)
	if err != nil {
		return err
	}
	if !actor.Holds(auth.Organisation, auth.OrganisationAdmin) {
		return fault.New(fault.Forbidden, "%s needs the role %s for tokens of the whole organisation", mutation, auth.OrganisationAdmin)
	}
	return nil
}

func nameTaken(name string) error {
	return &fault.Error{Kind: fault.Conflict, Path: "input.name", Message: fmt.Sprintf("the name %q is taken; choose another one", name)}
}

// writeToken writes a principal, its role and its token.
func (s *Service) writeToken(ctx context.Context, tx *db.Client, in CreateTokenInput, p *db.Project, secret string) (*db.Token, error) {
	now := s.now()
	kind := principal.KindSERVICE
	if in.Person {
		kind = principal.KindUSER
	}
	who, err := tx.Principal.Create().SetName(in.Name).SetKind(kind).SetCreatedAt(now).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write principal: %w", err)
	}
	grant := tx.RoleBinding.Create().SetPrincipalID(who.ID).SetRole(in.Role)
	create := tx.Token.Create().SetName(in.Name).SetHash(hash(secret)).SetPrincipalID(who.ID).SetRole(in.Role).
		SetNillableExpiresAt(in.ExpiresAt).SetCreatedAt(now)
	if p != nil {
		grant.SetProjectID(p.ID)
		create.SetProjectID(p.ID)
	}
	if len(in.EvidenceTypes) > 0 {
		create.SetEvidenceTypes(in.EvidenceTypes)
	}
	if err := grant.Exec(ctx); err != nil {
		return nil, fmt.Errorf("write role: %w", err)
	}
	t, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write token: %w", err)
	}
	return t, nil
}

func created(t *db.Token, p *db.Project, person bool) activity.Event {
	subject, whose := namedInLog(t, person)
	changes := append([]activity.Change{activity.Added("role", activity.Text(string(t.Role)))}, whose...)
	if t.ExpiresAt != nil {
		changes = append(changes, activity.Added("expiresAt", activity.Text(t.ExpiresAt.UTC().Format(time.RFC3339Nano))))
	}
	for _, e := range t.EvidenceTypes {
		changes = append(changes, activity.Added("evidenceTypes", activity.Text(e)))
	}
	where := "the organisation"
	if p != nil {
		where = "project " + p.Key
	}
	return activity.Event{
		Type: activity.TokenCreated, Project: p, Subject: subject, Changes: changes,
		Summary: fmt.Sprintf("Token %s was made, with role %s on %s.", subject, t.Role, where),
	}
}

// namedInLog is what the log calls a token. That of a person bears the person's name, which stands where it can be erased.
func namedInLog(t *db.Token, person bool) (subject string, whose []activity.Change) {
	if !person {
		return t.Name, nil
	}
	return "of a person", []activity.Change{activity.Added("person", activity.Person(t.Name))}
}
