package blast

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/ownership"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/ent/db/vulnerabilityalias"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// start is where a question begins, in rows. Whatever is on one of the lists is bad.
type start struct {
	components      []int // in SBOMs
	packages        []int // as parts of versions, whatever their version
	packageVersions []int
	applications    []int // and their versions, and what those bring into others
	anchors         []int // and what their evidence is about, also of what was withdrawn
	evidence        []int // and what it is about, withdrawn or not
	digest          string
}

func (of BlastRadiusInput) check() error {
	n := 0
	for _, given := range []bool{of.Vulnerability != nil, of.Purl != nil, of.PurlRange != nil, of.Digest != nil, of.Signer != nil, of.Evidence != nil, of.Owner != nil} {
		if given {
			n++
		}
	}
	switch {
	case n != 1:
		return fault.At("of", "give exactly one of vulnerability, purl, purlRange, digest, signer, evidence and owner, not %d", n)
	case of.Digest != nil:
		return check.Digest("of.digest", *of.Digest)
	case of.Vulnerability != nil:
		return check.Name("of.vulnerability", *of.Vulnerability)
	case of.Signer != nil:
		return check.Name("of.signer", *of.Signer)
	case of.Evidence != nil:
		_, err := of.evidence()
		return err
	case of.Owner != nil:
		return check.Name("of.owner", *of.Owner)
	}
	return nil
}

func (s *Service) resolve(ctx context.Context, of BlastRadiusInput, in BlastRadiusScope) (start, error) {
	packages, err := in.upgrades()
	if err != nil {
		return start{}, err
	}
	switch {
	case of.Vulnerability != nil:
		return s.fromVulnerability(ctx, *of.Vulnerability, packages)
	case of.Purl != nil, of.PurlRange != nil:
		return s.fromPackage(ctx, of, packages)
	case len(packages) > 0:
		return start{}, fault.At("in.upgraded", "an upgrade changes which packages are bad: give it with vulnerability, purl or purlRange")
	case of.Signer != nil:
		return s.fromSigner(ctx, *of.Signer)
	case of.Evidence != nil:
		return s.fromEvidence(ctx, of)
	case of.Owner != nil:
		return s.fromOwner(ctx, *of.Owner, in)
	}
	return start{digest: *of.Digest}, nil
}

func (s *Service) fromPackage(ctx context.Context, of BlastRadiusInput, upgrades []purl.PURL) (start, error) {
	w, err := of.wanted()
	if err != nil {
		return start{}, err
	}
	from, err := s.holding(ctx, w)
	if err != nil {
		return from, err
	}
	return s.upgraded(ctx, from, upgrades, true, func(p purl.PURL) (bool, error) { return w.takes(p), nil })
}

// fromVulnerability finds the components that an advisory speaks of which was not withdrawn.
func (s *Service) fromVulnerability(ctx context.Context, name string, upgrades []purl.PURL) (start, error) {
	alias, err := s.store.Read().VulnerabilityAlias.Query().Where(vulnerabilityalias.Name(vulnerability.Spelled(name))).Only(ctx)
	if db.IsNotFound(err) {
		return start{}, missing("of.vulnerability", "no advisory here speaks of %s: import one that does, or ask by package", name)
	}
	if err != nil {
		return start{}, fmt.Errorf("load vulnerability %s: %w", name, err)
	}
	var from start
	from.components, err = s.ids(ctx, s.query().add("SELECT DISTINCT m.component_id FROM component_matches m CROSS JOIN advisories a"+
		" WHERE m.vulnerability_id = % AND a.id = m.advisory_id AND a.withdrawn_at IS NULL", alias.VulnerabilityID))
	if err != nil {
		return from, err
	}
	return s.upgraded(ctx, from, upgrades, false, func(p purl.PURL) (bool, error) { return s.speaks(ctx, alias.VulnerabilityID, p) })
}

func (s *Service) fromSigner(ctx context.Context, alias string) (start, error) {
	ids, err := s.store.Read().TrustAnchor.Query().Where(trustanchor.Alias(alias)).IDs(ctx)
	if err != nil {
		return start{}, fmt.Errorf("load trust anchor %s: %w", alias, err)
	}
	if len(ids) == 0 {
		return start{}, missing("of.signer", "there is no trust anchor %q", alias)
	}
	return start{anchors: ids}, nil
}

