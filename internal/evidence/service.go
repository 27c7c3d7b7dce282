package evidence

import (
	"encoding/json"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/store"
)

// How much is remembered of what never changes.
const (
	// rememberedPredicates times maxPredicate bounds the memory: 32 MiB.
	rememberedPredicates = 512
	rememberedKeys       = 1024
	rememberedRoots      = 64
)

// Service takes evidence and reads it. It is safe for concurrent use.
type Service struct {
	store *store.Store
	log   *activity.Log
	now   func() time.Time

	predicates *lru.Cache[string, json.RawMessage]    // by digest of the raw bytes; nil where there is none to show
	keys       *lru.Cache[string, attest.PublicKey]   // by fingerprint
	roots      *lru.Cache[string, attest.TrustedRoot] // by fingerprint
}

// New returns the evidence service; now is the clock by which anchors are valid.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	return &Service{
		store: s, log: log, now: now,
		predicates: cache[json.RawMessage](rememberedPredicates),
		keys:       cache[attest.PublicKey](rememberedKeys),
		roots:      cache[attest.TrustedRoot](rememberedRoots),
	}
}

func cache[V any](size int) *lru.Cache[string, V] {
	c, _ := lru.New[string, V](size) // fails on a size below 1 alone
	return c
}
