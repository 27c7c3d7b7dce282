package evidence_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
