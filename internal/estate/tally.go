package estate

import (
	"fmt"
	"slices"
)

// Target is a component to ask about, and the truth to hold the answer against.
type Target struct {
	// Name says how common it is.
	Name          string
	Purl          string
	Vulnerability string
	// Versions hold it, Live of them are in a stage.
	Versions, Live int
	component      int32
}

// tally counts for each component the versions that hold it.
type tally struct {
	versions, live []int32
	seen           []int32 // the last version that was counted, from 1
	counted        int32
}

func newTally(pool int) *tally {
	return &tally{versions: make([]int32, pool), live: make([]int32, pool), seen: make([]int32, pool)}
}

// count takes a version with what its artifacts list.
func (t *tally) count(live bool, bills [][]int32) {
	t.counted++
	for _, contents := range bills {
		for _, c := range contents {
			if t.seen[c] == t.counted {
				continue
			}
			t.seen[c] = t.counted
			t.versions[c]++
			if live {
				t.live[c]++
			}
		}
	}
}

func (t *tally) add(other *tally) {
	for c := range t.versions {
		t.versions[c] += other.versions[c]
		t.live[c] += other.live[c]
	}
}

// targets are the rarest component, and those nearest to 1 % and 30 % of the versions.
func (t *tally) targets(p pool, versions int) []Target {
	var list []Target
	taken := map[int32]bool{}
	for i, want := range []struct {
		name  string
		share float64
	}{{"rare", 0}, {"1 %", 0.01}, {"30 %", 0.3}} {
		wanted, best := int32(want.share*float64(versions)), int32(-1)
		distance := func(c int32) int32 { return max(t.versions[c]-wanted, wanted-t.versions[c]) }
		for c := range int32(len(t.versions)) {
			// What is rare is live somewhere, so that every question has an answer.
			if !taken[c] && t.live[c] > 0 && (best < 0 || distance(c) < distance(best)) {
				best = c
			}
		}
		if best < 0 {
			continue
		}
		taken[best] = true
		list = append(list, Target{
			Name: want.name, Purl: p.components[best].purl(), Vulnerability: fmt.Sprintf("CVE-2099-%04d", 1000+i),
			Versions: int(t.versions[best]), Live: int(t.live[best]), component: best,
		})
	}
	return slices.Clip(list)
}
