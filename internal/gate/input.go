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

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/policy"
	"github.com/plimsoll/plimsoll/internal/rego"
)

// part is one member of the input: its key and its canonical JSON, which is parsed when a rule reads it. A part that did not
// change since the last evaluation is neither parsed nor kept again.
type part struct {
	key    string
	digest string
	*kept
}

func newPart(key string, spelled []byte) part {
	return part{key: key, digest: canonical.Digest(spelled), kept: &kept{bytes: spelled}}
}

// partCache holds parsed parts by digest, and what SBOMs list together by their numbers.
type partCache struct {
	byDigest   *sized[part]
	components *sized[listed]
}

// listed is what SBOMs list together: the part of the input, and which packages there are, without versions, sorted.
type listed struct {
	part
	packages []string
}

// cachedBytes bounds each of the two caches, in bytes. The components of a version take about 2 MB for a thousand. The two
// share what both hold.
const cachedBytes = 64 << 20

func newPartCache() *partCache {
	return &partCache{
		byDigest:   newSized(cachedBytes, func(p part) int { return weigh(p.bytes) }),
		components: newSized(cachedBytes, func(l listed) int { return weigh(l.bytes) }),
	}
}

// part spells a value.
func (c *partCache) part(key string, value any) (part, error) {
	b, err := canonical.JSON(value)
	if err != nil {
		return part{}, fmt.Errorf("input part %s: %w", key, err)
	}
	p := newPart(key, b)
	if known, ok := c.byDigest.get(p.digest); ok {
		known.key = key
		return known, nil
	}
	c.byDigest.add(p.digest, p)
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
		p, err := s.parts.part(m.key, m.value)
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
	if p, ok := s.parts.components.get(key); ok {
		return p, nil
	}
	list, err := s.evidence.Components(ctx, ids)
	if err != nil {
		return listed{}, err
	}
	p, err := s.parts.part("components", componentParts(list))
	if err != nil {
		return listed{}, err
	}
	purls := make([]*string, len(list))
	for i, c := range list {
		purls[i] = known(c.PURL)
	}
	all := listed{part: p, packages: packagesOf(purls)}
	s.parts.components.add(key, all)
	return all, nil
}

// withGate completes the input for one gate, sorted by key.
func withGate(common []part, g Gate, production bool) ([]part, error) {
	b, err := canonical.JSON(map[string]any{"stage": g.Stage, "kind": g.Kind, "production": production})
	if err != nil {
		return nil, err
	}
	parts := append(slices.Clone(common), newPart("gate", b))
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

// regoInput gives the parts to rules, as far as these read them: of all rules together, so that those of a gate share it.
func (s *Service) regoInput(ctx context.Context, parts []part, policies []policy.Applicable) (rego.Input, error) {
	members, all := map[string]bool{}, false
	for _, p := range policies {
		for _, rule := range p.Rules {
			compiled, err := s.policies.Compiled(ctx, rule)
			if err != nil {
				continue // it is not evaluated: that is its outcome
			}
			names, whole := compiled.Members()
			all = all || whole
			for _, name := range names {
				members[name] = true
			}
		}
	}
	return parsed(parts, func(key string) bool { return all || members[key] })
}

// parsed puts the parts that are read together.
func parsed(parts []part, reads func(key string) bool) (rego.Input, error) {
	values := make(map[string]rego.Value, len(parts))
	for _, p := range parts {
		if !reads(p.key) {
			continue
		}
		var err error
		if values[p.key], err = p.parsed(); err != nil {
			return rego.Input{}, fmt.Errorf("input part %s: %w", p.key, err)
		}
	}
	return rego.NewInput(values), nil
}
