package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/objects"
)

// upload is one upload on its way: what came so far.
type upload struct {
	service     *Service
	parts       *multipart.Reader
	metadata    uploadMetadata
	described   claim           // without the bytes, of a document that is kept as it is
	content     *objects.Staged // nil until it came
	attachments []stagedFile
}

// stagedFile is an attachment whose bytes are staged.
type stagedFile struct {
	name, mediaType string
	staged          *objects.Staged
}

// kept tells whether the content is a document that is kept as it is.
func (u *upload) kept() bool {
	d := u.metadata.document
	return d != nil && d.PredicateType != nil && !isRead(*d.PredicateType)
}

// receive takes the parts in their order. What can be refused without the content is refused before it is read.
func (u *upload) receive(ctx context.Context, r reach) error {
	p, err := u.next("metadata")
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(p, MaxMetadata+1))
	if err != nil {
		return brokenOff(ctx, "metadata", err)
	}
	if u.metadata, err = readMetadata(text); err != nil {
		return err
	}
	if d := u.metadata.document; d != nil && d.PredicateType != nil {
		if err := mayPush(r.pusher, *d.PredicateType); err != nil {
			return err
		}
	}
	if u.kept() {
		if u.described, err = u.service.readDocument(ctx, documentPath, u.metadata.document, nil); err != nil {
			return err
		}
	}
	if p, err = u.next("content"); err != nil {
		return err
	}
	limit, what := u.contentLimit()
	if u.content, err = u.stage(ctx, "content", p, limit, what); err != nil {
		return err
	}
	return u.receiveAttachments(ctx)
}

func (u *upload) contentLimit() (limit int64, what string) {
	l := u.service.limits
	switch {
	case u.metadata.document == nil:
		return l.Signed, "for something signed"
	case u.kept():
		return l.Kept, "for a document that is kept as it is"
	}
	return l.Read, "for a document that is read"
}

func (u *upload) receiveAttachments(ctx context.Context) error {
	l := u.service.limits
	left := l.Attachments
	for i := 0; ; i++ {
		p, err := u.next("attachment")
		if p == nil || err != nil {
			return err
		}
		path := fmt.Sprintf("attachments.%d", i)
		if i == MaxAttachments {
			return fault.New(fault.ResourceExhausted, "at most %d attachments are taken at once: send the others with the same evidence again", MaxAttachments)
		}
		a := stagedFile{mediaType: p.Header.Get("Content-Type")}
		if a.name, err = fileName(path, p); err != nil {
			return err
		}
		if a.mediaType == "" {
			a.mediaType = "application/octet-stream"
		}
		if err := checkMediaType(path+".mediaType", a.mediaType); err != nil {
			return err
		}
		limit, what := l.Attachment, "for each attachment"
		if left < limit {
			limit, what = left, fmt.Sprintf("for what is left of the %d that all attachments may have together", l.Attachments)
		}
		if a.staged, err = u.stage(ctx, path, p, limit, what); err != nil {
			return err
		}
		left -= a.staged.Size
		u.attachments = append(u.attachments, a)
	}
}

// next gives the next part, which must have this name; nil at the end, where attachments may have ended.
func (u *upload) next(name string) (*multipart.Part, error) {
	const order = "send the parts metadata, content, and then any attachments, in this order"
	p, err := u.parts.NextRawPart() // raw: bytes are taken as they are
	if err == io.EOF {              // a wrapped one means that the last boundary is missing
		if name == "attachment" {
			return nil, nil
		}
		return nil, fault.At(name, "this part is missing: %s", order)
	}
	if err != nil {
		return nil, brokenOff(context.Background(), name, err)
	}
	if p.FormName() != name {
		return nil, fault.At(name, "expected the part %s, got %.100q: %s", name, p.FormName(), order)
	}
	if e := strings.ToLower(p.Header.Get("Content-Transfer-Encoding")); !slices.Contains([]string{"", "binary", "7bit", "8bit"}, e) {
		return nil, fault.At(name, "the transfer encoding %.100q is not taken: send the bytes as they are", e)
	}
	return p, nil
}

// stage puts the bytes of a part aside.
func (u *upload) stage(ctx context.Context, path string, p io.Reader, limit int64, what string) (*objects.Staged, error) {
	from := &noting{r: p}
	st, err := u.service.objects.Stage(ctx, from, limit)
	var large objects.ErrTooLarge
	switch {
	case err == nil:
		return st, nil
	case from.err != nil:
		return nil, brokenOff(ctx, path, from.err)
	case errors.As(err, &large):
		return nil, &fault.Error{
			Kind: fault.ResourceExhausted, Path: path,
			Message: fmt.Sprintf("the part %s is too large: at most %d bytes are taken %s", path, limit, what),
		}
	}
	return nil, err
}

// discard removes what is staged still, which is all of it unless it was kept. What cannot be removed now SweepObjects
// removes.
func (u *upload) discard(ctx context.Context) {
	if u.content != nil {
		_ = u.content.Discard(ctx)
	}
	for _, a := range u.attachments {
		_ = a.staged.Discard(ctx)
	}
}

// fileName gives the name of an attachment as it was sent: multipart's own reading makes "a/b" a "b".
func fileName(path string, p *multipart.Part) (string, error) {
	path += ".name"
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return "", fault.At(path, "the Content-Disposition of this part cannot be read")
	}
	name := params["filename"]
	if err := check.Name(path, name); err != nil {
		return "", err
	}
	if strings.ContainsAny(name, `/\`) || name == "." || name == ".." {
		return "", fault.At(path, "want the name of a file, without a folder")
	}
	return name, nil
}

func checkMediaType(path, mediaType string) error {
	if err := check.Name(path, mediaType); err != nil {
		return err
	}
	if _, _, err := mime.ParseMediaType(mediaType); err != nil {
		return fault.At(path, "want a media type, such as application/json: %v", err)
	}
	return nil
}

// noting remembers how reading failed, so that a body that breaks off is told from a store that is full.
type noting struct {
	r   io.Reader
	err error
}

func (n *noting) Read(b []byte) (int, error) {
	read, err := n.r.Read(b)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return read, err
}

// brokenOff says that the body could not be read to its end. A fault is what the reader itself found.
func brokenOff(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return fault.At(path, "the body broke off here, or is not what multipart/form-data promises")
}
