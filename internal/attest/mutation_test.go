package attest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// mutants calls try with the document after each change of one of its members: gone, null, or of another shape.
func mutants(tb testing.TB, raw []byte, try func(changed []byte)) {
	tb.Helper()
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		tb.Fatal(err)
	}
	write := func() {
		b, err := json.Marshal(doc)
		if err != nil {
			tb.Fatal(err)
		}
		try(b)
	}
	instead := []any{nil, "", "AAAA", "1", -1, map[string]any{}, []any{}, []any{nil}, []any{map[string]any{}}}
	var visit func(node any)
	visit = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			for name, was := range node {
				visit(was)
				for _, other := range instead {
					node[name] = other
					write()
				}
				delete(node, name)
				write()
				node[name] = was
			}
		case []any:
			for i, was := range node {
				visit(was)
				for _, other := range instead {
					node[i] = other
					write()
				}
				node[i] = was
			}
		}
	}
	visit(doc)
}

func TestNoChangeOfABundleIsVerifiedAsAnythingElse(t *testing.T) {
	s := newSigstore(t)
	candidates := []attest.KeylessCandidate{identity(s.root(t, "tlog", "tsa")), identity(s.root(t, "tsa"))}
	hashed, err := s.AttestHashedRekordV2(workflow, provider, []byte(statementJSON("")))
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"envelope": written(t, s.attest(t, workflow)),
		"message":  written(t, s.sign(t, workflow, "shop.tar")),
		"log v2":   written(t, s.bundle(t, hashed)),
	} {
		t.Run(name, func(t *testing.T) {
			good := parseBundle(t, raw)
			wantKeyless(t, good, candidates...)
			read := 0
			mutants(t, raw, func(changed []byte) {
				b, err := attest.ParseBundle(changed)
				if err != nil {
					return
				}
				read++
				v, err := attest.VerifyKeyless(b, candidates)
				if err != nil || !v.Verified {
					return
				}
				if v.Subject != workflow || b.Digest != good.Digest || (b.Envelope != nil && !bytes.Equal(b.Envelope.Payload, good.Envelope.Payload)) {
					t.Errorf("%+v\n%s", v, changed)
				}
			})
			if read == 0 {
				t.Error("no change was read at all")
			}
		})
	}
}

func TestNoChangeOfARootVouchesForStrangers(t *testing.T) {
	s := newSigstore(t)
	own, stranger := parsed(t, s.attest(t, workflow)), parsed(t, newSigstore(t).attest(t, workflow))
	read := 0
	mutants(t, s.rootJSON(t, "tlog", "tsa"), func(changed []byte) {
		r, err := attest.ParseTrustedRoot(changed)
		if err != nil {
			return
		}
		read++
		wantStranger(t, stranger, "does not confirm it", identity(r))
		// Its own bundle it may still confirm, or not; what is missing must stop neither.
		if v, err := attest.VerifyKeyless(own, []attest.KeylessCandidate{identity(r)}); err != nil || v.Reason == "" {
			t.Errorf("%+v, %v", v, err)
		}
	})
	if read == 0 {
		t.Error("no change was read at all")
	}
}
