package bench_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const (
	submitOne   = `mutation($e: String!) { submitEvidence(input: {envelope: $e}) { alreadyKnown evidence { digest verified } } }`
	submitBatch = `mutation($input: SubmitEvidenceBatchInput!) { submitEvidenceBatch(input: $input) { accepted alreadyKnown refused } }`
	lookUp      = `query($d: String!) { searchEvidence(filter: {subject: $d}, first: 10) { edges { node { digest predicateType verified subjects { name digest } } } } }`
)

// site is the whole service on a loopback port, with a key that it trusts.
type site struct {
	*service
	url    string
	client *http.Client
	key    *ecdsa.PrivateKey
}

func newSite(b *testing.B) *site {
	b.Helper()
	s := newService(b)
	server := httptest.NewServer(s.handler)
	b.Cleanup(server.Close)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	s.do("addTrustAnchor", "AddTrustAnchorInput", object{"alias": "ci", "publicKey": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
	return &site{s, server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, key}
}

// post sends a prepared body over the network and returns the answer.
func (s *site) post(body []byte) error {
	r, err := http.NewRequest(http.MethodPost, s.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+admin)
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || bytes.Contains(text, []byte(`"errors"`)) || bytes.Contains(text, []byte(`"verified":false`)) {
		return fmt.Errorf("%d %.300s", answer.StatusCode, text)
	}
	return nil
}

// seal makes the nth signed statement, of about 3.6 kB like those that build systems push, with three subjects.
func (s *site) seal(n int) string {
	var subjects []string
	for i := range 3 {
		subjects = append(subjects, fmt.Sprintf(`{"name":"app-%d.tgz","digest":{"sha256":"%s"}}`, i, strings.TrimPrefix(subjectOf(n, i), "sha256:")))
	}
	payload := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[%s],"predicateType":"https://example.test/load/v1","predicate":{"run":%d,"passed":[%s"last"]}}`,
		strings.Join(subjects, ","), n, strings.Repeat(`"TestThatSomethingWorks",`, 85))
	const typ = "application/vnd.in-toto+json"
	sum := sha256.Sum256(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(typ), typ, len(payload), payload))
	sig, err := ecdsa.SignASN1(rand.Reader, s.key, sum[:])
	if err != nil {
		s.b.Fatal(err)
	}
	b, err := json.Marshal(object{
		"payloadType": typ, "payload": base64.StdEncoding.EncodeToString([]byte(payload)),
		"signatures": []object{{"keyid": "", "sig": base64.StdEncoding.EncodeToString(sig)}},
	})
	if err != nil {
		s.b.Fatal(err)
	}
	return string(b)
}

// subjectOf is the digest of the ith subject of the nth statement.
func subjectOf(n, i int) string { return canonical.Digest(fmt.Appendf(nil, "%d of %d", i, n)) }

// keepBytes answers with the digest of what it was sent, once that is durable.
func keepBytes(b *testing.B) http.Handler {
	b.Helper()
	side, err := store.Open(b.Context(), testdb.SQLite(b), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = side.Close() })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		if err == nil {
			err = side.InTx(auth.System(r.Context()), func(tx *db.Client) error {
				_, err := store.PutBlob(auth.System(r.Context()), tx, content)
				return err
			})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, canonical.Digest(content))
	})
}

// by has clients send the bodies, and reports how many pieces a second went.
func (s *site) by(b *testing.B, clients, each int, bodies [][]byte) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	before := cpu(b)
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				if err := s.post(bodies[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	pieces := float64(len(bodies) * each)
	b.ReportMetric(pieces/b.Elapsed().Seconds(), "pieces/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/pieces, "cpu-µs/piece")
}

// BenchmarkEvidenceOverHTTP pushes signed evidence, every signature checked and every answer durable. Its bound is a server
// that checks nothing: it takes the same envelopes and keeps their bytes by digest, in a transaction each.
func BenchmarkEvidenceOverHTTP(b *testing.B) {
	b.Run("keeping bytes alone/8 clients", func(b *testing.B) {
		s := newSite(b)
		keeper := httptest.NewServer(keepBytes(b))
		b.Cleanup(keeper.Close)
		s.url = keeper.URL
		bodies := make([][]byte, b.N)
		for i := range bodies {
			bodies[i] = []byte(s.seal(i))
		}
		s.by(b, 8, 1, bodies)
	})
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("one a request/%d clients", clients), func(b *testing.B) {
			s := newSite(b)
			bodies := make([][]byte, b.N)
			for i := range bodies {
				envelope := s.seal(i)
				bodies[i] = request(b, submitOne, object{"e": envelope})
			}
			s.by(b, clients, 1, bodies)
		})
	}
	b.Run("500 a request/8 clients", func(b *testing.B) {
		const each = 500
		s := newSite(b)
		bodies := make([][]byte, (b.N+each-1)/each)
		for i := range bodies {
			items := make([]object, each)
			for j := range items {
				envelope := s.seal(i*each + j)
				items[j] = object{"envelope": envelope}
			}
			bodies[i] = request(b, submitBatch, object{"input": object{"items": items}})
		}
		s.by(b, 8, each, bodies)
	})
}

// BenchmarkEvidenceLookup finds evidence by the digest of something it speaks of, among few and among many.
func BenchmarkEvidenceLookup(b *testing.B) {
	s := newSite(b)
	stored := 0
	for _, size := range []int{5_000, 50_000} {
		for ; stored < size; stored += 1000 {
			items := make([]object, 1000)
			for i := range items {
				envelope := s.seal(stored + i)
				items[i] = object{"envelope": envelope}
			}
			s.send(request(b, submitBatch, object{"input": object{"items": items}}))
		}
		b.Run(fmt.Sprintf("among %d/8 clients", size), func(b *testing.B) {
			bodies := make([][]byte, b.N)
			for i := range bodies {
				bodies[i] = request(b, lookUp, object{"d": subjectOf(i*7919%size, 2)})
			}
			s.by(b, 8, 1, bodies)
		})
	}
}

// cpu is the processor time that the service and its clients took so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
