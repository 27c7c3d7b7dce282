package push_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/push"
)

func key(t *testing.T) *attest.Signer {
	t.Helper()
	signer, _, err := attest.LoadOrCreateSigner(filepath.Join(t.TempDir(), "ci.key"))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestSmallFilesGoTogetherWithinBounds(t *testing.T) {
	files := map[string]string{}
	for i := range 1_050 {
		files[fmt.Sprintf("%04d.json", i)] = bill
	}
	for i := range 5 {
		files[fmt.Sprintf("large-%d.txt", i)] = strings.Repeat(`"`, 7<<20) // twice as long in JSON
	}
	f := &fake{}
	summary, told, err := f.run(t, push.Call{Paths: []string{folder(t, files)}, Subjects: []string{it}})
	if err != nil || summary != (push.Summary{Accepted: 1_055}) {
		t.Fatalf("%+v %v", summary, err)
	}
	if !slices.IsSortedFunc(told, func(a, b push.Result) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("the results are not in the order of the files")
	}
	for i, batch := range f.batches {
		if len(batch) > 1_000 || f.bodies[i] > 16<<20+1<<16 {
			t.Errorf("request %d has %d pieces in %d bytes", i, len(batch), f.bodies[i])
		}
	}
	if len(f.batches) > 8 {
		t.Errorf("%d requests for what fits into 7", len(f.batches))
	}
}

func TestLargeFilesAndWhatIsNoTextAreUploaded(t *testing.T) {
	large := `{"pad":"` + strings.Repeat("x", 9<<20) + `"}`
	vast := strings.Repeat("y", 33<<20)
	dir := folder(t, map[string]string{"a-large.json": large, "b-binary": "\xff\xfe", "c-small.json": bill, "d-vast.bin": vast})
	f := &fake{}
	summary, told, err := f.run(t, push.Call{Paths: []string{dir}, Subjects: []string{it}, PredicateType: "https://example.test/p", Provider: "ci"})
	if err != nil || summary != (push.Summary{Accepted: 4}) {
		t.Fatalf("%+v %v", summary, err)
	}
	if len(f.uploads) != 3 || len(f.batches) != 1 || f.uploads[0].content != large || f.uploads[1].content != "\xff\xfe" || f.uploads[2].content != vast {
		t.Errorf("%d uploads, %d batches", len(f.uploads), len(f.batches))
	}
	metadata, _ := json.Marshal(f.uploads[0].metadata)
	want := `{"document":{"mediaType":"application/json","predicateType":"https://example.test/p","subjects":[{"digest":"` + it + `"}]},"provider":"ci"}`
	if string(metadata) != want || !slices.Equal(f.uploads[0].parts, []string{"metadata  application/json", "content a-large.json application/json"}) {
		t.Errorf("uploaded %s, %v", metadata, f.uploads[0].parts)
	}
	if told[0].Digest != canonical.Digest([]byte(large)) {
		t.Errorf("told %+v", told[0])
	}
}

func TestAttachmentsGoWithTheEvidence(t *testing.T) {
	dir := folder(t, map[string]string{"signed.json": envelope, "several.jsonl": bundle + "\n" + bundle, "screen.png": "png", `odd"name.txt`: "x"})
	f := &fake{}
	_, _, err := f.run(t, push.Call{Paths: []string{dir + "/signed.json"}, Attach: []string{dir + "/screen.png", dir + `/odd"name.txt`}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"metadata  application/json", "content signed.json application/json", "attachment screen.png image/png",
		`attachment odd"name.txt text/plain; charset=utf-8`,
	}
	if got := f.uploads[0]; !slices.Equal(got.parts, want) || got.content != envelope || len(got.metadata) > 0 {
		t.Errorf("sent %q with %v", got.parts, got.metadata)
	}
	summary, _, err := f.run(t, push.Call{Paths: []string{dir + "/several.jsonl"}, Attach: []string{dir + "/screen.png"}})
	if err != nil || summary.Refused != 1 || len(f.uploads) != 1 {
		t.Errorf("several attestations with one attachment: %+v %v", summary, err)
	}
}

func TestDocumentsAreSignedAsStatements(t *testing.T) {
	signer := key(t)
	dir := folder(t, map[string]string{
		"a-report.json": `{"hello": "world"}`, "b-sbom.json": bill, "c-list.json": `[1]`, "d-text.txt": "hello", "e-twice.json": `{"a":1,"a":2}`, "f-signed.json": envelope,
	})
	f := &fake{}
	call := push.Call{Paths: []string{dir}, Subjects: []string{it}, Key: signer}
	summary, told, err := f.run(t, call)
	if err != nil || summary != (push.Summary{Accepted: 2, Refused: 4}) {
		t.Fatalf("%+v %v %+v", summary, err, told)
	}
	if !strings.Contains(told[0].Message, "--predicate-type") {
		t.Errorf("what nobody knows, without a type: %+v", told[0])
	}
	call.PredicateType = "https://example.test/report/v1"
	if summary, told, err = f.run(t, call); err != nil || summary != (push.Summary{Accepted: 3, Refused: 3}) {
		t.Fatalf("%+v %v %+v", summary, err, told)
	}
	public, err := attest.ParsePublicKey(signer.PublicKeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	env, err := attest.ParseEnvelope([]byte(f.batches[1][0].Envelope))
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := attest.Verify(env, []attest.Candidate{{Alias: "ci", Key: public}})
	if err != nil || !verdict.Verified {
		t.Errorf("the signature does not verify: %+v %v", verdict, err)
	}
	st, err := attest.ParseStatement(env.Payload)
	if err != nil || string(st.Predicate) != `{"hello":"world"}` || st.PredicateType != call.PredicateType || "sha256:"+st.Subject[0].Digest["sha256"] != it {
		t.Errorf("signed %+v %v", st, err)
	}
	sbom, err := attest.ParseEnvelope([]byte(f.batches[0][0].Envelope))
	if err != nil {
		t.Fatal(err)
	}
	if st, err = attest.ParseStatement(sbom.Payload); err != nil || st.PredicateType != "https://cyclonedx.org/bom" {
		t.Errorf("a bill of materials, without a type: %+v %v", st, err)
	}
}

func TestWhatIsRefusedDoesNotStopTheOthers(t *testing.T) {
	f := &fake{refuse: func(e client.Evidence) string {
		if strings.Contains(*e.Document.Content, "bad") {
			return "BAD_USER_INPUT"
		}
		return ""
	}}
	dir := folder(t, map[string]string{"a.json": bill, "b.json": `{"bad":true}`, "c.json": bill})
	summary, told, err := f.run(t, push.Call{Paths: []string{dir}, Subjects: []string{it}})
	if err != nil || summary != (push.Summary{Accepted: 2, Refused: 1}) {
		t.Fatalf("%+v %v", summary, err)
	}
	if r := told[1]; r.Code != "BAD_USER_INPUT" || r.Message != "document.content: is wrong" || r.Status != push.Refused {
		t.Errorf("said %+v", r)
	}
	summary, _, err = f.run(t, push.Call{Paths: []string{dir + "/a.json"}, Subjects: []string{it}, Provider: "known"})
	if err != nil || summary != (push.Summary{AlreadyKnown: 1}) {
		t.Errorf("again: %+v %v", summary, err)
	}
}

func TestAnOutageThatPassesIsWaitedFor(t *testing.T) {
	dir := folder(t, map[string]string{"a.json": bill, "b.bin": "\xff"})
	f := &fake{first: []int{http.StatusServiceUnavailable}}
	if summary, _, err := f.run(t, push.Call{Paths: []string{dir}, Subjects: []string{it}, PredicateType: "p"}); err != nil || summary.Accepted != 2 {
		t.Errorf("%+v %v", summary, err)
	}
}

func TestARequestThatIsRefusedEndsTheRun(t *testing.T) {
	for _, code := range []string{"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL"} {
		f := &fake{problem: code}
		_, _, err := f.run(t, push.Call{Paths: []string{folder(t, map[string]string{"a.json": bill})}, Subjects: []string{it}})
		if p, ok := errors.AsType[*client.AnswerError](err); !ok || p.Code != code || p.Refused() == (code == "INTERNAL") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestARunEndsWhenItIsToldTo(t *testing.T) {
	server, err := client.New("http://127.0.0.1:1", "the-token")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = push.Run(ctx, server, push.Call{Paths: []string{folder(t, map[string]string{"a.json": bill})}, Subjects: []string{it}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}
