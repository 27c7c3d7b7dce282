package advisory_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

const whole = `{
  "schema_version": "1.7.3", "id": "TEST-2026-0001", "modified": "2026-03-02T10:00:00.5+02:00", "published": "2026-03-01T00:00:00Z",
  "withdrawn": "2026-04-01T00:00:00Z", "aliases": ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"], "upstream": ["CVE-2026-0002"], "related": ["X-1"],
  "summary": "a\u0000b", "details": "Read *this*.\n\tAnd that.", "references": [{"type": "WEB", "url": 7}], "credits": "whatever",
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
  "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-79"]},
  "affected": [
    {"package": {"ecosystem": "npm", "name": "@scope/part", "purl": "pkg:npm/@scope/part"},
     "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.7"}, {"introduced": "2.0.0"}, {"last_affected": "2.1.0"}, {"limit": "3.0.0"}]}],
     "versions": ["1.0.0", "1.0.1"], "ecosystem_specific": {"imports": []}, "database_specific": null},
    {"package": {"ecosystem": "Debian:12", "name": "part", "purl": "not one"}, "ecosystem_specific": {"urgency": "low"},
     "ranges": [{"type": "GIT", "repo": "https://example.com/part", "events": [{"introduced": "0"}, {"fixed": "9f3a"}]}]}
  ]
}`

