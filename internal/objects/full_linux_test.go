package objects_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// TestFullDiskLeavesNothing needs a file system of its own, which only root may mount.
func TestFullDiskLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	p := openPlace(t, "file://"+dir, "file://"+dir)
	kept := p.keep(t, "body")
	if _, err := p.Stage(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("staging a mebibyte on 64 KiB: %v", err)
	}
	if got := p.keys(t); len(got) != 1 || got[0] != keyOf("body") {
		t.Errorf("the store holds %q, want %s alone", got, kept)
	}
	p.keep(t, "there is room again")
}
