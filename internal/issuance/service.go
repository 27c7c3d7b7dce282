package issuance

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/gate"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/translog"
	"github.com/plimsoll/plimsoll/internal/version"
)

const (
	// MaxLeftOut is how many files may be left out by name.
	MaxLeftOut = 100
	// maxAtOnce is how many passports are made at once: the decisions of each lie in memory until it is sent.
	maxAtOnce = 8
)

// Service issues passports.
type Service struct {
	store    *store.Store
	versions *version.Service
	gates    *gate.Service
	evidence *evidence.Service
	tree     *translog.Service
	// verifier is what the installation calls itself.
	verifier string
	now      func() time.Time
	places   chan struct{}
	// patience is how long a passport waits for a place, and for the log to hold what was signed.
	patience time.Duration
}

// New returns the service. The verifier is what the installation calls itself in SLSA Verification Summaries; now is the clock.
func New(s *store.Store, versions *version.Service, gates *gate.Service, files *evidence.Service, tree *translog.Service, verifier string, now func() time.Time) *Service {
	return &Service{
		store: s, versions: versions, gates: gates, evidence: files, tree: tree, verifier: verifier, now: now, places: make(chan struct{}, maxAtOnce),
		patience: 2 * time.Second,
	}
}

// Passport is one that is gathered and can be written, once.
type Passport struct {
	// Name is what to call the file.
	Name  string
	about passport.Index
	files []file
	free  func()
}

// file is one file of a passport to be.
type file struct {
	passport.File
	// open gives the bytes.
	open func(ctx context.Context) (io.ReadCloser, error)
}

// Issue gathers the passport of the version whose manifest has the digest, or else of the newest release that holds something
// with it. What leaveOut names by digest is listed, and not there. A release that does not exist for whoever asks is a
// NOT_FOUND fault; one that is not in the log yet, a FAILED_PRECONDITION fault; too many at once, a RESOURCE_EXHAUSTED fault.
// Whoever gets a passport closes it.
func (s *Service) Issue(ctx context.Context, digest string, leaveOut []string) (_ *Passport, err error) {
	if err := auth.Admit(ctx, "Query.applicationVersion"); err != nil {
		return nil, err
	}
	if err := checkLeftOut(leaveOut); err != nil {
		return nil, err
	}
	v, err := s.versions.Released(ctx, digest)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fault.New(fault.NotFound, "there is no release with this digest").With("path", "digest")
	}
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(s.patience):
		return nil, fault.New(fault.ResourceExhausted, "%d passports are being sent, which is all at once: ask again in a moment", maxAtOnce)
	}
	free := func() { <-s.places }
	defer func() {
		if err != nil {
			free()
		}
	}()
	g := &gathering{s: s, version: v, files: map[string]file{}, page: passport.Page{}}
	if err := g.everything(ctx); err != nil {
		return nil, err
	}
	p := &Passport{Name: fileName(v), about: g.about(), free: free}
	for _, path := range slices.Sorted(maps.Keys(g.files)) {
		p.files = append(p.files, g.files[path])
	}
	if err := p.leaveOut(leaveOut); err != nil {
		return nil, err
	}
	return p, p.bounded()
}

func checkLeftOut(digests []string) error {
	if err := check.List("leaveOut", len(digests), MaxLeftOut); err != nil {
		return err
	}
	for _, d := range digests {
		if err := check.Digest("leaveOut", d); err != nil {
			return err
		}
	}
	return nil
}

// leaveOut takes away what is named, wherever it lies.
func (p *Passport) leaveOut(digests []string) error {
	for _, d := range digests {
		found := false
		for i := range p.files {
			if f := &p.files[i]; f.Is(d) && f.MayBeLeftOut() {
				f.LeftOut, found = true, true
			}
		}
		if !found {
			return fault.At("leaveOut", "nothing with the digest %s may be left out: give that of the payload of a piece of evidence, or of a file under evidence/ or decisions/", d)
		}
	}
	return nil
}

// bounded refuses what no passport can hold, before a byte is written.
func (p *Passport) bounded() error {
	var size int64
	for _, f := range p.files {
		if !f.LeftOut {
			size += f.Size
		}
	}
	if len(p.files)+1 > passport.MaxFiles || size > passport.MaxBytes {
		return fault.New(fault.FailedPrecondition, "the passport would hold %d files with %d bytes: %v; leave something out", len(p.files)+1, size, passport.ErrTooLarge)
	}
	return nil
}

// Write writes the passport. After a failure what was written is no passport.
func (p *Passport) Write(ctx context.Context, to io.Writer) error {
	w := passport.NewWriter(to, p.about)
	for _, f := range p.files {
		if f.LeftOut {
			if err := w.LeaveOut(f.File); err != nil {
				return err
			}
			continue
		}
		if err := p.write(ctx, w, f); err != nil {
			return err
		}
	}
	return w.Close()
}

func (p *Passport) write(ctx context.Context, w *passport.Writer, f file) error {
	r, err := f.open(ctx)
	if err != nil {
		return fmt.Errorf("open %s for a passport: %w", f.Path, err)
	}
	written, err := w.Add(f.Path, f.Kind, f.Names, r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err == nil && (written.Digest != f.Digest || written.Size != f.Size) {
		err = fmt.Errorf("%s of a passport has %d bytes with the digest %s; %d with %s were kept", f.Path, written.Size, written.Digest, f.Size, f.Digest)
	}
	return err
}

// Close lets others make passports.
func (p *Passport) Close() { p.free() }

// text is a file that lies in memory.
func text(path string, kind passport.Kind, content []byte) file {
	return file{
		File: passport.File{Path: path, Kind: kind, Digest: canonical.Digest(content), Size: int64(len(content))},
		open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(string(content))), nil
		},
	}
}

// fileName calls a passport by its version, in letters that every file system takes.
func fileName(v *db.ApplicationVersion) string {
	return plain(v.Edges.Application.Key+"-"+v.Version) + ".passport.zip"
}

// plain is a name that every file system takes.
func plain(name string) string {
	const longest = 120
	kept := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '_'
	}, name)
	return strings.TrimLeft(kept[:min(len(kept), longest)], ".-")
}
