package apitest_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestAnUploadThatIsCutOffLeavesNoTrace(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	before := s.trace()
	body, contentType := filmed(strings.Repeat("film", 100_000)).body(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /evidence HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", admin, contentType, len(body))
	if _, err := io.WriteString(conn, body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	staging := filepath.Join(s.data, "objects", "staging")
	waitFor(t, "half of the bytes", func() bool { left, _ := os.ReadDir(staging); return len(left) > 0 })
	conn.Close()
	waitFor(t, "nothing", func() bool { left, _ := os.ReadDir(staging); return len(left) == 0 })
	if after := s.trace(); after != before {
		t.Errorf("half an upload left something:\n%s\n%s", before, after)
	}
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestAFullDiskTakesNoHalf needs a file system of its own, which only root may mount.
func TestAFullDiskTakesNoHalf(t *testing.T) {
	data := t.TempDir()
	disk := filepath.Join(data, "objects")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=128k,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	s := startOn(t, testdb.SQLite(t), data)
	before := s.trace()
	status, r := s.upload(admin, filmed("film", [3]string{"large.png", "image/png", strings.Repeat("x", 1<<20)}))
	if status != http.StatusServiceUnavailable || r.Errors[0].Extensions["code"] != "INTERNAL" || strings.Contains(r.Errors[0].Message, "space") {
		t.Errorf("a full disk is answered with %d %+v", status, r)
	}
	if after := s.trace(); after != before {
		t.Errorf("half of it was written:\n%s\n%s", before, after)
	}
	if status, r := s.upload(admin, filmed("film")); status != http.StatusCreated {
		t.Errorf("what fits is answered with %d %+v", status, r)
	}
}
