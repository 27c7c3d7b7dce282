package signing_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/signing"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func clock() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

func TestAKeyIsPutInUseOnceHoweverManyServersStart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		st := testdb.Open(t, dsn)
		ctx := auth.With(context.Background(), auth.Principal{Name: "grace", Grants: []auth.Grant{{Role: auth.Auditor}}})
		log := activity.New(st, clock)
		for _, file := range []string{"first", "second"} {
			signer, _, err := attest.LoadOrCreateSigner(filepath.Join(t.TempDir(), file))
			if err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					s, err := signing.New(ctx, st, log, signer, clock)
					if err != nil {
						t.Error(err)
					} else if string(s.PublicKeyPEM()) != string(signer.PublicKeyPEM()) {
						t.Error("another key is in use")
					}
				})
			}
			group.Wait()
		}
		keys, events := st.Read().SigningKey.Query().CountX(ctx), st.Read().ActivityEvent.Query().AllX(ctx)
		if keys != 2 || len(events) != 2 || events[0].Type != string(activity.SigningKeyAdded) || !strings.HasPrefix(events[0].Subject, "sha256:") {
			t.Errorf("%d keys and %d events are recorded", keys, len(events))
		}
		if _, err := signing.New(context.Background(), st, log, newSigner(t), clock); err == nil {
			t.Error("nobody put a key in use")
		}
	})
}

func newSigner(t *testing.T) *attest.Signer {
	t.Helper()
	s, _, err := attest.LoadOrCreateSigner(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRule30_SubjectsAreTheManifestAndAllThatHasADigest(t *testing.T) {
	digest := func(c string) *string { d := "sha256:" + strings.Repeat(c, 64); return &d }
	got, err := signing.VersionSubjects("checkout", "1.0", *digest("a"), []*db.Releasable{
		{Name: "image", Digest: digest("b")}, {Name: "package"}, {Name: "image", Digest: digest("c")},
	})
	want := fmt.Sprintf("[{checkout@1.0 %s} {image %s} {image %s}]", strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64))
	var short []string
	for _, s := range got {
		short = append(short, fmt.Sprintf("{%s %s}", s.Name, s.Digest["sha256"]))
	}
	if err != nil || fmt.Sprint(short) != want {
		t.Errorf("the subjects are %v, %v; want %s", short, err, want)
	}
	for _, bad := range []string{"", "sha256:", "sha512:00", strings.Repeat("a", 64)} {
		if got, err := signing.VersionSubjects("checkout", "1.0", bad, nil); err == nil {
			t.Errorf("a manifest with digest %q gives %v", bad, got)
		}
	}
}
