package version

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/labels"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Service reports and reads application versions.
type Service struct {
	store   *store.Store
	catalog *catalog.Service
	log     *activity.Log
	signing *signing.Service
	now     func() time.Time
}

// New returns the version service; now is the clock.
func New(s *store.Store, catalog *catalog.Service, log *activity.Log, signing *signing.Service, now func() time.Time) *Service {
	return &Service{store: s, catalog: catalog, log: log, signing: signing, now: now}
}

// Create reports a version and locks it: version, contents, signed manifest and event are there together or not at all.
// A version string that is taken is a CONFLICT, even when the contents are the same: a version is reported once.
func (s *Service) Create(ctx context.Context, in CreateApplicationVersionInput) (*db.ApplicationVersion, error) {
	parts, purls, err := in.check()
	if err != nil {
		return nil, err
	}
	app, err := s.store.Read().Application.Query().Where(application.Key(in.ApplicationKey)).WithProject().Only(ctx)
	if db.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "there is no application %q", in.ApplicationKey)
	}
	if err != nil {
		return nil, fmt.Errorf("load application %s: %w", in.ApplicationKey, err)
	}
	actor, err := auth.Allow(ctx, "createApplicationVersion", app.ProjectID)
	if err != nil {
		return nil, err
	}
	if app.ArchivedAt != nil {
		return nil, fault.New(fault.FailedPrecondition, "application %q is archived and takes no new versions: bring it back first", app.Key).
			With("path", "input.applicationKey")
	}
	manifest, err := Manifest{Schema: ManifestSchema, Application: app.Key, Version: in.Version, Contents: parts}.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	draft := &db.ApplicationVersion{
		ApplicationID: app.ID, ProjectID: app.ProjectID, Version: in.Version, CreatedBy: actor.ID, CreatedAt: s.now().UTC(),
		Manifest: string(manifest), ManifestDigest: canonical.Digest(manifest), ReleasableCount: len(parts),
	}
	if in.Tag != nil {
		draft.Tag = *in.Tag
	}
	signed, err := s.signManifest(ctx, app.Key, draft, parts)
	if err != nil {
		return nil, err
	}
	var v *db.ApplicationVersion
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		v, err = s.record(ctx, tx, app, draft, parts, purls)
		if err != nil {
			return err
		}
		if err := s.signing.Record(ctx, tx, v, nil, signed); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, activity.Event{
			Type: activity.VersionCreated, Project: app.Edges.Project, Application: app.Key, Subject: app.Key + "@" + v.Version,
			Summary: fmt.Sprintf("version %s of %s was reported with %d parts and locked", v.Version, app.Key, len(parts)),
			Changes: append([]activity.Change{activity.Added("manifestDigest", activity.Text(v.ManifestDigest))}, signing.Changes([]signing.Signed{signed})...),
		})
	})
	if store.IsUnique(err) {
		return nil, fault.New(fault.Conflict, "application %q has a version %q already; a version is reported once", app.Key, in.Version).
			With("path", "input.version")
	}
	if err != nil {
		return nil, err
	}
	return s.store.Read().ApplicationVersion.Get(ctx, v.ID)
}

func (s *Service) signManifest(ctx context.Context, app string, v *db.ApplicationVersion, parts []Part) (signing.Signed, error) {
	contents := make([]*db.Releasable, len(parts))
	for i, p := range parts {
		contents[i] = &db.Releasable{Name: p.Name, Digest: optional(p.Digest)}
	}
	subjects, err := signing.VersionSubjects(app, v.Version, v.ManifestDigest, contents)
	if err != nil {
		return signing.Signed{}, err
	}
	return s.signing.Sign(ctx, subjects, attest.PredicateManifest, map[string]any{
		"application": app, "version": v.Version, "manifestDigest": v.ManifestDigest, "lockedAt": v.CreatedAt.Format(time.RFC3339Nano),
	})
}

