package cli_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/cli"
)

// written finds a call of the command line, and whether it stands within a sentence.
var written = regexp.MustCompile("(^|[ `(/])plimsoll ([a-z].*)")

// calls gives the calls of the command line in a document, as words.
func calls(text string) (list [][]string) {
	lines := strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n")
	for line := range lines {
		for found := written.FindStringSubmatch(line); found != nil; found = written.FindStringSubmatch(line) {
			call := found[2]
			if found[1] == "`" {
				call, line, _ = strings.Cut(call, "`")
			} else {
				line = ""
			}
			list = append(list, words(call))
		}
	}
	return list
}

// words splits a call as a shell does, until its end.
func words(call string) (list []string) {
	word, begun, quote := "", false, rune(0)
	end := func() {
		if begun {
			list = append(list, word)
		}
		word, begun = "", false
	}
	for _, c := range call + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word += string(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ':
			end()
		case strings.ContainsRune("|;&>)", c), c == '#' && !begun:
			end()
			return list
		default:
			word, begun = word+string(c), true
		}
	}
	return list
}

// TestEveryCallInTheDocumentsIsOneThatTheProgramKnows calls what the documents show with one more flag, which no command has: it must
// be the only one that is not known.
func TestEveryCallInTheDocumentsIsOneThatTheProgramKnows(t *testing.T) {
	files := []string{"../../README.md", "../../CONTRIBUTING.md"}
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if slices.Contains([]string{".md", ".yml", ".yaml", ".sh"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const none = "no-such-flag"
	ctx, stop := context.WithCancel(t.Context())
	stop() // nothing shall run
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range calls(string(text)) {
			var out, problems bytes.Buffer
			n++
			if slices.Contains(args, "--help") {
				if code := cli.Run(ctx, args, func(string) string { return "" }, &out, &problems); code != cli.Done {
					t.Errorf("%s: plimsoll %q ends with %d: %s", file, args, code, problems.String())
				}
				continue
			}
			code := cli.Run(ctx, append(args, "--"+none), func(string) string { return "" }, &out, &problems)
			if code != cli.WrongCall || !strings.Contains(problems.String(), none) {
				t.Errorf("%s: plimsoll %q is no call: %s", file, args, problems.String())
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d calls were found", n)
	}
}
