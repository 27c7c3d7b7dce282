package export

import (
	"encoding/base64"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
)

// Statuses of events, of findings, and of checks.
const (
	succeeded = 1

	findingNew        = 1
	findingInProgress = 2
	findingSuppressed = 3
	findingResolved   = 4

	checkPassed  = 1
	checkWarning = 2
	checkFailed  = 3
)

// ocsf is an event of the schema: what every class has, and what some have.
type ocsf struct {
	ActivityID  int        `json:"activity_id"`
	CategoryUID int        `json:"category_uid"`
	ClassUID    int        `json:"class_uid"`
	TypeUID     int        `json:"type_uid"`
	SeverityID  int        `json:"severity_id"`
	StatusID    int        `json:"status_id"`
	StatusCode  string     `json:"status_code"`
	Time        int64      `json:"time"`
	Message     string     `json:"message"`
	Metadata    metadata   `json:"metadata"`
	Actor       actor      `json:"actor"`
	App         *product   `json:"app,omitempty"`
	Entity      *managed   `json:"entity,omitempty"`
	User        *named     `json:"user,omitempty"`
	FindingInfo *finding   `json:"finding_info,omitempty"`
	Compliance  *check     `json:"compliance,omitempty"`
	Found       []weakness `json:"vulnerabilities,omitempty"`
	Resources   []resource `json:"resources,omitempty"`
	Unmapped    unmapped   `json:"unmapped"`
}

type metadata struct {
	Version      string   `json:"version"`
	Product      product  `json:"product"`
	Profiles     []string `json:"profiles,omitempty"`
	UID          string   `json:"uid"`
	Sequence     int      `json:"sequence"`
	LogName      string   `json:"log_name"`
	LogProvider  string   `json:"log_provider"`
	EventCode    string   `json:"event_code"`
	OriginalTime string   `json:"original_time"`
}

type product struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name,omitempty"`
	Version string `json:"version,omitempty"`
	UID     string `json:"uid,omitempty"`
}

type named struct {
	Name string `json:"name"`
}

type actor struct {
	User named `json:"user"`
}

type managed struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	TypeID  int    `json:"type_id"`
	Version string `json:"version,omitempty"`
	Policy  *named `json:"policy,omitempty"`
	Org     *named `json:"org,omitempty"`
}

type finding struct {
	UID   string `json:"uid"`
	Title string `json:"title"`
}

type check struct {
	Control  string `json:"control"`
	StatusID int    `json:"status_id"`
	Detail   string `json:"status_detail"`
}

type identified struct {
	UID string `json:"uid"`
}

type weakness struct {
	CVE      *identified `json:"cve,omitempty"`
	Advisory *identified `json:"advisory,omitempty"`
}

type resource struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// unmapped is what the schema has no place for.
type unmapped struct {
	Category    string   `json:"category"`
	Project     string   `json:"project,omitempty"`
	Application string   `json:"application,omitempty"`
	Subject     string   `json:"subject"`
	Changes     []change `json:"changes,omitempty"`
}

// layOCSF writes an event of the log with the origin.
func (s *Service) layOCSF(origin string, e *db.ActivityEvent, to []byte) ([]byte, error) {
	said, err := show(e)
	if err != nil {
		return nil, err
	}
	c := classOf(said)
	out := ocsf{
		ActivityID: c.activity, CategoryUID: c.uid / 1000, ClassUID: c.uid, TypeUID: c.uid*100 + c.activity,
		SeverityID: c.severity, StatusID: succeeded, StatusCode: said.Result, Time: e.At.UnixMilli(), Message: said.Summary,
		Metadata: metadata{
			Version: Version, Product: product{Name: "Plimsoll", Vendor: "Plimsoll", Version: s.program},
			UID: base64.StdEncoding.EncodeToString(e.LeafHash), Sequence: said.LogIndex, LogName: "activity", LogProvider: origin,
			EventCode: said.Type, OriginalTime: said.At,
		},
		Actor:    actor{named{said.Actor}},
		Unmapped: unmapped{said.Category, said.Project, said.Application, said.Subject, said.Changes},
	}
	switch c.uid {
	case entityManagement:
		out.Entity = entityOf(said, c.entity)
	case accountChange:
		out.User = userOf(said)
	case applicationLifecycle:
		out.App = &product{Name: said.Application, Version: versionOf(said.Subject), UID: said.Subject}
	case vulnerabilityFinding:
		out.found(said)
	case complianceFinding:
		out.checked(said)
	}
	if c.uid != entityManagement && c.uid != accountChange {
		// Elsewhere the actor is an attribute of this profile.
		out.Metadata.Profiles = []string{"host"}
	}
	return line(to, out)
}

// versionOf gives what stands behind the @ of "application@version".
func versionOf(subject string) string {
	_, version, _ := strings.Cut(subject, "@")
	return version
}

func entityOf(s shown, kind string) *managed {
	m := managed{Name: s.Subject, Type: kind, TypeID: other}
	switch kind {
	case "organization":
		m.TypeID, m.Org = 4, &named{s.Subject}
	case "policy":
		m.TypeID, m.Policy = 5, &named{s.Subject}
	case "application version", "approval":
		m.Version = versionOf(s.Subject)
	}
	return &m
}

// userOf gives whose account it is. The token of a person has the person's name among the changes, where it can be erased.
func userOf(s shown) *named {
	if person := s.of("person"); person != "" {
		return &named{person}
	}
	return &named{s.Subject}
}

// found fills in what was found, or decided about what was found.
func (o *ocsf) found(s shown) {
	id := s.Subject // of decisions: the vulnerability
	switch o.StatusID = findingNew; s.of("status") {
	case "ACCEPTED":
		o.StatusID = findingSuppressed
	case "UNDER_INVESTIGATION", "AFFECTED":
		o.StatusID = findingInProgress
	}
	names := []string{s.Subject}
	if s.Type == string(activity.VulnerabilityFound) {
		id = o.Metadata.UID
		names = namedFirst(s.Summary)
	}
	o.FindingInfo = &finding{id, s.Summary}
	for _, name := range names {
		w := weakness{Advisory: &identified{name}}
		if strings.HasPrefix(name, "CVE-") {
			w = weakness{CVE: &identified{name}}
		}
		o.Found = append(o.Found, w)
	}
	if s.Application != "" {
		o.Resources = []resource{{s.Application, "application"}}
	}
}

// namedFirst gives the ids at the beginning of a sentence like "CVE-1, GHSA-2 and 3 more found in …".
func namedFirst(summary string) []string {
	list, _, _ := strings.Cut(summary, " found in ")
	list, _, _ = strings.Cut(list, " and ")
	return strings.Split(list, ", ")
}

// checked fills in what a gate said, or how a version stands.
func (o *ocsf) checked(s shown) {
	o.StatusID = findingNew
	o.FindingInfo = &finding{o.Metadata.UID, s.Summary}
	o.Compliance = &check{"gate", checkFailed, s.Summary}
	o.Resources = []resource{{s.Subject, "application version"}}
	if s.Result == string(activity.Failed) { // the gate could not be asked
		o.Compliance.StatusID = checkWarning
	}
	if s.Type != string(activity.StandingChanged) {
		return
	}
	o.FindingInfo.UID, o.Compliance.Control = s.Subject, "standing"
	switch s.of("standing") {
	case good:
		o.StatusID, o.Compliance.StatusID = findingResolved, checkPassed
	case "AT_RISK":
		o.Compliance.StatusID = checkWarning
	}
}
