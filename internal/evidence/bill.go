package evidence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/sbomcomponent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/store"
)

// bill is an SBOM ready to be written.
type bill struct {
	digest      string // of the document as it stands
	format      bom.Format
	specVersion string
	complete    bool
	parts       []part // sorted by identity, each once
	id          int    // of its row, once it is written
}

// readBill parses the claim's predicate when its type is that of an SBOM; nil when it is not. What calls itself an SBOM and
// is none is a BAD_USER_INPUT fault.
func readBill(c claim) (*bill, error) {
	want, ok := sbomFormat(c.predicateType)
	if !ok {
		return nil, nil
	}
	if c.signed() && c.predicate == nil {
		return nil, fault.At(c.path, "refused: the statement has no predicate, and type %s promises an SBOM", c.predicateType)
	}
	doc, err := bom.Parse(c.predicate)
	if err != nil {
		return nil, fault.At(c.path, "refused: %v", err)
	}
	if doc.Format != want {
		return nil, fault.At(c.path, "refused: type %s promises %s and the document is %s", c.predicateType, want, doc.Format)
	}
	return &bill{
		digest: canonical.Digest(c.predicate), format: doc.Format, specVersion: doc.SpecVersion, complete: doc.Complete,
		parts: partsOf(doc.Components),
	}, nil
}

// recordBills makes sure that the SBOMs of the entries and their components are there. Equal bytes parse to equal rows, so
// that whoever was first wrote what everybody would have written.
func (s *Service) recordBills(sys context.Context, tx *db.Client, entries []*entry) error {
	var bills []*bill
	at := map[string]time.Time{}
	for _, e := range entries {
		if e.bill != nil {
			bills, at[e.bill.digest] = append(bills, e.bill), e.at
		}
	}
	if len(bills) == 0 {
		return nil
	}
	if err := s.matcher.begin(sys, tx); err != nil {
		return fmt.Errorf("begin to write components: %w", err)
	}
	slices.SortStableFunc(bills, func(a, b *bill) int { return cmp.Compare(a.digest, b.digest) })
	fresh, err := s.recordSboms(sys, tx, bills, at)
	if err != nil {
		return err
	}
	written, err := s.recordComponents(sys, tx, fresh)
	if err != nil {
		return err
	}
	return s.recordEntries(sys, tx, fresh, written)
}

// recordSboms writes the rows of SBOMs that are not there, gives every bill its row, and returns those that are new.
func (s *Service) recordSboms(sys context.Context, tx *db.Client, bills []*bill, at map[string]time.Time) (fresh []*bill, err error) {
	rows := store.Rows{
		Table:     sbom.Table,
		Columns:   []string{sbom.FieldDigest, sbom.FieldFormat, sbom.FieldSpecVersion, sbom.FieldComponentCount, sbom.FieldComplete, sbom.FieldCreatedAt},
		Unique:    []string{sbom.FieldDigest},
		Returning: []string{sbom.FieldID, sbom.FieldDigest},
	}
	for i, b := range bills {
		if i == 0 || bills[i-1].digest != b.digest {
			rows.Add(b.digest, string(b.format), b.specVersion, len(b.parts), b.complete, at[b.digest])
		}
	}
	ids := make(map[string]int, len(bills))
	into := func(scan func(...any) error) error { return scanID(scan, ids) }
	if err := s.store.Insert(sys, tx, rows, into); err != nil {
		return nil, fmt.Errorf("write SBOMs: %w", err)
	}
	var there []string
	for i, b := range bills {
		if i > 0 && bills[i-1].digest == b.digest {
			continue
		}
		if ids[b.digest] == 0 {
			there = append(there, b.digest)
		} else {
			fresh = append(fresh, b)
		}
	}
	if err := s.idsOf(sys, tx, sbom.Table, sbom.FieldDigest, there, ids); err != nil {
		return nil, fmt.Errorf("load SBOMs: %w", err)
	}
	for _, b := range bills {
		if b.id = ids[b.digest]; b.id == 0 {
			return nil, fmt.Errorf("SBOM %s is neither new nor there", b.digest)
		}
	}
	return fresh, nil
}

// findComponents looks up the rows of components before the transaction: most of what an SBOM lists others listed before,
// and nobody should wait for the search. Rows of components are never changed or removed.
func (s *Service) findComponents(ctx context.Context, b *bill) error {
	var unknown []string
	for i := range b.parts {
		p := &b.parts[i]
		if id, ok := s.components.Get(p.identity); ok {
			p.id = id
		} else {
			unknown = append(unknown, p.identity)
		}
	}
	ids := make(map[string]int, len(unknown))
	if err := s.idsOf(auth.System(ctx), s.store.Read(), component.Table, component.FieldIdentity, unknown, ids); err != nil {
		return fmt.Errorf("load components: %w", err)
	}
	for i := range b.parts {
		if p := &b.parts[i]; ids[p.identity] != 0 {
			p.id = ids[p.identity]
			s.components.Add(p.identity, p.id)
		}
	}
	return nil
}

