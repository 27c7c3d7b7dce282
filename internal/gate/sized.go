package gate

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// sized keeps what was used last by its name, within a bound of bytes. What it keeps never changes, so there is nothing to
// invalidate. It is safe for concurrent use: of two that miss at once both make the value, and one of the equal two stays.
type sized[V any] struct {
	max   int
	weigh func(V) int

	mu     sync.Mutex
	byName *simplelru.LRU[string, V]
	size   int
}

// maxEntries bounds what is kept of small values.
const maxEntries = 100_000

func newSized[V any](maxBytes int, weigh func(V) int) *sized[V] {
	c := &sized[V]{max: maxBytes, weigh: weigh}
	c.byName, _ = simplelru.NewLRU(maxEntries, func(_ string, v V) { c.size -= weigh(v) }) // fails on a size below 1 alone
	return c
}

func (c *sized[V]) get(name string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byName.Get(name)
}

// add keeps a value, unless it would take the place of most others.
func (c *sized[V]) add(name string, v V) {
	weight := c.weigh(v)
	c.mu.Lock()
	defer c.mu.Unlock()
	if weight > c.max/4 || c.byName.Contains(name) {
		return
	}
	c.byName.Add(name, v)
	c.size += weight
	for c.size > c.max {
		c.byName.RemoveOldest()
	}
}

// parsedSize is how much more than its bytes a parsed part takes, about: strings with their terms, and the order of objects.
const parsedSize = 12

// weigh is how much memory JSON takes with the same parsed, about, in bytes.
func weigh(spelled []byte) int { return 512 + (1+parsedSize)*len(spelled) }
