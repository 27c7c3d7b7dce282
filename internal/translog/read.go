package translog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/ent/db/logcheckpoint"
	"github.com/plimsoll/plimsoll/ent/db/logtile"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// Checkpoint returns the newest checkpoint, a signed note, with the signatures of the witnesses that cosigned it so far.
func (s *Service) Checkpoint(ctx context.Context) ([]byte, error) {
	row, _, err := newest(ctx, s.store.Read())
	if errors.Is(err, errEmpty) {
		return nil, fault.New(fault.NotFound, "%s", errEmpty.Error())
	}
	if err != nil {
		return nil, err
	}
	note, err := s.cosigned(ctx, row)
	return []byte(note), err
}

// Tile returns the hashes of a tile by its path below "tile/". A tile that is not full is part of the same tile later, so
// that what is returned for a path never changes.
func (s *Service) Tile(ctx context.Context, path string) ([]byte, error) {
	name, err := tlog.ParseTilePath(path)
	if err != nil {
		return nil, noTile()
	}
	row, err := s.store.Read().LogTile.Query().Where(logtile.Level(name.Level), logtile.Position(name.Position)).Only(auth.System(ctx))
	if db.IsNotFound(err) || err == nil && len(row.Hashes) < name.Width*tlog.HashSize {
		return nil, noTile()
	}
	if err != nil {
		return nil, fmt.Errorf("load tile %s: %w", path, err)
	}
	return row.Hashes[:name.Width*tlog.HashSize], nil
}

func noTile() error { return fault.New(fault.NotFound, "the log has no such tile") }

// Entries returns the leaves under a tile of level 0, as a bundle, by its path below "tile/entries/". A leaf names projects
// and what happened in them, so this is for organisation admins and auditors of the organisation alone.
func (s *Service) Entries(ctx context.Context, path string) ([]byte, error) {
	p, err := auth.From(ctx)
	if err != nil {
		return nil, err
	}
	if !p.Holds(auth.Organisation, auth.OrganisationAdmin, auth.Auditor) {
		return nil, fault.New(fault.Forbidden, "the leaves of the log need one of the roles %s, %s on the organisation", auth.OrganisationAdmin, auth.Auditor)
	}
	name, err := tlog.ParseEntriesPath(path)
	if err != nil {
		return nil, noTile()
	}
	from := int(name.Position) * tlog.TileWidth
	rows, err := s.store.Read().ActivityEvent.Query().
		Where(activityevent.LogIndexGTE(from), activityevent.LogIndexLT(from+name.Width)).
		Order(db.Asc(activityevent.FieldLogIndex)).Select(activityevent.FieldLeaf).All(auth.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("load the leaves of bundle %s: %w", path, err)
	}
	if len(rows) != name.Width {
		return nil, noTile()
	}
	leaves := make([][]byte, len(rows))
	for i, r := range rows {
		leaves[i] = r.Leaf
	}
	return tlog.Bundle(leaves)
}

// InclusionProof proves that an event is in the tree of a checkpoint.
type InclusionProof struct {
	LeafHash tlog.Hash
	TreeSize int64
	Hashes   []tlog.Hash
	// Checkpoint is the signed note of the tree.
	Checkpoint string
}

// Inclusion proves the event at an index against the newest checkpoint. It tells nothing of the event but its hash.
func (s *Service) Inclusion(ctx context.Context, index int) (*InclusionProof, error) {
	row, tree, err := newest(ctx, s.store.Read())
	if errors.Is(err, errEmpty) || err == nil && (index < 0 || int64(index) >= tree.Size) {
		return nil, fault.New(fault.NotFound, "the log has no event at %d: it has %d", index, tree.Size).With("path", "logIndex")
	}
	if err != nil {
		return nil, err
	}
	leaf, hashes, err := tlog.ProveInclusion(tree, int64(index), tiles(ctx, s.store.Read()))
	if err != nil {
		return nil, err
	}
	note, err := s.cosigned(ctx, row)
	return &InclusionProof{LeafHash: leaf, TreeSize: tree.Size, Hashes: hashes, Checkpoint: note}, err
}

// ConsistencyProof proves that the log at one size is where the log at a later size began.
type ConsistencyProof struct {
	From, To         int64
	FromRoot, ToRoot tlog.Hash
	Hashes           []tlog.Hash
	// Checkpoint is the signed note of the later tree; nil when none was signed at its size.
	Checkpoint *string
}

// Consistency proves that the first from events of the log are the first of its first to. Without to it is the size of the
// newest checkpoint.
func (s *Service) Consistency(ctx context.Context, from int, to *int) (*ConsistencyProof, error) {
	_, tree, err := newest(ctx, s.store.Read())
	if err != nil && !errors.Is(err, errEmpty) {
		return nil, err
	}
	p := &ConsistencyProof{From: int64(from), To: tree.Size}
	if to != nil {
		p.To = int64(*to)
	}
	switch {
	case p.To > tree.Size || p.To < 1:
		return nil, fault.At("to", "must be from 1 to %d, the size of the log", tree.Size)
	case p.From < 1 || p.From > p.To:
		return nil, fault.At("from", "must be from 1 to %d", p.To)
	}
	if p.Checkpoint, err = s.signedAt(ctx, p.To); err != nil {
		return nil, err
	}
	read := tiles(ctx, s.store.Read())
	if p.FromRoot, err = tlog.RootAt(tree, p.From, read); err != nil {
		return nil, err
	}
	if p.ToRoot, err = tlog.RootAt(tree, p.To, read); err != nil {
		return nil, err
	}
	if p.Hashes, err = tlog.ProveConsistency(tree, p.From, p.To, read); err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Service) signedAt(ctx context.Context, size int64) (*string, error) {
	row, err := s.store.Read().LogCheckpoint.Query().Where(logcheckpoint.Size(size)).Only(auth.System(ctx))
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load checkpoint %d: %w", size, err)
	}
	note, err := s.cosigned(ctx, row)
	return &note, err
}

// IndexesOf gives for attestations, by their ids, the log index of the event whose leaf holds the digest. One whose event is
// not in the tree yet is not in the map.
func (s *Service) IndexesOf(ctx context.Context, ids []int) (map[int]*int, error) {
	signed, err := s.store.Read().Attestation.Query().Where(attestation.IDIn(ids...)).
		WithVersion(func(q *db.ApplicationVersionQuery) {
			q.Select(applicationversion.FieldVersion, applicationversion.FieldApplicationID).WithApplication()
		}).Select(attestation.FieldDigest, attestation.FieldVersionID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load attestations: %w", err)
	}
	subjects := map[string][]*db.Attestation{}
	names := make([]string, 0, len(signed))
	for _, a := range signed {
		name := a.Edges.Version.Edges.Application.Key + "@" + a.Edges.Version.Version
		if subjects[name] == nil {
			names = append(names, name)
		}
		subjects[name] = append(subjects[name], a)
	}
	events, err := s.store.Read().ActivityEvent.Query().
		Where(activityevent.SubjectIn(names...), activityevent.LogIndexNotNil()).Order(db.Asc(activityevent.FieldLogIndex)).
		Select(activityevent.FieldSubject, activityevent.FieldLogIndex, activityevent.FieldLeaf).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the events of attestations: %w", err)
	}
	found := map[int]*int{}
	for _, e := range events {
		for _, a := range subjects[e.Subject] {
			if found[a.ID] == nil && bytes.Contains(e.Leaf, []byte(`"`+a.Digest+`"`)) {
				found[a.ID] = e.LogIndex
			}
		}
	}
	return found, nil
}
