package issuance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/passport"
)

// look is how often a passport looks whether the log holds what was signed.
const look = 50 * time.Millisecond

// statement is a signed statement, and where the log has it.
type statement struct {
	*db.Attestation
	predicate predicate
	event     *db.ActivityEvent // nil while the log does not have it
}

// predicate is what is read of the predicates of all kinds.
type predicate struct {
	FromStage *string  `json:"fromStage"`
	ToStage   string   `json:"toStage"`
	DecidedAt string   `json:"decidedAt"`
	Trust     string   `json:"trust"`
	Gates     []gated  `json:"gates"`
	Evidence  []string `json:"evidence"`
	Waivers   []waived `json:"waivers"`
	Standing  string   `json:"standing"`
	Since     string   `json:"since"`
	Cause     string   `json:"cause"`
}

type gated struct {
	Stage    string `json:"stage"`
	Kind     string `json:"kind"`
	EvalID   string `json:"evalId"`
	Decision string `json:"decision"`
	Policies []struct {
		Name string `json:"name"`
	} `json:"policies"`
}

type waived struct {
	ID            string `json:"id"`
	Policy        string `json:"policy"`
	Rule          string `json:"rule"`
	Code          string `json:"code"`
	Subject       string `json:"subject"`
	Vulnerability string `json:"vulnerability"`
	Package       string `json:"package"`
	ExpiresAt     string `json:"expiresAt"`
}

// decides tells whether the statement is about a move, which names decisions and evidence.
func (st statement) decides() bool {
	return st.PredicateType == attest.PredicateRelease || st.PredicateType == attest.PredicatePromotion
}

// releases tells whether the statement is about a release.
func (st statement) releases() bool {
	return st.decides() && st.predicate.Trust != string(applicationversion.TrustPRE_RELEASE)
}

// readStatements reads what was signed about the version, oldest first. Everything else in the passport follows from it, so
// that it is as of one instant. What the log does not have yet is waited for; then what is later than the release is left for a
// later passport.
func (g *gathering) readStatements(ctx context.Context) error {
	rows, err := g.s.store.Read().Attestation.Query().Where(attestation.VersionID(g.version.ID)).
		WithSigningKey().Order(attestation.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the statements about version %d: %w", g.version.ID, err)
	}
	list := make([]statement, len(rows))
	release := -1
	for i, row := range rows {
		if list[i], err = readStatement(row); err != nil {
			return err
		}
		if list[i].releases() {
			release = i
		}
	}
	if release < 0 {
		return fault.New(fault.NotFound, "there is no release with this digest").With("path", "digest")
	}
	if err := g.waitForLog(ctx, list); err != nil {
		return err
	}
	for i, st := range list {
		if st.event == nil && i <= release {
			return fault.New(fault.FailedPrecondition, "the release is not in the log yet: ask again in a second")
		}
		if st.event == nil { // and what is later still, so that nothing is missing between
			break
		}
		g.statements = append(g.statements, st)
	}
	return nil
}

func readStatement(row *db.Attestation) (statement, error) {
	st := statement{Attestation: row}
	var whole struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	err := json.Unmarshal([]byte(row.Statement), &whole)
	if err == nil && row.PredicateType != attest.PredicateVSA {
		err = json.Unmarshal(whole.Predicate, &st.predicate)
	}
	if err != nil {
		return st, fmt.Errorf("read statement %s: %w", row.Digest, err)
	}
	return st, nil
}

