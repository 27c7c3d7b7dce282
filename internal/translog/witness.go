package translog

import (
	"context"
	"fmt"
	"log/slog"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/logcosignature"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

const (
	// witnessPause is the least time between two checkpoints that one witness is sent.
	witnessPause = time.Second
	// witnessAgain is how often a server looks whether a witness lacks the newest checkpoint: because it was down, or because
	// the server that made the checkpoint was.
	witnessAgain = 10 * time.Second
)

// Answer is what a witness answered.
type Answer struct {
	Status    int
	MediaType string
	Body      []byte
}

// Post sends a body to a URL, within bounds of time and size.
type Post func(ctx context.Context, url string, body []byte) (Answer, error)

// attended is a witness, and how it is told that there is a new checkpoint.
type attended struct {
	tlog.Witness
	wake chan struct{}
}

// WithWitnesses makes Run send the newest checkpoint to witnesses. Neither the tree nor anybody else waits for them.
func (s *Service) WithWitnesses(list []tlog.Witness, post Post) *Service {
	for _, w := range list {
		s.witnesses = append(s.witnesses, attended{w, make(chan struct{}, 1)})
	}
	s.post = post
	return s
}

// wakeWitnesses tells that there is a new checkpoint. One who is still busy with an older one skips those between.
func (s *Service) wakeWitnesses() {
	for _, w := range s.witnesses {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// attend sends a witness the newest checkpoints until ctx is done.
func (s *Service) attend(ctx context.Context, w attended, log *slog.Logger) {
	again := time.NewTicker(witnessAgain)
	defer again.Stop()
	failed := false
	for {
		err := s.cosign(ctx, w.Witness)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failed:
			log.WarnContext(ctx, "a witness does not cosign the log's checkpoints", slog.String("witness", w.Name), slog.Any("error", err))
		case err == nil && failed:
			log.InfoContext(ctx, "a witness cosigns the log's checkpoints again", slog.String("witness", w.Name))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(witnessPause):
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-again.C:
		}
	}
}

// cosign asks a witness to cosign the newest checkpoint, when it has not, and keeps what it signed.
func (s *Service) cosign(ctx context.Context, w tlog.Witness) error {
	ctx = auth.System(ctx)
	row, tree, err := s.newestSigned(ctx, s.store.Read())
	if err != nil || row == nil {
		return err
	}
	old, err := s.lastCosigned(ctx, w)
	if err != nil || old == tree.Size {
		return err
	}
	answer, err := s.submit(ctx, w, min(old, tree.Size), row, tree)
	if err != nil {
		return err
	}
	if seen, told := answer.size(); told {
		// It knows more than this database: from another server just now, or from before a backup was put back.
		if seen > tree.Size {
			return s.isNewer(ctx, w, seen)
		}
		if answer, err = s.submit(ctx, w, seen, row, tree); err != nil {
			return err
		}
	}
	if answer.Status != 200 {
		return fmt.Errorf("witness %s refuses the checkpoint of %d events with status %d: %q", w.Name, tree.Size, answer.Status, firstOf(answer.Body))
	}
	line, err := w.Cosignature([]byte(row.Note), answer.Body)
	if err != nil {
		return err
	}
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		return tx.LogCosignature.Create().SetSize(row.Size).SetWitness(w.Name).SetLine(line).SetCreatedAt(s.now()).Exec(ctx)
	})
	if err != nil && !store.IsUnique(err) { // another server may have asked, too
		return fmt.Errorf("keep the cosignature of witness %s: %w", w.Name, err)
	}
	return nil
}

// size is the size of the tree that a witness has cosigned last, when it says that it is not the one that it was told.
func (a Answer) size() (int64, bool) {
	mediaType, _, _ := strings.Cut(a.MediaType, ";")
	if a.Status != 409 || textproto.TrimString(mediaType) != "text/x.tlog.size" {
		return 0, false
	}
	size, err := strconv.ParseInt(strings.TrimSuffix(string(a.Body), "\n"), 10, 64)
	return size, err == nil && size >= 0
}

// firstOf is what is shown of an answer.
func firstOf(body []byte) string { return string(body[:min(len(body), 200)]) }

// isNewer fails unless the database has a checkpoint by now that is as large as the one of the witness.
func (s *Service) isNewer(ctx context.Context, w tlog.Witness, seen int64) error {
	_, tree, err := newest(ctx, s.store.Read())
	if err == nil && tree.Size < seen {
		err = fmt.Errorf("witness %s has seen a log of %d events, and there are %d: a backup was put back, or somebody else signs with the log's key", w.Name, seen, tree.Size)
	}
	return err
}

// submit sends a checkpoint with the proof that it goes on from the old size.
func (s *Service) submit(ctx context.Context, w tlog.Witness, old int64, row *db.LogCheckpoint, tree tlog.Tree) (Answer, error) {
	var proof []tlog.Hash
	if old > 0 && old < tree.Size {
		var err error
		if proof, err = tlog.ProveConsistency(tree, old, tree.Size, tiles(ctx, s.store.Read())); err != nil {
			return Answer{}, err
		}
	}
	answer, err := s.post(ctx, w.URL, tlog.WitnessRequest(old, proof, []byte(row.Note)))
	if err != nil {
		return answer, fmt.Errorf("ask witness %s: %w", w.Name, err)
	}
	return answer, nil
}

// lastCosigned is the size of the largest tree that a witness cosigned; 0 for none.
func (s *Service) lastCosigned(ctx context.Context, w tlog.Witness) (int64, error) {
	row, err := s.store.Read().LogCosignature.Query().Where(logcosignature.Witness(w.Name)).Order(db.Desc(logcosignature.FieldSize)).First(ctx)
	if db.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("load the newest cosignature of witness %s: %w", w.Name, err)
	}
	return row.Size, nil
}

// cosigned is the note of a checkpoint with the signatures of the witnesses that cosigned it.
func (s *Service) cosigned(ctx context.Context, row *db.LogCheckpoint) (string, error) {
	rows, err := s.store.Read().LogCosignature.Query().Where(logcosignature.Size(row.Size)).Order(db.Asc(logcosignature.FieldWitness)).All(auth.System(ctx))
	if err != nil {
		return "", fmt.Errorf("load the cosignatures of checkpoint %d: %w", row.Size, err)
	}
	var note strings.Builder
	note.WriteString(row.Note)
	for _, r := range rows {
		note.WriteString(r.Line)
	}
	return note.String(), nil
}
