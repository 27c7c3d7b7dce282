package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// width is the number of columns that variables and sentences are wrapped at.
const width = 112

// The columns of the layout: calls and results stand under the sentence of their step.
const (
	indent     = "     "
	resultMark = "   → "
)

// page writes the story for a terminal. It remembers its first failure to write, so that the story need not look.
type page struct {
	out     io.Writer
	color   bool
	verbose bool
	step    int
	title   string // of the step
	good    *regexp.Regexp
	warning *regexp.Regexp
	bad     *regexp.Regexp
	err     error
}

func newPage(out io.Writer, color, verbose bool) *page {
	return &page{
		out: out, color: color, verbose: verbose,
		good:    regexp.MustCompile(`\b(PASS|COMPLETED|TRUSTED_RELEASE|GOOD|FIRST_PARTY|verified by [a-z0-9-]+|Verified OK|PASSED)\b`),
		warning: regexp.MustCompile(`\b(WARN|SECOND_PARTY|not verified|unsigned)\b`),
		bad:     regexp.MustCompile(`\b(FAIL|BLOCKED|VIOLATION|NOT_EVIDENCED|BLOCK|FORBIDDEN|ERROR)\b`),
	}
}

// The styles, as SGR parameters (ECMA-48).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p *page) paint(style, text string) string {
	if !p.color || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// verdicts colours the words that decide.
func (p *page) verdicts(text string) string {
	if !p.color {
		return text
	}
	for style, words := range map[string]*regexp.Regexp{green: p.good, yellow: p.warning, red: p.bad} {
		text = words.ReplaceAllStringFunc(text, func(word string) string { return p.paint(style, word) })
	}
	return text
}

func (p *page) write(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, text)
	}
}

// heading begins the story.
func (p *page) heading(title string, lines ...string) {
	p.write(p.paint(bold, title) + "\n")
	for _, line := range lines {
		p.write(p.paint(faint, line) + "\n")
	}
}

// begin begins a step with one sentence.
func (p *page) begin(sentence string) {
	p.step++
	p.title = sentence
	number := fmt.Sprintf("%2d.", p.step)
	for i, line := range wrap(sentence, width-len(indent)) {
		if i > 0 {
			number = ""
		}
		if i == 0 {
			p.write("\n")
		}
		p.write(p.paint(cyan, fmt.Sprintf("%3s", number)) + "  " + p.paint(bold, line) + "\n")
	}
}

// call shows what is sent, and by whom.
func (p *page) call(who, operation string, variables object, document string) {
	lead := operation + " as " + who + " "
	for i, line := range wrap(lead+compact(variables), width-len(indent)-2) {
		if i == 0 {
			line = p.paint(cyan, operation) + p.paint(faint, strings.TrimPrefix(line, operation))
		} else {
			line = "  " + p.paint(faint, line)
		}
		p.write(indent + line + "\n")
	}
	if p.verbose {
		p.write(block(document))
	}
}

// alike says how many more calls of the kind shown last were sent.
func (p *page) alike(operation string, n int) {
	if n > 0 {
		p.write(indent + p.paint(faint, fmt.Sprintf("… %s for %d more", operation, n)) + "\n")
	}
}

// answered shows the whole answer, for whoever wants to see everything.
func (p *page) answered(raw []byte) {
	if !p.verbose {
		return
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		b.Write(raw)
	}
	p.write(block(b.String()))
}

func block(text string) string {
	const bar = indent + "│ "
	return bar + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+bar) + "\n"
}

// result shows what matters of the answers; the first line of a step's results is marked by an arrow.
func (p *page) result(lines ...string) {
	for i, text := range lines {
		mark := resultMark
		if i > 0 {
			mark = indent
		}
		for j, line := range wrap(text, width-len(indent)) {
			if j > 0 {
				mark = indent + "  "
			}
			p.write(mark + p.verdicts(line) + "\n")
		}
	}
}

// table shows results in columns.
func (p *page) table(rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	mark := resultMark
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		p.write(mark + p.verdicts(strings.TrimRight(b.String(), " ")) + "\n")
		mark = indent
	}
}

// command shows a command to type, ready to be copied.
func (p *page) command(lines ...string) {
	p.write(indent + p.paint(bold, strings.Join(lines, " \\\n"+indent+"    ")) + "\n")
}

// wrap breaks text at spaces into lines of at most the given number of columns, where words allow it.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
