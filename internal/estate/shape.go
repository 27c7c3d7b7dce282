package estate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// Shape says how large an estate is and what it looks like.
type Shape struct {
	// Applications, each with Versions versions of Artifacts artifacts, whose bills list Components components each.
	Applications, Versions, Artifacts, Components int
	// Changed is how many of the artifacts are new in a version; the others are those of the version before. A ninth of the
	// versions changes one more. 0 changes all of them in each version.
	Changed int
	// Pool is how many components there are to draw from. The weight of the component of rank r is 1/(r+20)^Zipf.
	Pool int
	Zipf float64
	// Advisories is how many components have an advisory, beside those that Targets names.
	Advisories int
	Seed       uint64
}

// Small is an estate that is loaded in seconds.
func Small() Shape {
	return Shape{Applications: 20, Versions: 5, Artifacts: 3, Components: 100, Pool: 5000, Zipf: 0.9, Advisories: 500, Seed: 1}
}

const (
	rankOffset = 20
	// churn is the share of an artifact's components that a new one of the same line replaces.
	churn = 0.1
	// perProject is how many applications a project has.
	perProject = 100
	// perOwner is how many applications an owner has.
	perOwner = 25
	// maxPool keeps what is held of the pool below a hundred megabytes.
	maxPool = 200_000
)

// Check says what is wrong with a shape.
func (s Shape) Check() error {
	for name, n := range map[string]int{"applications": s.Applications, "versions": s.Versions, "artifacts": s.Artifacts, "components": s.Components} {
		if n < 1 {
			return fmt.Errorf("%s: at least 1 is needed, not %d", name, n)
		}
	}
	switch {
	case s.Pool < 2*s.Components || s.Pool > maxPool:
		return fmt.Errorf("pool: %d to %d components are needed for %d a bill, not %d", 2*s.Components, maxPool, s.Components, s.Pool)
	case s.Advisories < 0 || s.Advisories > s.Pool/2:
		return fmt.Errorf("advisories: 0 to %d are possible in a pool of %d, not %d", s.Pool/2, s.Pool, s.Advisories)
	case s.Changed < 0 || s.Changed > s.Artifacts:
		return fmt.Errorf("changed: 0 to %d artifacts may change in a version, not %d", s.Artifacts, s.Changed)
	case math.IsNaN(s.Zipf) || s.Zipf < 0 || s.Zipf > 5:
		return errors.New("zipf: an exponent from 0 to 5 is needed")
	}
	return nil
}

// random gives the numbers of one thing of the estate: what it is does not depend on what was made before.
func (s Shape) random(application, line int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, uint64(application)<<20|uint64(line))) //nolint:gosec // the same seed makes the same estate; nothing of it is secret
}

// sampler draws components: low numbers are drawn often.
type sampler []float64

func newSampler(n int, exponent float64) sampler {
	sums, total := make(sampler, n), 0.0
	for i := range sums {
		total += math.Pow(float64(i+rankOffset), -exponent)
		sums[i] = total
	}
	return sums
}

func (s sampler) draw(r *rand.Rand) int32 {
	return int32(sort.SearchFloat64s(s, r.Float64()*s[len(s)-1]))
}

// revisions says for each version which revision of each line of artifacts it has, from 0.
func (s Shape) revisions(application int) [][]int {
	r := s.random(application, 0)
	now, list := make([]int, s.Artifacts), make([][]int, s.Versions)
	for v := range list {
		if v > 0 {
			changed := s.Changed
			if changed == 0 {
				changed = s.Artifacts
			} else if changed < s.Artifacts && r.IntN(9) == 0 {
				changed++
			}
			for _, line := range r.Perm(s.Artifacts)[:changed] {
				now[line]++
			}
		}
		list[v] = append([]int(nil), now...)
	}
	return list
}

// line makes the revisions of a line of artifacts one after the other.
type line struct {
	draws    sampler
	random   *rand.Rand
	size     int
	contents []int32
	has      map[int32]bool
}

func (s Shape) line(draws sampler, application, number int) *line {
	l := &line{draws: draws, random: s.random(application, number+1), size: s.Components, has: make(map[int32]bool, s.Components)}
	l.fill()
	return l
}

func (l *line) fill() {
	for len(l.contents) < l.size {
		if c := l.draws.draw(l.random); !l.has[c] {
			l.has[c] = true
			l.contents = append(l.contents, c)
		}
	}
}

// next makes the next revision.
func (l *line) next() {
	for range int(churn * float64(l.size)) {
		i, end := l.random.IntN(len(l.contents)), len(l.contents)-1
		delete(l.has, l.contents[i])
		l.contents[i], l.contents = l.contents[end], l.contents[:end]
	}
	l.fill()
}
