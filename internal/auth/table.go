package auth

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Table says who may send which root field of the API. A field that does not stand here is refused, and the service
// does not start while its schema has one (see Uncovered). An organisation admin may send every field.
//
// A role counts where it is held: on the organisation for everything, on a project for that project's records. Each
// verb asks Allow again with the project it is about to change.
func Table() map[string][]Role {
	all := reading()
	maps.Copy(all, writing())
	return all
}

func reading() map[string][]Role {
	anyone := []Role{Viewer, Contributor, EvidencePusher, Releaser, PolicyManager, WaiverApprover, Auditor, ProjectAdmin}
	return map[string][]Role{
		"Query.node":                anyone,
		"Query.viewer":              anyone,
		"Query.project":             anyone,
		"Query.projects":            anyone,
		"Query.application":         anyone,
		"Query.applications":        anyone,
		"Query.package":             anyone,
		"Query.packages":            anyone,
		"Query.applicationVersion":  anyone,
		"Query.applicationVersions": anyone,
		"Query.versionDiff":         anyone,
		"Query.build":               anyone,
		"Query.vulnerability":       anyone,
		"Query.vulnerabilities":     anyone,
		"Query.vulnerabilityOrigin": anyone,
		"Query.feeds":               anyone,
		"Query.waivers":             anyone,
		"Query.overrides":           anyone,
		"Query.freezes":             anyone,
		"Query.requiredPolicies":    anyone,
		"Query.pathToGreen":         anyone,
		"Query.backtestPolicy":      anyone,
		"Query.checkRego":           anyone,
		"Query.tryPolicy":           anyone,
		"Query.triageDecisions":     anyone,
		"Query.notices":             anyone,
		"Query.blastRadius":         anyone,
		"Query.deployments":         anyone,
		"Query.deprecatedPackages":  anyone,
		"Query.builds":              anyone,
		"Query.evidence":            anyone,
		"Query.searchEvidence":      anyone,
		"Query.evaluation":          anyone,
		"Query.policy":              anyone,
		"Query.policies":            anyone,
		"Query.policyTemplates":     anyone,
		"Query.rules":               anyone,
		"Query.trustAnchors":        anyone,
		"Query.activityLog":         anyone,
		"Query.artifact":            anyone,
		"Query.inclusionProof":      anyone,
		"Query.consistencyProof":    anyone,
		"Query.tokens":              {ProjectAdmin, Auditor},
	}
}

func writing() map[string][]Role {
	return map[string][]Role{
		"Mutation.createProject":      {},
		"Mutation.createStage":        {ProjectAdmin},
		"Mutation.setLifecycle":       {ProjectAdmin},
		"Mutation.createApplication":  {ProjectAdmin, Contributor},
		"Mutation.updateApplication":  {ProjectAdmin},
		"Mutation.archiveApplication": {ProjectAdmin},
		"Mutation.importOwners":       {ProjectAdmin},
		"Mutation.bindPackage":        {ProjectAdmin, Contributor},
		"Mutation.unbindPackage":      {ProjectAdmin, Contributor},

		"Mutation.createToken":       {ProjectAdmin},
		"Mutation.revokeToken":       {ProjectAdmin},
		"Mutation.addTrustAnchor":    {},
		"Mutation.revokeTrustAnchor": {},
		"Mutation.withdrawEvidence":  {Contributor, EvidencePusher, ProjectAdmin},
		"Mutation.erasePerson":       {},

		"Mutation.createPolicyTemplate": {PolicyManager},
		"Mutation.createRule":           {PolicyManager},
		"Mutation.createPolicy":         {PolicyManager},
		"Mutation.updatePolicy":         {PolicyManager},

		"Mutation.requestWaiver":             {ProjectAdmin, Contributor, Releaser, PolicyManager},
		"Mutation.decideWaiver":              {WaiverApprover},
		"Mutation.cancelWaiver":              {ProjectAdmin, Contributor, Releaser, PolicyManager},
		"Mutation.revokeWaiver":              {WaiverApprover, ProjectAdmin},
		"Mutation.createFreeze":              {ProjectAdmin, Releaser},
		"Mutation.liftFreeze":                {ProjectAdmin, Releaser},
		"Mutation.approveApplicationVersion": {ProjectAdmin, Contributor, Releaser, PolicyManager, WaiverApprover},

		"Mutation.reportBuild":               {ProjectAdmin, Contributor},
		"Mutation.createApplicationVersion":  {ProjectAdmin, Contributor},
		"Mutation.addVersionSources":         {ProjectAdmin, Contributor},
		"Mutation.updateApplicationVersion":  {ProjectAdmin, Contributor},
		"Mutation.lockApplicationVersion":    {ProjectAdmin, Contributor},
		"Mutation.deleteDraftVersion":        {ProjectAdmin, Contributor},
		"Mutation.archiveApplicationVersion": {ProjectAdmin},
		"Mutation.submitEvidence":            {ProjectAdmin, Contributor, EvidencePusher},
		"Mutation.submitEvidenceBatch":       {ProjectAdmin, Contributor, EvidencePusher},

		"Mutation.importAdvisories":     {},
		"Mutation.recordTriageDecision": {ProjectAdmin, WaiverApprover},
		"Mutation.revokeTriageDecision": {ProjectAdmin, WaiverApprover},
		"Mutation.recordDeployment":     {ProjectAdmin, Contributor, Releaser},
		"Mutation.deprecatePackage":     {ProjectAdmin, Contributor},

		"Mutation.promoteApplicationVersion":  {Contributor, Releaser},
		"Mutation.releaseApplicationVersion":  {Releaser},
		"Mutation.rollbackApplicationVersion": {Releaser},
	}
}

// table is read on every request; it is never written.
var table = Table()

// Uncovered returns those of the schema's root fields ("Mutation.createProject") that the table says nothing about.
func Uncovered(rootFields []string) []string {
	var missing []string
	for _, f := range rootFields {
		if _, ok := table[f]; !ok {
			missing = append(missing, f)
		}
	}
	return missing
}

// Admit refuses whoever holds a sufficient role nowhere at all: the first look, before a field is resolved.
func Admit(ctx context.Context, field string) error {
	p, err := From(ctx)
	if err != nil {
		return err
	}
	roles, ok := table[field]
	if !ok {
		return fmt.Errorf("no access rule for %s", field)
	}
	for _, g := range p.Grants {
		if g.Role == OrganisationAdmin || slices.Contains(roles, g.Role) {
			return nil
		}
	}
	return forbidden(field, roles, "")
}

// Allow refuses whoever may not send the mutation for a record of the given project (Organisation for records that
// belong to none). The verb calls it once it knows what it is about to change. Whoever acts is returned.
func Allow(ctx context.Context, mutation string, project int) (Principal, error) {
	p, err := From(ctx)
	if err != nil {
		return Principal{}, err
	}
	field := "Mutation." + mutation
	roles, ok := table[field]
	if !ok {
		return Principal{}, fmt.Errorf("no access rule for %s", field)
	}
	if p.Holds(project, append([]Role{OrganisationAdmin}, roles...)...) {
		return p, nil
	}
	where := "this project"
	if project == Organisation {
		where = "the organisation"
	}
	return Principal{}, forbidden(field, roles, " on "+where)
}

func forbidden(field string, roles []Role, where string) error {
	names := []string{string(OrganisationAdmin)}
	for _, r := range roles {
		names = append(names, string(r))
	}
	_, name, _ := strings.Cut(field, ".")
	return fault.New(fault.Forbidden, "%s needs one of the roles %s%s", name, strings.Join(names, ", "), where)
}
