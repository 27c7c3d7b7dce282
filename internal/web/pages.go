package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	// dashboardPolicy lets a page load its own files and nothing else: no inline script or style, no other host, no frame
	// around it.
	dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// explorerPolicy is the same with inline styles and embedded fonts, which the editor inside GraphiQL needs.
	explorerPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// barePolicy is for everything that is no page.
	barePolicy = "default-src 'none'; frame-ancestors 'none'"

	notBuilt = "The pages are not part of this binary.\n\nRun \"make frontend\", then build again. The API at /graphql works without them.\n"
)

// pages are the built files, read once: they do not change while the process runs.
type pages struct {
	built bool
	files map[string][]byte
}

// newPages reads the files. Those that cannot be read are as good as not built: an embedded folder has no such file.
func newPages(from fs.FS) *pages {
	p := &pages{files: map[string][]byte{}}
	if from == nil {
		return p
	}
	_ = fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return nil
		}
		if content, err := fs.ReadFile(from, name); err == nil {
			p.files[name] = content
		}
		return nil
	})
	_, p.built = p.files["index.html"]
	return p
}

// page serves one document, which browsers must ask for again each time: it names the assets of its build.
func (p *pages) page(name, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		content, found := p.files[name]
		if !p.built || !found {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			serve(w, r, []byte(notBuilt))
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		serve(w, r, content)
	})
}

// asset serves what has a hash of its content in its name and so never changes.
func (p *pages) asset(w http.ResponseWriter, r *http.Request) {
	p.send(w, r, "public, max-age=31536000, immutable")
}

// file serves the few files with fixed names.
func (p *pages) file(w http.ResponseWriter, r *http.Request) {
	p.send(w, r, "no-cache")
}

func (p *pages) send(w http.ResponseWriter, r *http.Request, caching string) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	content, found := p.files[name]
	// Documents are served by page alone, under their policy and at one path each.
	if !found || path.Ext(name) == ".html" {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("Content-Type", contentType(name))
	serve(w, r, content)
}

// contentType does not depend on what the machine's tables say for the kinds of file that are built.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// serve writes content with an entity tag, so that a browser that has it already gets 304.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	sum := sha256.Sum256(content)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
