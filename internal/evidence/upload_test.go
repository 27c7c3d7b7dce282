package evidence_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/evidence"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestUploadOfSomethingSigned(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		ci := newKey(t)
		u.trust("ci", ci)
		text := *signed(t, ci, statement(testsType, `{"result":"PASSED","configuration":[]}`, "image")).Envelope
		r := u.upload(u.pusher(), metadata(`{"provider":"ci"}`), content(text), attach("log.txt", "all green"))
		if r.AlreadyKnown || !r.Evidence.Verified || r.Evidence.PredicateType != testsType || r.Evidence.Category != "QUALITY" {
			t.Errorf("the receipt is %+v", r)
		}
		want := evidence.ReceivedAttachment{Name: "log.txt", Digest: digestOf("all green"), MediaType: "text/plain", Size: 9}
		if len(r.Evidence.Attachments) != 1 {
			t.Fatalf("attachments are %+v", r.Evidence.Attachments)
		}
		got := r.Evidence.Attachments[0]
		for path, text := range map[string]string{r.Evidence.DownloadPath: text, got.DownloadPath: "all green"} {
			if b, err := u.download(u.pusher(), path); b != text || err != nil {
				t.Errorf("%s gives %q, %v", path, b, err)
			}
		}
		if got.DownloadPath = ""; got != want {
			t.Errorf("the attachment is %+v", got)
		}
		u.mustHold(text, "all green")
		ev := u.only()
		if raw, err := u.service.RawText(u.admin(), ev); err != nil || *raw != text {
			t.Errorf("raw is %v, %v", raw, err)
		}
		if p, err := u.service.Predicate(u.admin(), ev); err != nil || !strings.Contains(string(p), "PASSED") {
			t.Errorf("the predicate is %s, %v", p, err)
		}
		if !ev.RawInObjects || ev.View == "" || ev.Provider != "ci" || u.rows()["blobs"] != 0 {
			t.Errorf("recorded %+v", ev)
		}
		event := u.store.Read().ActivityEvent.Query().Where(activityevent.Type(string(activity.EvidenceSubmitted))).OnlyX(auth.System(t.Context()))
		if !strings.Contains(string(event.Leaf), digestOf("all green")+" log.txt") {
			t.Errorf("the event does not name the attachment: %s", event.Leaf)
		}
	})
}

func TestUploadOfASbomIsParsed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		text := bill("urn:uuid:1", lib("lodash", "4.17.21", "MIT"))
		u.upload(u.pusher(), described("application/json", "", "image"), content(text))
		ev := u.only()
		if rows := u.rows(); ev.SbomID == nil || rows["components"] != 1 || rows["blobs"] != 0 || ev.RawDigest != digestOf(text) {
			t.Errorf("recorded %+v with %v", ev, rows)
		}
		// Given its type, it is read nevertheless.
		u.upload(u.pusher(), described("application/json", cdxType, "other"), content(text))
		_, err := u.send(u.pusher(), write(described("application/json", cdxType, "third"), content("none")))
		u.mustRefuse(err, u.rows(), fault.BadInput, "content", "refused")
		u.mustHold(text)
	})
}

func TestUploadOfADocumentThatIsKeptAsItIs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		v := u.version("pay", "1.0.0", "QA", artifact("image"))
		for text, predicate := range map[string]string{
			"\xff\x00 not text":               "",
			`{"frames": 2}`:                   `{"frames": 2}`,
			strings.Repeat("a recording ", 9): "",
		} {
			r := u.upload(u.pusher(), described("video/mp4", recording, "image"), content(text))
			if r.Evidence.Digest != digestOf(text) || r.Evidence.PredicateType != recording {
				t.Errorf("the receipt is %+v", r)
			}
			all, err := u.service.ForGate(u.admin(), v)
			if err != nil || string(all[len(all)-1].Predicate) != predicate {
				t.Errorf("a gate is shown %s, %v", all[len(all)-1].Predicate, err)
			}
			raw, err := u.service.RawText(u.admin(), all[len(all)-1].Row)
			if err != nil || (raw == nil) != strings.HasPrefix(text, "\xff") {
				t.Errorf("raw is %v, %v", raw, err)
			}
		}
	})
}