func TestParseKeepsWhatMatchingNeeds(t *testing.T) {
	t.Parallel()
	got, err := advisory.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := advisory.Record{
		ID: "TEST-2026-0001", Aliases: []string{"CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"}, Upstream: []string{"CVE-2026-0002"}, Related: []string{"X-1"},
		Published: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Modified: time.Date(2026, 3, 2, 8, 0, 0, 5e8, time.UTC),
		Withdrawn: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Summary: "ab", Details: "Read *this*.\n\tAnd that.", SeverityText: "HIGH",
		Severities: []advisory.Severity{{Type: "CVSS_V3", Score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		Affected: []advisory.Affected{
			{
				Ecosystem: "npm", Name: "@scope/part", PURL: "pkg:npm/%40scope/part", Versions: []string{"1.0.0", "1.0.1"},
				Ranges: []advisory.Range{{Type: advisory.RangeSemver, Events: []advisory.Event{
					{Kind: advisory.Introduced, Version: "0"},
					{Kind: advisory.Fixed, Version: "1.2.7"},
					{Kind: advisory.Introduced, Version: "2.0.0"},
					{Kind: advisory.LastAffected, Version: "2.1.0"},
					{Kind: advisory.Limit, Version: "3.0.0"},
				}}},
			},
			{
				Ecosystem: "Debian:12", Name: "part", SeverityText: "low",
				Ranges: []advisory.Range{{Type: advisory.RangeGit, Repo: "https://example.com/part", Events: []advisory.Event{
					{Kind: advisory.Introduced, Version: "0"}, {Kind: advisory.Fixed, Version: "9f3a"},
				}}},
			},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// affected is an advisory with one entry.
func affected(entry string) string {
	return `{"id": "T-1", "modified": "2026-01-01T00:00:00Z", "affected": [` + entry + `]}`
}

func repeated(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }

func TestParseRefusesAndSaysWhere(t *testing.T) {
	t.Parallel()
	const pkg = `"package": {"ecosystem": "npm", "name": "a"}`
	cases := []struct{ name, in, want string }{
		{"nothing", ``, "one JSON value"},
		{"a list", `[]`, "the document: must be an object"},
		{"two documents", `{} {}`, "one JSON value"},
		{"a key given twice", `{"id": "a", "id": "b"}`, "duplicate"},
		{"a key in another case", `{"ID": "a", "modified": "2026-01-01T00:00:00Z"}`, "id: missing"},
		{"bytes that are not UTF-8", "{\"id\": \"\xff\"}", "UTF-8"},
		{"nesting without end", strings.Repeat("[", 100), "deeper than 64"},
		{"too many bytes", `{"id": "` + strings.Repeat("a", advisory.MaxRecord) + `"}`, "at most 4194304"},
		{"no id", `{"modified": "2026-01-01T00:00:00Z"}`, "id: missing"},
		{"an id that is null", `{"id": null, "modified": "2026-01-01T00:00:00Z"}`, "id: missing"},
		{"an id that is a number", `{"id": 7}`, "id: must be a string"},
		{"a blank id", `{"id": " "}`, "id: is blank"},
		{"an id of two lines", `{"id": "a\nb"}`, "id: holds a control character"},
		{"an id that is too long", `{"id": "` + strings.Repeat("a", 300) + `"}`, "id: is 300 bytes long; at most 256"},
		{"no time of change", `{"id": "a"}`, "modified: missing"},
		{"a day for a time", `{"id": "a", "modified": "2026-01-01"}`, "modified: must be a time"},
		{"a schema to come", `{"id": "a", "modified": "2026-01-01T00:00:00Z", "schema_version": "2.0"}`, "schema_version"},
		{"aliases that are no list", `{"id": "a", "aliases": "b"}`, "aliases: must be a list"},
		{"an alias that is a list", `{"id": "a", "aliases": ["b", []]}`, "aliases[1]: must be a string"},
		{"an alias that is null", `{"id": "a", "aliases": [null]}`, "aliases[0]: must be a string"},
		{"too many aliases", `{"id": "a", "aliases": [` + repeated(`"b"`, 1001) + `]}`, "aliases[1000]: is one too many; at most 1000"},
		{"an entry that is a string", affected(`"a"`), "affected[0]: must be an object"},
		{"too many entries", affected(repeated(`{}`, 10_001)), "affected[10000]: the advisory holds more than 10000 entries"},
		{"a package without its ecosystem", affected(`{"package": {"name": "a"}}`), "affected[0].package: ecosystem: missing"},
		{"a package without a name", affected(`{"package": {"ecosystem": "npm"}}`), "affected[0].package: name: missing"},
		{"a name that is an object", affected(`{"package": {"name": {}}}`), "affected[0].package.name: must be a string"},
		{"a range without a type", affected(`{` + pkg + `, "ranges": [{"events": [{"introduced": "0"}]}]}`), "affected[0].ranges[0]: type: missing"},
		{"a range of another type", affected(`{` + pkg + `, "ranges": [{"type": "semver", "events": [{"introduced": "0"}]}]}`), "must be SEMVER, ECOSYSTEM or GIT"},
		{"a range without events", affected(`{` + pkg + `, "ranges": [{"type": "SEMVER"}]}`), "affected[0].ranges[0]: events: missing"},
		{"an event without a kind", affected(`{` + pkg + `, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {}]}]}`), "affected[0].ranges[0].events[1]: must be one of"},
		{"an event of two kinds", affected(`{` + pkg + `, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0", "fixed": "1"}]}]}`), "not several"},
		{"an event at a number", affected(`{` + pkg + `, "ranges": [{"type": "SEMVER", "events": [{"fixed": 1.2}]}]}`), "events[0].fixed: must be a string"},
		{"a version that is too long", affected(`{` + pkg + `, "versions": ["` + strings.Repeat("1", 513) + `"]}`), "affected[0].versions[0]: is 513 bytes long"},
		{
			"too many versions in all", affected(repeated(`{`+pkg+`, "versions": [`+repeated(`"1.0.0"`, 10_001)+`]}`, 10)),
			"affected[9].versions: the advisory holds more than 100000 versions",
		},
		{"too many events in all", affected(`{` + pkg + `, "ranges": [{"type": "SEMVER", "events": [` + repeated(`{"fixed":"1"}`, 20_001) + `]}]}`), "affected[0].ranges[0].events[20000]: the advisory holds more than 20000 events"},
		{"a severity that is a word", `{"id": "a", "severity": ["HIGH"]}`, "severity[0]: must be an object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := advisory.Parse([]byte(c.in))
			if err == nil {
				t.Fatalf("accepted: %+v", got)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error %q does not say %q", err, c.want)
			}
			if !reflect.ValueOf(got).IsZero() {
				t.Errorf("an error with a record: %+v", got)
			}
		})
	}
}

func TestParseTakesTheWordThatSaysSomething(t *testing.T) {
	t.Parallel()
	for _, specific := range []string{
		`"ecosystem_specific": {"urgency": "not yet assigned"}, "database_specific": {"severity": "HIGH"}`,
		`"database_specific": {"severity": "HIGH"}, "ecosystem_specific": {"urgency": "not yet assigned", "severity": 7, "ubuntu_priority": ["low"]}`,
		`"database_specific": {"severity": "HIGH"}, "ecosystem_specific": "low"`,
	} {
		r, err := advisory.Parse([]byte(affected("{" + specific + "}")))
		if err != nil || r.Affected[0].SeverityText != "HIGH" {
			t.Errorf("%s: got %+v, %v", specific, r, err)
		}
	}
}

func TestParseCutsLongTextsAtTheBorderOfACharacter(t *testing.T) {
	t.Parallel()
	in := fmt.Sprintf(`{"id": "a", "modified": "2026-01-01T00:00:00Z", "summary": %q, "details": %q}`, strings.Repeat("é", 5000), strings.Repeat("x", 100_000))
	r, err := advisory.Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Summary) > advisory.MaxSummary || !strings.HasSuffix(r.Summary, "é…") || len(r.Details) != advisory.MaxDetails {
		t.Errorf("summary of %d bytes ends %q, details of %d bytes", len(r.Summary), r.Summary[len(r.Summary)-6:], len(r.Details))
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		whole, affected(`{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.0"]}`), affected(`null`), `{"id": "a"}`, `[]`,
		affected(`{"package": {"ecosystem": "Debian:12", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "1:2~rc1-3"}, {"introduced": "0"}, {"limit": "*"}]}]}`),
		affected(`{"package": {"ecosystem": "Maven", "name": "g:a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1"}, {"introduced": "1"}, {"last_affected": "1"}]}]}`),
		affected(`{"package": {"ecosystem": "X", "name": "a", "purl": "pkg:generic/a"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "x"}]}]}`),
	} {
		f.Add([]byte(seed), "1.0.0")
	}
	f.Fuzz(func(t *testing.T, in []byte, version string) {
		r, err := advisory.Parse(in)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" || r.ID != "" {
				t.Fatalf("an error without a sentence, or with a record: %q", err)
			}
			return
		}
		if r.ID == "" || len(r.Details) > advisory.MaxDetails {
			t.Fatalf("kept %+v", r)
		}
		r.Rating()
		for i, key := range r.Keys() {
			ecosystem, name, _ := strings.Cut(key, ":")
			p := advisory.Package{Ecosystem: ecosystem, Names: []string{name}, Version: version, PURL: key}
			m, ok := advisory.Affects(r, p)
			switch {
			case !ok && !reflect.ValueOf(m).IsZero():
				t.Fatalf("key %d: no match, and %+v", i, m)
			case ok && m.Undecided != (m.Reason != ""):
				t.Fatalf("key %d: undecided without a reason, or the reverse: %+v", i, m)
			case ok && !m.Undecided && (m.Why == "" || !strings.HasPrefix(m.Range, "vers:")):
				t.Fatalf("key %d: a match that does not say why: %+v", i, m)
			}
		}
	})
}
