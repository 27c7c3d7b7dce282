package evidence

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/attachment"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

// File is bytes to download.
type File struct {
	Name, MediaType string
	Digest          string
	Size            int64
	// Open gives the bytes. Its reader fails when they are not those of the digest.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// DownloadPath is where the raw bytes of a piece of evidence are downloaded from.
func DownloadPath(e *db.Evidence) string { return "/evidence/" + id.Global("Evidence", e.ID) + "/raw" }

// AttachmentPath is where an attachment is downloaded from.
func AttachmentPath(a *db.Attachment) string {
	return "/evidence/" + id.Global("Evidence", a.EvidenceID) + "/attachments/" + id.Global("Attachment", a.ID)
}

// Download finds the raw bytes of a piece of evidence, or with the id of an attachment that file. What is out of reach is
// not there.
func (s *Service) Download(ctx context.Context, evidenceID, attachmentID string) (File, error) {
	if err := auth.Admit(ctx, "Query.evidence"); err != nil {
		return File{}, err
	}
	nothing := fault.New(fault.NotFound, "there is no such file")
	typ, n, err := id.ParseGlobal(evidenceID)
	if err != nil || typ != "Evidence" {
		return File{}, nothing
	}
	if attachmentID != "" {
		return s.downloadAttachment(ctx, n, attachmentID, nothing)
	}
	e, err := s.store.Read().Evidence.Get(ctx, n)
	if db.IsNotFound(err) {
		return File{}, nothing
	}
	if err != nil {
		return File{}, fmt.Errorf("load evidence to download: %w", err)
	}
	return File{
		Name: rawName(e), MediaType: e.MediaType, Digest: e.RawDigest, Size: int64(e.Size),
		Open: func(ctx context.Context) (io.ReadCloser, error) { return s.openRaw(ctx, e) },
	}, nil
}

func (s *Service) downloadAttachment(ctx context.Context, evidenceID int, attachmentID string, nothing *fault.Error) (File, error) {
	typ, n, err := id.ParseGlobal(attachmentID)
	if err != nil || typ != "Attachment" {
		return File{}, nothing
	}
	a, err := s.store.Read().Attachment.Query().Where(attachment.ID(n), attachment.EvidenceID(evidenceID)).Only(ctx)
	if db.IsNotFound(err) {
		return File{}, nothing
	}
	if err != nil {
		return File{}, fmt.Errorf("load attachment to download: %w", err)
	}
	return File{
		Name: a.Name, MediaType: a.MediaType, Digest: a.Digest, Size: int64(a.Size),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			r, _, err := s.objects.Reader(ctx, a.Digest)
			return r, err
		},
	}, nil
}

// rawName calls the raw bytes by their digest, with the ending that fits their form.
func rawName(e *db.Evidence) string {
	ending := ".bin"
	switch {
	case strings.HasSuffix(e.MediaType, "json"):
		ending = ".json"
	case strings.HasSuffix(e.MediaType, "xml"):
		ending = ".xml"
	case strings.HasPrefix(e.MediaType, "text/"):
		ending = ".txt"
	}
	const digits = 12
	return "evidence-" + strings.TrimPrefix(e.Digest, "sha256:")[:digits] + ending
}

// OpenRaw gives the raw bytes of a piece of evidence, which the caller has read in their reach. Its reader fails when they are
// not those that came.
func (s *Service) OpenRaw(ctx context.Context, e *db.Evidence) (io.ReadCloser, error) {
	return s.openRaw(ctx, e)
}

func (s *Service) openRaw(ctx context.Context, e *db.Evidence) (io.ReadCloser, error) {
	if e.RawInObjects {
		if s.objects == nil {
			return nil, fmt.Errorf("load raw evidence %s: there is no object store", e.Digest)
		}
		r, _, err := s.objects.Reader(ctx, e.RawDigest)
		return r, err
	}
	b, err := s.store.Blob(ctx, e.RawDigest)
	return io.NopCloser(bytes.NewReader(b)), err
}

// Raw returns the envelope or document of a piece of evidence, byte for byte as it came. It fails on one that is larger
// than MaxSize: see Download.
func (s *Service) Raw(ctx context.Context, e *db.Evidence) ([]byte, error) {
	if e.Size > MaxSize {
		return nil, fmt.Errorf("load raw evidence %s: its %d bytes are more than are read at once", e.Digest, e.Size)
	}
	r, err := s.openRaw(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("load raw evidence %s: %w", e.Digest, err)
	}
	defer func() { _ = r.Close() }() // it was read to its end, where its digest was checked
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("load raw evidence %s: %w", e.Digest, err)
	}
	return b, nil
}

// RawText returns the raw bytes as text; nil when they are more than MaxSize or not UTF-8.
func (s *Service) RawText(ctx context.Context, e *db.Evidence) (*string, error) {
	if e.Size > MaxSize {
		return nil, nil
	}
	raw, err := s.Raw(ctx, e)
	if err != nil || !utf8.Valid(raw) {
		return nil, err
	}
	text := string(raw)
	return &text, nil
}
