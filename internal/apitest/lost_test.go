package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/ent/db/evidence"
	"github.com/plimsoll/plimsoll/ent/db/evidencesubject"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
)

// eachBatch is how many documents a batch of these tests holds, each with a kilobyte that does not compress away.
const eachBatch = 100

const pushBatch = `mutation($input: SubmitEvidenceBatchInput!) { submitEvidenceBatch(input: $input) { accepted refused } }`

// push sends the documents of a batch and tells whether all of them were acknowledged.
func (s *server) push(batch string) (acknowledged bool, said string) {
	items := make([]object, eachBatch)
	for i := range items {
		items[i] = object{"document": object{
			"mediaType": "application/json", "predicateType": "https://example.test/" + batch,
			"content":  fmt.Sprintf(`{"batch":%q,"item":%d,"noise":"%s"}`, batch, i, noise(batch, i)),
			"subjects": []object{{"digest": image}},
		}}
	}
	body, err := json.Marshal(object{"query": pushBatch, "variables": object{"input": object{"items": items}}})
	if err != nil {
		return false, err.Error()
	}
	answer, err := s.quietly(string(body))
	if err != nil {
		return false, err.Error()
	}
	return strings.Contains(answer, fmt.Sprintf(`"accepted":%d`, eachBatch)), answer
}

// TestABatchIsThereWholeOrNotAtAllAfterAKill pushes batch after batch until the process is killed in the middle of some.
func TestABatchIsThereWholeOrNotAtAllAfterAKill(t *testing.T) {
	data := t.TempDir()
	p := spawn(t, data)
	acknowledged := make(chan string, 1000)
	const clients = 3
	for c := range clients {
		go func() {
			for n := 0; ; n++ {
				batch := fmt.Sprintf("%d-%d", c, n)
				if ok, _ := p.push(batch); !ok {
					return
				}
				acknowledged <- batch
			}
		}()
	}
	var done []string
	for len(done) < 12 {
		done = append(done, <-acknowledged)
	}
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
	for len(acknowledged) > 0 {
		done = append(done, <-acknowledged)
	}
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(data, "plimsoll.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("the database does not open after the kill: %v", err)
	}
	defer s.Close()
	there := batches(t, s)
	for _, batch := range done {
		if there[batch] != eachBatch {
			t.Errorf("batch %s was acknowledged, and %d of its %d documents are there", batch, there[batch], eachBatch)
		}
	}
}

// batches counts the documents of each batch, and checks that each is whole: its bytes, its subject, its event.
func batches(t *testing.T, s *store.Store) map[string]int {
	t.Helper()
	ctx := auth.System(context.Background())
	there := map[string]int{}
	for _, e := range s.Read().Evidence.Query().Order(evidence.ByID()).AllX(ctx) {
		batch, _ := strings.CutPrefix(e.PredicateType, "https://example.test/")
		there[batch]++
		raw, err := s.Blob(ctx, e.RawDigest)
		if err != nil || len(raw) != e.Size {
			t.Errorf("evidence %s has %d of its %d bytes: %v", e.Digest, len(raw), e.Size, err)
		}
		subjects := s.Read().EvidenceSubject.Query().Where(evidencesubject.EvidenceID(e.ID)).CountX(ctx)
		events := s.Read().ActivityEvent.Query().Where(activityevent.Subject(e.Digest)).CountX(ctx)
		if subjects != 1 || events != 1 {
			t.Errorf("evidence %s has %d subjects and %d events, want one each", e.Digest, subjects, events)
		}
	}
	for batch, n := range there {
		if n != eachBatch {
			t.Errorf("batch %s is there in part: %d of %d documents", batch, n, eachBatch)
		}
	}
	return there
}

// TestAFullDiskLosesNothingThatWasAcknowledged bounds the size of the files that the service may write, pushes until it
// cannot write more, and gives it room again.
func TestAFullDiskLosesNothingThatWasAcknowledged(t *testing.T) {
	if _, err := exec.LookPath("prlimit"); err != nil {
		t.Fatal("prlimit is needed, of util-linux")
	}
	p := spawn(t, t.TempDir())
	limit := func(size string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(p.cmd.Process.Pid), "--fsize="+size).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	limit("2000000:unlimited")
	var done []string
	said, full := "", false
	for n := 0; n < 60 && !full; n++ {
		var ok bool
		if ok, said = p.push(strconv.Itoa(n)); ok {
			done = append(done, strconv.Itoa(n))
		}
		full = !ok
	}
	if !full || len(done) == 0 {
		t.Fatalf("the disk was to be full after some batches; %d were taken: %s", len(done), said)
	}
	if !strings.Contains(said, `"INTERNAL"`) || !strings.Contains(said, `"reference"`) || strings.Contains(said, "disk") {
		t.Errorf("a full disk is answered with %s", said)
	}
	limit("unlimited")
	if ok, said := p.push("with room again"); !ok {
		t.Errorf("with room again: %s", said)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(p.data, "plimsoll.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	there := batches(t, s)
	if len(there) != len(done)+1 {
		t.Errorf("%d batches are there, %d were acknowledged", len(there), len(done)+1)
	}
}

// noise is a kilobyte that says nothing and is another for every document.
func noise(batch string, item int) string {
	var b strings.Builder
	for i := range 16 {
		b.WriteString(canonical.Digest(fmt.Appendf(nil, "%s %d %d", batch, item, i)))
	}
	return b.String()
}
