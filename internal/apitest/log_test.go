package apitest_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// readLog reads a path of the log as anybody may, or with a token.
func (s *server) readLog(token, path string) (status int, header http.Header, body []byte) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, response.Header, body
}

// stock reads the log over HTTP alone, with golang.org/x/mod/sumdb.
type stock struct {
	s    *server
	tree tlog.Tree
}

// Height implements tlog.TileReader.
func (stock) Height() int { return 8 }

// SaveTiles implements tlog.TileReader.
func (stock) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (c stock) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		status, header, body := c.s.readLog("", "/log/tile/"+strings.TrimPrefix(t.Path(), "tile/8/"))
		if status != http.StatusOK || !strings.Contains(header.Get("Cache-Control"), "immutable") {
			return nil, fmt.Errorf("tile %s: %d, %s", t.Path(), status, header.Get("Cache-Control"))
		}
		out[i] = body
	}
	return out, nil
}

// openLog verifies the newest checkpoint with the key that the server gives.
func openLog(s *server) stock {
	s.t.Helper()
	c := stock{s: s}
	c.tree = opened(s.t, s.fetch("/log/key"), s.fetch("/log/checkpoint"))
	return c
}

func opened(t testing.TB, key, checkpoint string) (tree tlog.Tree) {
	t.Helper()
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[0] != "log.example.test" {
		t.Fatalf("the checkpoint says %q", n.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		t.Fatal(err)
	}
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		t.Fatal(err)
	}
	return tree
}

func hashOf(t testing.TB, v any) tlog.Hash {
	t.Helper()
	h, err := tlog.ParseHash(v.(string))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hashesOf(t testing.TB, v any) (out []tlog.Hash) {
	t.Helper()
	for _, h := range v.([]any) {
		out = append(out, hashOf(t, h))
	}
	return out
}

func TestRule41_AStockClientVerifiesTheLogOverHTTPAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.inTree()
		early := openLog(s)
		s.settle("payments", "gateway")
		for i := range 6 {
			s.report("gateway", fmt.Sprint("1.", i))
		}
		s.inTree()
		c := openLog(s)
		reader := tlog.TileHashReader(c.tree, c)
		if root, err := tlog.TreeHash(c.tree.N, reader); err != nil || root != c.tree.Hash {
			t.Fatalf("the tiles make another root: %v", err)
		}
		for _, folder := range []string{"/log/tile/entries/", "/log/entries/"} {
			c.bundle(t, fmt.Sprint(folder, "000.p/", c.tree.N), reader)
		}
		proof, err := tlog.ProveTree(c.tree.N, early.tree.N, reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(proof, c.tree.N, c.tree.Hash, early.tree.N, early.tree.Hash); err != nil {
			t.Error(err)
		}
		for i := range c.tree.N {
			p := s.post(admin, contract(t, "InclusionProof"), object{"logIndex": i}).at(t, "inclusionProof").(object)
			tree := opened(t, s.fetch("/log/key"), p["checkpoint"].(string))
			if err := tlog.CheckRecord(hashesOf(t, p["hashes"]), tree.N, tree.Hash, i, hashOf(t, p["leafHash"])); err != nil || float64(tree.N) != p["treeSize"] {
				t.Errorf("event %d: %v", i, err)
			}
		}
		a := s.post(admin, "query($f: Int!) { consistencyProof(from: $f) { from to fromRoot toRoot hashes checkpoint } }", object{"f": early.tree.N})
		p := a.at(t, "consistencyProof").(object)
		if err := tlog.CheckTree(hashesOf(t, p["hashes"]), c.tree.N, c.tree.Hash, early.tree.N, hashOf(t, p["fromRoot"])); err != nil || hashOf(t, p["toRoot"]) != c.tree.Hash {
			t.Errorf("consistency over the API: %v", err)
		}
	})
}

// bundle checks leaves against the tree.
func (c stock) bundle(t *testing.T, path string, reader tlog.HashReader) {
	t.Helper()
	status, header, b := c.s.readLog(admin, path)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Cache-Control"), "private") {
		t.Fatalf("%s: %d, %s", path, status, header.Get("Cache-Control"))
	}
	for i := range c.tree.N {
		n := int(binary.BigEndian.Uint16(b))
		stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil || stored[0] != tlog.RecordHash(b[2:2+n]) || !json.Valid(b[2:2+n]) {
			t.Fatalf("leaf %d of %s is not that of the tree: %v", i, path, err)
		}
		b = b[2+n:]
	}
}

