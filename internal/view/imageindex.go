package view

import (
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// ImageIndexType is the predicate type of an image index as a document. It has no view: what it says is which images it
// holds, and its own digest proves that.
const ImageIndexType = "https://plimsoll.dev/documents/oci-image-index/v1"

// The media types of an image index: OCI's, and Docker's of the same shape.
const (
	ociIndexMediaType   = "application/vnd.oci.image.index.v1+json"
	dockerListMediaType = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// MaxManifests is how many images an index may hold.
const MaxManifests = 1000

// ImageChild is one image that an index holds.
type ImageChild struct {
	// Digest is SHA-256; MediaType is as the index says, never empty.
	Digest    string
	MediaType string
	// Platform is "os/architecture" or "os/architecture/variant"; empty when the index does not say.
	Platform string
	// Size is that of its manifest in bytes.
	Size int64
}

// ReadImageIndex gives the images that an index holds, each digest once, in its order. Those with a digest of another
// algorithm than SHA-256 are left out. The error is a sentence that says what is wrong and where.
func ReadImageIndex(content []byte) ([]ImageChild, error) {
	children, err := readImageIndex(content)
	if err != nil {
		return nil, fmt.Errorf("the image index cannot be read: %w", err)
	}
	return children, nil
}

func readImageIndex(content []byte) ([]ImageChild, error) {
	if len(content) > MaxDocument {
		return nil, fmt.Errorf("it is %d bytes long; at most %d are read", len(content), MaxDocument)
	}
	root, failure := openJSON(content)
	index := root.object("schemaVersion", "mediaType", "manifests")
	if version := index["schemaVersion"].required(); version.count() != 2 {
		version.wrong("must be 2")
	}
	switch mediaType := index["mediaType"]; mediaType.text() {
	case "", ociIndexMediaType, dockerListMediaType: // OCI lets it be left out
	default:
		mediaType.wrong("%q is no image index", mediaType.text())
	}
	children, seen, n := []ImageChild{}, map[string]bool{}, 0
	index["manifests"].required().each(func(entry field) {
		if n++; n > MaxManifests {
			index["manifests"].wrong("at most %d images are read", MaxManifests)
			return
		}
		child, kept := entry.imageChild()
		if kept && !seen[child.Digest] {
			seen[child.Digest] = true
			children = append(children, child)
		}
	})
	if failure.err != nil {
		return nil, failure.err
	}
	return children, nil
}

// imageChild reads one descriptor of an index. Kept is false for one whose digest is none by which things are known here.
func (f field) imageChild() (child ImageChild, kept bool) {
	m := f.required().object("mediaType", "digest", "size", "platform")
	child = ImageChild{MediaType: m["mediaType"].required().text(), Digest: m["digest"].required().text(), Size: m["size"].required().count()}
	if child.MediaType == "" {
		m["mediaType"].wrong("must not be empty")
	}
	if p := m["platform"].object("os", "architecture", "variant"); m["platform"].given() {
		system, architecture, variant := p["os"].text(), p["architecture"].text(), p["variant"].text()
		if child.Platform = system + "/" + architecture; variant != "" {
			child.Platform += "/" + variant
		}
		if system == "" || architecture == "" {
			m["platform"].wrong("needs os and architecture")
		}
	}
	algorithm, value, _ := strings.Cut(child.Digest, ":")
	switch {
	case canonical.IsDigest(child.Digest):
		return child, true
	case algorithm == "sha256" || algorithm == "" || value == "":
		m["digest"].wrong("must be sha256: and 64 lower-case hexadecimal digits, not %q", child.Digest)
	}
	return child, false
}

// readIndex holds a document to what an image index is. It has no view.
func readIndex(content []byte) (View, error) {
	_, err := ReadImageIndex(content)
	return View{}, err
}

// looksLikeIndex tells an image index by what it calls itself, or when it calls itself nothing by its shape.
func (m jsonMarks) looksLikeIndex() bool {
	switch m["mediaType"] {
	case ociIndexMediaType, dockerListMediaType:
		return true
	case "":
		return m.has("schemaVersion", "manifests[]")
	}
	return false
}

// indexMediaType is the one that the index gives itself, which registries serve it under.
func (m jsonMarks) indexMediaType() string {
	if m["mediaType"] == dockerListMediaType {
		return dockerListMediaType
	}
	return ociIndexMediaType
}
