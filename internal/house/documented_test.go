package house_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]int{}
	for _, s := range readTree(t).written() {
		said[s.folder()] += 0
		doc := s.file.Doc
		if doc == nil {
			continue
		}
		said[s.folder()]++
		text := doc.Text()
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package's comment starts with %q", s.path, want)
		}
	}
	for folder, n := range said {
		if n == 0 {
			t.Errorf("%s: no file has a comment on its package", folder)
		}
		if n > 1 && folder != "ent" { // its generator is a program of its own, beside the package
			t.Errorf("%s: %d files have a comment on the package; one is enough", folder, n)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, s := range readTree(t).written() {
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: exported %s has no comment: say what it promises, in which units, and how it fails", s.path, name)
			}
		}
	}
}

func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && receiverExported(d) && !givesResolver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		return undocumentedSpecs(d)
	}
	return nil
}

// undocumentedSpecs takes the comment of a group for all of its constants or variables; types stand for themselves.
func undocumentedSpecs(d *ast.GenDecl) []string {
	var missing []string
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			alone := len(d.Specs) == 1 && d.Doc != nil
			if spec.Name.IsExported() && spec.Doc == nil && !alone {
				missing = append(missing, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if d.Tok != token.CONST && d.Tok != token.VAR || d.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					missing = append(missing, name.Name)
				}
			}
		}
	}
	return missing
}

// receiverExported tells whether a function can be reached from outside: it has no receiver, or one of an exported type.
func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	e := f.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// givesResolver tells whether a function is one of the accessors that gqlgen writes at the end of a resolvers file, and
// writes again without a comment whenever it runs.
func givesResolver(f *ast.FuncDecl) bool {
	results := f.Type.Results
	if f.Recv == nil || results == nil || len(results.List) != 1 {
		return false
	}
	of, ok := results.List[0].Type.(*ast.SelectorExpr)
	return ok && of.Sel.Name == f.Name.Name+"Resolver"
}
