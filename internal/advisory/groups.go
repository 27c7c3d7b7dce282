package advisory

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// MaxGroup is the largest number of ids that are believed to name one vulnerability.
	MaxGroup = 64
	// maxNames is the largest number of aliases of one record that is believed: an announcement that lists what a
	// release fixed is sometimes published with all of them as aliases, and would make them one vulnerability.
	maxNames = 32
)

// Names are the names that one record gives to its vulnerability.
type Names struct {
	ID      string
	Aliases []string
}

// Groups finds the ids that name one vulnerability: those that are connected by aliases, in either direction. It gives
// for every id, of records and of aliases, the one that stands for its group: a CVE before a GHSA before any other, the
// first in the order of letters among several.
//
// The answer depends on what is given and not on its order. A record with more than 32 aliases connects nothing, and a
// group of more than MaxGroup ids is none: each of them stands for itself.
func Groups(records []Names) map[string]string {
	sets := disjoint{}
	for _, r := range records {
		if r.ID == "" {
			continue
		}
		sets.find(r.ID)
		for _, alias := range r.Aliases {
			if alias == "" {
				continue
			}
			sets.find(alias)
			if len(r.Aliases) <= maxNames {
				sets.join(r.ID, alias)
			}
		}
	}
	members := map[string][]string{}
	for id := range sets {
		root := sets.find(id)
		members[root] = append(members[root], id)
	}
	canonical := make(map[string]string, len(sets))
	for _, ids := range members {
		stands := slices.MinFunc(ids, byAuthority)
		for _, id := range ids {
			canonical[id] = stands
			if len(ids) > MaxGroup {
				canonical[id] = id
			}
		}
	}
	return canonical
}

func byAuthority(a, b string) int {
	rank := func(id string) int {
		switch {
		case strings.HasPrefix(id, "CVE-"):
			return 0
		case strings.HasPrefix(id, "GHSA-"):
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// disjoint are sets of ids, each a tree; an id points to its parent, a root to itself.
type disjoint map[string]string

// find gives the root of an id, which is its own set when it is new, and halves the way there.
func (d disjoint) find(id string) string {
	if _, known := d[id]; !known {
		d[id] = id
	}
	for d[id] != id {
		d[id] = d[d[id]]
		id = d[id]
	}
	return id
}

func (d disjoint) join(a, b string) {
	d[d.find(a)] = d.find(b)
}
