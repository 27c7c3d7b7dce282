package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/plimsoll/plimsoll"

// source is one Go file.
type source struct {
	path      string // from the root, with slashes
	generated bool   // by its header: see "go help generate"
	test      bool
	lines     int
	file      *ast.File
}

// folder is the source's package, as the tables name it: "internal/gate", or "." for the root.
func (s source) folder() string { return filepath.ToSlash(filepath.Dir(s.path)) }

// tree is every Go file that is written or generated here.
type tree struct {
	root    string
	fset    *token.FileSet
	sources []source
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// readTree parses every Go file. The generated client in ent/db is read no further than its imports: it is most of the
// code, and no rule is about it.
func readTree(t *testing.T) tree {
	t.Helper()
	tr := tree{root: root(t), fset: token.NewFileSet()}
	err := filepath.WalkDir(tr.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(tr.root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == "internal/tools" { // modules of their own, with dependencies of their own
			return fs.SkipDir
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "dist" || d.Name() == "data") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := parser.ParseComments
		if strings.HasPrefix(rel, "ent/db/") {
			mode |= parser.ImportsOnly
		}
		file, err := parser.ParseFile(tr.fset, rel, src, mode)
		if err != nil {
			return err
		}
		tr.sources = append(tr.sources, source{
			path: rel, file: file, generated: ast.IsGenerated(file), test: strings.HasSuffix(rel, "_test.go"),
			lines: strings.Count(string(src), "\n"),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// written returns the files that somebody wrote by hand, tests left out.
func (tr tree) written() []source {
	var list []source
	for _, s := range tr.sources {
		if !s.generated && !s.test {
			list = append(list, s)
		}
	}
	return list
}

// tracked returns the files that git knows of or would add. Outside a repository, in an archive for example, there is
// nothing to read.
func tracked(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Skipf("not in a git repository: %v", err)
	}
	var files []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Stat(filepath.Join(list.Dir, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	return files
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
