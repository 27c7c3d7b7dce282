package policy

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/store"
)

// The limits, in elements of lists.
const (
	MaxParameters  = 20
	MaxControls    = 50
	MaxRules       = 50
	MaxScopeKeys   = 100
	MaxScopeLabels = 20
)

// The limits of texts, in characters, and of JSON documents, in bytes.
const (
	MaxTitle        = 255
	MaxDescription  = 4000
	MaxRemediation  = 2000
	MaxSchema       = 64 << 10
	MaxParameterDoc = 64 << 10
)

// maxCompiled bounds the policies that are kept compiled. One takes from 100 KiB to some MiB.
const maxCompiled = 256

// maxDescribed bounds the sentences of templates that are kept, and maxLooking how much Rego of people who write it is looked
// at or tested at once: gates are judged beside it.
const (
	maxDescribed = 1024
	maxLooking   = 2
)

// maxAttempts is how often a template's revision is numbered anew because somebody else took the number.
const maxAttempts = 5

// Service makes and changes templates, rules and policies, and tells which apply. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	log      *activity.Log
	now      func() time.Time
	compiled *lru.Cache[compiledKey, *rego.Policy]
	// builtin returns the templates that come with the program; they are read once.
	builtin func() ([]content, error)
	// sentences are what templates ask, by the digest of their source; looking holds a place for each draft that is looked at.
	sentences *lru.Cache[string, string]
	looking   chan struct{}
}

// New returns the service on a store; log takes its events and now is the clock.
func New(s *store.Store, log *activity.Log, now func() time.Time) *Service {
	compiled, err := lru.New[compiledKey, *rego.Policy](maxCompiled)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	sentences, err := lru.New[string, string](maxDescribed)
	if err != nil {
		panic(err) // as above
	}
	return &Service{
		store: s, log: log, now: now, compiled: compiled, builtin: sync.OnceValues(readBuiltin),
		sentences: sentences, looking: make(chan struct{}, maxLooking),
	}
}
