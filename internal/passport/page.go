package passport

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed page.html
var pageFile embed.FS

// guide are the files that explain a passport and check it; they are the same in each.
//
//go:embed guide
var guide embed.FS

// Guide returns the files that explain a passport and check it, by path.
func Guide() (map[string][]byte, error) {
	entries, err := guide.ReadDir("guide")
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(entries))
	for _, e := range entries {
		if files[e.Name()], err = guide.ReadFile("guide/" + e.Name()); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Page is what index.html says, for people. It vouches for nothing.
type Page struct {
	Index
	// Name is what the application is called, and Project the key of its project.
	Name, Project string
	Trust         string
	// Standing is what the last change of standing says, and StandingSince when it was; empty when nothing was said.
	Standing, StandingSince, StandingCause string
	Moves                                  []PageMove
	Waivers                                []PageWaiver
	Evidence                               []PageEvidence
	Parts                                  []PagePart
	Statements                             []PageStatement
	// Origin names the log, and TreeSize is how many events the tree of the checkpoint has.
	Origin   string
	TreeSize int64
	Keys     []string
}

// PageMove is a move of the version that was signed for.
type PageMove struct {
	From, To, At, Trust string
	Gates               []PageGate
}

// PageGate is what a gate said.
type PageGate struct {
	Stage, Kind, Decision, EvalID string
	Policies                      []string
}

// PageWaiver is a waiver that counted.
type PageWaiver struct {
	// About says which policy or rule it is about, and whatever else it names.
	ID, About, ExpiresAt string
}

// PageEvidence is a piece of evidence.
type PageEvidence struct {
	EvidenceRecord
	// Missing says why it is not here; empty when it is.
	Missing string
}

// PagePart is something in the version.
type PagePart struct{ Name, Kind, Purl, Digest string }

// PageStatement is a signed statement.
type PageStatement struct {
	Path, Says, At string
	// LogIndex is where the log has it; negative when it did not have it yet.
	LogIndex int
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{"hex": hexOf, "when": when, "short": shortType}).ParseFS(pageFile, "page.html")
	if err != nil {
		return fmt.Errorf("read the page of a passport: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the page of a passport: %w", err)
	}
	return nil
}

// hexOf is a digest without the name of its algorithm.
func hexOf(digest string) string { return strings.TrimPrefix(digest, "sha256:") }

// when is an instant to the second, as people read it; what is none stays as it is.
func when(instant string) string {
	t, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		return instant
	}
	return t.UTC().Format("2 January 2006, 15:04:05 UTC")
}

// shortType is a predicate type without where it is published.
func shortType(predicateType string) string {
	return strings.TrimPrefix(strings.TrimPrefix(predicateType, "https://"), "http://")
}
