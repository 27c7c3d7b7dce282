package evidence

import (
	"cmp"
	"context"
	stdsql "database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/component"
	"github.com/plimsoll/plimsoll/ent/db/sbom"
	"github.com/plimsoll/plimsoll/ent/db/sbomcomponent"
	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// bill is an SBOM ready to be written.
type bill struct {
	digest      string // of the document as it stands
	format      bom.Format
	specVersion string
	complete    bool
	parts       []part // sorted by identity, each once
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

// record makes sure that the SBOM and its components are there, and returns its row. Equal bytes parse to equal rows, so
// that whoever was first wrote what everybody would have written.
func (b *bill) record(sys context.Context, tx *db.Client, dialect string, m *Matcher, at time.Time) (int, error) {
	if err := m.begin(sys, tx); err != nil {
		return 0, fmt.Errorf("begin to write components: %w", err)
	}
	id, err := tx.Sbom.Create().
		SetDigest(b.digest).SetFormat(sbom.Format(b.format)).SetSpecVersion(b.specVersion).
		SetComponentCount(len(b.parts)).SetComplete(b.complete).SetCreatedAt(at).
		OnConflictColumns(sbom.FieldDigest).DoNothing().ID(sys)
	if errors.Is(err, stdsql.ErrNoRows) {
		if id, err = tx.Sbom.Query().Where(sbom.Digest(b.digest)).OnlyID(sys); err != nil {
			return 0, fmt.Errorf("load SBOM: %w", err)
		}
		return id, nil
	}
	if err != nil {
		return 0, fmt.Errorf("write SBOM: %w", err)
	}
	for batch := range slices.Chunk(b.parts, rowsPerStatement) {
		rows, err := recordComponents(sys, tx, dialect, m, batch)
		if err != nil {
			return 0, err
		}
		if err := recordEntries(sys, tx, dialect, id, batch, rows); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// recordComponents makes sure that the components are there, and returns their rows by identity. It writes plain
// statements: ent's builders take longer to make a row than the database to write it, while others wait.
func recordComponents(sys context.Context, tx *db.Client, dialect string, m *Matcher, batch []part) (map[string]int, error) {
	rows := make(map[string]int, len(batch))
	if err := loadComponents(sys, tx, dialect, batch, rows); err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(batch), func(p part) bool { return rows[p.identity] != 0 })
	if len(missing) == 0 {
		return rows, nil
	}
	insert := sql.Dialect(dialect).Insert(component.Table).
		Columns(component.FieldIdentity, component.FieldPurl, component.FieldName, component.FieldVersion, component.FieldPackageKey).
		OnConflict(sql.ConflictColumns(component.FieldIdentity), sql.DoNothing()).
		Returning(component.FieldID, component.FieldIdentity)
	for _, p := range missing {
		insert.Values(p.identity, p.purl, p.name, p.version, m.key(p))
	}
	if err := scanRows(sys, tx, insert, rows); err != nil {
		return nil, fmt.Errorf("write components: %w", err)
	}
	if err := m.match(sys, tx, missing, rows); err != nil {
		return nil, fmt.Errorf("match components: %w", err)
	}
	// Another transaction may have written some of them meanwhile.
	missing = slices.DeleteFunc(missing, func(p part) bool { return rows[p.identity] != 0 })
	return rows, loadComponents(sys, tx, dialect, missing, rows)
}

func loadComponents(sys context.Context, tx *db.Client, dialect string, wanted []part, rows map[string]int) error {
	if len(wanted) == 0 {
		return nil
	}
	identities := make([]any, len(wanted))
	for i, p := range wanted {
		identities[i] = p.identity
	}
	b := sql.Dialect(dialect)
	t := b.Table(component.Table)
	query := b.Select(t.C(component.FieldID), t.C(component.FieldIdentity)).From(t).Where(sql.In(t.C(component.FieldIdentity), identities...))
	if err := scanRows(sys, tx, query, rows); err != nil {
		return fmt.Errorf("load components: %w", err)
	}
	return nil
}

// scanRows runs a statement that answers ids and identities, and adds them to rows.
func scanRows(sys context.Context, tx *db.Client, statement sql.Querier, rows map[string]int) (err error) {
	query, args := statement.Query()
	found, err := tx.QueryContext(sys, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var id int
		var identity string
		if err := found.Scan(&id, &identity); err != nil {
			return err
		}
		rows[identity] = id
	}
	return found.Err()
}

// recordEntries says that the SBOM lists the components.
func recordEntries(sys context.Context, tx *db.Client, dialect string, sbomID int, batch []part, rows map[string]int) error {
	insert := sql.Dialect(dialect).Insert(sbomcomponent.Table).
		Columns(sbomcomponent.FieldSbomID, sbomcomponent.FieldComponentID, sbomcomponent.FieldDirect, sbomcomponent.FieldLicenses)
	for _, p := range batch {
		id, ok := rows[p.identity]
		if !ok {
			return fmt.Errorf("component %q is neither new nor there", p.identity)
		}
		licenses, err := json.Marshal(p.licenses)
		if err != nil {
			return fmt.Errorf("write licences of %q: %w", p.identity, err)
		}
		insert.Values(sbomID, id, p.direct, string(licenses))
	}
	query, args := insert.Query()
	if _, err := tx.ExecContext(sys, query, args...); err != nil {
		return fmt.Errorf("write components of SBOM: %w", err)
	}
	return nil
}

func byIdentity(a, b part) int { return cmp.Compare(a.identity, b.identity) }

// union returns the sorted strings of both, each once, and never nil.
func union(a, b []string) []string {
	all := slices.Concat([]string{}, a, b)
	slices.SortFunc(all, strings.Compare)
	return slices.Compact(all)
}
