package translog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// howOn says what somebody does whose database is not the one that this server knows.
const howOn = "restore a backup that holds these events, or, when they are lost for good, accept that with: plimsoll log accept, and the flags of serve"

// WithMemory makes the service remember the newest checkpoint that it saw in a file, outside the database. A database that
// does not go on from there is refused: a backup that was put back, or a history that was written anew.
func (s *Service) WithMemory(path string) *Service {
	s.memory = path
	return s
}

// CheckMemory compares the database with the checkpoint that is remembered, and remembers the newest. It fails when the log
// in the database is not that log, or not as long; the error says how to go on.
func (s *Service) CheckMemory(ctx context.Context) error {
	if s.memory == "" {
		return nil
	}
	row, _, err := s.checked(ctx, s.store.Read())
	if err != nil || row == nil {
		return err
	}
	return s.remember(row.Size, row.Note)
}

// checked returns the newest checkpoint and its tree: signed by the log, and of a log that goes on from the one that is
// remembered. The row is nil when there is none.
func (s *Service) checked(ctx context.Context, client *db.Client) (*db.LogCheckpoint, tlog.Tree, error) {
	// Before the database is read: what is remembered was committed there.
	seen, _, err := s.remembered()
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	row, tree, err := s.newestSigned(ctx, client)
	if err != nil {
		return nil, tree, err
	}
	return row, tree, s.goesOn(ctx, client, seen, tree)
}

// newestSigned returns the newest checkpoint, nil when there is none, and fails unless one of the log's keys signed it.
func (s *Service) newestSigned(ctx context.Context, client *db.Client) (*db.LogCheckpoint, tlog.Tree, error) {
	row, tree, err := newest(ctx, client)
	if errors.Is(err, errEmpty) {
		return nil, tree, nil
	}
	if err != nil {
		return nil, tree, err
	}
	signed, err := s.signer.Open([]byte(row.Note))
	if err != nil {
		return nil, tree, fmt.Errorf("the log was signed by another key, so this server cannot go on with it: %w", err)
	}
	if signed != tree {
		return nil, tree, fmt.Errorf("checkpoint %d was altered: its note is of another tree", row.Size)
	}
	return row, tree, nil
}

// goesOn fails unless a tree goes on where the one that was seen ended. Every tree goes on from none.
func (s *Service) goesOn(ctx context.Context, client *db.Client, seen, tree tlog.Tree) error {
	if seen == tree || seen.Size == 0 {
		return nil
	}
	if tree.Size < seen.Size {
		return fmt.Errorf("the log in the database has %d events, and this server has seen it with %d (%s): it is an older backup, or the database of another log; %s",
			tree.Size, seen.Size, s.memory, howOn)
	}
	fork := fmt.Errorf("the log of %d events in the database does not go on from the one of %d that this server has seen (%s): its history was written anew, or it is another log; %s",
		tree.Size, seen.Size, s.memory, howOn)
	if tree.Size == seen.Size {
		return fork
	}
	proof, err := tlog.ProveConsistency(tree, seen.Size, tree.Size, tiles(ctx, client))
	if err != nil {
		return err
	}
	if tlog.CheckConsistency(seen, tree, proof) != nil {
		return fork
	}
	return nil
}

// remembered is the tree that is remembered, and its checkpoint: nothing when there is none.
func (s *Service) remembered() (tlog.Tree, []byte, error) {
	if s.memory == "" {
		return tlog.Tree{}, nil, nil
	}
	note, err := os.ReadFile(s.memory)
	if errors.Is(err, fs.ErrNotExist) {
		return tlog.Tree{}, nil, nil
	}
	if err != nil {
		return tlog.Tree{}, nil, fmt.Errorf("read the checkpoint that is remembered: %w", err)
	}
	tree, err := s.signer.Open(note)
	if err != nil {
		return tlog.Tree{}, nil, fmt.Errorf("read the checkpoint that is remembered in %s: %w; a key that signed before has to stay in the log's key file, as a public one", s.memory, err)
	}
	return tree, note, nil
}

// remember writes a checkpoint that was committed into the file, when it is of a longer log than the one there.
func (s *Service) remember(size int64, note string) error {
	if s.memory == "" {
		return nil
	}
	s.remembering.Lock()
	defer s.remembering.Unlock()
	seen, _, err := s.remembered()
	if err != nil || size <= seen.Size {
		return err
	}
	if err := replace(s.memory, note); err != nil {
		return fmt.Errorf("remember checkpoint %d: %w", size, err)
	}
	return nil
}

// replace writes a file whole or not at all. After a power cut the older one may be there, which is as good: the database
// goes on from there, too.
func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "log.checkpoint.new-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Accepted is what Accept did.
type Accepted struct {
	// Before is the checkpoint that was remembered, and After the newest of the database; empty when there is none.
	Before, After string
	// Kept is where Before lies now; empty when the database goes on from it, so that there was nothing to accept.
	Kept string
}

// Accept makes the log in the database the one that this server goes on with, although it is not the one that it has seen.
// The checkpoint that was remembered is kept beside: it is the proof of what is lost.
func (s *Service) Accept(ctx context.Context) (Accepted, error) {
	seen, before, err := s.remembered()
	if err != nil {
		return Accepted{}, err
	}
	done := Accepted{Before: string(before)}
	row, tree, err := s.newestSigned(ctx, s.store.Read())
	if err != nil {
		return done, err
	}
	if row != nil {
		done.After = row.Note
	}
	if s.goesOn(ctx, s.store.Read(), seen, tree) == nil {
		return done, nil
	}
	if done.Kept, err = keepBeside(s.memory, fmt.Sprint(s.memory, ".", seen.Size)); err != nil {
		return done, fmt.Errorf("keep the checkpoint that was remembered: %w", err)
	}
	if row == nil {
		return done, os.Remove(s.memory)
	}
	return done, replace(s.memory, row.Note)
}

// keepBeside gives a file one more name, and replaces nothing: a name that is taken gets a number.
func keepBeside(path, wanted string) (string, error) {
	name := wanted
	for n := 2; ; n++ {
		err := os.Link(path, name)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
		name = fmt.Sprint(wanted, ".", n)
	}
}
