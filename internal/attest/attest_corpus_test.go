package attest_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// corpusFiles returns the JSON documents below a folder of the corpus that have the member at their top, by path. Each
// .jsonl file there holds one line.
func corpusFiles(t *testing.T, folder, member string) map[string][]byte {
	t.Helper()
	root := os.Getenv("PLIMSOLL_CORPUS")
	if root == "" {
		t.Skip("run by make test-corpus")
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(filepath.Ext(path), ".json") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(b, &members) == nil && members[member] != nil {
			files[strings.TrimPrefix(path, root)] = b
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("nothing with a %s below %s of the corpus", member, folder)
	}
	t.Logf("%d files", len(files))
	return files
}

func TestCorpus_EnvelopesAreReadAndTheirSignersUnknown(t *testing.T) {
	ours := ourKeys(t)
	for name, b := range corpusFiles(t, "attestations", "payloadType") {
		t.Run(name, func(t *testing.T) { wantStrangers(t, b, ours) })
	}
}

func TestCorpus_BundlesAreReadAndTheirSignersUnknown(t *testing.T) {
	ours := ourKeys(t)
	for _, folder := range []string{"attestations", "sigstore"} {
		for name, b := range corpusFiles(t, folder, "dsseEnvelope") {
			t.Run(name, func(t *testing.T) {
				envelope, err := attest.BundleEnvelope(b)
				if err != nil {
					t.Fatal(err)
				}
				wantStrangers(t, envelope, ours)
			})
		}
	}
}

func ourKeys(t *testing.T) []attest.Candidate {
	t.Helper()
	return []attest.Candidate{
		{Alias: "ours", Key: publicKey(t, privateKey(t, "P-256"))},
		{Alias: "ours too", Key: publicKey(t, privateKey(t, "RSA"))},
	}
}

// wantStrangers wants an envelope that is read, with a statement when it says it has one, and that no key of ours signed.
func wantStrangers(t *testing.T, envelope []byte, ours []attest.Candidate) {
	t.Helper()
	env, err := attest.ParseEnvelope(envelope)
	if err != nil {
		t.Fatal(err)
	}
	if env.PayloadType == attest.PayloadType {
		if _, err := attest.ParseStatement(env.Payload); err != nil {
			t.Error(err)
		}
	}
	if v, err := attest.Verify(env, ours); err != nil || v.Verified {
		t.Errorf("%+v, %v", v, err)
	}
}
