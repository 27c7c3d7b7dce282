package evidence

import (
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/bom"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// MaxMerged is how large the documents are together, in bytes as they came, that are merged. As many bytes of documents
// are remembered in merged form, so that whatever can be merged can be remembered.
const MaxMerged = 128 << 20

// Merged is what the bills of materials of a version say together. It is shared: do not change it.
type Merged struct {
	// Components are in the order of their identities, each once.
	Components []*SbomComponent
	// Needs are in the order of who needs and what.
	Needs []Need

	parts bom.Merged
	size  int // of the documents, in bytes as they came
}

// Need says that one component needs another.
type Need struct {
	// From is the purl of who needs, or name and version; nil for the version itself.
	From *string
	// To is the purl of what is needed, or name and version.
	To string
}

// Merged reads the documents again and takes them together. Their rows were in reach of whoever was given the SBOM, and
// so are their bytes. Equal documents are read once, also when many ask at the same time.
func (s *Service) Merged(ctx context.Context, b *VersionSbom) (*Merged, error) {
	if m, ok := s.merges.get(b.Digest); ok {
		return m, nil
	}
	// Others may wait for the answer when whoever asked first has gone.
	sys := auth.System(context.WithoutCancel(ctx))
	m, err, _ := s.merges.flight.Do(b.Digest, func() (any, error) {
		if m, ok := s.merges.get(b.Digest); ok {
			return m, nil
		}
		m, err := s.merge(sys, b)
		if err != nil {
			return nil, err
		}
		s.merges.add(b.Digest, m)
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	return m.(*Merged), nil
}

// merge holds the bytes of one document at a time.
func (s *Service) merge(sys context.Context, b *VersionSbom) (*Merged, error) {
	carriers, size, err := s.carriers(sys, b)
	if err != nil {
		return nil, err
	}
	docs := make([]bom.Document, len(carriers))
	for i, row := range carriers {
		if docs[i], err = s.readAgain(sys, row); err != nil {
			return nil, fmt.Errorf("read SBOM %s again: %w", b.Documents[i].Digest, err)
		}
	}
	m := &Merged{parts: bom.Merge(docs...), size: size}
	m.list()
	return m, nil
}

// carriers finds a piece of evidence for each document: any, for the bytes of the document are the same in all.
func (s *Service) carriers(sys context.Context, b *VersionSbom) (rows []*db.Evidence, size int, err error) {
	for _, doc := range b.Documents {
		row, err := s.store.Read().Evidence.Query().Where(evidence.SbomID(doc.ID)).Order(evidence.ByID()).First(sys)
		if err != nil {
			return nil, 0, fmt.Errorf("find evidence that carries SBOM %s: %w", doc.Digest, err)
		}
		rows, size = append(rows, row), size+row.Size
	}
	if size > MaxMerged {
		return nil, 0, fault.New(fault.ResourceExhausted, "the bills of materials of this version are %d bytes together; at most %d are merged: read the documents one by one", size, MaxMerged)
	}
	return rows, size, nil
}

// readAgain parses the SBOM that a piece of evidence carries, and names its components as the rows of components do.
func (s *Service) readAgain(ctx context.Context, row *db.Evidence) (bom.Document, error) {
	content, err := s.Raw(ctx, row)
	if err != nil {
		return bom.Document{}, err
	}
	if _, _, signed := SignerOf(row); signed {
		c, err := readSigned("raw", content)
		if err != nil {
			return bom.Document{}, err
		}
		content = c.predicate
	}
	doc, err := bom.Parse(content)
	if err != nil {
		return bom.Document{}, err
	}
	for i, c := range doc.Components {
		p := partOf(c)
		c.PURL, c.Name, c.Version = "", p.name, p.version
		if p.purl != nil {
			c.PURL = *p.purl
		}
		doc.Components[i] = c
	}
	return doc, nil
}

// list gives the parts the shape in which they are shown.
func (m *Merged) list() {
	labels := make(map[string]*string, len(m.parts.Components))
	for _, c := range m.parts.Components {
		shown := shownComponent(c)
		m.Components = append(m.Components, shown)
		label := shown.Purl
		if label == nil {
			text := strings.TrimSpace(c.Name + " " + c.Version)
			label = &text
		}
		labels[c.Ref] = label
	}
	for _, d := range m.parts.Dependencies {
		m.Needs = append(m.Needs, Need{From: labels[d.From], To: *labels[d.To]}) // what is described has no label
	}
}

func shownComponent(c bom.Component) *SbomComponent {
	return &SbomComponent{Purl: known(c.PURL), Name: c.Name, Version: c.Version, Licenses: c.Licenses, Direct: c.Direct}
}
