package blast

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxRows is how many rows an answer is gathered from: about 80 MB.
const maxRows = 2_000_000

// row says on which way a version is hit. All but direct are row numbers: entry is that of the component in an SBOM.
// Component and entry are 0 when the version or a part of it is bad itself, releasable when the version is as a whole.
type row struct {
	version, component, releasable, entry int
	direct                                bool
}

func compareRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(a.component, b.component), cmp.Compare(a.releasable, b.releasable), cmp.Compare(a.entry, b.entry))
}

// collect gathers the rows of all ways, sorted, each once.
func (s *Service) collect(ctx context.Context, from start, w where) ([]row, error) {
	var rows []row
	for _, q := range s.statements(from, w) {
		err := s.each(ctx, q, func(scan func(...any) error) error {
			if len(rows) == maxRows {
				return fault.New(fault.ResourceExhausted, "more than %d ways lead to what is hit: ask for fewer versions of a package, projects or stages", maxRows)
			}
			var r row
			err := scan(&r.version, &r.component, &r.releasable, &r.entry, &r.direct)
			rows = append(rows, r)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("gather what is hit: %w", err)
		}
	}
	slices.SortFunc(rows, compareRows)
	return slices.CompactFunc(rows, func(a, b row) bool { return compareRows(a, b) == 0 }), nil
}

// statements are one for each kind of thing to start from.
func (s *Service) statements(from start, w where) []*query {
	var all []*query
	if len(from.components) > 0 {
		all = append(all, s.spoken(w, func(q *query) {
			w.counting(q.add("SELECT es.digest AS digest, e.project_id AS project_id, sc.component_id AS component_id, sc.id AS entry_id, sc.direct AS direct"+
				" FROM sbom_components sc CROSS JOIN evidence e CROSS JOIN evidence_subjects es"+
				" WHERE sc.component_id % AND e.sbom_id = sc.sbom_id AND es.evidence_id = e.id", from.components))
		}))
	}
	for _, said := range []struct {
		column string
		ids    []int
	}{{"anchor_id", from.anchors}, {"id", from.evidence}} {
		if len(said.ids) > 0 {
			all = append(all, s.spoken(w, func(q *query) {
				w.evidence(q.add("SELECT DISTINCT es.digest AS digest, e.project_id AS project_id, 0 AS component_id, 0 AS entry_id, TRUE AS direct"+
					" FROM evidence e CROSS JOIN evidence_subjects es WHERE e."+said.column+" % AND es.evidence_id = e.id", said.ids))
			}))
		}
	}
	if from.digest != "" {
		all = append(all, s.spoken(w, func(q *query) {
			q.add("SELECT CAST(% AS TEXT) AS digest, CAST(NULL AS BIGINT) AS project_id, 0 AS component_id, 0 AS entry_id, TRUE AS direct", from.digest)
		}))
	}
	for _, part := range []struct {
		column string
		ids    []int
	}{{"package_id", from.packages}, {"package_version_id", from.packageVersions}, {"origin_application_id", from.applications}} {
		if len(part.ids) > 0 {
			all = append(all, w.versions(s.query().add("SELECT v.id, 0, r.id, 0, TRUE FROM releasables r CROSS JOIN application_versions v"+
				" WHERE r."+part.column+" % AND v.id = r.version_id AND ", part.ids)))
		}
	}
	if len(from.applications) > 0 {
		all = append(all, w.versions(s.query().add("SELECT v.id, 0, 0, 0, TRUE FROM application_versions v WHERE v.application_id % AND ", from.applications)))
	}
	return all
}

// spoken goes from digests that are spoken of to versions: to those that hold something with the digest, that are it, and
// that hold what a build made which is it. Evidence that was pushed to a project counts in that project. The joins say in
// which order to go: SQLite would not know that few digests are bad and many versions in reach.
func (s *Service) spoken(w where, hits func(*query)) *query {
	const counts = " AND COALESCE(h.project_id, v.project_id) = v.project_id AND "
	q := s.query().add("WITH hit AS MATERIALIZED (")
	hits(q)
	w.versions(q.add(") SELECT v.id, h.component_id, r.id, h.entry_id, h.direct FROM hit h CROSS JOIN releasables r CROSS JOIN application_versions v" +
		" WHERE r.digest = h.digest AND v.id = r.version_id" + counts))
	w.versions(q.add(" UNION ALL SELECT v.id, h.component_id, 0, h.entry_id, h.direct FROM hit h CROSS JOIN application_versions v" +
		" WHERE v.manifest_digest = h.digest" + counts))
	return w.versions(q.add(" UNION ALL SELECT v.id, h.component_id, r.id, h.entry_id, h.direct FROM hit h CROSS JOIN builds b" +
		" CROSS JOIN releasables r CROSS JOIN application_versions v" +
		" WHERE b.digest = h.digest AND r.source_build_id = b.id AND v.id = r.version_id" + counts))
}
