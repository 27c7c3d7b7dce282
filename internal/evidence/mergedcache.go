package evidence

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

// rememberedMerges bounds the number of merges that are remembered; MaxMerged bounds what they are made of.
const rememberedMerges = 1024

// mergeCache remembers merges by the digest of what was merged, those that were asked for last.
type mergeCache struct {
	flight singleflight.Group

	mu   sync.Mutex
	lru  *simplelru.LRU[string, *Merged]
	size int
}

func newMergeCache() *mergeCache {
	c := &mergeCache{}
	c.lru, _ = simplelru.NewLRU(rememberedMerges, func(_ string, m *Merged) { c.size -= m.size }) // fails on a size below 1 alone
	return c
}

func (c *mergeCache) get(digest string) (*Merged, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(digest)
}

func (c *mergeCache) add(digest string, m *Merged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lru.Contains(digest) {
		return
	}
	c.lru.Add(digest, m)
	for c.size += m.size; c.size > MaxMerged; {
		c.lru.RemoveOldest()
	}
}
