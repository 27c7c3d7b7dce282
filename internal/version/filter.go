package version

import (
	"fmt"
	"slices"

	"github.com/plimsoll/plimsoll/internal/check"
)

const (
	maxPatterns = 100 // in each of the two lists
	maxPattern  = 255 // characters
)

// filter says which parts to take.
type filter struct{ include, exclude []*pattern }

func (in *SourceFiltersInput) compile() (filter, error) {
	if in == nil {
		return filter{}, nil
	}
	include, err := compileAll("input.filters.include", in.Include)
	if err != nil {
		return filter{}, err
	}
	exclude, err := compileAll("input.filters.exclude", in.Exclude)
	return filter{include, exclude}, err
}

func compileAll(path string, texts []string) ([]*pattern, error) {
	if err := check.List(path, len(texts), maxPatterns); err != nil {
		return nil, err
	}
	out := make([]*pattern, len(texts))
	for i, text := range texts {
		if err := check.Line(fmt.Sprintf("%s.%d", path, i), text, 1, maxPattern); err != nil {
			return nil, err
		}
		out[i] = compile(text)
	}
	return out, nil
}

// takes tells whether the filter lets a part through.
func (f filter) takes(p Part) bool {
	matches := func(list []*pattern) bool {
		return slices.ContainsFunc(list, func(g *pattern) bool { return g.matches(p.Name) || p.PURL != "" && g.matches(p.PURL) })
	}
	return (len(f.include) == 0 || matches(f.include)) && !matches(f.exclude)
}

// places is a set of places in a pattern, one more than the longest pattern has characters.
type places [(maxPattern + 1 + 63) / 64]uint64

func (p *places) add(i int)      { p[i/64] |= 1 << (i % 64) }
func (p *places) has(i int) bool { return p[i/64]&(1<<(i%64)) != 0 }

// pattern is a text in which "*" stands for any characters and "?" for one. All ways to match are followed at once, as
// bits, so that the time it takes grows with the length of the text alone, whatever the pattern.
type pattern struct {
	end    int             // the place behind the last character
	stay   places          // where a "*" stands
	any    places          // where a "?" stands
	ascii  [128]places     // where a character is wanted
	others map[rune]places // the same, of rare characters
}

func compile(text string) *pattern {
	p := &pattern{others: map[rune]places{}}
	for _, r := range text {
		switch {
		case r == '*':
			p.stay.add(p.end)
			continue
		case r == '?':
			p.any.add(p.end)
		case r < 128:
			p.ascii[r].add(p.end)
		default:
			at := p.others[r]
			at.add(p.end)
			p.others[r] = at
		}
		p.end++
	}
	return p
}

func (p *pattern) matches(text string) bool {
	var at places
	at.add(0)
	for _, r := range text {
		var wanted places
		if r < 128 {
			wanted = p.ascii[r]
		} else {
			wanted = p.others[r]
		}
		var carry uint64
		for i := range at {
			on := at[i] & (wanted[i] | p.any[i])
			at[i] = at[i]&p.stay[i] | on<<1 | carry
			carry = on >> 63
		}
	}
	return at.has(p.end)
}
