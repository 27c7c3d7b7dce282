package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// part is one member of the input: its key, its canonical JSON, and the same parsed. A part that did not change since the
// last evaluation is neither spelled, parsed nor kept again.
type part struct {
	key    string
	bytes  []byte
	digest string
	value  rego.Value
}

// partCache holds parsed parts. They never change, so there is nothing to invalidate.
type partCache struct {
	byDigest   *lru.Cache[string, part]
	components *lru.Cache[string, listed]
}

// listed is what SBOMs list together: the part of the input, and which packages there are, without versions, sorted.
type listed struct {
	part
	packages []string
}

// cachedParts is how many parts of one kind are kept parsed. The largest, the components of a version, take about 1 MB
// for a thousand components.
const cachedParts = 64

func newPartCache() (*partCache, error) {
	byDigest, err := lru.New[string, part](4 * cachedParts)
	if err != nil {
		return nil, err
	}
	components, err := lru.New[string, listed](cachedParts)
	if err != nil {
		return nil, err
	}
	return &partCache{byDigest: byDigest, components: components}, nil
}

// newPart spells and parses a value.
func (c *partCache) newPart(key string, value any) (part, error) {
	b, err := canonical.JSON(value)
	if err != nil {
		return part{}, fmt.Errorf("input part %s: %w", key, err)
	}
	p := part{key: key, bytes: b, digest: canonical.Digest(b)}
	if known, ok := c.byDigest.Get(p.digest); ok {
		known.key = key
		return known, nil
	}
	if p.value, err = rego.ParseValue(b); err != nil {
		return part{}, fmt.Errorf("input part %s: %w", key, err)
	}
	c.byDigest.Add(p.digest, p)
	return p, nil
}

// commonParts makes everything of the input but the gate, sorted by key.
func (s *Service) commonParts(ctx context.Context, sub *subject, at time.Time) ([]part, error) {
	v, err := s.versionPart(ctx, sub)
	if err != nil {
		return nil, err
	}
	components, err := s.components(ctx, sbomsOf(sub.evidence))
	if err != nil {
		return nil, err
	}
	deprecated, err := s.deprecated(ctx, sub.contents, components.packages)
	if err != nil {
		return nil, err
	}
	parts := []part{components.part}
	for _, m := range []struct {
		key   string
		value any
	}{
		{"schema", InputSchema},
		{"evaluated_at", instant(at)},
		{"application", sub.applicationPart()},
		{"version", v},
		{"contents", sub.contents},
		{"evidence", evidenceParts(sub.evidence)},
		{"index_evidence", indexParts(sub.indexes)},
		{"sboms", sbomParts(sub.evidence)},
		{"vulnerabilities", vulnerabilityParts(sub.known.Findings)},
		{"feeds", feedParts(sub.known.Feeds)},
		{"approvals", sub.approvalParts()},
		{"freezes", freezeParts(sub.freezes, at)},
		{"deprecated", deprecated},
	} {
		p, err := s.parts.newPart(m.key, m.value)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// components reads the components of the version's SBOMs. SBOMs never change, so neither does what they list together.
func (s *Service) components(ctx context.Context, sboms []*db.Sbom) (listed, error) {
	ids := make([]int, len(sboms))
	names := make([]string, len(sboms))
	for i, b := range sboms {
		ids[i], names[i] = b.ID, strconv.Itoa(b.ID)
	}
	key := strings.Join(names, ",")
	if p, ok := s.parts.components.Get(key); ok {
		return p, nil
	}
	list, err := s.evidence.Components(ctx, ids)
	if err != nil {
		return listed{}, err
	}
	p, err := s.parts.newPart("components", componentParts(list))
	if err != nil {
		return listed{}, err
	}
	purls := make([]*string, len(list))
	for i, c := range list {
		purls[i] = known(c.PURL)
	}
	all := listed{part: p, packages: packagesOf(purls)}
	s.parts.components.Add(key, all)
	return all, nil
}

// withGate completes the input for one gate, sorted by key.
func withGate(common []part, g Gate, production bool) ([]part, error) {
	b, err := canonical.JSON(map[string]any{"stage": g.Stage, "kind": g.Kind, "production": production})
	if err != nil {
		return nil, err
	}
	value, err := rego.ParseValue(b)
	if err != nil {
		return nil, err
	}
	parts := append(slices.Clone(common), part{key: "gate", bytes: b, digest: canonical.Digest(b), value: value})
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.key, b.key) })
	return parts, nil
}

// inputDigest is the digest of the whole document, without putting it together.
func inputDigest(parts []part) string {
	h := sha256.New()
	for i, p := range parts {
		h.Write(memberPrefix(i, p.key))
		h.Write(p.bytes)
	}
	h.Write([]byte("}"))
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// memberPrefix is what stands before the i-th member. Keys are plain ASCII names, so they need no escaping.
func memberPrefix(i int, key string) []byte {
	if i == 0 {
		return []byte(`{"` + key + `":`)
	}
	return []byte(`,"` + key + `":`)
}

func regoInput(parts []part) rego.Input {
	values := make(map[string]rego.Value, len(parts))
	for _, p := range parts {
		values[p.key] = p.value
	}
	return rego.NewInput(values)
}
