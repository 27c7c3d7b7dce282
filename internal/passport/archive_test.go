package passport_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/passport"
)

// entry is a file of a zip that somebody made by hand.
type entry struct {
	name string
	text string
	mode fs.FileMode
}

func zipped(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode | 0o644)
		to, err := z.CreateHeader(h)
		if err == nil && !strings.HasSuffix(e.name, "/") {
			_, err = to.Write([]byte(e.text))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func open(b []byte) (*zip.Reader, error) { return passport.Open(bytes.NewReader(b), int64(len(b))) }

func TestAHostileZipIsRefusedBeforeItIsUnpacked(t *testing.T) {
	many := make([]entry, 2*passport.MaxFiles+1)
	for i := range many {
		many[i].name = "log/" + strings.Repeat("1", 1+i%200) + string(rune('a'+i%26)) + strings.Repeat("2", i/200)
	}
	declared := func(size uint32) []byte { // says to be so large, in its directory
		b := zipped(t, entry{name: "a", text: "a"})
		at := bytes.LastIndex(b, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(b[at+24:], size)
		return b
	}
	good := zipped(t, entry{name: "a", text: "a"})
	for why, b := range map[string][]byte{
		"a path that leads out":           zipped(t, entry{name: "../a"}),
		"a path from the root":            zipped(t, entry{name: "/a"}),
		"a path with a backslash":         zipped(t, entry{name: `..\a`}),
		"a path that is not the shortest": zipped(t, entry{name: "a//b"}),
		"a control character":             zipped(t, entry{name: "a\x1b[2J"}),
		"a name twice":                    zipped(t, entry{name: "a"}, entry{name: "a"}),
		"a name twice in another case":    zipped(t, entry{name: "log/a"}, entry{name: "log/A"}),
		"passport.json twice":             zipped(t, entry{name: "passport.json"}, entry{name: "Passport.json"}),
		"a file that is a folder":         zipped(t, entry{name: "a"}, entry{name: "a/b"}),
		"a symbolic link":                 zipped(t, entry{name: "a", text: "/etc/passwd", mode: fs.ModeSymlink}),
		"a device":                        zipped(t, entry{name: "a", mode: fs.ModeDevice}),
		"too many files":                  zipped(t, many...),
		"3 GiB":                           declared(3 << 30),
		"something before it":             append([]byte("#!/bin/sh\n"), good...),
		"something after it":              append(bytes.Clone(good), 0),
		"half of it":                      good[:len(good)/2],
		"nothing":                         nil,
		"a directory of another length":   bytes.Replace(good, good[len(good)-10:len(good)-6], []byte{1, 0, 0, 0}, 1),
	} {
		t.Run(why, func(t *testing.T) {
			if _, err := open(b); err == nil {
				t.Error("it is opened")
			}
		})
	}
	if _, err := open(zipped(t, entry{name: "log/"}, entry{name: "log/checkpoint", text: "a"})); err != nil {
		t.Errorf("folders that zip adds: %v", err)
	}
	if _, err := open(zipped(t, many...)); !errors.Is(err, passport.ErrTooLarge) {
		t.Errorf("too many files: %v", err)
	}
	z, err := open(declared(0)) // and holds more
	if err == nil {
		_, err = fs.ReadFile(z, "a")
	}
	if err == nil {
		t.Error("a file gives more bytes than it says to have")
	}
}

func FuzzOpenAndVerify(f *testing.F) {
	w := newSmallWorld(f)
	f.Add(w.pack())
	f.Add(zipped(f, entry{name: "passport.json", text: `{"files":[],"schema":"plimsoll.passport/v1"}`}))
	f.Add(zipped(f, entry{name: "a/"}, entry{name: "a/b"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := open(b)
		if err != nil {
			return
		}
		report, err := passport.Verify(context.Background(), z, passport.Options{Time: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !report.Wrong() && report.Statements == 0 {
			t.Error("a passport without a statement verifies")
		}
		_, _ = passport.Redact(z, new(bytes.Buffer), []string{"sha256:" + strings.Repeat("0", 64)})
	})
}

// FuzzIndex holds that nothing in passport.json ends in a panic, or in a passport that verifies.
func FuzzIndex(f *testing.F) {
	w := newSmallWorld(f)
	z, err := open(w.pack())
	if err != nil {
		f.Fatal(err)
	}
	index, err := fs.ReadFile(z, passport.IndexName)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index)
	f.Add([]byte(`{"application":"","files":[{"digest":"sha256:","kind":"guide","path":"../x","size":-1}],"schema":"plimsoll.passport/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b := zipped(t, entry{name: passport.IndexName, text: string(text)})
		z, err := open(b)
		if err != nil {
			t.Fatal(err)
		}
		if report, err := passport.Verify(context.Background(), z, passport.Options{}); err != nil || !report.Wrong() {
			t.Errorf("%v: %+v", err, report)
		}
	})
}