// waitForLog finds the events that hold the statements, and waits a little for those that the log does not have yet.
func (g *gathering) waitForLog(ctx context.Context, list []statement) error {
	waiting, cancel := context.WithTimeout(ctx, g.s.patience)
	defer cancel()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		missing, err := g.findEvents(ctx, list)
		if err != nil || missing == 0 {
			return err
		}
		select {
		case <-waiting.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// findEvents gives each statement the event whose leaf holds its digest, as soon as the log has it.
func (g *gathering) findEvents(ctx context.Context, list []statement) (missing int, err error) {
	v := g.version
	events, err := g.s.store.Read().ActivityEvent.Query().
		Where(activityevent.Subject(v.Edges.Application.Key+"@"+v.Version), activityevent.LogIndexNotNil()).
		Order(db.Asc(activityevent.FieldLogIndex)).
		Select(activityevent.FieldLogIndex, activityevent.FieldLeaf).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("load the events of the statements about version %d: %w", v.ID, err)
	}
	for i := range list {
		if list[i].event != nil {
			continue
		}
		held := []byte(`"` + list[i].Digest + `"`)
		at := slices.IndexFunc(events, func(e *db.ActivityEvent) bool { return bytes.Contains(e.Leaf, held) })
		if at < 0 {
			missing++
			continue
		}
		list[i].event = events[at]
	}
	return missing, nil
}

// addStatements adds the bundles, and the keys that signed them.
func (g *gathering) addStatements() {
	digits := max(2, len(strconv.Itoa(len(g.statements))))
	for i, st := range g.statements {
		path := fmt.Sprintf("attestations/%0*d-%s.bundle.json", digits, i+1, kindOf(st.PredicateType))
		g.add(text(path, passport.KindAttestation, []byte(st.Bundle)))
		g.addReleaseKey(st.Edges.SigningKey)
		g.page.Statements = append(g.page.Statements, passport.PageStatement{
			Path: path, Says: st.PredicateType, At: instant(st.CreatedAt), LogIndex: *st.event.LogIndex,
		})
	}
}

func (g *gathering) addReleaseKey(key *db.SigningKey) {
	g.add(text("keys/release-"+strings.TrimPrefix(key.Fingerprint, "sha256:")+".pub", passport.KindReleaseKey, []byte(key.PublicKey)))
}

// kindOf is a predicate type in a word.
func kindOf(predicateType string) string {
	if predicateType == attest.PredicateVSA {
		return "vsa"
	}
	const ours, version = "https://plimsoll.dev/attestations/", "/v1"
	return plain(strings.TrimSuffix(strings.TrimPrefix(predicateType, ours), version))
}

// addLog adds the newest checkpoint, and for each event that holds a statement its leaf and the proof of it.
func (g *gathering) addLog(ctx context.Context) error {
	var indexes []int
	leaves := map[int][]byte{}
	for _, st := range g.statements {
		if i := *st.event.LogIndex; leaves[i] == nil {
			leaves[i], indexes = st.event.Leaf, append(indexes, i)
		}
	}
	checkpoint, proofs, err := g.s.tree.Inclusions(ctx, indexes)
	if err != nil {
		return err
	}
	g.add(text("log/checkpoint", passport.KindCheckpoint, checkpoint))
	for n, i := range indexes {
		g.add(text(fmt.Sprintf("log/%d.leaf", i), passport.KindLeaf, leaves[i]))
		g.add(text(fmt.Sprintf("log/%d.tlog-proof", i), passport.KindProof, proofs[n].Text()))
	}
	lines := strings.Split(string(checkpoint), "\n")
	g.page.Origin = lines[0]
	if g.page.TreeSize, err = strconv.ParseInt(lines[min(1, len(lines)-1)], 10, 64); err != nil {
		return fmt.Errorf("read the size of the checkpoint: %w", err)
	}
	g.page.Keys = slices.Concat(strings.Fields(g.s.tree.Keys()), g.s.tree.WitnessKeys())
	g.add(text("keys/log.vkey", passport.KindLogKey, []byte(strings.Join(g.page.Keys, "\n")+"\n")))
	return nil
}

// newest is the newest statement for which something holds; false for none.
func (g *gathering) newest(holds func(statement) bool) (statement, bool) {
	for _, st := range slices.Backward(g.statements) {
		if holds(st) {
			return st, true
		}
	}
	return statement{}, false
}

// named are what statements name, each once, in the order in which they do.
func named[T cmp.Ordered](list []statement, what func(statement) []T) []T {
	seen := map[T]bool{}
	var all []T
	for _, st := range list {
		if !st.decides() {
			continue
		}
		for _, x := range what(st) {
			if !seen[x] {
				seen[x] = true
				all = append(all, x)
			}
		}
	}
	return all
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
