package frontend_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/frontend"
)

// TestDist checks what the content security policy would refuse at run time. Without built pages it checks that the
// package says so.
func TestDist(t *testing.T) {
	files, built := frontend.Dist()
	if !built {
		if _, err := fs.Stat(files, "graphiql/index.html"); err == nil {
			t.Error("the explorer is there, the front page is not")
		}
		return
	}
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|<script(?:\s[^>]*)?>[^<]`)
	reference := regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	for _, page := range []string{"index.html", "graphiql/index.html"} {
		content, err := fs.ReadFile(files, page)
		if err != nil {
			t.Errorf("%s: %v", page, err)
			continue
		}
		if found := inline.Find(content); found != nil {
			t.Errorf("%s has an inline script or style: %s", page, found)
		}
		for _, match := range reference.FindAllSubmatch(content, -1) {
			to := string(match[1])
			if strings.HasPrefix(to, "/assets/") || to == "/favicon.svg" {
				if _, err := fs.Stat(files, strings.TrimPrefix(to, "/")); err != nil {
					t.Errorf("%s refers to %s: %v", page, to, err)
				}
			}
		}
	}
}