// record writes the version and its contents.
func (s *Service) record(ctx context.Context, tx *db.Client, app *db.Application, draft *db.ApplicationVersion, parts []Part, purls map[string]purl.PURL) (*db.ApplicationVersion, error) {
	inherited, err := contextOf(ctx, tx, app.ID)
	if err != nil {
		return nil, err
	}
	v, err := tx.ApplicationVersion.Create().
		SetVersion(draft.Version).SetTag(draft.Tag).SetManifest(draft.Manifest).SetManifestDigest(draft.ManifestDigest).
		SetContext(string(inherited)).SetReleasableCount(draft.ReleasableCount).SetProjectID(draft.ProjectID).
		SetApplicationID(draft.ApplicationID).SetCreatedBy(draft.CreatedBy).SetCreatedAt(draft.CreatedAt).Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("write version: %w", err)
	}
	packages, err := s.packages(ctx, tx, parts, purls)
	if err != nil {
		return nil, err
	}
	const chunk = 1000 // well under the number of variables that SQLite takes in one statement
	for start := 0; start < len(parts); start += chunk {
		batch := parts[start:min(start+chunk, len(parts))]
		rows := make([]*db.ReleasableCreate, len(batch))
		for i, p := range batch {
			rows[i] = tx.Releasable.Create().SetVersionID(v.ID).SetKind(p.Kind).SetName(p.Name).
				SetNillablePurl(optional(p.PURL)).SetNillableDigest(optional(p.Digest))
			if row, ok := packages[p.PURL]; ok {
				rows[i].SetPackageID(row.Package.ID).SetPackageVersionID(row.Version.ID)
			}
		}
		if err := tx.Releasable.CreateBulk(rows...).Exec(ctx); err != nil {
			return nil, fmt.Errorf("write contents: %w", err)
		}
	}
	return v, nil
}

// packages makes sure that every package version of the contents has its row, and returns the rows by purl.
func (s *Service) packages(ctx context.Context, tx *db.Client, parts []Part, purls map[string]purl.PURL) (map[string]catalog.Ensured, error) {
	var list []purl.PURL
	digests := map[string]string{}
	for _, p := range parts {
		if p.Kind == releasable.KindPACKAGE {
			list = append(list, purls[p.PURL])
			if p.Digest != "" {
				digests[p.PURL] = p.Digest
			}
		}
	}
	return s.catalog.EnsurePackages(ctx, tx, list, digests)
}

// Inherited is what was said of the application when a version was locked. People stand in it by the row of their
// owner record, so that a name can be erased.
type Inherited struct {
	Criticality application.Criticality `json:"criticality"`
	Maturity    application.Maturity    `json:"maturity"`
	Labels      []labels.Label          `json:"labels"`
	Owners      []int                   `json:"owners"`
}

// InheritedBy reads what a version recorded of its application.
func InheritedBy(v *db.ApplicationVersion) (Inherited, error) {
	var in Inherited
	if err := json.Unmarshal([]byte(v.Context), &in); err != nil {
		return Inherited{}, fmt.Errorf("read context of version %d: %w", v.ID, err)
	}
	return in, nil
}

// contextOf reads the application inside the transaction, so that what is recorded is what holds at that moment.
func contextOf(ctx context.Context, tx *db.Client, applicationID int) ([]byte, error) {
	app, err := tx.Application.Query().Where(application.ID(applicationID)).WithLabels().
		WithOwnerships(func(q *db.OwnershipQuery) { q.Where(ownership.UntilIsNil()) }).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load application context: %w", err)
	}
	in := Inherited{Criticality: app.Criticality, Maturity: app.Maturity, Labels: []labels.Label{}, Owners: []int{}}
	for _, l := range app.Edges.Labels {
		in.Labels = append(in.Labels, labels.Label{Key: l.Key, Value: l.Value})
	}
	for _, o := range app.Edges.Ownerships {
		in.Owners = append(in.Owners, o.OwnerID)
	}
	return canonical.JSON(in)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
