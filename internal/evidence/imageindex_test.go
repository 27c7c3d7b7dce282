package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const (
	indexType  = "https://plimsoll.dev/documents/oci-image-index/v1"
	indexMedia = "application/vnd.oci.image.index.v1+json"
)

// imageIndex is an index of images by name and platform, "amd64=linux/amd64".
func imageIndex(images ...string) string {
	list := make([]string, len(images))
	for i, one := range images {
		name, platform, _ := strings.Cut(one, "=")
		system, architecture, _ := strings.Cut(platform, "/")
		list[i] = fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":7,"platform":{"os":%q,"architecture":%q}}`,
			digestOf(name), system, architecture)
	}
	return `{"schemaVersion":2,"mediaType":"` + indexMedia + `","manifests":[` + strings.Join(list, ",") + `]}`
}

// children are the platforms that the index holds, as the API lists them.
func (h *house) children(index string) string {
	h.tb.Helper()
	found, err := h.service.ChildrenOf(h.on(auth.Viewer, "pay"), []string{index, digestOf("nothing")})
	if err != nil || len(found[digestOf("nothing")]) != 0 {
		h.tb.Fatal(found, err)
	}
	var list []string
	for _, c := range found[index] {
		list = append(list, fmt.Sprintf("%s %s %d", c.Platform, c.Digest[:15], c.Size))
	}
	return strings.Join(list, ", ")
}

func TestAnImageIndexProvesWhatItHolds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		text := imageIndex("b=linux/arm64", "a=linux/amd64", "c=linux/arm64")
		index := canonical.Digest([]byte(text))
		want := fmt.Sprintf("linux/amd64 %s 7, linux/arm64 %s 7, linux/arm64 %s 7", digestOf("a")[:15], min(digestOf("b"), digestOf("c"))[:15], max(digestOf("b"), digestOf("c"))[:15])

		ev := h.submit(h.on(auth.EvidencePusher, "web"), document(indexMedia, text))
		subjects := ev.QuerySubjects().AllX(h.admin())
		if len(subjects) != 1 || subjects[0].Digest != index || subjects[0].Name != "image index" || ev.Digest != index {
			t.Errorf("%s speaks of %v", ev.Digest, subjects)
		}
		if ev.PredicateType != indexType || ev.MediaType != indexMedia || ev.Category != "AUDIT" || ev.Verified || ev.View != "" {
			t.Errorf("it is kept as %+v", ev)
		}
		if got := h.children(index); got != want {
			t.Errorf("it holds %s\nwant     %s", got, want)
		}
		t.Run("the same about more is other evidence of the same index", func(t *testing.T) {
			again := h.submit(h.pusher(), document("application/json", text, byDigest("release notes")))
			if n := again.QuerySubjects().CountX(h.admin()); n != 2 {
				t.Errorf("it speaks of %d things, want itself and what was said", n)
			}
			if got := h.children(index); got != want {
				t.Errorf("it holds %s", got)
			}
		})
		t.Run("one under its own predicate type is read, too", func(t *testing.T) {
			other := imageIndex("d=linux/amd64")
			in := document("application/json", other)
			in.Document.PredicateType = ptr(indexType)
			h.submit(h.pusher(), in)
			if got := h.children(canonical.Digest([]byte(other))); !strings.HasPrefix(got, "linux/amd64") {
				t.Errorf("it holds %q", got)
			}
		})
		t.Run("a statement that has one as its predicate is none", func(t *testing.T) {
			before := h.store.Read().ImageChild.Query().CountX(h.admin())
			h.submit(h.pusher(), signed(t, newKey(t), statement(indexType, imageIndex("e=linux/amd64"), "x")))
			if after := h.store.Read().ImageChild.Query().CountX(h.admin()); after != before {
				t.Errorf("%d images became %d", before, after)
			}
		})
		t.Run("what is none is refused", func(t *testing.T) {
			before := h.rows()
			n := h.store.Read().ImageChild.Query().CountX(h.admin())
			broken := document("application/json", strings.Replace(text, `"size":7`, `"size":-7`, 1))
			_, _, err := h.service.Submit(h.pusher(), broken)
			h.mustRefuse(err, before, fault.BadInput, "input.document.content", "manifests[0].size")
			named := document("application/json", `{"hello":"world"}`)
			named.Document.PredicateType = ptr(indexType)
			_, _, err = h.service.Submit(h.pusher(), named)
			h.mustRefuse(err, before, fault.BadInput, "input.document.content", "schemaVersion")
			_, _, err = h.service.Submit(h.pusher(), document(indexMedia, bill("urn:1"), byDigest("a")))
			h.mustRefuse(err, before, fault.BadInput, "input.document.content", "does not look like it")
			if after := h.store.Read().ImageChild.Query().CountX(h.admin()); after != n {
				t.Errorf("a refusal left %d images, there were %d", after, n)
			}
		})
	})
}

