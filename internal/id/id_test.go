package id_test

import (
	"encoding/base64"
	"math"
	"testing"

	"github.com/plimsoll/plimsoll/internal/id"
)

func TestAGlobalIDComesBackAsItWas(t *testing.T) {
	for typ, n := range map[string]int{"Project": 1, "ApplicationVersion": math.MaxInt, "X": 42} {
		if gotType, got, err := id.ParseGlobal(id.Global(typ, n)); gotType != typ || got != n || err != nil {
			t.Errorf("%s %d came back as %s %d, %v", typ, n, gotType, got, err)
		}
	}
	if got := id.Global("Project", 1); got != "UHJvamVjdDox" {
		t.Errorf("an id that clients keep changed to %s", got)
	}
}

func TestWhatIsNoIDIsRefused(t *testing.T) {
	spell := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, s := range []string{
		"", "Project:1", "UHJvamVjdDox=", "UHJvamVjdDox\n", spell("Project"), spell(":1"), spell("Project:"), spell("Project:0"), spell("Project:-1"),
		spell("Project:+1"), spell("Project:01"), spell("Project: 1"), spell("Project:1:2"), spell("Project:99999999999999999999"), spell("Project:1e3"),
	} {
		if typ, n, err := id.ParseGlobal(s); err == nil {
			t.Errorf("%q is %s %d", s, typ, n)
		}
	}
}

func TestRandom(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := id.Random(8)
		if len(s) != 16 || seen[s] {
			t.Fatalf("%q was drawn", s)
		}
		seen[s] = true
	}
}

// FuzzParseGlobal holds that an id is taken only in the spelling that Global gives it.
func FuzzParseGlobal(f *testing.F) {
	for _, s := range []string{"", "UHJvamVjdDox", "UHJvamVjdDoy", "UHJvamVjdDow", "UHJvamVjdDox=", "UHJvamVjdDp", "Og"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, n, err := id.ParseGlobal(s)
		if err == nil && id.Global(typ, n) != s {
			t.Fatalf("%q is taken for %s %d, which is %q", s, typ, n, id.Global(typ, n))
		}
	})
}
