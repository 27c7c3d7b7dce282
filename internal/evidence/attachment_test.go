package evidence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestTheSameUploadAgainAddsOnlyWhatIsNew(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		doc := []part{described("video/mp4", recording, "image"), content("film")}
		names := func(r *evidence.Receipt) string {
			var list []string
			for _, a := range r.Evidence.Attachments {
				list = append(list, a.Name)
			}
			return strings.Join(list, " ")
		}
		u.upload(u.pusher(), append(doc, attach("a", "1"), attach("a", "1"))...)
		if n := u.events(activity.EvidenceAttached); n != 0 {
			t.Errorf("%d events of attaching", n)
		}
		before := u.counted()
		r := u.upload(u.pusher(), append(doc, attach("a", "1"))...)
		if !r.AlreadyKnown || names(r) != "a" || u.counted() != before {
			t.Errorf("the same again gives %+v", r)
		}
		r = u.upload(u.pusher(), append(doc, attach("a", "2"), attach("b", "1"))...)
		if !r.AlreadyKnown || names(r) != "a a b" || u.events(activity.EvidenceAttached) != 1 || u.events(activity.EvidenceSubmitted) != 1 {
			t.Errorf("new attachments give %+v", r)
		}
		u.mustHold("film", "1", "2")

		// To the project of somebody else it is other evidence.
		r = u.upload(u.on(auth.EvidencePusher, "pay"), append(doc, attach("c", "3"))...)
		if r.AlreadyKnown || names(r) != "c" {
			t.Errorf("in a project it is %+v", r)
		}
	})
}

func TestEvidenceOfTheApiGetsAttachmentsByUpload(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		text := bill("urn:uuid:1")
		ev := u.submit(u.pusher(), cyclonedx(text, byDigest("image")))
		r := u.upload(u.pusher(), described("application/json", "", "image"), content(text), attach("a", "1"))
		if !r.AlreadyKnown || len(r.Evidence.Attachments) != 1 {
			t.Errorf("the receipt is %+v", r)
		}
		u.mustHold("1")
		if got, err := u.download(u.pusher(), evidence.DownloadPath(ev)); got != text || err != nil {
			t.Errorf("downloaded %q, %v", got, err)
		}
	})
}

func TestEvidenceHasAHundredAttachmentsAtMost(t *testing.T) {
	u := newUploads(t, testdb.SQLite(t))
	doc := []part{described("video/mp4", recording, "image"), content("film")}
	for i := range evidence.MaxAttached / evidence.MaxAttachments {
		list := slices.Clone(doc)
		for _, p := range many(evidence.MaxAttachments) {
			p.file += fmt.Sprint("-", i)
			list = append(list, p)
		}
		u.upload(u.pusher(), list...)
	}
	before := u.rows()
	_, err := u.send(u.pusher(), write(append(doc, attach("more", "more"))...))
	u.mustRefuse(err, before, fault.FailedPrecondition, "", "100")
	u.mustHold("film", "x")
}
