package gate

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/plimsoll/plimsoll/ent/db"
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

// keptCache holds recorded parts by digest, the last used, within a bound of bytes. They never change, so there is nothing to
// invalidate. It is safe for concurrent use: two that miss at once both load, and one of the two equal parts stays.
type keptCache struct {
	store *store.Store
	max   int

	mu       sync.Mutex
	byDigest *simplelru.LRU[string, *kept]
	size     int
}

// parsedSize is how much more than its bytes a parsed part takes, about: strings with their terms, and the order of objects.
const parsedSize = 12

// maxEntries bounds a cache of small parts.
const maxEntries = 100_000

func newKeptCache(s *store.Store, maxBytes int) (*keptCache, error) {
	c := &keptCache{store: s, max: maxBytes}
	var err error
	c.byDigest, err = simplelru.NewLRU(maxEntries, func(_ string, k *kept) { c.size -= weight(k) })
	return c, err
}

func weight(k *kept) int { return 512 + (1+parsedSize)*len(k.bytes) }

// load returns what is kept under digests. What is not there, or no longer has its digest, is missing in the answer.
func (c *keptCache) load(ctx context.Context, digests []string) (map[string]*kept, error) {
	found := make(map[string]*kept, len(digests))
	var missing []string
	c.mu.Lock()
	for _, d := range digests {
		if k, ok := c.byDigest.Get(d); ok {
			found[d] = k
		} else {
			missing = append(missing, d)
		}
	}
	c.mu.Unlock()
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
		}
	}
	c.add(rows, found)
	return found, nil
}

func (c *keptCache) add(rows []*db.Blob, found map[string]*kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range rows {
		k := found[row.Digest]
		if k == nil || weight(k) > c.max/4 || c.byDigest.Contains(row.Digest) {
			continue
		}
		c.byDigest.Add(row.Digest, k)
		c.size += weight(k)
	}
	for c.size > c.max {
		c.byDigest.RemoveOldest()
	}
}
