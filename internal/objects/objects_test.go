package objects_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/objects"
)

func TestKeptBytesAreReadByTheirDigest(t *testing.T) {
	large := make([]byte, 21<<20) // a bucket takes it in parts
	rand.NewChaCha8([32]byte{}).Read(large)
	onBoth(t, func(t *testing.T, p place) {
		for _, body := range [][]byte{nil, []byte("x"), large} {
			st, err := p.Stage(t.Context(), bytes.NewReader(body), 32<<20)
			if err != nil {
				t.Fatal(err)
			}
			if st.Digest != canonical.Digest(body) || st.Size != int64(len(body)) {
				t.Fatalf("staged %d bytes as %s, %d bytes", len(body), st.Digest, st.Size)
			}
			if b, err := st.ReadAll(t.Context(), st.Size); err != nil || !bytes.Equal(b, body) {
				t.Fatalf("ReadAll before Keep gives %d bytes of %d, %v", len(b), len(body), err)
			}
			if err := st.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
			r, size, err := p.Reader(t.Context(), st.Digest)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(b, body) || size != int64(len(body)) {
				t.Errorf("read %d bytes of %d, said to be %d, %v", len(b), len(body), size, err)
			}
			r.Close()
		}
		if got := p.keys(t); len(got) != 3 || strings.Contains(strings.Join(got, " "), "staging") {
			t.Errorf("the store holds %q, want three kept objects", got)
		}
	})
}

func TestKeepIsIdempotent(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		st := p.stage(t, "body")
		for range 2 {
			if err := st.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := st.Discard(t.Context()); err != nil {
			t.Errorf("Discard after Keep: %v", err)
		}
		p.keep(t, "body")
		if got, want := p.keys(t), []string{keyOf("body")}; !slices.Equal(got, want) {
			t.Errorf("the store holds %q, want %q", got, want)
		}
	})
}

func TestRacingKeepsOfTheSameBytesAreOneObject(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		for range 25 {
			shared := p.stage(t, "body")
			all := []*objects.Staged{shared, shared, shared, shared}
			for range 4 {
				all = append(all, p.stage(t, "body"))
			}
			start := make(chan struct{})
			var g errgroup.Group
			for _, st := range all {
				g.Go(func() error { <-start; return st.Keep(t.Context()) })
			}
			close(start)
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if got, want := p.keys(t), []string{keyOf("body")}; !slices.Equal(got, want) {
				t.Fatalf("the store holds %q, want %q", got, want)
			}
			if err := p.Delete(t.Context(), shared.Digest); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestKeepReplacesAnObjectThatWasCutShort(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		if err := p.raw.WriteAll(t.Context(), keyOf("body"), []byte("bo"), nil); err != nil {
			t.Fatal(err)
		}
		p.keep(t, "body")
		if b, err := p.raw.ReadAll(t.Context(), keyOf("body")); string(b) != "body" {
			t.Errorf("the store holds %q, %v", b, err)
		}
	})
}

func TestBytesChangedInTheStoreAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		for _, changed := range []string{"bodY", "bod", "body2", ""} {
			digest := p.keep(t, "body")
			if err := p.raw.WriteAll(t.Context(), keyOf("body"), []byte(changed), nil); err != nil {
				t.Fatal(err)
			}
			r, _, err := p.Reader(t.Context(), digest)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, objects.ErrChanged) {
				t.Errorf("reading %q under the digest of %q: %v", changed, "body", err)
			}
			r.Close()
			if err := p.Delete(t.Context(), digest); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestStagedBytesThatWereChangedAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		st := p.stage(t, "body")
		for _, changed := range []string{"bodY", "body2"} {
			if err := p.raw.WriteAll(t.Context(), p.keys(t)[0], []byte(changed), nil); err != nil {
				t.Fatal(err)
			}
			if b, err := st.ReadAll(t.Context(), 10); !errors.Is(err, objects.ErrChanged) {
				t.Errorf("ReadAll gives %q for %q, %v", b, "body", err)
			}
		}
	})
}

func TestStageLimitsExactly(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		st, err := p.Stage(t.Context(), strings.NewReader("12345"), 5)
		if err != nil {
			t.Fatalf("5 bytes of 5: %v", err)
		}
		var large objects.ErrTooLarge
		if _, err := st.ReadAll(t.Context(), 4); !errors.As(err, &large) || large.Limit != 4 {
			t.Errorf("ReadAll of 5 bytes, 4 allowed: %v", err)
		}
		if err := st.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Stage(t.Context(), strings.NewReader("123456"), 5); !errors.As(err, &large) || large.Limit != 5 {
			t.Errorf("6 bytes, 5 allowed: %v", err)
		}
		if got := p.keys(t); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
	})
}

