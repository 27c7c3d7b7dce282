package store_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func put(t testing.TB, s *store.Store, content []byte) string {
	t.Helper()
	var digest string
	err := s.InTx(system(t), func(tx *db.Client) (err error) {
		digest, err = store.PutBlob(system(t), tx, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestBlob(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		for name, content := range map[string][]byte{
			"nothing":           {},
			"a word":            []byte("plimsoll"),
			"bytes of no text":  {0, 255, 0, 128},
			"a larger document": bytes.Repeat([]byte(`{"name":"component"},`), 100_000),
		} {
			t.Run(name+" comes back as it went", func(t *testing.T) {
				digest := put(t, s, content)
				if digest != canonical.Digest(content) {
					t.Errorf("digest %s", digest)
				}
				got, err := s.Blob(system(t), digest)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d bytes of %d came back, error %v", len(got), len(content), err)
				}
			})
		}
		t.Run("one that was never kept is not found", func(t *testing.T) {
			if _, err := s.Blob(system(t), canonical.Digest([]byte("never"))); !db.IsNotFound(err) {
				t.Errorf("error %v", err)
			}
		})
		t.Run("nobody finds one", func(t *testing.T) {
			digest := put(t, s, []byte("secret"))
			if _, err := s.Blob(auth.With(t.Context(), auth.Principal{ID: 1}), digest); !db.IsNotFound(err) {
				t.Errorf("error %v", err)
			}
		})
	})
}

func TestRule35_SameBlobAtOnceIsKeptOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := testdb.Open(t, dsn)
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				err := s.InTx(system(t), func(tx *db.Client) error {
					if _, err := store.PutBlob(system(t), tx, []byte("the same")); err != nil {
						return err
					}
					return addProject(system(t), tx, fmt.Sprintf("p%d", i)) // what follows is not disturbed
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.Read().Blob.Query().CountX(system(t)); n != 1 {
			t.Errorf("%d blobs", n)
		}
		if n := len(projects(t, s)); n != 32 {
			t.Errorf("%d projects", n)
		}
	})
}

func TestBlobTooLargeIsRefused(t *testing.T) {
	s := testdb.Open(t, testdb.SQLite(t))
	err := s.InTx(system(t), func(tx *db.Client) error {
		_, err := store.PutBlob(system(t), tx, make([]byte, store.MaxBlob+1))
		return err
	})
	if err == nil {
		t.Error("it was kept")
	}
}

func TestAlteredBlobIsRefused(t *testing.T) {
	packed := func(content []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		size    int
		content []byte
		want    string
	}{
		"other bytes of the same length": {8, packed([]byte("PLIMSOLL")), "another digest"},
		"fewer bytes than recorded":      {8, packed([]byte("plim")), "decompress"},
		"more bytes than recorded":       {8, packed(make([]byte, 1<<20)), "more bytes than recorded"},
		"bytes that are not gzip":        {8, []byte("plimsoll"), "decompress"},
		"a negative size":                {-1, packed([]byte("plimsoll")), "out of bounds"},
		"a size that fills the memory":   {1 << 40, packed([]byte("plimsoll")), "out of bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := testdb.SQLite(t)
			s := testdb.Open(t, dsn)
			digest := put(t, s, []byte("plimsoll"))
			if _, err := plainPool(t, dsn).Exec("UPDATE blobs SET size = ?, content = ?", c.size, c.content); err != nil {
				t.Fatal(err)
			}
			_, err := s.Blob(system(t), digest)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