// recordComponents makes sure that the components of the bills are there, and returns the rows of those whose rows were not
// known before, by identity.
func (s *Service) recordComponents(sys context.Context, tx *db.Client, bills []*bill) (map[string]int, error) {
	missing, ids := unknown(bills), map[string]int{}
	// Others may have written some since they were looked for, and while these are written.
	if err := s.idsOf(sys, tx, component.Table, component.FieldIdentity, identities(missing), ids); err != nil {
		return nil, fmt.Errorf("load components: %w", err)
	}
	there := func(p part) bool { return ids[p.identity] != 0 }
	if missing = slices.DeleteFunc(missing, there); len(missing) == 0 {
		return ids, nil
	}
	rows := store.Rows{
		Table:     component.Table,
		Columns:   []string{component.FieldIdentity, component.FieldPurl, component.FieldName, component.FieldVersion, component.FieldPackageKey},
		Unique:    []string{component.FieldIdentity},
		Returning: []string{component.FieldID, component.FieldIdentity},
	}
	for _, p := range missing {
		rows.Add(p.identity, p.purl, p.name, p.version, s.matcher.key(p))
	}
	written := make(map[string]int, len(missing))
	if err := s.store.Insert(sys, tx, rows, func(scan func(...any) error) error { return scanID(scan, written) }); err != nil {
		return nil, fmt.Errorf("write components: %w", err)
	}
	if err := s.matcher.match(sys, tx, missing, written); err != nil {
		return nil, fmt.Errorf("match components: %w", err)
	}
	maps.Copy(ids, written)
	missing = slices.DeleteFunc(missing, there)
	if err := s.idsOf(sys, tx, component.Table, component.FieldIdentity, identities(missing), ids); err != nil {
		return nil, fmt.Errorf("load components: %w", err)
	}
	return ids, nil
}

// unknown are the components of the bills whose rows are not known, sorted by identity, each once.
func unknown(bills []*bill) []part {
	var list []part
	for _, b := range bills {
		for _, p := range b.parts {
			if p.id == 0 {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, byIdentity)
	return slices.CompactFunc(list, func(a, b part) bool { return a.identity == b.identity })
}

func identities(parts []part) []string {
	list := make([]string, len(parts))
	for i, p := range parts {
		list[i] = p.identity
	}
	return list
}

// idsOf adds the ids of the rows of a table whose column is one of the texts, by the text.
func (s *Service) idsOf(sys context.Context, c *db.Client, table, column string, texts []string, ids map[string]int) (err error) {
	if len(texts) == 0 {
		return nil
	}
	// One parameter, however many there are: a statement of another length would have to be understood anew.
	among := "IN (SELECT value FROM json_each(?))"
	if s.store.Dialect() == dialect.Postgres {
		among = "= ANY(ARRAY(SELECT json_array_elements_text($1::json)))"
	}
	list, err := json.Marshal(texts)
	if err != nil {
		return err
	}
	found, err := c.QueryContext(sys, "SELECT id, "+column+" FROM "+table+" WHERE "+column+" "+among, string(list))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		if err := scanID(found.Scan, ids); err != nil {
			return err
		}
	}
	return found.Err()
}

// scanID reads an id and the text that it is noted under.
func scanID(scan func(...any) error, ids map[string]int) error {
	var id int
	var text string
	err := scan(&id, &text)
	ids[text] = id
	return err
}

// recordEntries says that the SBOMs list their components, whose rows are known or among those that were written. Those of
// one component are written one after another: the index by component is the largest there is, and what lies side by side in
// it costs one page and not one each.
func (s *Service) recordEntries(sys context.Context, tx *db.Client, bills []*bill, written map[string]int) error {
	type entry struct {
		sbom int
		part
	}
	var entries []entry
	for _, b := range bills {
		for _, p := range b.parts {
			if p.id = cmp.Or(p.id, written[p.identity]); p.id == 0 {
				return fmt.Errorf("component %q is neither new nor there", p.identity)
			}
			entries = append(entries, entry{b.id, p})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.sbom, b.sbom)) })
	rows := store.Rows{Table: sbomcomponent.Table, Columns: []string{
		sbomcomponent.FieldSbomID, sbomcomponent.FieldComponentID, sbomcomponent.FieldDirect, sbomcomponent.FieldLicenses,
	}}
	for _, e := range entries {
		rows.Add(e.sbom, e.id, e.direct, e.licensesJSON)
	}
	if err := s.store.Insert(sys, tx, rows, nil); err != nil {
		return fmt.Errorf("write components of SBOMs: %w", err)
	}
	return nil
}

func byIdentity(a, b part) int { return cmp.Compare(a.identity, b.identity) }

// union returns the sorted strings of both, each once, and never nil.
func union(a, b []string) []string {
	all := append(append([]string{}, a...), b...) // slices.Concat of empty ones is nil
	slices.SortFunc(all, strings.Compare)
	return slices.Compact(all)
}
