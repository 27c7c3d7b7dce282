package objects_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/blob"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/objects"
)

// place is a store and a second way into it, past the package.
type place struct {
	*objects.Store
	raw *blob.Bucket
	// age makes the object at a key look as if it had been written that long ago.
	age func(t *testing.T, key string, by time.Duration)
}

// clock is slow by some time.
type clock struct{ by atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(-time.Duration(c.by.Load())) }

func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// onBoth runs a test on a folder and on a bucket, each empty.
func onBoth(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "not", "there", "yet")
		p := openPlace(t, "file://"+dir, "file://"+dir+"?metadata=skip&no_tmp_dir=true")
		p.age = func(t *testing.T, key string, by time.Duration) {
			then := time.Now().Add(-by)
			if err := os.Chtimes(filepath.Join(dir, key), then, then); err != nil {
				t.Fatal(err)
			}
		}
		test(t, p)
	})
	t.Run("bucket", func(t *testing.T) {
		back := &clock{}
		address := startS3(t, back)
		p := openPlace(t, address, address)
		p.age = func(t *testing.T, key string, by time.Duration) {
			back.by.Store(int64(by))
			defer back.by.Store(0)
			b, err := p.raw.ReadAll(t.Context(), key)
			if err == nil {
				err = p.raw.WriteAll(t.Context(), key, b, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		test(t, p)
	})
}

func openPlace(t *testing.T, address, raw string) place {
	t.Helper()
	s, err := objects.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blob.OpenBucket(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); b.Close() })
	return place{Store: s, raw: b}
}

// startS3 serves one empty bucket on loopback and gives its address.
func startS3(t *testing.T, at *clock) string {
	t.Helper()
	backend := s3mem.New(s3mem.WithTimeSource(at))
	if err := backend.CreateBucket("objects"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithTimeSource(at), gofakes3.WithTimeSkewLimit(0)).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	return "s3://objects?region=here&s3ForcePathStyle=true&endpoint=" + url.QueryEscape(server.URL)
}

func (p place) stage(t *testing.T, body string) *objects.Staged {
	t.Helper()
	st, err := p.Stage(t.Context(), strings.NewReader(body), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (p place) keep(t *testing.T, body string) string {
	t.Helper()
	st := p.stage(t, body)
	if err := st.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st.Digest
}

// keys gives every key in the store, in order.
func (p place) keys(t *testing.T) []string {
	t.Helper()
	keys := []string{}
	for list := p.raw.List(nil); ; {
		o, err := list.Next(t.Context())
		if err != nil {
			return keys
		}
		keys = append(keys, o.Key)
	}
}

func keyOf(body string) string {
	hex := strings.TrimPrefix(canonical.Digest([]byte(body)), "sha256:")
	return "sha256/" + hex[:2] + "/" + hex
}
