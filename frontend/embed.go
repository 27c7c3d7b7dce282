// Package frontend carries the built pages inside the binary: the front page and the API explorer. They are built by "make
// frontend" into dist; a fresh clone compiles without them.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built files, index.html at the root, and whether they were built when the binary was.
func Dist() (files fs.FS, built bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: cannot fail
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
