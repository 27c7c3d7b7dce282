package activity

import (
	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
)

// Type says what happened. The values stand in leaves and never change their meaning.
type Type string

// What can happen.
const (
	OrganisationFounded   Type = "ORGANISATION_FOUNDED"
	SigningKeyAdded       Type = "SIGNING_KEY_ADDED"
	ProjectCreated        Type = "PROJECT_CREATED"
	StageCreated          Type = "STAGE_CREATED"
	LifecycleSet          Type = "LIFECYCLE_SET"
	ApplicationCreated    Type = "APPLICATION_CREATED"
	ApplicationUpdated    Type = "APPLICATION_UPDATED"
	PackageBound          Type = "PACKAGE_BOUND"
	PackageUnbound        Type = "PACKAGE_UNBOUND"
	TokenCreated          Type = "TOKEN_CREATED"
	TokenRevoked          Type = "TOKEN_REVOKED"
	TrustAnchorAdded      Type = "TRUST_ANCHOR_ADDED"
	TrustAnchorRevoked    Type = "TRUST_ANCHOR_REVOKED"
	PolicyTemplateCreated Type = "POLICY_TEMPLATE_CREATED"
	RuleCreated           Type = "RULE_CREATED"
	PolicyCreated         Type = "POLICY_CREATED"
	PolicyUpdated         Type = "POLICY_UPDATED"
	BuildReported         Type = "BUILD_REPORTED"
	VersionCreated        Type = "VERSION_CREATED"
	VersionUpdated        Type = "VERSION_UPDATED"
	VersionLocked         Type = "VERSION_LOCKED"
	VersionDeleted        Type = "VERSION_DELETED"
	VersionArchived       Type = "VERSION_ARCHIVED"
	EvidenceSubmitted     Type = "EVIDENCE_SUBMITTED"
	EvidenceAttached      Type = "EVIDENCE_ATTACHED"
	AdvisoriesImported    Type = "ADVISORIES_IMPORTED"
	VulnerabilityFound    Type = "VULNERABILITY_FOUND"
	WaiverRequested       Type = "WAIVER_REQUESTED"
	WaiverApproved        Type = "WAIVER_APPROVED"
	WaiverRejected        Type = "WAIVER_REJECTED"
	WaiverCancelled       Type = "WAIVER_CANCELLED"
	WaiverRevoked         Type = "WAIVER_REVOKED"
	WaiverExpired         Type = "WAIVER_EXPIRED"
	WaiverExpiring        Type = "WAIVER_EXPIRING"
	FreezeCreated         Type = "FREEZE_CREATED"
	FreezeLifted          Type = "FREEZE_LIFTED"
	VersionApproved       Type = "VERSION_APPROVED"
	TriageDecided         Type = "TRIAGE_DECIDED"
	TriageRevoked         Type = "TRIAGE_REVOKED"
	StandingChanged       Type = "STANDING_CHANGED"
	EvidenceWithdrawn     Type = "EVIDENCE_WITHDRAWN"
	PersonErased          Type = "PERSON_ERASED"
	PackageDeprecated     Type = "PACKAGE_DEPRECATED"
	DeploymentRecorded    Type = "DEPLOYMENT_RECORDED"
	VersionPromoted       Type = "VERSION_PROMOTED"
	VersionReleased       Type = "VERSION_RELEASED"
	VersionRolledBack     Type = "VERSION_ROLLED_BACK"
)

// category puts each type in its part of the house.
func (t Type) category() activityevent.Category {
	switch t {
	case ProjectCreated, StageCreated, LifecycleSet, ApplicationCreated, ApplicationUpdated, PackageBound, PackageUnbound, PackageDeprecated:
		return activityevent.CategoryCATALOG
	case OrganisationFounded, SigningKeyAdded, TokenCreated, TokenRevoked, PersonErased:
		return activityevent.CategoryACCESS
	case PolicyTemplateCreated, RuleCreated, PolicyCreated, PolicyUpdated, WaiverRequested, WaiverApproved, WaiverRejected, WaiverCancelled,
		WaiverRevoked, WaiverExpired, WaiverExpiring, FreezeCreated, FreezeLifted:
		return activityevent.CategoryPOLICY
	case EvidenceSubmitted, EvidenceAttached, EvidenceWithdrawn, TrustAnchorAdded, TrustAnchorRevoked:
		return activityevent.CategoryEVIDENCE
	case AdvisoriesImported, VulnerabilityFound, TriageDecided, TriageRevoked, StandingChanged:
		return activityevent.CategorySECURITY
	case BuildReported, VersionCreated, VersionUpdated, VersionLocked, VersionDeleted, VersionArchived:
		return activityevent.CategoryVERSION
	default:
		return activityevent.CategoryRELEASE
	}
}

// How an event ended.
const (
	Success = activityevent.ResultSUCCESS
	Blocked = activityevent.ResultBLOCKED
	Failed  = activityevent.ResultFAILED
)

// Event is one thing that happened, said in values. The log adds who and when.
type Event struct {
	Type Type
	// Result is Success when empty.
	Result activityevent.Result
	// Project is where it happened; nil for the organisation.
	Project *db.Project
	// Application is the key of the application it is about; empty when it is about none.
	Application string
	// Subject is what it is about: a key, a name, "application@version", a digest. No person's name.
	Subject string
	// Summary is one sentence without a person's name: it stands in the leaf for ever.
	Summary string
	Changes []Change
}

// Change is a field that changed. A nil value means there was, or is, nothing.
type Change struct {
	Field    string
	From, To *Value
}

// Value is one side of a change.
type Value struct {
	text   string
	person bool
}

// Text is a value that may be read for ever.
func Text(s string) *Value { return &Value{text: s} }

// Person is a value that names a person (or may): the leaf holds a salted commitment to it.
func Person(name string) *Value { return &Value{text: name, person: true} }

// Added is a change from nothing.
func Added(field string, to *Value) Change { return Change{Field: field, To: to} }

// Removed is a change to nothing.
func Removed(field string, from *Value) Change { return Change{Field: field, From: from} }

// Changed is a change from one text to another.
func Changed(field, from, to string) Change {
	return Change{Field: field, From: Text(from), To: Text(to)}
}
