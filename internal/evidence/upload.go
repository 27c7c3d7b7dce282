package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/objects"
	"github.com/plimsoll/plimsoll/internal/view"
)

const (
	// MaxKept is the size in bytes of the largest uploaded document that is kept as it is. What is signed or read is
	// bounded by MaxSize.
	MaxKept = 1 << 30
	// MaxAttachment is the size in bytes of the largest attachment.
	MaxAttachment = 256 << 20
	// MaxAttachmentBytes is the size in bytes of all attachments that come in one upload.
	MaxAttachmentBytes = 1 << 30
	// MaxAttachments is how many attachments come in one upload.
	MaxAttachments = 20
	// MaxAttached is how many attachments one piece of evidence may have.
	MaxAttached = 100
	// MaxUpload bounds the whole body of an upload in bytes, with what stands between its parts.
	MaxUpload = MaxMetadata + MaxKept + MaxAttachmentBytes + 1<<20
)

// Limits bound what one upload may hold, in bytes.
type Limits struct {
	// Signed is for something signed, Read for a document that is read, Kept for one that is kept as it is.
	Signed, Read, Kept int64
	// Attachment is for each attachment, Attachments for all of them together.
	Attachment, Attachments int64
}

// DefaultLimits are the limits that docs/evidence.md promises. Tests have smaller ones.
func DefaultLimits() Limits {
	return Limits{Signed: MaxSize, Read: view.MaxDocument, Kept: MaxKept, Attachment: MaxAttachment, Attachments: MaxAttachmentBytes}
}

// WithObjects returns the service with a place for large bytes, which uploads need.
func (s *Service) WithObjects(store *objects.Store, limits Limits) *Service {
	with := *s
	with.objects, with.limits = store, limits
	return &with
}

// Upload takes evidence that comes with attachments or is too large for Submit: the parts "metadata", "content", and any
// number of "attachment" up to MaxAttachments, in this order. Bytes go to the object store as they come; only what is read
// is ever in memory as a whole. The same evidence again changes nothing but that it gets the attachments that it does not
// have.
//
// What is malformed or refused is a fault as for Submit, with the part in its path, and leaves nothing behind. Any other
// error means that the bytes could not be kept.
func (s *Service) Upload(ctx context.Context, parts *multipart.Reader) (*Receipt, error) {
	receipt, err := s.upload(ctx, parts)
	return receipt, ofUpload(err)
}

func (s *Service) upload(ctx context.Context, parts *multipart.Reader) (*Receipt, error) {
	r, err := reachOf(ctx)
	if err != nil {
		return nil, err
	}
	u := &upload{service: s, parts: parts}
	defer u.discard(ctx)
	if err := u.receive(ctx, r); err != nil {
		return nil, err
	}
	c, err := u.claim(ctx)
	if err != nil {
		return nil, err
	}
	anchors, err := s.anchors(ctx)
	if err != nil {
		return nil, err
	}
	e, known, err := s.examine(ctx, r, anchors, u.metadata.provider, c)
	if err != nil {
		return nil, err
	}
	if known == nil {
		// To keep bytes for nothing costs more than to look.
		if known, err = s.known(ctx, s.store.Read(), e); err != nil {
			return nil, err
		}
	}
	if e.stageID, err = s.stageOf(ctx, e.home, e.claim); err != nil {
		return nil, err
	}
	e.attachments = u.attachments
	evidenceID, again, err := s.writeUpload(ctx, e, known)
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, evidenceID, again)
}

// claim reads what was received.
func (u *upload) claim(ctx context.Context) (claim, error) {
	document := u.metadata.document
	if u.kept() {
		u.described.staged, u.described.digest = u.content, u.content.Digest
		return u.described, nil
	}
	raw, err := u.content.ReadAll(ctx, u.content.Size)
	if err != nil {
		return claim{}, fmt.Errorf("read what was staged: %w", err)
	}
	if document != nil {
		c, err := u.service.readDocument(ctx, documentPath, document, raw)
		c.staged = u.content
		return c, err
	}
	claims, err := readEnvelopes("content", raw)
	if err != nil {
		return claim{}, err
	}
	if len(claims) > 1 {
		return claim{}, fault.At("content", "holds %d attestations: send each by itself, or all with submitEvidenceBatch", len(claims))
	}
	claims[0].staged = u.content
	return claims[0], nil
}

// writeUpload keeps the bytes, and then records what names them: a record without its bytes can never be. Bytes without a
// record can: they stay until SweepObjects, for somebody else may be uploading the same at this moment.
func (s *Service) writeUpload(ctx context.Context, e entry, known *db.Evidence) (evidenceID int, alreadyKnown bool, err error) {
	if known == nil {
		if e.attachments, err = s.missing(ctx, s.store.Read(), 0, e.attachments); err != nil {
			return 0, false, err
		}
		if err := s.prepare(ctx, &e); err != nil {
			return 0, false, err
		}
		if err := e.staged.Keep(ctx); err != nil {
			return 0, false, fmt.Errorf("keep evidence: %w", err)
		}
	} else if e.attachments, err = s.missing(ctx, s.store.Read(), known.ID, e.attachments); err != nil || len(e.attachments) == 0 {
		return known.ID, true, err
	}
	for _, a := range e.attachments {
		if err := a.staged.Keep(ctx); err != nil {
			return 0, false, fmt.Errorf("keep attachment %q: %w", a.name, err)
		}
	}
	err = s.store.InTx(ctx, func(tx *db.Client) error {
		evidenceID, alreadyKnown = 0, true
		if known != nil {
			evidenceID = known.ID
		} else if evidenceID, alreadyKnown, err = s.writeOne(ctx, tx, e); err != nil || !alreadyKnown {
			return err
		}
		return s.attachMissing(ctx, tx, evidenceID, e)
	})
	if err == nil && !alreadyKnown && e.raw != nil {
		s.remember(e)
	}
	return evidenceID, alreadyKnown, err
}

// documentPath is where Submit has what the metadata of an upload says of a document.
const documentPath = "input.document"

// ofUpload turns the path of a field of Submit's input into that of the same field of an upload.
func ofUpload(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	here := *f
	if here.Path == documentPath+".content" {
		here.Path = "content"
	} else if rest, ok := strings.CutPrefix(here.Path, "input."); ok {
		here.Path = "metadata." + rest
	}
	return &here
}

// isRead tells whether a document of this predicate type is read rather than kept as it is.
func isRead(predicateType string) bool {
	if _, isSbom := sbomFormat(predicateType); isSbom {
		return true
	}
	_, known, _ := view.Read(predicateType, json.RawMessage("{}"))
	return known
}
