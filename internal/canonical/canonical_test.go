package canonical_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/canonical"
)

// TestNormalizeByTheExamplesOfRFC8785 holds the spelling to sections 3.2.2 and 3.2.3 and to appendix B.
func TestNormalizeByTheExamplesOfRFC8785(t *testing.T) {
	for in, want := range map[string]string{
		`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`: `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`,
		`-0`: `0`, `1e400`: ``, `5e-324`: `5e-324`, `1.7976931348623157e308`: `1.7976931348623157e+308`, `9007199254740992`: `9007199254740992`,
		`295147905179352830000`: `295147905179352830000`, `9.999999999999997e22`: `9.999999999999997e+22`, `1e23`: `1e+23`,
		`999999999999999700000`: `999999999999999700000`, `0.000001`: `0.000001`, `333333333.33333325`: `333333333.33333325`,
		`1424953923781206.2`: `1424953923781206.2`, `1e21`: `1e+21`, `1e-7`: `1e-7`,
		` [ ] `: `[]`, `"<&>` + "\u2028" + `"`: `"<&>` + "\u2028" + `"`,
	} {
		got, err := canonical.Normalize([]byte(in))
		if want == "" {
			if err == nil && string(got) != "1.7976931348623157e+308" {
				t.Errorf("%s became %s", in, got)
			}
			continue
		}
		if err != nil || string(got) != want {
			t.Errorf("%s became %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestNormalizeRefusesWhatHasNoOneSpelling(t *testing.T) {
	for _, in := range []string{``, `{`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "\"\xff\"", `"\ud800"`, `NaN`, `01`, `1 2`, `[1,]`, `// x`, `'a'`, "\ufeff1"} {
		if got, err := canonical.Normalize([]byte(in)); err == nil {
			t.Errorf("%q became %q", in, got)
		}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), func() {}, json.RawMessage(`{"a":1,"a":2}`)} {
		if got, err := canonical.JSON(v); err == nil {
			t.Errorf("%T became %q", v, got)
		}
	}
}

func TestNormalizeLeavesItsArgumentAlone(t *testing.T) {
	in := []byte(`{ "b":1, "a":2 }`)
	if got, err := canonical.Normalize(in); err != nil || string(got) != `{"a":2,"b":1}` || string(in) != `{ "b":1, "a":2 }` {
		t.Errorf("%s, %v of %s", got, err, in)
	}
	if got, err := canonical.JSON(map[string]any{"z": 1.0, "a": "<"}); err != nil || string(got) != `{"a":"<","z":1}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestDigest(t *testing.T) {
	// FIPS 180-2, the empty message and appendix B.1.
	for in, want := range map[string]string{
		"":    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	} {
		if got := canonical.Digest([]byte(in)); got != want || !canonical.IsDigest(got) {
			t.Errorf("%q has digest %s", in, got)
		}
	}
	good := canonical.Digest(nil)
	for _, s := range []string{"", good[7:], strings.ToUpper(good), good + "0", good[:70], good + "\n", " " + good, "sha512:" + good[7:], "sha256:" + strings.Repeat("g", 64)} {
		if canonical.IsDigest(s) {
			t.Errorf("%q is taken for a digest", s)
		}
	}
}

func TestCheck(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for in, says := range map[string]string{
		`1`: "", ` {"a":[1,{"b":null}]} `: "", deep(5): "", `"😀"`: "",
		``: "found 0", ` `: "found 0", `1 2`: "found 2", `{}{}`: "found 2", deep(6): "deeper than 5", strings.Repeat("[", 1000000): "deeper than 5",
		strings.Repeat(`{"a":`, 6): "deeper than 5", `{"a":1,"a":2}`: "not valid", `{"a":{"b":1,"\u0062":2}}`: "not valid",
		"\"\xff\"": "not valid", `[1,]`: "not valid", `{"a"}`: "not valid", `[`: "not valid", `tru`: "not valid", `1 x`: "not valid", `]`: "not valid",
	} {
		err := canonical.Check([]byte(in), 5)
		if says == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %q", in, err, says)
		}
	}
}

// FuzzNormalize holds the spelling to be the only one, to mean the same, and to be taken by Check.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{`{"b":[1,2.50,-0],"a":"\u00e9"}`, `1e21`, `"\ud83d\ude00"`, `{"":{"":null}}`, `[[[]]]`, "\"\xff\"", `{"a":1,"a":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := canonical.Normalize(in)
		if (err == nil) != (canonical.Check(in, 1<<20) == nil) {
			t.Fatalf("%q is normalised with %v and checked with %v", in, err, canonical.Check(in, 1<<20))
		}
		if err != nil {
			return
		}
		twice, err := canonical.Normalize(once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%q became %q and then %q, %v", in, once, twice, err)
		}
		var a any
		if json.Unmarshal(in, &a) != nil {
			return // a number that a float64 does not hold
		}
		if again, err := canonical.JSON(a); err != nil || string(again) != string(once) {
			t.Fatalf("%q became %q, and read and written %q, %v", in, once, again, err)
		}
	})
}
