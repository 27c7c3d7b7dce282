package cli

import (
	"fmt"
	"slices"
	"strings"
)

// diffContext is how many lines that did not change are shown around those that did.
const diffContext = 3

// maxDiffCells bounds the work: two texts of 64 KiB with very short lines are shown as one that goes and one that comes.
const maxDiffCells = 16 << 20

// lineChange is a line of a difference: kept ' ', gone '-' or new '+'.
type lineChange struct {
	how  byte
	text string
}

// unifiedDiff shows how one text becomes another, as diff -u does; empty for equal texts.
func unifiedDiff(fromName, toName, from, to string) string {
	if from == to {
		return ""
	}
	changes := lineChanges(linesOf(from), linesOf(to))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", fromName, toName)
	for start := 0; start < len(changes); {
		if changes[start].how == ' ' {
			start++
			continue
		}
		first, last := max(0, start-diffContext), start
		for i := start; i < len(changes) && i <= last+2*diffContext; i++ {
			if changes[i].how != ' ' {
				last = i
			}
		}
		end := min(len(changes), last+diffContext+1)
		writeHunk(&out, changes, first, end)
		start = end
	}
	return out.String()
}

// writeHunk writes the lines from first to end, with the numbers of the first on both sides and how many there are.
func writeHunk(out *strings.Builder, changes []lineChange, first, end int) {
	count := func(part []lineChange, other byte) (n int) {
		for _, c := range part {
			if c.how != other {
				n++
			}
		}
		return n
	}
	before, here := changes[:first], changes[first:end]
	at := func(other byte) string {
		line, n := count(before, other)+1, count(here, other)
		if n == 0 { // nothing on this side: the line before
			line--
		}
		return fmt.Sprintf("%d,%d", line, n)
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", at('+'), at('-'))
	for _, c := range here {
		out.WriteByte(c.how)
		out.WriteString(c.text + "\n")
	}
}

// lineChanges finds the longest lines in common.
func lineChanges(a, b []string) []lineChange {
	var head, tail []lineChange
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head, a, b = append(head, lineChange{' ', a[0]}), a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append([]lineChange{{' ', a[len(a)-1]}}, tail...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return append(append(head, betweenLines(a, b)...), tail...)
}

func betweenLines(a, b []string) (changes []lineChange) {
	width := len(b) + 1
	if (len(a)+1)*width > maxDiffCells {
		for _, line := range a {
			changes = append(changes, lineChange{'-', line})
		}
		for _, line := range b {
			changes = append(changes, lineChange{'+', line})
		}
		return changes
	}
	common := make([]int32, (len(a)+1)*width) // how many lines a[i:] and b[j:] have in common
	for i, removed := range slices.Backward(a) {
		for j, added := range slices.Backward(b) {
			if removed == added {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			changes = append(changes, lineChange{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[(i+1)*width+j] >= common[i*width+j+1]:
			changes = append(changes, lineChange{'-', a[i]})
			i++
		default:
			changes = append(changes, lineChange{'+', b[j]})
			j++
		}
	}
	return changes
}

// linesOf splits a text; what stands behind the last line break is a line of its own, which says so.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	}
	lines[len(lines)-1] += "\n\\ No newline at end of file"
	return lines
}