func TestRule45_HashesArePublicAndLeavesAreNot(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	s.settle("payments", "gateway")
	s.inTree()
	viewer, auditor := s.token("viewer", "VIEWER", "payments"), s.token("auditor", "AUDITOR", "payments")
	for path, want := range map[string]map[string]int{
		"/log/checkpoint":            {"": 200, viewer: 200},
		"/log/key":                   {"": 200},
		"/log/tile/0/000.p/1":        {"": 200, viewer: 200},
		"/log/tile/0/001":            {"": 404},
		"/log/tile/0/0":              {"": 404},
		"/log/tile/entries/000.p/1":  {"": 401, viewer: 403, auditor: 403, admin: 200},
		"/log/entries/000.p/1":       {"": 401, viewer: 403, auditor: 403, admin: 200},
		"/log/entries/x999/001":      {"": 401, viewer: 403, admin: 404},
		"/log/tile/entries/nonsense": {"": 401, viewer: 403, admin: 404},
	} {
		for token, status := range want {
			if got, _, body := s.readLog(token, path); got != status {
				t.Errorf("%s with %q: %d, want %d: %s", path, token, got, status, body)
			}
		}
	}
	if a := s.post("", contract(t, "InclusionProof"), object{"logIndex": 0}); len(a.Errors) == 0 {
		t.Error("nobody gets a proof over the API")
	}
	if a := s.post(viewer, contract(t, "InclusionProof"), object{"logIndex": 0}); len(a.Errors) > 0 {
		t.Errorf("a reader gets no proof: %s", a.raw)
	}
}

func TestRule30_AReleaseNamesTheCheckpointBeforeItAndStandsInTheLog(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.report("gateway", "1.0")
		s.inTree()
		before := openLog(s)
		for _, to := range []string{"DEV", "QA"} {
			s.must(admin, "Promote", object{"applicationKey": "gateway", "version": "1.0", "toStage": to})
			s.inTree()
		}
		const query = `{ applicationVersion(application: "gateway", version: "1.0") { attestations { predicateType digest statement logIndex } } }`
		all := s.post(admin, query, nil).at(t, "applicationVersion", "attestations").([]any)
		if len(all) != 3 {
			t.Fatalf("there are %d attestations", len(all))
		}
		for i, each := range all {
			a := each.(object)
			index, ok := a["logIndex"].(float64)
			if !ok {
				t.Fatalf("attestation %d is not in the log", i)
			}
			e := s.db.Read().ActivityEvent.Query().Where(activityevent.LogIndex(int(index))).OnlyX(auth.System(context.Background()))
			if !strings.Contains(string(e.Leaf), a["digest"].(string)) {
				t.Errorf("the leaf at %v does not hold the digest of attestation %d", index, i)
			}
			if i == 0 {
				continue
			}
			var st struct {
				Predicate struct{ LogCheckpoint string }
			}
			if err := json.Unmarshal([]byte(a["statement"].(string)), &st); err != nil {
				t.Fatal(err)
			}
			if tree := opened(t, s.fetch("/log/key"), st.Predicate.LogCheckpoint); tree.N < before.tree.N || tree.N > int64(index) {
				t.Errorf("attestation %d at %v names the checkpoint of %d events, and there were %d", i, index, tree.N, before.tree.N)
			}
		}
	})
}

func TestRule40_AnEventIsInTheTreeWithinASecond(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.must(admin, "CreateProject", object{"key": "payments", "name": "Payments"})
		began := time.Now()
		s.inTree()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
		a := s.post(admin, `{ activityLog(first: 1) { edges { node { logIndex leaf } } } }`, nil)
		if !strings.Contains(a.raw, `"logIndex":`) || strings.Contains(a.raw, `"logIndex":null`) {
			t.Errorf("the event has no place in the log: %s", a.raw)
		}
	})
}

// TestRule40_EveryEventHasItsLeafAfterAKill kills the service while it promotes, starts it again, and looks at the tree.
func TestRule40_EveryEventHasItsLeafAfterAKill(t *testing.T) {
	data := t.TempDir()
	for round := range 2 {
		p := spawn(t, data)
		if round == 0 {
			p.settle("payments", "gateway")
		}
		moved := make(chan bool, 1000)
		for c := range 4 {
			go func() {
				for n := 0; p.walk(fmt.Sprintf("%d.%d.%d", round, c, n)); n++ {
					moved <- true
				}
			}()
		}
		for range 15 {
			<-moved
		}
		if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait() // says that it was killed
	}
	p := spawn(t, data)
	st, err := store.Open(context.Background(), "sqlite:"+filepath.Join(data, "plimsoll.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	p.db = st
	p.inTree()
	ctx := auth.System(context.Background())
	checkpoint := strings.Split(p.fetch("/log/checkpoint"), "\n")
	size, err := strconv.Atoi(checkpoint[1])
	if err != nil {
		t.Fatal(err)
	}
	rows := st.Read().ActivityEvent.Query().Where(activityevent.LogIndexLT(size)).Order(db.Asc(activityevent.FieldLogIndex)).AllX(ctx)
	if total := st.Read().ActivityEvent.Query().CountX(ctx); len(rows) != size || total != size {
		t.Fatalf("the tree has %d leaves, and there are %d events, %d of them in it", size, total, len(rows))
	}
	root, err := base64.StdEncoding.DecodeString(checkpoint[2])
	if err != nil || string(rootOf(t, rows)) != string(root) {
		t.Errorf("the checkpoint is of another tree: %v", err)
	}
}

// rootOf computes the root of events without any tile.
func rootOf(t *testing.T, rows []*db.ActivityEvent) []byte {
	t.Helper()
	var hashes []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, p := range at {
			out = append(out, hashes[p])
		}
		return out, nil
	})
	for i, r := range rows {
		stored, err := tlog.StoredHashes(int64(i), r.Leaf, read)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, stored...)
	}
	root, err := tlog.TreeHash(int64(len(rows)), read)
	if err != nil {
		t.Fatal(err)
	}
	return root[:]
}