func TestRefusedUploadsLeaveNothing(t *testing.T) {
	ok := described("video/mp4", recording, "image")
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		body string
		kind fault.Kind
		path string
		says string
	}{
		"no parts":                 {write(), fault.BadInput, "metadata", "missing"},
		"no metadata":              {write(content("x")), fault.BadInput, "metadata", `got "content"`},
		"no content":               {write(ok), fault.BadInput, "content", "missing"},
		"attachment first":         {write(ok, attach("a", "x"), content("x")), fault.BadInput, "content", "in this order"},
		"content twice":            {write(ok, content("x"), content("y")), fault.BadInput, "attachment", `got "content"`},
		"unknown part":             {write(ok, content("x"), part{name: "more"}), fault.BadInput, "attachment", `got "more"`},
		"a transfer encoding":      {"--boundary\r\nContent-Disposition: form-data; name=metadata\r\nContent-Transfer-Encoding: base64\r\n\r\ne30=\r\n--boundary--", fault.BadInput, "metadata", "base64"},
		"unknown field":            {write(metadata(`{"colour":1}`), content("x")), fault.BadInput, "metadata", `"colour"`},
		"unknown inner field":      {write(metadata(`{"document":{"subjects":[{"purls":""}],"mediaType":"a/b"}}`), content("x")), fault.BadInput, "metadata.document.subjects.0", `"purls"`},
		"field in another case":    {write(metadata(`{"Provider":"x"}`), content("x")), fault.BadInput, "metadata", `"Provider"`},
		"duplicate keys":           {write(metadata(`{"provider":"x","provider":"y"}`), content("x")), fault.BadInput, "metadata", "provider"},
		"a number for a text":      {write(metadata(`{"provider":1}`), content("x")), fault.BadInput, "metadata.provider", "want a text"},
		"no object":                {write(metadata(`[]`), content("x")), fault.BadInput, "metadata", "want an object"},
		"null":                     {write(metadata(`null`), content("x")), fault.BadInput, "metadata", "want an object"},
		"no subjects":              {write(metadata(`{"document":{"mediaType":"a/b","predicateType":"x:y"}}`), content("x")), fault.BadInput, "metadata.document.subjects", "at least one"},
		"no media type":            {write(metadata(`{"document":{}}`), content("x")), fault.BadInput, "metadata.document.mediaType", ""},
		"an unknown version":       {write(metadata(`{"document":{"mediaType":"a/b","predicateType":"x:y","subjects":[{"applicationVersion":{"applicationKey":"pay","version":"9"}}]}}`), content("x")), fault.NotFound, "metadata.document.subjects.0.applicationVersion", "no version"},
		"metadata too large":       {write(metadata(long(evidence.MaxMetadata+1)), content("x")), fault.ResourceExhausted, "metadata", "1048576"},
		"signed too large":         {write(metadata(`{}`), content(long(4001))), fault.ResourceExhausted, "content", "4000 bytes are taken for something signed"},
		"read too large":           {write(described("application/json", "", "image"), content(long(2001))), fault.ResourceExhausted, "content", "2000"},
		"kept too large":           {write(ok, content(long(3001))), fault.ResourceExhausted, "content", "3000"},
		"attachment too large":     {write(ok, content("x"), attach("a", "x"), attach("b", long(101))), fault.ResourceExhausted, "attachments.1", "100"},
		"attachments too large":    {write(ok, content("x"), attach("a", long(100)), attach("b", long(51))), fault.ResourceExhausted, "attachments.1", "150"},
		"too many attachments":     {write(append([]part{ok, content("x")}, many(21)...)...), fault.ResourceExhausted, "", "20"},
		"attachment without name":  {write(ok, content("x"), part{name: "attachment", body: "x"}), fault.BadInput, "attachments.0.name", ""},
		"attachment in a folder":   {write(ok, content("x"), attach("a/b", "x")), fault.BadInput, "attachments.0.name", "without a folder"},
		"attachment of Windows":    {write(ok, content("x"), attach(`a\\b`, "x")), fault.BadInput, "attachments.0.name", "without a folder"},
		"attachment going up":      {write(ok, content("x"), attach("..", "x")), fault.BadInput, "attachments.0.name", "without a folder"},
		"attachment of long name":  {write(ok, content("x"), attach(long(256), "x")), fault.BadInput, "attachments.0.name", "255"},
		"attachment of no type":    {write(ok, content("x"), part{"attachment", "a", "a b", "x"}), fault.BadInput, "attachments.0.mediaType", "media type"},
		"not what its type is":     {write(described("application/json", "", "image"), content("{}")), fault.BadInput, "content", "not recognised"},
		"not signed at all":        {write(metadata(`{}`), content("{}")), fault.BadInput, "content", "DSSE"},
		"broken after the content": {strings.TrimSuffix(write(ok, content("x"), attach("a", "xyz")), "z\r\n--boundary--\r\n"), fault.BadInput, "attachments.0", "broke off"},
		"broken in the content":    {strings.TrimSuffix(write(ok, content("xyz")), "z\r\n--boundary--\r\n"), fault.BadInput, "content", "broke off"},
		"without a last boundary":  {strings.TrimSuffix(write(ok, content("xyz")), "--\r\n"), fault.BadInput, "attachment", "broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUploads(t, testdb.SQLite(t))
			before := u.rows()
			_, err := u.send(u.pusher(), c.body)
			u.mustRefuse(err, before, c.kind, c.path, c.says)
			u.mustHold()
		})
	}
}

