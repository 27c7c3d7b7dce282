package gate

import (
	"context"
	"fmt"
	"sync"

	"github.com/plimsoll/plimsoll/ent/db/blob"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/store"
)

// kept is a part of an input as it was recorded: its bytes, which have the digest, and the same parsed when somebody asked.
type kept struct {
	bytes []byte

	once  sync.Once
	value rego.Value
	err   error
}

// parsed parses the part once, however many ask.
func (k *kept) parsed() (rego.Value, error) {
	k.once.Do(func() { k.value, k.err = rego.ParseValue(k.bytes) })
	return k.value, k.err
}

// keptCache holds recorded parts by digest.
type keptCache struct {
	store    *store.Store
	byDigest *sized[*kept]
}

func newKeptCache(s *store.Store, maxBytes int) *keptCache {
	return &keptCache{store: s, byDigest: newSized(maxBytes, func(k *kept) int { return weigh(k.bytes) })}
}

// load returns what is kept under digests. What is not there, or no longer has its digest, is missing in the answer.
func (c *keptCache) load(ctx context.Context, digests []string) (map[string]*kept, error) {
	found := make(map[string]*kept, len(digests))
	var missing []string
	for _, d := range digests {
		if k, ok := c.byDigest.get(d); ok {
			found[d] = k
		} else {
			missing = append(missing, d)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	rows, err := c.store.Read().Blob.Query().Where(blob.DigestIn(missing...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load parts of inputs: %w", err)
	}
	for _, row := range rows {
		if b, err := store.Unpack(row); err == nil {
			found[row.Digest] = &kept{bytes: b}
			c.byDigest.add(row.Digest, found[row.Digest])
		}
	}
	return found, nil
}
