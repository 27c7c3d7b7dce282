package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
)

var roles = []auth.Role{
	auth.Viewer, auth.Contributor, auth.EvidencePusher, auth.Releaser, auth.PolicyManager, auth.WaiverApprover, auth.Auditor,
	auth.ProjectAdmin, auth.OrganisationAdmin,
}

const here, elsewhere = 1, 2

func as(grants ...auth.Grant) context.Context {
	return auth.With(context.Background(), auth.Principal{ID: 7, Name: "vic", Grants: grants})
}

func isFault(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != kind {
		t.Errorf("got %v, want a fault %s", err, kind)
	}
}

// TestRule44_EveryRoleOnEveryMutation says again, role by role, what each may send, and compares it with the table.
func TestRule44_EveryRoleOnEveryMutation(t *testing.T) {
	may := map[auth.Role]string{
		auth.Viewer:         "",
		auth.Auditor:        "",
		auth.WaiverApprover: "decideWaiver revokeWaiver approveApplicationVersion recordTriageDecision revokeTriageDecision",
		auth.EvidencePusher: "submitEvidence submitEvidenceBatch withdrawEvidence",
		auth.PolicyManager:  "requestWaiver cancelWaiver approveApplicationVersion createPolicy createPolicyTemplate createRule updatePolicy",
		auth.Releaser:       "requestWaiver cancelWaiver createFreeze liftFreeze approveApplicationVersion recordDeployment promoteApplicationVersion releaseApplicationVersion rollbackApplicationVersion",
		auth.Contributor: "requestWaiver cancelWaiver approveApplicationVersion deprecatePackage recordDeployment addVersionSources bindPackage createApplication createApplicationVersion deleteDraftVersion lockApplicationVersion promoteApplicationVersion reportBuild updateApplicationVersion submitEvidence submitEvidenceBatch withdrawEvidence " +
			"unbindPackage",
		auth.ProjectAdmin: "requestWaiver cancelWaiver revokeWaiver createFreeze liftFreeze approveApplicationVersion deprecatePackage recordDeployment addVersionSources archiveApplication archiveApplicationVersion deleteDraftVersion lockApplicationVersion reportBuild updateApplicationVersion bindPackage createApplication createApplicationVersion createStage createToken importOwners revokeToken setLifecycle " +
			"submitEvidence submitEvidenceBatch withdrawEvidence unbindPackage updateApplication recordTriageDecision revokeTriageDecision",
	}
	for field := range auth.Table() {
		mutation, ok := strings.CutPrefix(field, "Mutation.")
		if !ok {
			continue
		}
		for _, role := range roles {
			want := role == auth.OrganisationAdmin || slices.Contains(strings.Fields(may[role]), mutation)
			t.Run(mutation+" as "+string(role), func(t *testing.T) {
				for _, c := range []struct {
					grant       auth.Grant
					about       int
					admit, does bool
				}{
					{auth.Grant{Role: role, Project: here}, here, want, want},
					{auth.Grant{Role: role, Project: here}, elsewhere, want, false},
					{auth.Grant{Role: role, Project: here}, auth.Organisation, want, false},
					{auth.Grant{Role: role, Project: auth.Organisation}, here, want, want},
					{auth.Grant{Role: role, Project: auth.Organisation}, auth.Organisation, want, want},
				} {
					if err := auth.Admit(as(c.grant), field); (err == nil) != c.admit {
						t.Errorf("%+v: admitted with %v", c.grant, err)
					} else if err != nil {
						isFault(t, err, fault.Forbidden)
					}
					p, err := auth.Allow(as(c.grant), mutation, c.about)
					if (err == nil) != c.does || (err == nil) != (p.ID == 7) {
						t.Errorf("%+v about %d: allowed %v with %v", c.grant, c.about, p, err)
					} else if err != nil {
						isFault(t, err, fault.Forbidden)
					}
				}
			})
		}
	}
}

