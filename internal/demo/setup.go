package demo

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// arrive makes sure that the token opens what the story needs, before anything is written.
func (s *story) arrive(ctx context.Context) error {
	var out struct {
		Viewer struct {
			Principal string
			Roles     []struct{ Role string }
		}
	}
	s.page.title = "before the first"
	if err := s.sendQuietly(ctx, admin, "WhoAmI", nil, &out); err != nil {
		return err
	}
	for _, r := range out.Viewer.Roles {
		if r.Role == "ORGANISATION_ADMIN" {
			return nil
		}
	}
	return fmt.Errorf("the demonstration makes a project, tokens and trust anchors: it needs the token of an organisation admin, and %q is none",
		out.Viewer.Principal)
}

func (s *story) foundProject(ctx context.Context) error {
	s.page.begin("An admin founds the project payments and draws its way to production.")
	key := s.name(project)
	var made struct {
		CreateProject struct{ Project struct{ Key string } }
	}
	err := s.send(ctx, admin, "CreateProject", object{{"input", object{
		{"key", key}, {"name", s.name("Payments")}, {"labels", []object{{{"key", "business-unit"}, {"value", "payments"}}}},
	}}}, &made)
	if err != nil {
		return err
	}
	stage := func(name, category string, production bool) object {
		return object{{"projectKey", key}, {"name", name}, {"category", category}, {"production", production}}
	}
	_, err = sendAll[struct{}](ctx, s, admin, "CreateStage", []object{
		stage(dev, "CODE", false), stage(qaStage, "PROMOTE", false), stage(staging, "PROMOTE", false), stage(prod, "RELEASE", true),
	})
	if err != nil {
		return err
	}
	var set struct {
		SetLifecycle struct {
			Lifecycle struct {
				EnforceOrder bool
				Stages       []struct {
					Name, Category string
				}
			}
		}
	}
	err = s.send(ctx, admin, "SetLifecycle", object{{"input", object{
		{"projectKey", key}, {"stages", []string{dev, qaStage, staging, prod}},
	}}}, &set)
	if err != nil {
		return err
	}
	var way []string
	for _, st := range set.SetLifecycle.Lifecycle.Stages {
		way = append(way, st.Name+" ("+st.Category+")")
	}
	if len(way) != 4 || !set.SetLifecycle.Lifecycle.EnforceOrder {
		return s.unexpected("does not give four stages in an enforced order")
	}
	s.page.result(strings.Join(way, " → ") + ", one at a time")
	return s.want("the project", made.CreateProject.Project.Key, key)
}

func (s *story) registerApplications(ctx context.Context) error {
	s.page.begin("Anonymous artifacts become applications: who answers for each, and how much depends on it.")
	var inputs []object
	for _, a := range applications() {
		inputs = append(inputs, object{
			{"projectKey", s.name(project)},
			{"key", s.name(a.key)},
			{"name", a.title},
			{"criticality", a.criticality},
			{"maturity", "PRODUCTION"},
			{"labels", append([]object{}, a.labels...)},
			{"owners", []string{a.owner}},
		})
	}
	type payload struct {
		CreateApplication struct {
			Application struct {
				Key, Criticality string
				Labels           []struct{ Key, Value string }
				Owners           []owner
			}
		}
	}
	made, err := sendAll[payload](ctx, s, admin, "CreateApplication", inputs)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, m := range made {
		app := m.CreateApplication.Application
		var labels []string
		for _, l := range app.Labels {
			labels = append(labels, l.Key+"="+l.Value)
		}
		rows = append(rows, []string{app.Key, app.Criticality, refs(app.Owners), strings.Join(labels, " ")})
	}
	s.page.table(rows)
	return nil
}

func (s *story) bindPackages(ctx context.Context) error {
	s.page.begin("Each application binds the package that it creates: from now on a flaw in login is the business of the team platform.")
	var inputs []object
	for _, a := range applications() {
		inputs = append(inputs, object{{"applicationKey", s.name(a.key)}, {"purl", s.purl(a)}})
	}
	type payload struct {
		BindPackage struct {
			Package struct {
				Purl              string
				OwningApplication *struct{ Key string }
			}
		}
	}
	bound, err := sendAll[payload](ctx, s, admin, "BindPackage", inputs)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, b := range bound {
		p := b.BindPackage.Package
		if p.OwningApplication == nil || p.OwningApplication.Key != s.name(applications()[i].key) {
			return s.unexpected("does not give %s to %s", p.Purl, applications()[i].key)
		}
		rows = append(rows, []string{p.Purl, "is owned by", p.OwningApplication.Key})
	}
	s.page.table(rows)
	return nil
}

func (s *story) trustSigners(ctx context.Context) error {
	s.page.begin("Two keys are trusted from now on: that of the CI system and that of the test laboratory.")
	var inputs []object
	for _, name := range []string{ciBuilder, qaLab} {
		inputs = append(inputs, object{{"alias", s.name(name)}, {"publicKey", string(s.keys[name].PublicKeyPEM())}})
	}
	type payload struct {
		AddTrustAnchor struct {
			TrustAnchor struct{ Alias, Kind, Fingerprint string }
		}
	}
	added, err := sendAll[payload](ctx, s, admin, "AddTrustAnchor", inputs)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, name := range []string{ciBuilder, qaLab} {
		anchor := added[i].AddTrustAnchor.TrustAnchor
		if err := s.want("the fingerprint of "+name, anchor.Fingerprint, s.keys[name].Fingerprint()); err != nil {
			return err
		}
		rows = append(rows, []string{anchor.Alias, anchor.Kind, anchor.Fingerprint})
	}
	s.page.table(rows)
	return nil
}

func (s *story) handOutTokens(ctx context.Context) error {
	s.page.begin("Everybody gets a token for what they do, and for nothing else.")
	holders := []struct {
		who, role string
		types     []string
	}{
		{ci, "CONTRIBUTOR", nil}, {qa, "EVIDENCE_PUSHER", []string{testResult}}, {releaser, "RELEASER", nil},
	}
	// On a server that goes on they must not stay open.
	expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	var inputs []object
	for _, h := range holders {
		input := object{
			{"name", s.name("payments-" + h.who)}, {"role", h.role}, {"projectKey", s.name(project)}, {"expiresAt", expiry},
		}
		if h.types != nil {
			input = append(input, member{"evidenceTypes", h.types})
		}
		inputs = append(inputs, input)
	}
	type payload struct {
		CreateToken struct {
			Token struct {
				Principal, Role string
				Project         *struct{ Key string }
			}
			Secret string
		}
	}
	made, err := sendAll[payload](ctx, s, admin, "CreateToken", inputs)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, m := range made {
		if m.CreateToken.Secret == "" || m.CreateToken.Token.Project == nil {
			return s.unexpected("gives no secret, or one for the whole organisation")
		}
		s.tokens[holders[i].who] = m.CreateToken.Secret
		t := m.CreateToken.Token
		rows = append(rows, []string{t.Principal, t.Role, "on " + t.Project.Key, strings.Join(holders[i].types, " ")})
	}
	s.page.table(rows)
	return nil
}

func refs(owners []owner) string {
	list := make([]string, len(owners))
	for i, o := range owners {
		list[i] = o.Ref
	}
	return strings.Join(list, ", ")
}