func TestStageThatFailsLeavesNothing(t *testing.T) {
	broken := errors.New("connection reset")
	onBoth(t, func(t *testing.T, p place) {
		begin := strings.Repeat("x", 100_000)
		r := io.MultiReader(strings.NewReader(begin), iotest.ErrReader(broken))
		if _, err := p.Stage(t.Context(), r, 1<<20); !errors.Is(err, broken) {
			t.Errorf("the reader's error: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ends := readerFunc(func([]byte) (int, error) { cancel(); return 1, nil })
		r = io.MultiReader(strings.NewReader(begin), ends)
		if _, err := p.Stage(ctx, r, 1<<20); !errors.Is(err, context.Canceled) {
			t.Errorf("the end of the context: %v", err)
		}
		if got := p.keys(t); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDiscardLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		st := p.stage(t, "body")
		ended, end := context.WithCancel(t.Context())
		end()
		if err := st.Discard(ended); err != nil {
			t.Error(err)
		}
		if got := p.keys(t); len(got) > 0 {
			t.Errorf("left behind: %q", got)
		}
		if err := st.Keep(t.Context()); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("Keep after Discard: %v", err)
		}
	})
}

func TestDeletedIsNotFound(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		digest := p.keep(t, "body")
		for range 2 {
			if err := p.Delete(t.Context(), digest); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := p.Reader(t.Context(), digest); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("Reader after Delete: %v", err)
		}
		for _, wrong := range []string{"", "sha256:../../x", strings.ToUpper(digest)} {
			if _, _, err := p.Reader(t.Context(), wrong); err == nil || errors.Is(err, objects.ErrNotFound) {
				t.Errorf("Reader of %q: %v", wrong, err)
			}
			if err := p.Delete(t.Context(), wrong); err == nil {
				t.Errorf("Delete takes %q", wrong)
			}
		}
	})
}

func TestSweepRemovesOnlyOldLeftovers(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		p.keep(t, "kept")
		p.stage(t, "left")
		p.stage(t, "behind")
		if n, err := p.Sweep(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("a sweep of what is older than an hour removed %d, %v", n, err)
		}
		if n, err := p.Sweep(t.Context(), 0); n != 2 || err != nil {
			t.Errorf("a sweep of everything staged removed %d, %v", n, err)
		}
		if got, want := p.keys(t), []string{keyOf("kept")}; !slices.Equal(got, want) {
			t.Errorf("the store holds %q, want %q", got, want)
		}
	})
}

func TestEachGivesOldObjectsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		a, b := p.keep(t, "a"), p.keep(t, "b")
		p.stage(t, "staged")
		if err := p.raw.WriteAll(t.Context(), "sha256/note", []byte("not ours"), nil); err != nil {
			t.Fatal(err)
		}
		for age, want := range map[time.Duration][]string{time.Hour: nil, 0: {a, b}} {
			var got []string
			err := p.Each(t.Context(), age, func(digest string) error { got = append(got, digest); return nil })
			slices.Sort(got)
			slices.Sort(want)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("older than %v are %q, %v, want %q", age, got, err, want)
			}
		}
		stop := errors.New("stop")
		if err := p.Each(t.Context(), 0, func(string) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("the error of the function: %v", err)
		}
	})
}

func TestWhatIsKeptAgainIsYoungAndStays(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		digest := p.keep(t, "body")
		for range 3 {
			p.age(t, keyOf("body"), 48*time.Hour)
			p.keep(t, "body")
			if gone, err := p.DeleteOld(t.Context(), digest, 24*time.Hour); gone || err != nil {
				t.Fatalf("what was kept a moment ago is removed: %v, %v", gone, err)
			}
		}
		p.age(t, keyOf("body"), 48*time.Hour)
		for _, want := range []bool{true, false} {
			if gone, err := p.DeleteOld(t.Context(), digest, 24*time.Hour); gone != want || err != nil {
				t.Errorf("removed: %v, %v, want %v", gone, err, want)
			}
		}
		if _, err := p.DeleteOld(t.Context(), "sha256:../../x", 0); err == nil {
			t.Error("DeleteOld takes what is no digest")
		}
	})
}

func TestNothingIsLostBetweenKeepingAndDeletingWhatIsOld(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		for range 25 {
			digest := p.keep(t, "body")
			p.age(t, keyOf("body"), 48*time.Hour)
			again := p.stage(t, "body")
			var g errgroup.Group
			g.Go(func() error { return again.Keep(t.Context()) })
			g.Go(func() error { _, err := p.DeleteOld(t.Context(), digest, 24*time.Hour); return err })
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if got, want := p.keys(t), []string{keyOf("body")}; !slices.Equal(got, want) {
				t.Fatalf("the store holds %q, want %q", got, want)
			}
		}
	})
}