// evidence reads the id of the piece of evidence.
func (of BlastRadiusInput) evidence() (int, error) {
	typ, n, err := id.ParseGlobal(*of.Evidence)
	if err != nil || typ != "Evidence" {
		return 0, fault.At("of.evidence", "not the id of a piece of evidence")
	}
	return n, nil
}

func (s *Service) fromEvidence(ctx context.Context, of BlastRadiusInput) (start, error) {
	n, err := of.evidence()
	if err != nil {
		return start{}, err
	}
	there, err := s.store.Read().Evidence.Query().Where(evidence.ID(n)).Exist(ctx)
	if err != nil {
		return start{}, fmt.Errorf("load evidence %d: %w", n, err)
	}
	if !there {
		return start{}, missing("of.evidence", "there is no such evidence")
	}
	return start{evidence: []int{n}}, nil
}

// fromOwner begins with the applications that the owner had at the instant, and the packages that these had then.
func (s *Service) fromOwner(ctx context.Context, ref string, in BlastRadiusScope) (start, error) {
	id, err := s.store.Read().Owner.Query().Where(owner.Ref(ref)).OnlyID(ctx)
	if db.IsNotFound(err) {
		return start{}, missing("of.owner", "there is no owner %q", ref)
	}
	if err != nil {
		return start{}, fmt.Errorf("load owner %s: %w", ref, err)
	}
	var from start
	if from.applications, err = s.owned(ctx, id, in.AsOf); err != nil || len(from.applications) == 0 {
		return from, err
	}
	return from, s.addBound(ctx, &from, in.AsOf)
}

// addBound adds what belonged to the applications: packages, and single versions of others.
func (s *Service) addBound(ctx context.Context, from *start, at *time.Time) error {
	q := s.query().add("SELECT p.id, p.purl, COALESCE(pv.id, 0), COALESCE(pv.purl, '') FROM bindings b JOIN packages p ON p.id = b.package_id"+
		" LEFT JOIN package_versions pv ON pv.id = b.package_version_id WHERE b.application_id % AND ", from.applications).during("b", at)
	var list []wanted
	err := s.each(ctx, q, func(scan func(...any) error) error {
		var packageID, versionID int
		var base, version string
		if err := scan(&packageID, &base, &versionID, &version); err != nil {
			return err
		}
		if versionID == 0 {
			from.packages = append(from.packages, packageID)
			list = append(list, wanted{base: base})
			return nil
		}
		from.packageVersions = append(from.packageVersions, versionID)
		p, err := purl.Parse(version)
		list = append(list, exactly(p))
		return err
	})
	if err != nil {
		return fmt.Errorf("load packages of applications: %w", err)
	}
	from.components, err = s.components(ctx, list)
	return err
}

// owned gives the applications that an owner had, as far as whoever asks sees them.
func (s *Service) owned(ctx context.Context, ownerID int, at *time.Time) ([]int, error) {
	where := []predicate.Ownership{ownership.OwnerID(ownerID)}
	if at == nil {
		where = append(where, ownership.UntilIsNil())
	} else {
		where = append(where, ownership.SinceLTE(*at), ownership.Or(ownership.UntilIsNil(), ownership.UntilGT(*at)))
	}
	var ids []int
	err := s.store.Read().Ownership.Query().Where(where...).Unique(true).Select(ownership.FieldApplicationID).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("load applications of an owner: %w", err)
	}
	return ids, nil
}

func missing(path, format string, args ...any) error {
	return &fault.Error{Kind: fault.NotFound, Path: path, Message: fmt.Sprintf(format, args...)}
}

// ids gives the numbers that a statement answers.
func (s *Service) ids(ctx context.Context, q *query) (ids []int, err error) {
	err = s.each(ctx, q, func(scan func(...any) error) error {
		var id int
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find where a blast radius begins: %w", err)
	}
	return ids, nil
}
