package translog_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	sumdb "golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/internal/testdb"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

// witness is one as C2SP tlog-witness describes it, for one log.
type witness struct {
	tb   testing.TB
	name string
	key  ed25519.PrivateKey
	log  note.Verifier

	mu    sync.Mutex
	size  int64
	root  sumdb.Hash
	asked int
	down  bool
	lies  bool
}

func newWitness(tb testing.TB, name string, w *world) *witness {
	tb.Helper()
	verifier, err := note.NewVerifier(w.tree.Keys())
	if err != nil {
		tb.Fatal(err)
	}
	seed := sha256.Sum256([]byte(name))
	return &witness{tb: tb, name: name, key: ed25519.NewKeyFromSeed(seed[:]), log: verifier}
}

// hashOf is the id of the witness's key for an algorithm.
func (w *witness) hashOf(algorithm byte) uint32 {
	sum := sha256.Sum256(append([]byte(w.name+"\n"), w.material(algorithm)...))
	return binary.BigEndian.Uint32(sum[:4])
}

func (w *witness) material(algorithm byte) []byte {
	return append([]byte{algorithm}, w.key.Public().(ed25519.PublicKey)...)
}

func (w *witness) vkey(algorithm byte) string {
	return fmt.Sprintf("%s+%08x+%s", w.name, w.hashOf(algorithm), base64.StdEncoding.EncodeToString(w.material(algorithm)))
}

// Verify implements note.Verifier of what the witness signs, written from C2SP tlog-cosignature.
func (w *witness) Verify(text, sig []byte) bool {
	return len(sig) == 72 && ed25519.Verify(w.key.Public().(ed25519.PublicKey), cosignedMessage(binary.BigEndian.Uint64(sig), text), sig[8:])
}

// Name implements note.Verifier.
func (w *witness) Name() string { return w.name }

// KeyHash implements note.Verifier.
func (w *witness) KeyHash() uint32 { return w.hashOf(4) }

func cosignedMessage(at uint64, text []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// add answers a request as the standard says.
func (w *witness) add(body []byte) translog.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if !ok || err != nil || len(lines) > 64 {
		return translog.Answer{Status: 400}
	}
	opened, err := note.Open(checkpoint, note.VerifierList(w.log))
	if err != nil {
		return translog.Answer{Status: 403}
	}
	said := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(said[1], 10, 64)
	if err != nil || old > size {
		return translog.Answer{Status: 400}
	}
	root, err := sumdb.ParseHash(said[2])
	if err != nil {
		return translog.Answer{Status: 400}
	}
	if old != w.size {
		return translog.Answer{Status: 409, MediaType: "text/x.tlog.size", Body: fmt.Appendln(nil, w.size)}
	}
	var proof sumdb.TreeProof
	for _, line := range lines[1:] {
		h, err := sumdb.ParseHash(line)
		if err != nil {
			return translog.Answer{Status: 400}
		}
		proof = append(proof, h)
	}
	switch {
	case old == 0 || old == size:
		if len(proof) > 0 {
			return translog.Answer{Status: 422}
		}
		if old == size && old > 0 && root != w.root {
			return translog.Answer{Status: 409}
		}
	case sumdb.CheckTree(proof, size, root, w.size, w.root) != nil:
		return translog.Answer{Status: 422}
	}
	w.size, w.root = size, root
	return translog.Answer{Status: 200, Body: w.sign(opened.Text)}
}

// sign makes the lines of an answer: one of a key that nobody knows, and its own.
func (w *witness) sign(text string) []byte {
	at := uint64(time.Now().Unix())
	message := cosignedMessage(at, []byte(text))
	if w.lies {
		message = []byte("something else")
	}
	line := func(hash uint32) string {
		sig := binary.BigEndian.AppendUint32(nil, hash)
		sig = binary.BigEndian.AppendUint64(sig, at)
		sig = append(sig, ed25519.Sign(w.key, message)...)
		return "— " + w.name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
	}
	return []byte(line(w.hashOf(4)+1) + line(w.hashOf(4)))
}

func (w *witness) set(down, lies bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.lies = down, lies
}

// post brings requests to witnesses by the host of their URL.
func post(list ...*witness) translog.Post {
	return func(ctx context.Context, url string, body []byte) (translog.Answer, error) {
		for _, w := range list {
			if url != "https://"+w.name+"/prefix/add-checkpoint" {
				continue
			}
			w.mu.Lock()
			down := w.down
			w.mu.Unlock()
			if down {
				return translog.Answer{}, errors.New("connection refused")
			}
			return w.add(body), nil
		}
		return translog.Answer{}, fmt.Errorf("nobody is at %s", url)
	}
}

// attended makes a server ask witnesses, and run.
func (w *world) attended(log *slog.Logger, list ...*witness) (stop func()) {
	w.tb.Helper()
	text := "# who cosigns\n\n"
	for i, each := range list {
		text += each.vkey([]byte{4, 1}[i%2]) + " https://" + each.name + "/prefix/\n" // in both forms of a key
	}
	path := filepath.Join(w.tb.TempDir(), "witnesses")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.tb.Fatal(err)
	}
	known, err := tlog.LoadWitnesses(path)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tree.WithWitnesses(known, post(list...))
	ctx, cancel := context.WithCancel(auditor())
	var running sync.WaitGroup
	running.Go(func() { w.tree.Run(ctx, log) })
	return func() {
		cancel()
		running.Wait()
	}
}