func TestRule43_NobodyIsAdmitted(t *testing.T) {
	for field := range auth.Table() {
		isFault(t, auth.Admit(context.Background(), field), fault.Unauthenticated)
		if err := auth.Admit(as(), field); err == nil {
			t.Errorf("%s is open to whoever holds no role", field)
		}
		if mutation, ok := strings.CutPrefix(field, "Mutation."); ok {
			_, err := auth.Allow(context.Background(), mutation, here)
			isFault(t, err, fault.Unauthenticated)
			// To see everything is not to be allowed anything.
			if _, err := auth.Allow(auth.System(as()), mutation, here); err == nil {
				t.Errorf("the system may send %s", field)
			}
		}
	}
}

func TestRule44_WhatHasNoRuleIsRefused(t *testing.T) {
	root := as(auth.Grant{Role: auth.OrganisationAdmin})
	_, allow := auth.Allow(root, "dropEverything", here)
	for _, err := range []error{auth.Admit(root, "Mutation.dropEverything"), auth.Admit(root, "createProject"), allow} {
		if err == nil || !strings.Contains(err.Error(), "no access rule") {
			t.Errorf("got %v", err)
		}
	}
	if got := auth.Uncovered([]string{"Query.node", "Mutation.dropEverything", "Mutation.createProject", "Query.secrets"}); fmt.Sprint(got) != "[Mutation.dropEverything Query.secrets]" {
		t.Errorf("uncovered are %v", got)
	}
	auth.Table()["Mutation.dropEverything"] = roles // a copy: the table itself stays
	if err := auth.Admit(root, "Mutation.dropEverything"); err == nil {
		t.Error("the table can be changed from outside")
	}
}

func TestRule44_ReadersReadAndTokensAreForAdminsAndAuditors(t *testing.T) {
	for field := range auth.Table() {
		if !strings.HasPrefix(field, "Query.") {
			continue
		}
		for _, role := range roles {
			want := field != "Query.tokens" || slices.Contains([]auth.Role{auth.ProjectAdmin, auth.Auditor, auth.OrganisationAdmin}, role)
			if err := auth.Admit(as(auth.Grant{Role: role, Project: here}), field); (err == nil) != want {
				t.Errorf("%s as %s: %v", field, role, err)
			}
		}
	}
}

func TestRule45_Reach(t *testing.T) {
	on := func(project int) auth.Grant { return auth.Grant{Role: auth.Viewer, Project: project} }
	for name, c := range map[string]struct {
		ctx  context.Context
		want auth.Reach
	}{
		"nobody":                        {context.Background(), auth.Reach{}},
		"no role":                       {as(), auth.Reach{}},
		"one project, in two roles":     {as(on(here), auth.Grant{Role: auth.Releaser, Project: here}), auth.Reach{Projects: []int{here}}},
		"two projects":                  {as(on(here), on(elsewhere)), auth.Reach{Projects: []int{here, elsewhere}}},
		"the organisation":              {as(on(here), on(auth.Organisation)), auth.Reach{All: true}},
		"the system":                    {auth.System(context.Background()), auth.Reach{All: true}},
		"the system for someone's sake": {auth.System(as(on(here))), auth.Reach{All: true}},
	} {
		if got := auth.ReachOf(c.ctx); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s reaches %+v, want %+v", name, got, c.want)
		}
	}
	if p, err := auth.From(auth.System(as(on(here)))); err != nil || p.Name != "vic" {
		t.Errorf("whoever acts through the system is %v: %v", p, err)
	}
}

func TestARoleIsAnEnumOfTheAPI(t *testing.T) {
	var r auth.Role
	for _, v := range []any{nil, 7, []byte("VIEWER")} {
		if err := r.UnmarshalGQL(v); err == nil {
			t.Errorf("%v is a role", v)
		}
	}
	var b bytes.Buffer
	if err := r.UnmarshalGQL("AUDITOR"); err != nil || r != auth.Auditor {
		t.Errorf("AUDITOR is %s: %v", r, err)
	}
	if r.MarshalGQL(&b); b.String() != `"AUDITOR"` {
		t.Errorf("an auditor is written %s", &b)
	}
}
