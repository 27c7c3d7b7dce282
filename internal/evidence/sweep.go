package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/attachment"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/auth"
)

const (
	// garbageAge is how long bytes stay that no record names: longer than any upload takes to write its record.
	garbageAge = 24 * time.Hour
	// digestsASweep is how many digests are looked for at once.
	digestsASweep = 1000
)

// SweepObjects removes from the object store what an upload left there that did not come to its end: staged bytes, and
// kept bytes that no record names. It says how many objects it removed. What is less than a day old stays, and whoever
// keeps bytes again makes them young.
func (s *Service) SweepObjects(ctx context.Context) (removed int, err error) {
	if removed, err = s.objects.Sweep(ctx, garbageAge); err != nil {
		return removed, fmt.Errorf("sweep staged bytes: %w", err)
	}
	var old []string
	sweep := func() error {
		unnamed, err := s.unnamed(ctx, old)
		for _, digest := range unnamed {
			gone, err := s.objects.DeleteOld(ctx, digest, garbageAge)
			if err != nil {
				return err
			}
			if gone {
				removed++
			}
		}
		old = nil
		return err
	}
	err = s.objects.Each(ctx, garbageAge, func(digest string) error {
		if old = append(old, digest); len(old) < digestsASweep {
			return nil
		}
		return sweep()
	})
	if err == nil {
		err = sweep()
	}
	if err != nil {
		return removed, fmt.Errorf("sweep kept bytes: %w", err)
	}
	return removed, nil
}

// unnamed gives those of the digests that no record names.
func (s *Service) unnamed(ctx context.Context, digests []string) ([]string, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	sys := auth.System(ctx)
	named, err := s.store.Read().Evidence.Query().Where(evidence.RawInObjects(true), evidence.RawDigestIn(digests...)).
		Select(evidence.FieldRawDigest).Strings(sys)
	if err != nil {
		return nil, fmt.Errorf("look for evidence of objects: %w", err)
	}
	more, err := s.store.Read().Attachment.Query().Where(attachment.DigestIn(digests...)).Select(attachment.FieldDigest).Strings(sys)
	if err != nil {
		return nil, fmt.Errorf("look for attachments of objects: %w", err)
	}
	in := make(map[string]bool, len(named)+len(more))
	for _, d := range slices.Concat(named, more) {
		in[d] = true
	}
	return slices.DeleteFunc(digests, func(d string) bool { return in[d] }), nil
}
