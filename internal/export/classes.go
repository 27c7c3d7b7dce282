package export

import "github.com/plimsoll/plimsoll/internal/activity"

// Version is the release of the schema that lines in OCSF follow.
const Version = "1.5.0"

// Classes of events, by their class_uid. The first digit is the category.
const (
	vulnerabilityFinding = 2002
	complianceFinding    = 2003
	accountChange        = 3001
	entityManagement     = 3004
	applicationLifecycle = 6002
)

// other is what stands in no list of the schema: what it is, is said beside it.
const other = 99

// good is the standing of a version that nothing speaks against.
const good = "GOOD"

// Activities of Entity Management.
const (
	create     = 1
	update     = 3
	remove     = 4
	enable     = 8
	disable    = 9
	deactivate = 11
)

// Activities of findings.
const (
	findingCreate = 1
	findingUpdate = 2
)

// Activities of Account Change.
const (
	accountCreate  = 1
	accountDisable = 5
	accountDelete  = 6
)

// Activities of Application Lifecycle.
const (
	appInstall = 1
	appEnable  = 6
	appDisable = 7
	appUpdate  = 8
)

// Severities. They say how much an event of the type matters to whoever watches, and nothing of a vulnerability's own.
const (
	informational = 1
	low           = 2
	medium        = 3
	high          = 4
)

// class is what an event of a type is in OCSF.
type class struct {
	uid, activity, severity int
	// entity is what was managed, for Entity Management.
	entity string
}

// gated is what an event is whose gate did not say yes. It is a finding: a check that did not pass.
var gated = class{uid: complianceFinding, activity: findingCreate, severity: medium}

func entity(kind string, activity, severity int) class {
	return class{entityManagement, activity, severity, kind}
}

// classes has every type of the activity log.
var classes = map[activity.Type]class{
	activity.OrganisationFounded:   entity("organization", create, informational),
	activity.SigningKeyAdded:       entity("signing key", create, medium),
	activity.ProjectCreated:        entity("project", create, informational),
	activity.StageCreated:          entity("stage", create, informational),
	activity.LifecycleSet:          entity("lifecycle", update, low),
	activity.ApplicationCreated:    entity("application", create, informational),
	activity.ApplicationUpdated:    entity("application", update, informational),
	activity.PackageBound:          entity("package", update, informational),
	activity.PackageUnbound:        entity("package", update, informational),
	activity.PackageDeprecated:     entity("package", disable, informational),
	activity.TokenCreated:          {uid: accountChange, activity: accountCreate, severity: low},
	activity.TokenRevoked:          {uid: accountChange, activity: accountDisable, severity: low},
	activity.PersonErased:          {uid: accountChange, activity: accountDelete, severity: medium},
	activity.TrustAnchorAdded:      entity("trust anchor", create, medium),
	activity.TrustAnchorRevoked:    entity("trust anchor", disable, medium),
	activity.PolicyTemplateCreated: entity("policy template", create, informational),
	activity.RuleCreated:           entity("rule", create, informational),
	activity.PolicyCreated:         entity("policy", create, low),
	activity.PolicyUpdated:         entity("policy", update, medium),
	activity.BuildReported:         entity("build", create, informational),
	activity.VersionCreated:        entity("application version", create, informational),
	activity.VersionUpdated:        entity("application version", update, informational),
	activity.VersionLocked:         entity("application version", update, informational),
	activity.VersionDeleted:        entity("application version", remove, informational),
	activity.VersionArchived:       entity("application version", disable, informational),
	activity.VersionApproved:       entity("approval", create, low),
	activity.EvidenceSubmitted:     entity("evidence", create, informational),
	activity.EvidenceAttached:      entity("evidence", update, informational),
	activity.EvidenceWithdrawn:     entity("evidence", disable, medium),
	activity.AdvisoriesImported:    entity("advisories", update, informational),
	activity.VulnerabilityFound:    {uid: vulnerabilityFinding, activity: findingCreate, severity: high},
	activity.TriageDecided:         {uid: vulnerabilityFinding, activity: findingUpdate, severity: low},
	activity.TriageRevoked:         {uid: vulnerabilityFinding, activity: findingUpdate, severity: low},
	activity.StandingChanged:       {uid: complianceFinding, activity: findingUpdate, severity: high},
	activity.WaiverRequested:       entity("waiver", create, low),
	activity.WaiverApproved:        entity("waiver", enable, medium),
	activity.WaiverRejected:        entity("waiver", update, low),
	activity.WaiverCancelled:       entity("waiver", update, low),
	activity.WaiverRevoked:         entity("waiver", disable, low),
	activity.WaiverExpiring:        entity("waiver", update, informational),
	activity.WaiverExpired:         entity("waiver", deactivate, low),
	activity.FreezeCreated:         entity("freeze", create, low),
	activity.FreezeLifted:          entity("freeze", disable, low),
	activity.DeploymentRecorded:    {uid: applicationLifecycle, activity: appInstall, severity: informational},
	activity.VersionPromoted:       {uid: applicationLifecycle, activity: appUpdate, severity: informational},
	activity.VersionReleased:       {uid: applicationLifecycle, activity: appEnable, severity: low},
	activity.VersionRolledBack:     {uid: applicationLifecycle, activity: appDisable, severity: medium},
}

// classOf gives what an event is. A type that this program does not know, which a newer one wrote, is some other change of an
// entity.
func classOf(s shown) class {
	if s.Result != string(activity.Success) {
		return gated
	}
	c, known := classes[activity.Type(s.Type)]
	if !known {
		return entity("unknown", other, informational)
	}
	if s.Type == string(activity.StandingChanged) && s.of("standing") == good {
		c.severity = informational
	}
	return c
}
