package evidence

import (
	"encoding/json"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/objects"
	"github.com/plimsoll/plimsoll/internal/store"
)

// How much is remembered of what never changes.
const (
	// rememberedPredicates times maxPredicate bounds the memory: 32 MiB.
	rememberedPredicates = 512
	rememberedKeys       = 1024
	rememberedRoots      = 64
	// rememberedComponents times the length of a purl is about 16 MiB.
	rememberedComponents = 1 << 16
)

// Service takes evidence and reads it. It is safe for concurrent use.
type Service struct {
	store   *store.Store
	log     *activity.Log
	now     func() time.Time
	program string
	objects *objects.Store // nil where nothing is uploaded
	limits  Limits

	collector *collector // nil where nothing is collected
	matcher   *Matcher   // nil where nothing is known of components

	group *group // of callers who write at once

	trusted    *atomic.Pointer[anchorList]
	predicates *lru.Cache[string, json.RawMessage]    // by digest of the raw bytes; nil where there is none to show
	keys       *lru.Cache[string, attest.PublicKey]   // by fingerprint
	roots      *lru.Cache[string, attest.TrustedRoot] // by fingerprint
	components *lru.Cache[string, int]                // rows, by identity
	merges     *mergeCache                            // by digest of what was merged
}

// New returns the evidence service; now is the clock by which anchors are valid, program
// the version of this program, which stands in the bills of materials that it writes.
func New(s *store.Store, log *activity.Log, now func() time.Time, program string) *Service {
	return &Service{
		store: s, log: log, now: now, program: program,
		group: &group{}, trusted: &atomic.Pointer[anchorList]{},
		predicates: cache[json.RawMessage](rememberedPredicates),
		keys:       cache[attest.PublicKey](rememberedKeys),
		roots:      cache[attest.TrustedRoot](rememberedRoots),
		components: cache[int](rememberedComponents),
		merges:     newMergeCache(),
	}
}

func cache[V any](size int) *lru.Cache[string, V] {
	c, _ := lru.New[string, V](size) // fails on a size below 1 alone
	return c
}