func many(n int) []part {
	list := make([]part, n)
	for i := range list {
		list[i] = attach(fmt.Sprint(i), "x")
	}
	return list
}

func TestUploadsAreForThoseWhoMayPush(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		before := u.rows()
		body := write(described("video/mp4", recording, "image"), content("x"), attach("a", "b"))
		_, err := u.send(u.org(auth.Viewer), body)
		u.mustRefuse(err, before, fault.Forbidden, "")
		_, err = u.send(t.Context(), body)
		u.mustRefuse(err, before, fault.Unauthenticated, "")
		limited := u.as(auth.Principal{
			Grants:        []auth.Grant{{Role: auth.EvidencePusher, Project: auth.Organisation}},
			EvidenceTypes: []string{testsType},
		})
		_, err = u.send(limited, body)
		u.mustRefuse(err, before, fault.Forbidden, "", recording)
		ci := newKey(t)
		_, err = u.send(limited, write(metadata("{}"), content(*signed(t, ci, statement(recording, "{}", "image")).Envelope)))
		u.mustRefuse(err, before, fault.Forbidden, "", recording)
		u.mustHold()
	})
}

func TestEightUploadsAtOnceAreOneRecordAndOneObject(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		body := write(described("video/mp4", recording, "image"), content("film"), attach("a", "1"))
		var g errgroup.Group
		fresh := make([]bool, 8)
		for i := range fresh {
			g.Go(func() error {
				r, err := u.send(u.pusher(), body)
				fresh[i] = err == nil && !r.AlreadyKnown
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		fresh = slices.DeleteFunc(fresh, func(f bool) bool { return !f })
		if len(fresh) != 1 || u.rows()["evidence"] != 1 || u.events(activity.EvidenceSubmitted)+u.events(activity.EvidenceAttached) != 1 {
			t.Errorf("%d are new, with %s", len(fresh), u.counted())
		}
		u.mustHold("film", "1")
	})
}

func TestAStoreThatTakesNothingIsNoFaultOfTheSender(t *testing.T) {
	u := newUploads(t, testdb.SQLite(t))
	if err := os.RemoveAll(u.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(u.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := u.counted()
	_, err := u.send(u.pusher(), write(described("video/mp4", recording, "image"), content("film")))
	if _, ok := errors.AsType[*fault.Error](err); err == nil || ok {
		t.Errorf("a store that is no folder: %v", err)
	}
	if after := u.counted(); after != before {
		t.Errorf("before %s, after %s", before, after)
	}
}

// FuzzUpload holds that any body is taken or refused with a fault, and that a refusal leaves nothing.
func FuzzUpload(f *testing.F) {
	f.Add(write(described("video/mp4", recording, "image"), content("film"), attach("a", "1")))
	f.Add(write(metadata(`{"provider":null,"document":{"mediaType":"a/b","subjects":[{"build":{"name":"n","number":"1"}}]}}`), content("x")))
	f.Add(write(metadata(`{"document":{"mediaType":"application/json","subjects":[{"applicationVersion":{"applicationKey":"pay","version":"1"}},{"purl":"pkg:npm/a@1"}]}}`), content("{}")))
	f.Add("--boundary\r\n\r\n--boundary--")
	f.Add("")
	u := newUploads(f, testdb.SQLite(f))
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := u.send(u.pusher(), body); err != nil {
			if _, ok := errors.AsType[*fault.Error](err); !ok {
				t.Fatalf("%q: %v", body, err)
			}
		}
		if left, err := os.ReadDir(filepath.Join(u.dir, "staging")); len(left) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q left %v staged, %v", body, left, err)
		}
	})
}
