package evidence

import (
	"context"
	"slices"
	"strings"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/ent/db/signingkey"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/ent/db/trustanchor"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// maxValues is how many values one list of a filter may hold.
const maxValues = 20

// Search returns a page of the evidence that the filter takes; nil takes all. Nil order is the order of arrival.
func (s *Service) Search(ctx context.Context, f *EvidenceFilter, order *db.EvidenceOrder, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.EvidenceConnection, error) {
	for path, c := range map[string]*entgql.Cursor[int]{"after": after, "before": before} {
		if c != nil && (c.Value != nil) != (order != nil) {
			return nil, fault.At(path, "this cursor is of a list in another order; pass one that the list in this order gave")
		}
	}
	where, err := f.predicates()
	if err != nil {
		return nil, err
	}
	return s.store.Read().Evidence.Query().Where(where...).Paginate(ctx, after, first, before, last, db.WithEvidenceOrder(order))
}

func (f *EvidenceFilter) predicates() ([]predicate.Evidence, error) {
	if f == nil {
		return nil, nil
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var where []predicate.Evidence
	add := func(given bool, p func() predicate.Evidence) {
		if given {
			where = append(where, p())
		}
	}
	if f.Purl != nil {
		p, err := purl.Parse(*f.Purl)
		if err != nil {
			return nil, fault.At("filter.purl", "%v", err)
		}
		where = append(where, withSubject(evidencesubject.FieldPurl, p.String()))
	}
	add(f.Subject != nil, func() predicate.Evidence { return withSubject(evidencesubject.FieldDigest, *f.Subject) })
	add(len(f.PredicateTypes) > 0, func() predicate.Evidence { return evidence.PredicateTypeIn(f.PredicateTypes...) })
	add(len(f.Categories) > 0, func() predicate.Evidence { return evidence.CategoryIn(categoriesOf(f.Categories)...) })
	add(len(f.Signers) > 0, func() predicate.Evidence { return signedBy(f.Signers) })
	add(f.Verified != nil, func() predicate.Evidence { return evidence.Verified(*f.Verified) })
	add(f.From != nil, func() predicate.Evidence { return evidence.CreatedAtGTE(*f.From) })
	add(f.To != nil, func() predicate.Evidence { return evidence.CreatedAtLT(*f.To) })
	add(len(f.ApplicationKeys) > 0, func() predicate.Evidence { return aboutApplications(f.ApplicationKeys) })
	add(len(f.Stages) > 0, func() predicate.Evidence { return arrivedIn(f.Stages) })
	return where, nil
}

func (f *EvidenceFilter) check() error {
	for _, list := range []struct {
		path   string
		values []string
	}{
		{"filter.predicateTypes", f.PredicateTypes},
		{"filter.signers", f.Signers},
		{"filter.applicationKeys", f.ApplicationKeys},
		{"filter.stages", f.Stages},
	} {
		if err := check.List(list.path, len(list.values), maxValues); err != nil {
			return err
		}
	}
	if f.Subject != nil && !strings.Contains(*f.Subject, ":") {
		return fault.At("filter.subject", "want algorithm:hex, such as sha256:…")
	}
	return nil
}

func categoriesOf(names []string) []evidence.Category {
	out := make([]evidence.Category, len(names))
	for i, n := range names {
		out[i] = evidence.Category(n)
	}
	return out
}

// arrivedIn matches evidence that arrived while the version it is about was in a stage of one of the names.
func arrivedIn(names []string) predicate.Evidence {
	return func(s *sql.Selector) {
		t := sql.Table(stage.Table)
		values := make([]any, len(names))
		for i, n := range names {
			values[i] = n
		}
		s.Where(sql.In(s.C(evidence.FieldStageID), sql.Select(t.C(stage.FieldID)).From(t).Where(sql.In(t.C(stage.FieldName), values...))))
	}
}

// withSubject matches evidence with a subject whose column has the value.
func withSubject(column, value string) predicate.Evidence {
	return func(s *sql.Selector) {
		t := sql.Table(evidencesubject.Table)
		s.Where(sql.In(s.C(evidence.FieldID), sql.Select(t.C(evidencesubject.FieldEvidenceID)).From(t).Where(sql.EQ(t.C(column), value))))
	}
}

// signedBy matches evidence by the aliases of anchors, of which Collector is one here, or by what an unknown signer's key is
// called. They are united in a subquery, where each finds its index.
func signedBy(names []string) predicate.Evidence {
	return func(s *sql.Selector) {
		aliases, keys := make([]any, 0, len(names)), make([]any, 0, 2*len(names))
		for _, n := range names {
			aliases = append(aliases, n)
			keys = append(keys, n, "keyid:"+n)
		}
		e, k, a := sql.Table(evidence.Table).As("anchored"), sql.Table(evidence.Table).As("keyed"), sql.Table(trustanchor.Table)
		anchored := sql.Select(e.C(evidence.FieldID)).From(e).Join(a).On(e.C(evidence.FieldAnchorID), a.C(trustanchor.FieldID)).
			Where(sql.In(a.C(trustanchor.FieldAlias), aliases...))
		keyed := sql.Select(k.C(evidence.FieldID)).From(k).Where(sql.In(k.C(evidence.FieldSignerKey), keys...))
		signed := anchored.UnionAll(keyed)
		if slices.Contains(names, Collector) {
			signed = signed.UnionAll(signedHere())
		}
		s.Where(sql.In(s.C(evidence.FieldID), signed))
	}
}

// signedHere selects the evidence that this installation signed for having received it, with any of its keys.
func signedHere() *sql.Selector {
	e, k := sql.Table(evidence.Table).As("collected"), sql.Table(signingkey.Table)
	own := sql.Select("'" + collectorPrefix + "' || " + k.C(signingkey.FieldFingerprint)).From(k)
	return sql.Select(e.C(evidence.FieldID)).From(e).Where(sql.In(e.C(evidence.FieldSignerKey), own))
}

// aboutApplications matches evidence about a version of one of the applications, or about something in one.
func aboutApplications(keys []string) predicate.Evidence {
	return func(s *sql.Selector) {
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = k
		}
		versions := func(as string) (*sql.SelectTable, *sql.Selector) {
			v, a := sql.Table(applicationversion.Table).As(as), sql.Table(application.Table).As(as+"_application")
			return v, sql.Select().From(v).Join(a).On(v.C(applicationversion.FieldApplicationID), a.C(application.FieldID)).
				Where(sql.In(a.C(application.FieldKey), values...))
		}
		v, itself := versions("itself")
		itself.Select(v.C(applicationversion.FieldManifestDigest))
		w, parts := versions("whole")
		r := sql.Table(releasable.Table).As("part")
		parts.Join(r).On(r.C(releasable.FieldVersionID), w.C(applicationversion.FieldID)).Select(r.C(releasable.FieldDigest))
		t := sql.Table(evidencesubject.Table)
		s.Where(sql.In(s.C(evidence.FieldID), sql.Select(t.C(evidencesubject.FieldEvidenceID)).From(t).
			Where(sql.In(t.C(evidencesubject.FieldDigest), itself.UnionAll(parts)))))
	}
}

// OfAnchor returns a page of the evidence that an anchor verified, oldest first.
func (s *Service) OfAnchor(ctx context.Context, a *db.TrustAnchor, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.EvidenceConnection, error) {
	return s.store.Read().Evidence.Query().Where(evidence.AnchorID(a.ID)).Paginate(ctx, after, first, before, last)
}

// VersionsOnAnchor returns a page of the versions that the evidence of an anchor is about, oldest first: what stands on it.
func (s *Service) VersionsOnAnchor(ctx context.Context, a *db.TrustAnchor, after *entgql.Cursor[int], first *int, before *entgql.Cursor[int], last *int) (*db.ApplicationVersionConnection, error) {
	standing := func(s *sql.Selector) {
		digests := func(as string) *sql.Selector {
			e, t := sql.Table(evidence.Table).As(as), sql.Table(evidencesubject.Table).As(as+"_subject")
			return sql.Select(t.C(evidencesubject.FieldDigest)).From(t).Join(e).On(t.C(evidencesubject.FieldEvidenceID), e.C(evidence.FieldID)).
				Where(sql.EQ(e.C(evidence.FieldAnchorID), a.ID))
		}
		v, r := sql.Table(applicationversion.Table).As("itself"), sql.Table(releasable.Table).As("part")
		itself := sql.Select(v.C(applicationversion.FieldID)).From(v).Where(sql.In(v.C(applicationversion.FieldManifestDigest), digests("first")))
		parts := sql.Select(r.C(releasable.FieldVersionID)).From(r).Where(sql.In(r.C(releasable.FieldDigest), digests("second")))
		s.Where(sql.In(s.C(applicationversion.FieldID), itself.UnionAll(parts)))
	}
	return s.store.Read().ApplicationVersion.Query().Where(standing).Paginate(ctx, after, first, before, last)
}
