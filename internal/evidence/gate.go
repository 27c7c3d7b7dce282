package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/sbomcomponent"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
)

// maxPredicate is the size in bytes of the largest predicate that gates are shown whole.
const maxPredicate = 64 << 10

// GateEvidence is a piece of evidence as a gate looks at it.
type GateEvidence struct {
	Row *db.Evidence
	// Verified is whether it was verified when it arrived, and whoever vouched for it is trusted still.
	Verified bool
	// Anchor is the alias of the trust anchor that verified it, or Collector; empty when nobody vouches for it.
	Anchor string
	// Stage is the name of the stage it arrived in; empty when there was none.
	Stage string
	// Subjects are the digests it speaks of, "algorithm:value", sorted, each once.
	Subjects []string
	// Predicate is the predicate as it stands in the statement, or a document that is JSON; nil when there is none, when it
	// is longer than 64 KiB, and for an SBOM, whose components are looked at instead. It is shared: do not change it.
	Predicate json.RawMessage
	// View is what it says in the shape of its category, JSON; nil when its type has none.
	View json.RawMessage
	// Sbom is the SBOM it is; nil when it is none.
	Sbom *db.Sbom
}

// GateComponent is something that a version is made of.
type GateComponent struct {
	// PURL is the canonical package URL; empty when none is known.
	PURL          string
	Name, Version string
	// Licenses are what the SBOMs say, sorted, each once.
	Licenses []string
	// Sboms are the digests of the SBOMs that list it, sorted.
	Sboms []string
}

// ForGate returns all evidence that counts for a version, in the order in which it came: what was withdrawn does not. It reads as the service itself,
// because a decision must not depend on who asks for it.
func (s *Service) ForGate(ctx context.Context, v *db.ApplicationVersion) ([]GateEvidence, error) {
	return s.gateEvidence(auth.System(ctx), v, about(v)...)
}

// gateEvidence reads the evidence that matches, in the order in which it came.
func (s *Service) gateEvidence(ctx context.Context, v *db.ApplicationVersion, where ...predicate.Evidence) ([]GateEvidence, error) {
	const page = 5000 // edges are loaded by listing ids, of which SQLite takes 32,766 in a statement
	var all []GateEvidence
	for last := 0; ; {
		rows, err := s.store.Read().Evidence.Query().Where(where...).Where(evidence.IDGT(last), notWithdrawn).
			WithAnchor().WithStage().WithSbom().WithSubjects().
			Order(evidence.ByID()).Limit(page).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load evidence of version %d: %w", v.ID, err)
		}
		for _, row := range rows {
			e, err := s.forGate(ctx, row)
			if err != nil {
				return nil, err
			}
			all = append(all, e)
		}
		if len(rows) < page {
			return all, nil
		}
		last = rows[len(rows)-1].ID
	}
}

func (s *Service) forGate(ctx context.Context, row *db.Evidence) (GateEvidence, error) {
	e := GateEvidence{Row: row, Verified: row.Verified, Sbom: row.Edges.Sbom, Subjects: make([]string, len(row.Edges.Subjects))}
	if row.View != "" {
		e.View = json.RawMessage(row.View)
	}
	switch anchor := row.Edges.Anchor; {
	case anchor != nil && anchor.RevokedAt != nil:
		e.Verified = false
	case anchor != nil:
		e.Anchor = anchor.Alias
	case row.Collected:
		e.Anchor = Collector
	}
	if row.Edges.Stage != nil {
		e.Stage = row.Edges.Stage.Name
	}
	for i, subject := range row.Edges.Subjects {
		e.Subjects[i] = subject.Digest
	}
	slices.Sort(e.Subjects)
	e.Subjects = slices.Compact(e.Subjects)
	if row.SbomID != nil {
		return e, nil
	}
	var err error
	e.Predicate, err = s.predicate(ctx, row)
	return e, err
}

// predicate returns what gates are shown of a piece of evidence that is not an SBOM. Bytes kept by digest never change, so
// what was read once is remembered.
func (s *Service) predicate(ctx context.Context, row *db.Evidence) (json.RawMessage, error) {
	if p, ok := s.predicates.Get(row.RawDigest); ok {
		return p, nil
	}
	p, err := s.wholePredicate(ctx, row, maxPredicate)
	if err != nil {
		return nil, err
	}
	p = shown(p)
	s.predicates.Add(row.RawDigest, p)
	return p, nil
}

// maxShown is the size in bytes of the largest predicate that the API shows beside the raw text.
const maxShown = 1 << 20

