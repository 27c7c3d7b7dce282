package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/objects"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestBytesWithoutARecordAreSweptAfterADay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		u.upload(u.pusher(), described("video/mp4", recording, "image"), content("film"), attach("a", "1"))
		store, err := objects.Open(t.Context(), "file://"+u.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for _, text := range []string{"garbage", "young garbage"} {
			st, err := store.Stage(t.Context(), strings.NewReader(text), 100)
			if err == nil {
				err = st.Keep(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Stage(t.Context(), strings.NewReader("staged"), 100); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-25 * time.Hour)
		err = filepath.WalkDir(u.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, hexOf("young garbage")) {
				return err
			}
			return os.Chtimes(path, then, then)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := u.service.SweepObjects(t.Context()); n != 2 || err != nil {
			t.Errorf("removed %d, %v, want what was staged and one object", n, err)
		}
		u.mustHold("film", "1", "young garbage")
		if n, err := u.service.SweepObjects(t.Context()); n != 0 || err != nil {
			t.Errorf("a second sweep removed %d, %v", n, err)
		}
	})
}

func TestWhatIsOutOfReachIsNotThereToDownload(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		r := u.upload(u.on(auth.EvidencePusher, "pay"), described("video/mp4", recording, "image"), content("film"), attach("a", "1"))
		raw, file := r.Evidence.DownloadPath, r.Evidence.Attachments[0].DownloadPath
		for _, path := range []string{raw, file} {
			if _, err := u.download(u.on(auth.Viewer, "pay"), path); err != nil {
				t.Error(err)
			}
		}
		other := u.upload(u.on(auth.EvidencePusher, "web"), described("video/mp4", recording, "image"), content("film"))
		evidenceID, attachmentID := strings.Split(raw, "/")[2], strings.Split(file, "/")[4]
		_, never := u.service.Download(u.admin(), "RXZpZGVuY2U6OTk5OTk", "")
		for name, err := range map[string]error{
			"raw of another project":        second(u.download(u.on(auth.Viewer, "web"), raw)),
			"attachment of another project": second(u.download(u.on(auth.Viewer, "web"), file)),
			"attachment of other evidence":  second(u.download(u.admin(), strings.Replace(file, evidenceID, strings.Split(other.Evidence.DownloadPath, "/")[2], 1))),
			"an attachment as evidence":     second(u.service.Download(u.admin(), attachmentID, "")),
			"evidence as an attachment":     second(u.service.Download(u.admin(), evidenceID, evidenceID)),
			"no id":                         second(u.service.Download(u.admin(), "..", "")),
		} {
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.NotFound || err.Error() != never.Error() {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
