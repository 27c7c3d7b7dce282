package blast

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/store"
)

const (
	maxUpgraded = 20
	// recordsAtOnce times advisory.MaxRecord bounds what is read at once.
	recordsAtOnce = 50
)

// upgrades reads the packages that would be in other versions. Each is there once: two versions would say nothing.
func (in BlastRadiusScope) upgrades() ([]purl.PURL, error) {
	first := map[string]int{}
	list := make([]purl.PURL, len(in.Upgraded))
	for i, text := range in.Upgraded {
		at := fmt.Sprint("in.upgraded.", i)
		p, err := purl.Parse(text)
		if err != nil {
			return nil, fault.At(at, "%v", err)
		}
		if !p.HasVersion() {
			return nil, fault.At(at, "%s has no version: give the one that it would be upgraded to", text)
		}
		base := p.WithoutVersion()
		if before, twice := first[base]; twice {
			return nil, fault.At(at, "%s is a version of the same package as in.upgraded.%d: give one version of each", text, before)
		}
		first[base], list[i] = i, p
	}
	return list, nil
}

// upgraded turns where a question begins into where it would if every SBOM listed the packages in these versions. A package
// whose new version is bad is bad in whatever version it is listed; of another nothing is. Parts tells whether the question is
// also asked of what versions contain.
func (s *Service) upgraded(ctx context.Context, from start, packages []purl.PURL, parts bool, bad func(purl.PURL) (bool, error)) (start, error) {
	for _, p := range packages {
		still, err := bad(p)
		if err != nil {
			return from, err
		}
		base := wanted{base: p.WithoutVersion()}
		listed, err := s.components(ctx, []wanted{base})
		if err != nil {
			return from, err
		}
		from.components = replaced(from.components, listed, still)
		if parts {
			if err := s.upgradeParts(ctx, &from, base.base, still); err != nil {
				return from, err
			}
		}
	}
	return from, nil
}

func (s *Service) upgradeParts(ctx context.Context, from *start, base string, bad bool) error {
	packages, err := s.ids(ctx, s.query().add("SELECT id FROM packages WHERE purl = %", base))
	if err != nil || len(packages) == 0 {
		return err
	}
	versions, err := s.ids(ctx, s.query().add("SELECT id FROM package_versions WHERE package_id %", packages))
	from.packages = replaced(from.packages, packages, bad)
	from.packageVersions = replaced(from.packageVersions, versions, false)
	return err
}

// replaced takes numbers out of a list, or sees to it that they are all in it.
func replaced(list, numbers []int, in bool) []int {
	drop := make(map[int]bool, len(numbers))
	for _, n := range numbers {
		drop[n] = true
	}
	kept := slices.DeleteFunc(slices.Clone(list), func(n int) bool { return drop[n] })
	if in {
		kept = append(kept, numbers...)
	}
	slices.Sort(kept)
	return kept
}

// speaks tells whether an advisory of the vulnerability which was not withdrawn may speak of a version, also of one that
// nobody has. What cannot be compared is not taken for unaffected.
func (s *Service) speaks(ctx context.Context, vulnerabilityID int, p purl.PURL) (bool, error) {
	of := advisory.PackageOf(p)
	q := s.query().add("SELECT DISTINCT a.digest FROM advisories a CROSS JOIN affected_packages f"+
		" WHERE a.vulnerability_id = % AND a.withdrawn_at IS NULL AND f.advisory_id = a.id AND f.package_key = %", vulnerabilityID, of.Key())
	var digests []string
	err := s.each(ctx, q, func(scan func(...any) error) error {
		var digest string
		err := scan(&digest)
		digests = append(digests, digest)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("find advisories of %s: %w", of.Key(), err)
	}
	for some := range slices.Chunk(digests, recordsAtOnce) {
		rows, err := s.store.Read().Blob.Query().Where(blob.DigestIn(some...)).All(auth.System(ctx))
		if err != nil {
			return false, fmt.Errorf("load advisories: %w", err)
		}
		if len(rows) != len(some) {
			return false, fmt.Errorf("load advisories: %d records of %d are missing", len(some)-len(rows), len(some))
		}
		for _, row := range rows {
			content, err := store.Unpack(row)
			if err != nil {
				return false, err
			}
			record, err := advisory.Parse(content)
			if err != nil {
				return false, fmt.Errorf("load advisory %s: %w", row.Digest, err)
			}
			if _, affected := advisory.Affects(record, of); affected {
				return true, nil
			}
		}
	}
	return false, nil
}