// cosigners are those whose signatures the newest checkpoint has, and its size.
func (w *world) cosigners(list ...*witness) (names []string, size string) {
	w.tb.Helper()
	checkpoint, err := w.tree.Checkpoint(auditor())
	if err != nil {
		return nil, ""
	}
	verifiers := []note.Verifier{list[0].log}
	for _, each := range list {
		verifiers = append(verifiers, each)
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	if err != nil {
		w.tb.Fatal(err)
	}
	for _, s := range opened.Sigs[1:] {
		names = append(names, s.Name)
	}
	return names, strings.Split(opened.Text, "\n")[1]
}

// until waits for something for some seconds.
func until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within twenty seconds: %s", what)
		}
	}
}

// said is what was logged.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), what)
}

func TestWitnessesCosignTheNewestCheckpoint(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		one, two := newWitness(t, "one.example.test", w), newWitness(t, "two.example.test", w)
		var logged said
		two.set(true, false)
		stop := w.attended(slog.New(slog.NewTextHandler(&logged, nil)), one, two)
		defer func() { stop() }()
		w.many(3)
		until(t, "one cosigns, and the log goes on while two is down", func() bool {
			names, size := w.cosigners(one, two)
			return size == "3" && strings.Join(names, " ") == one.name
		})
		w.many(300)
		two.set(false, true)
		until(t, "one cosigns, and what two signs falsely is not taken", func() bool {
			names, size := w.cosigners(one, two)
			return size == "303" && strings.Join(names, " ") == one.name && two.size == 303
		})
		two.set(false, false)
		w.many(1)
		until(t, "both cosign", func() bool {
			names, size := w.cosigners(one, two)
			return size == "304" && strings.Join(names, " ") == one.name+" "+two.name
		})
		until(t, "it is logged once that two failed, and once that it is back", func() bool {
			return logged.count("does not cosign") == 1 && logged.count("cosigns the log's checkpoints again") == 1
		})
		for i := range 2 {
			p, err := w.tree.Inclusion(auditor(), i)
			if err != nil || strings.Count(p.Checkpoint, "\n— ") != 3 {
				t.Errorf("a proof has the checkpoint %s (%v)", p.Checkpoint, err)
			}
		}
		p, err := w.tree.Consistency(auditor(), 3, nil)
		if err != nil || p.Checkpoint == nil || strings.Count(*p.Checkpoint, "\n— ") != 3 {
			t.Errorf("consistency is proved with %+v (%v)", p, err)
		}
		if err := w.tree.Ready(auditor()); err != nil {
			t.Errorf("a witness makes the server not ready: %v", err)
		}
		w.whole(304)
	})
}

func TestAWitnessRefusesAForkAndKnowsItsOwnSize(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	one := newWitness(t, "one.example.test", w)
	w.many(5)
	w.integrate()
	first, err := w.tree.Checkpoint(auditor())
	if err != nil || one.add(tlog.WitnessRequest(0, nil, first)).Status != 200 {
		t.Fatal(err)
	}
	// The database knows nothing of what the witness cosigned: it says so, and is given the proof from there on.
	var logged said
	stop := w.attended(slog.New(slog.NewTextHandler(&logged, nil)), one)
	w.many(4)
	until(t, "it cosigns", func() bool {
		names, size := w.cosigners(one)
		return size == "9" && len(names) == 1
	})
	stop()
	// A history that is another, signed with the same key.
	fork := server(t, testdb.SQLite(t), w.key)
	fork.many(7)
	logged = said{}
	stop = fork.attended(slog.New(slog.NewTextHandler(&logged, nil)), one)
	until(t, "it is said that the witness has seen more", func() bool { return logged.count("has seen a log of 9 events, and there are 7") == 1 })
	fork.many(20)
	stop()
	fork.integrate()
	again := server(t, fork.dsn, w.key)
	stop = again.attended(slog.New(slog.NewTextHandler(&logged, nil)), one)
	until(t, "it is said that the witness refuses", func() bool { return logged.count("with status 422") == 1 })
	stop()
	if names, _ := again.cosigners(one); len(names) != 0 {
		t.Errorf("%v cosigned a fork", names)
	}
}

func TestTwoServersShareTheirWitnesses(t *testing.T) {
	dsn := testdb.Postgres(t)
	w := newWorld(t, dsn)
	other := server(t, dsn, w.key)
	one := newWitness(t, "one.example.test", w)
	log := slog.New(slog.DiscardHandler)
	for _, each := range []*world{w, other} {
		stop := each.attended(log, one)
		defer stop()
	}
	var writing sync.WaitGroup
	for _, each := range []*world{w, other} {
		writing.Go(func() {
			for i := range 20 {
				each.happen(fmt.Sprint(i), false)
			}
		})
	}
	writing.Wait()
	until(t, "the checkpoint of all is cosigned", func() bool {
		names, size := w.cosigners(one)
		return size == "40" && len(names) == 1
	})
	w.whole(40)
}

func TestAListOfWitnessesThatIsWrongIsRefused(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	key := newWitness(t, "one.example.test", w).vkey(4)
	for name, text := range map[string]string{
		"no URL": key, "a file": key + " file:///x", "a user": key + " https://a:b@example.test", "no key": "https://example.test",
		"an altered key": strings.Replace(key, "one", "two", 1) + " https://example.test", "twice": key + " https://a.test\n" + key + " https://b.test",
		"too many words": key + " https://example.test x", "a query": key + " https://example.test/?x=y",
	} {
		path := filepath.Join(t.TempDir(), "witnesses")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := tlog.LoadWitnesses(path); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := tlog.LoadWitnesses(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a list that is not there is read")
	}
}
