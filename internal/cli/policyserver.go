package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/client"
)

const listTemplates = `query ListPolicyTemplates($after: String) {
  page: policyTemplates(first: 100, after: $after) { edges { node { id name revision } } pageInfo { hasNextPage endCursor } }
}`

const readTemplate = `query ReadPolicyTemplate($id: ID!) {
  node(id: $id) { ... on PolicyTemplate { name revision category title description remediation controls rego parametersSchema tests } }
}`

const listRules = `query ListRules($after: String) {
  page: rules(first: 100, after: $after) { edges { node { name parameters template { name revision } } } pageInfo { hasNextPage endCursor } }
}`

const listPolicies = `query ListPolicies($after: String) {
  page: policies(first: 50, after: $after) {
    edges { node { name mode enabled waivable waiverApprovals waiverMaxDays gate { stage kind } rules { name }
      scope { type projectKeys applicationKeys labels { key value } criticality } } }
    pageInfo { hasNextPage endCursor }
  }
}`

const makeTemplate = `mutation CreatePolicyTemplate($input: CreatePolicyTemplateInput!) {
  createPolicyTemplate(input: $input) { policyTemplate { name revision } }
}`

const makeRule = `mutation CreateRule($input: CreateRuleInput!) {
  createRule(input: $input) { rule { name template { name revision } } }
}`

const makePolicy = `mutation CreatePolicy($input: CreatePolicyInput!) {
  createPolicy(input: $input) { policy { name revision } }
}`

const changePolicy = `mutation UpdatePolicy($input: UpdatePolicyInput!) {
  updatePolicy(input: $input) { policy { name revision } }
}`

// serverTemplate is the newest revision of a template on the server.
type serverTemplate struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Revision    int             `json:"revision"`
	Category    string          `json:"category"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Remediation string          `json:"remediation"`
	Controls    []string        `json:"controls"`
	Rego        string          `json:"rego"`
	Schema      json.RawMessage `json:"parametersSchema"`
	Tests       string          `json:"tests"`
}

type serverRule struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
	Template   struct {
		Name     string `json:"name"`
		Revision int    `json:"revision"`
	} `json:"template"`
}

type serverPolicy struct {
	Name            string      `json:"name"`
	Mode            string      `json:"mode"`
	Enabled         bool        `json:"enabled"`
	Waivable        bool        `json:"waivable"`
	WaiverApprovals int         `json:"waiverApprovals"`
	WaiverMaxDays   int         `json:"waiverMaxDays"`
	Gate            policyGate  `json:"gate"`
	Rules           []inside    `json:"rules"`
	Scope           policyScope `json:"scope"`
}

// serverPolicies is what the server has, as far as a folder needs to know.
type serverPolicies struct {
	templates map[string]*serverTemplate
	rules     []serverRule
	policies  map[string]serverPolicy
}

// readServer reads what the server has: the templates that the folder names in full.
func readServer(ctx context.Context, server *client.Client, f policyFolder) (serverPolicies, error) {
	on := serverPolicies{templates: map[string]*serverTemplate{}, policies: map[string]serverPolicy{}}
	templates, err := allPages[serverTemplate](ctx, server, "ListPolicyTemplates", listTemplates)
	if err != nil {
		return on, err
	}
	newest := map[string]serverTemplate{}
	for _, t := range templates {
		if t.Revision > newest[t.Name].Revision {
			newest[t.Name] = t
		}
	}
	named := map[string]bool{}
	for _, t := range f.templates {
		named[t.Name] = true
	}
	for _, r := range f.rules {
		named[r.Template] = true
	}
	for name := range named {
		t, there := newest[name]
		if !there {
			continue
		}
		var out struct{ Node serverTemplate }
		op := client.Operation{Name: "ReadPolicyTemplate", Document: readTemplate, Variables: map[string]any{"id": t.ID}}
		if err := client.Retry(ctx, pause, func() error { return server.Ask(ctx, op, &out) }); err != nil {
			return on, fmt.Errorf("read template %s: %w", name, err)
		}
		on.templates[name] = &out.Node
	}
	if on.rules, err = allPages[serverRule](ctx, server, "ListRules", listRules); err != nil {
		return on, err
	}
	policies, err := allPages[serverPolicy](ctx, server, "ListPolicies", listPolicies)
	for _, p := range policies {
		on.policies[p.Name] = p
	}
	return on, err
}

// allPages reads a list to its end.
func allPages[T any](ctx context.Context, server *client.Client, name, document string) ([]T, error) {
	var all []T
	var after *string
	for {
		var out struct {
			Page struct {
				Edges []struct {
					Node T `json:"node"`
				} `json:"edges"`
				PageInfo struct {
					HasNextPage bool    `json:"hasNextPage"`
					EndCursor   *string `json:"endCursor"`
				} `json:"pageInfo"`
			} `json:"page"`
		}
		op := client.Operation{Name: name, Document: document, Variables: map[string]any{"after": after}}
		if err := client.Retry(ctx, pause, func() error { return server.Ask(ctx, op, &out) }); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, e := range out.Page.Edges {
			all = append(all, e.Node)
		}
		if !out.Page.PageInfo.HasNextPage || out.Page.PageInfo.EndCursor == nil {
			return all, nil
		}
		after = out.Page.PageInfo.EndCursor
	}
}
