package evidence_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/objects"
)

// uploads is a house with an object store, and small limits.
type uploads struct {
	*house
	dir string
}

const recording = "https://example.test/recording/v1"

func newUploads(t testing.TB, dsn string) *uploads {
	t.Helper()
	u := &uploads{house: newHouse(t, dsn), dir: t.TempDir()}
	store, err := objects.Open(t.Context(), "file://"+u.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	u.service = u.service.WithObjects(store, evidence.Limits{Signed: 4000, Read: 2000, Kept: 3000, Attachment: 100, Attachments: 150})
	return u
}

// part is one part of a body; a file when it has a file name.
type part struct{ name, file, mediaType, body string }

func metadata(text string) part { return part{name: "metadata", body: text} }
func content(text string) part  { return part{name: "content", file: "content", body: text} }
func attach(name, text string) part {
	return part{name: "attachment", file: name, mediaType: "text/plain", body: text}
}

// described is the metadata of a document about something.
func described(mediaType, predicateType, about string) part {
	if predicateType != "" {
		predicateType = fmt.Sprintf(`"predicateType":%q,`, predicateType)
	}
	return metadata(fmt.Sprintf(`{"document":{"mediaType":%q,%s"subjects":[{"digest":%q}]}}`, mediaType, predicateType, digestOf(about)))
}

func write(parts ...part) string {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("boundary"); err != nil {
		panic(err)
	}
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"`, p.name))
		if p.file != "" {
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, p.name, p.file))
		}
		if p.mediaType != "" {
			h.Set("Content-Type", p.mediaType)
		}
		to, err := w.CreatePart(h)
		if err == nil {
			_, err = io.WriteString(to, p.body)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func (u *uploads) send(ctx context.Context, body string) (*evidence.Receipt, error) {
	return u.service.Upload(ctx, multipart.NewReader(strings.NewReader(body), "boundary"))
}

func (u *uploads) upload(ctx context.Context, parts ...part) *evidence.Receipt {
	u.tb.Helper()
	r, err := u.send(ctx, write(parts...))
	if err != nil {
		u.tb.Fatal(err)
	}
	return r
}

// files are the digests of what is kept; what is staged fails the test.
func (u *uploads) files() []string {
	u.tb.Helper()
	list := []string{}
	err := filepath.WalkDir(u.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, "sha256:"+filepath.Base(path))
			if strings.Contains(path, "staging") {
				u.tb.Errorf("staged bytes were left: %s", path)
			}
		}
		return err
	})
	if err != nil {
		u.tb.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func (u *uploads) mustHold(texts ...string) {
	u.tb.Helper()
	want := []string{}
	for _, text := range texts {
		want = append(want, digestOf(text))
	}
	slices.Sort(want)
	if got := u.files(); !slices.Equal(got, want) {
		u.tb.Errorf("the object store holds %q, want %q", got, want)
	}
}

func (u *uploads) events(of activity.Type) int {
	u.tb.Helper()
	return u.store.Read().ActivityEvent.Query().Where(activityevent.Type(string(of))).CountX(auth.System(context.Background()))
}

// counted is rows with the attachments.
func (u *uploads) counted() string {
	n := u.store.Read().Attachment.Query().CountX(auth.System(context.Background()))
	return fmt.Sprint(u.rows(), "attachments", n)
}

func (u *uploads) download(ctx context.Context, path string) (string, error) {
	parts := strings.Split(path, "/")
	attachment := ""
	if len(parts) == 5 {
		attachment = parts[4]
	}
	f, err := u.service.Download(ctx, parts[2], attachment)
	if err != nil {
		return "", err
	}
	r, err := f.Open(ctx)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if int64(len(b)) != f.Size || f.Digest != digestOf(string(b)) {
		u.tb.Errorf("%s gives %d bytes of %d", path, len(b), f.Size)
	}
	return string(b), err
}

// only is the one piece of evidence there is.
func (u *uploads) only() *db.Evidence {
	u.tb.Helper()
	return u.store.Read().Evidence.Query().OnlyX(auth.System(context.Background()))
}
