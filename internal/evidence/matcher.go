package evidence

import (
	"context"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// saidAtOnce is how many pieces of evidence that count no longer the matcher is shown at once.
const saidAtOnce = 1000

// Matcher brings components that are new together with what is known of them elsewhere, in the transaction that writes them.
type Matcher struct {
	// Begin is called before a transaction writes a component.
	Begin func(ctx context.Context, tx *db.Client) error
	// Key says by what a component is looked up, from its purl.
	Key func(purl string) string
	// Match is given the rows of the components that were written, by purl.
	Match func(ctx context.Context, tx *db.Client, added map[string]int) error
	// Said is given the rows of verified evidence with VEX statements, once all of it is written. Begin was called before
	// anything was.
	Said func(ctx context.Context, tx *db.Client, evidence []int) error
	// Hold is called before a transaction takes evidence back: until it ends, nobody else changes what is made of evidence. Said
	// is then given the rows of what counts no longer.
	Hold func(ctx context.Context, tx *db.Client) error
}

// WithMatcher returns the service with something that every new component is shown to.
func (s *Service) WithMatcher(m Matcher) *Service {
	with := *s
	with.matcher = &m
	return &with
}

// begin tells the matcher that components are going to be written.
func (m *Matcher) begin(ctx context.Context, tx *db.Client) error {
	if m == nil {
		return nil
	}
	return m.Begin(ctx, tx)
}

// key is empty for a component without a purl.
func (m *Matcher) key(p part) string {
	if m == nil || p.purl == nil {
		return ""
	}
	return m.Key(*p.purl)
}

// match shows new components, by identity, to the matcher.
func (m *Matcher) match(ctx context.Context, tx *db.Client, written []part, rows map[string]int) error {
	if m == nil {
		return nil
	}
	added := make(map[string]int, len(written))
	for _, p := range written {
		if id, ok := rows[p.identity]; ok && p.purl != nil {
			added[*p.purl] = id
		}
	}
	if len(added) == 0 {
		return nil
	}
	return m.Match(ctx, tx, added)
}

// beginVex tells the matcher of evidence with VEX statements before anything is written.
func (m *Matcher) beginVex(ctx context.Context, tx *db.Client, entries []*entry) error {
	if m == nil || m.Said == nil || !slices.ContainsFunc(entries, (*entry).judgesByVex) {
		return nil
	}
	return m.Begin(ctx, tx)
}

// said shows new evidence, whose rows are given, to the matcher.
func (m *Matcher) said(ctx context.Context, tx *db.Client, fresh []*entry, ids map[identity]int) error {
	if m == nil || m.Said == nil {
		return nil
	}
	var list []int
	for _, e := range fresh {
		if e.judgesByVex() {
			list = append(list, ids[e.identity()])
		}
	}
	if len(list) == 0 {
		return nil
	}
	return m.Said(ctx, tx, list)
}

// hold tells the matcher that evidence is going to be taken back.
func (m *Matcher) hold(ctx context.Context, tx *db.Client) error {
	if m == nil || m.Hold == nil {
		return nil
	}
	return m.Hold(auth.System(ctx), tx)
}

// takenBack shows evidence that counts no longer to the matcher: what it said of vulnerabilities, or listed, is to be judged
// without it.
func (m *Matcher) takenBack(ctx context.Context, tx *db.Client, rows ...*db.Evidence) error {
	if m == nil || m.Said == nil {
		return nil
	}
	var list []int
	for _, row := range rows {
		if row.SbomID != nil || row.SaysVex && row.Verified {
			list = append(list, row.ID)
		}
	}
	for some := range slices.Chunk(list, saidAtOnce) {
		if err := m.Said(ctx, tx, some); err != nil {
			return err
		}
	}
	return nil
}