func TestRule35_AnImageIndexSentEightTimesAtOnceIsOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		text := imageIndex("a=linux/amd64", "b=linux/arm64")
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids, errs, fresh := map[int]bool{}, []error(nil), 0
		for range 8 {
			wg.Go(func() {
				ev, known, err := h.service.Submit(h.pusher(), document(indexMedia, text))
				mu.Lock()
				defer mu.Unlock()
				if errs = append(errs, err); err == nil {
					ids[ev.ID] = true
				}
				if !known {
					fresh++
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil || len(ids) != 1 || fresh != 1 {
			t.Errorf("%d records, %d of them new: %v", len(ids), fresh, err)
		}
		if n := h.store.Read().ImageChild.Query().CountX(h.admin()); n != 2 {
			t.Errorf("%d images", n)
		}
	})
}

func TestAnUploadedImageIndexProvesWhatItHolds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		text := imageIndex("a=linux/amd64")
		u.upload(u.pusher(), metadata(`{"document":{"mediaType":"application/json"}}`), content(text))
		if got := u.children(canonical.Digest([]byte(text))); !strings.HasPrefix(got, "linux/amd64") {
			t.Errorf("it holds %q", got)
		}
		_, err := u.send(u.pusher(), write(metadata(`{"document":{"mediaType":"application/json"}}`), content(bill("urn:1"))))
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Path != "metadata.document.subjects" {
			t.Errorf("a document about nothing: %v", err)
		}
	})
}

func TestRule34_EvidenceOfAnIndexIsKeptApart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		h := newHouse(t, dsn)
		v := h.version("web", "1.0", "QA", artifact("amd64"), artifact("arm64"), artifact("other"))
		both, one, none := imageIndex("amd64=linux/amd64", "arm64=linux/arm64", "s390x=linux/s390x"), imageIndex("amd64=linux/amd64"), imageIndex("s390x=linux/s390x")
		ci := newKey(t)
		h.trust("ci", ci)
		say := func(ctx context.Context, n string, subjects ...string) {
			h.submit(ctx, signed(t, ci, statement(testsType, n, subjects...)))
		}
		// Before anybody has sent an index, nobody knows what it holds.
		say(h.pusher(), "1", both)
		if seen, err := h.service.IndexesForGate(context.Background(), v); err != nil || len(seen) != 0 {
			t.Fatalf("a gate sees %v: %v", seen, err)
		}
		for _, index := range []string{both, one, none} {
			h.submit(h.on(auth.EvidencePusher, "pay"), document(indexMedia, index))
		}
		say(h.pusher(), "2", one, both)
		say(h.pusher(), "3", one, "other")              // speaks of what is in the version, too
		say(h.pusher(), "4", none)                      // of an index that holds nothing of it
		say(h.on(auth.EvidencePusher, "pay"), "5", one) // counts for another project alone
		say(h.on(auth.EvidencePusher, "web"), "6", one) // for this project
		h.submit(h.pusher(), cyclonedx(bill("b", lib("a", "1", "MIT")), &evidence.EvidenceSubjectInput{Digest: ptr(digestOf(one))}))

		for name, service := range map[string]*evidence.Service{"remembered": h.service, "read again": h.fresh()} {
			seen, err := service.IndexesForGate(context.Background(), v)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range seen {
				got = append(got, fmt.Sprintf("%s by %q in %s: %v", e.Predicate, e.Anchor, e.Stage, e.Children))
			}
			children := []string{digestOf("amd64"), digestOf("arm64")}
			slices.Sort(children)
			want := []string{
				fmt.Sprintf(`1 by "ci" in : %v`, children),
				fmt.Sprintf(`2 by "ci" in : %v`, children),
				fmt.Sprintf(`6 by "ci" in : [%s]`, digestOf("amd64")),
				fmt.Sprintf(` by "" in : [%s]`, digestOf("amd64")),
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: a gate sees\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			direct, err := service.ForGate(context.Background(), v)
			if err != nil || len(direct) != 1 || string(direct[0].Predicate) != "3" {
				t.Errorf("%s: as its own a gate sees %v: %v", name, direct, err)
			}
		}
		for name, read := range map[string]func(context.Context) error{
			"evidence of indexes": func(ctx context.Context) error { _, err := h.fresh().IndexesForGate(ctx, v); return err },
			"children": func(ctx context.Context) error {
				_, err := h.service.ChildrenOf(ctx, []string{digestOf(one), digestOf(both)})
				return err
			},
		} {
			t.Run(name, func(t *testing.T) { testdb.NoScans(h.admin(), t, dsn, read, "trust_anchors") })
		}
	})
}
