package tlog_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/tlog"
)

// TestTheKeyOfAWitnessVerifiesCosignatures: in whichever form it was published.
func TestTheKeyOfAWitnessVerifiesCosignatures(t *testing.T) {
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := func(algorithm byte) string {
		raw := append([]byte{algorithm}, public...)
		sum := sha256.Sum256([]byte("witness.example.test\n" + string(raw)))
		return fmt.Sprintf("witness.example.test+%x+%s", sum[:4], base64.StdEncoding.EncodeToString(raw))
	}
	for _, published := range []string{key(1), key(4)} {
		path := filepath.Join(t.TempDir(), "witnesses")
		if err := os.WriteFile(path, []byte(published+" https://witness.example.test\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := tlog.LoadWitnesses(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := list[0].Key(); got != key(4) || strings.Contains(got, "\n") {
			t.Errorf("published as %s it is %s", published, got)
		}
	}
}