// Predicate returns the predicate of a piece of evidence as it came, or the document when it is JSON; nil when there is
// none, when it is another form, and when it is longer than 1 MiB.
func (s *Service) Predicate(ctx context.Context, row *db.Evidence) (json.RawMessage, error) {
	p, err := s.wholePredicate(ctx, row, maxShown)
	if err != nil || len(p) > maxShown {
		return nil, err
	}
	return p, nil
}

// wholePredicate reads the predicate. A document of more than limit bytes is not read: it is its own predicate.
func (s *Service) wholePredicate(ctx context.Context, row *db.Evidence, limit int) (json.RawMessage, error) {
	_, _, signed := SignerOf(row)
	if !signed && row.Size > limit {
		return nil, nil
	}
	raw, err := s.Raw(ctx, row)
	if err != nil {
		return nil, err
	}
	if !signed {
		return asJSON(raw), nil
	}
	c, err := readSigned("raw", raw)
	if err != nil {
		return nil, fmt.Errorf("read evidence %s again: %w", row.Digest, err)
	}
	return c.predicate, nil
}

// asJSON gives a document that is strict JSON, and nil for any other.
func asJSON(content []byte) json.RawMessage {
	if canonical.Check(content, attest.MaxDepth) != nil {
		return nil
	}
	return content
}

// shown is the predicate that gates see: nil when it is too long, and without the statement around it in memory.
func shown(predicate json.RawMessage) json.RawMessage {
	if len(predicate) > maxPredicate {
		return nil
	}
	return bytes.Clone(predicate)
}

// Components returns what the SBOMs list together, each component once, sorted by what identifies it. The ids are those of
// SBOMs that the caller was given: they are not looked at again.
func (s *Service) Components(ctx context.Context, sbomIDs []int) (_ []GateComponent, err error) {
	if len(sbomIDs) == 0 {
		return nil, nil
	}
	ids := make([]any, len(sbomIDs))
	for i, id := range sbomIDs {
		ids[i] = id
	}
	b := sql.Dialect(s.store.Dialect())
	entry, part, bill := b.Table(sbomcomponent.Table).As("entry"), b.Table(component.Table).As("part"), b.Table(sbom.Table).As("bill")
	query, args := b.Select(
		part.C(component.FieldIdentity), part.C(component.FieldPurl), part.C(component.FieldName), part.C(component.FieldVersion),
		entry.C(sbomcomponent.FieldLicenses), bill.C(sbom.FieldDigest),
	).From(entry).
		Join(part).On(part.C(component.FieldID), entry.C(sbomcomponent.FieldComponentID)).
		Join(bill).On(bill.C(sbom.FieldID), entry.C(sbomcomponent.FieldSbomID)).
		Where(sql.In(entry.C(sbomcomponent.FieldSbomID), ids...)).Query()
	rows, err := s.store.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("load components: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found := map[string]*GateComponent{}
	for rows.Next() {
		if err := addComponent(found, rows); err != nil {
			return nil, fmt.Errorf("load components: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load components: %w", err)
	}
	return sorted(found), nil
}

// addComponent adds what one line of an SBOM says to what is known of its component.
func addComponent(found map[string]*GateComponent, row interface{ Scan(...any) error }) error {
	var identity, name, version, digest string
	var purl *string
	var licenses []byte
	if err := row.Scan(&identity, &purl, &name, &version, &licenses, &digest); err != nil {
		return err
	}
	c := found[identity]
	if c == nil {
		c = &GateComponent{Name: name, Version: version}
		if purl != nil {
			c.PURL = *purl
		}
		found[identity] = c
	}
	var list []string
	if err := json.Unmarshal(licenses, &list); err != nil {
		return fmt.Errorf("licences of %q: %w", identity, err)
	}
	c.Licenses = union(c.Licenses, list)
	c.Sboms = union(c.Sboms, []string{digest})
	return nil
}

// sorted orders by identity in bytes: the databases' own orders differ.
func sorted(found map[string]*GateComponent) []GateComponent {
	identities := make([]string, 0, len(found))
	for identity := range found {
		identities = append(identities, identity)
	}
	slices.SortFunc(identities, strings.Compare)
	list := make([]GateComponent, len(identities))
	for i, identity := range identities {
		list[i] = *found[identity]
	}
	return list
}

// remember keeps what the next gate will ask for.
func (s *Service) remember(e entry) {
	if e.bill == nil {
		p := e.predicate
		if !e.signed() {
			p = asJSON(p)
		}
		s.predicates.Add(e.rawDigest(), shown(p))
	}
}
