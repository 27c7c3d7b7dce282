package advisory_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

// written is a record with one entry, of which the text is the rest after the package.
func written(rest string) string {
	return `{"id":"T-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},` + rest + `}]}`
}

func TestBadAdvisoriesAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat(`"X-1",`, 10_000), ",")
	for name, c := range map[string]struct{ text, want string }{
		"a range without events":      {written(`"ranges":[{"type":"SEMVER"}]`), "affected[0].ranges[0]: events: missing"},
		"a range with none":           {written(`"ranges":[{"type":"SEMVER","events":[]}]`), "events: missing"},
		"a range of no type":          {written(`"ranges":[{"events":[{"introduced":"0"}]}]`), "type: missing"},
		"a range that is a word":      {written(`"ranges":"all"`), "must be a list"},
		"an event that is a number":   {written(`"ranges":[{"type":"SEMVER","events":[{"introduced":0}]}]`), "must be a string"},
		"an event that is two":        {written(`"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1"}]}]`), "not several"},
		"an event that is none":       {written(`"ranges":[{"type":"SEMVER","events":[{}]}]`), "must be one of"},
		"a blank version":             {written(`"ranges":[{"type":"SEMVER","events":[{"introduced":" "}]}]`), "is blank"},
		"a version of a megabyte":     {written(`"versions":["` + strings.Repeat("1", 1<<20) + `"]`), "is 1048576 bytes long; at most 512 are read"},
		"a version with a NUL":        {written(`"versions":["1\u0000"]`), "control character"},
		"aliases without end":         {`{"id":"T-1","modified":"2024-01-01T00:00:00Z","aliases":[` + many + `]}`, "aliases[1000]: is one too many; at most 1000 are read"},
		"an alias that is not a text": {`{"id":"T-1","modified":"2024-01-01T00:00:00Z","aliases":[["CVE-2024-1"]]}`, "must be a string"},
		"bytes that are no UTF-8":     {"{\"id\":\"T-\xff\",\"modified\":\"2024-01-01T00:00:00Z\"}", "UTF-8"},
		"a record beyond the limit":   {`{"details":"` + strings.Repeat("x", advisory.MaxRecord) + `"}`, "at most 4194304 are read"},
		"a member twice":              {`{"id":"T-1","id":"T-2","modified":"2024-01-01T00:00:00Z"}`, "duplicate"},
		"an hour that is none":        {`{"id":"T-1","modified":"NaN"}`, "must be a time"},
	} {
		if _, err := advisory.Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.300v, want %q", name, err, c.want)
		}
	}
}

// absurd are versions that somebody will write.
func absurd() []string {
	return []string{
		"", " ", "v", "V", "vv1", "-1", "-1.-2.-3", "00001.0002.0003", "1." + strings.Repeat("0", 500), "1000000000000000000000000000000", "1.2.3.4.5.6.7.8.9",
		strings.Repeat("9", 512), strings.Repeat("1.", 256), strings.Repeat("9", 513), strings.Repeat("9", 1<<20), "１.２.３", "1.0\u202e", "1.0\u0000", "日本", "\xff\xfe", "1.0.0-", "1.0.0+",
		"NaN", "Infinity", "1e30", "0x10", "~1", "^1", "*", "latest", "${project.version}", "$Format:%h$", "1:2:3", "1!2!3", "refs/heads/main", "../../etc/passwd",
		"1.0.0-" + strings.Repeat("a.", 200), "1.0;DROP TABLE advisories", strings.Repeat("~", 400) + "1", strings.Repeat("1-", 200), strings.Repeat("a1", 256),
	}
}

// TestAbsurdVersionsEndInAnAnswer asks every ecosystem about each of them, as a version, an event and in a list. Whatever cannot
// be compared is an error or undecided, and what is listed is found.
func TestAbsurdVersionsEndInAnAnswer(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for _, ecosystem := range []string{
		"npm", "PyPI", "Maven", "Go", "NuGet", "crates.io", "RubyGems", "Packagist", "Pub", "Hex", "GitHub Actions", "SwiftURL", "ConanCenter", "CRAN", "Bioconductor",
		"Bitnami", "Hackage", "Julia", "VSCode", "Debian:12", "Ubuntu:22.04", "Alpine:v3.18", "Red Hat:enterprise_linux:9", "SUSE:15", "Moon", "", "::", "debian",
	} {
		for _, v := range absurd() {
			if n, err := advisory.Compare(ecosystem, v, v); err == nil && n != 0 {
				t.Errorf("%s: %.40q is not itself: %d", ecosystem, v, n)
			}
			up, err1 := advisory.Compare(ecosystem, v, "1.2.3")
			down, err2 := advisory.Compare(ecosystem, "1.2.3", v)
			if (err1 == nil) != (err2 == nil) || up != -down {
				t.Errorf("%s: %.40q is %d from 1.2.3, and back %d; %.80v, %.80v", ecosystem, v, up, down, err1, err2)
			}
			p := advisory.Package{Ecosystem: ecosystem, Names: []string{"a"}, Version: v, PURL: "pkg:generic/a"}
			ranged := record(advisory.Affected{Ecosystem: ecosystem, Name: "a", Ranges: []advisory.Range{{Type: advisory.RangeEcosystem, Events: []advisory.Event{
				{Kind: advisory.Introduced, Version: "0"}, {Kind: advisory.Fixed, Version: v}, {Kind: advisory.Introduced, Version: v},
			}}}})
			if m, _ := advisory.Affects(ranged, p); len(m.Reason) > 4096 {
				t.Errorf("%s: %.40q: a reason of %d bytes", ecosystem, v, len(m.Reason))
			}
		}
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestWhatIsListedIsFoundHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for _, v := range absurd() {
		if v == "" {
			continue
		}
		p := advisory.Package{Ecosystem: "npm", Names: []string{"a"}, Version: v}
		if m, ok := advisory.Affects(record(advisory.Affected{Ecosystem: "npm", Name: "a", Versions: []string{"7.7.7", v}}), p); !ok || m.Undecided {
			t.Errorf("%.40q is listed: %t, %+.200v", v, ok, m)
		}
	}
}

// TestAliasesThatGoAroundAreOneVulnerability goes around in circles of many lengths.
func TestAliasesThatGoAroundAreOneVulnerability(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, advisory.MaxGroup, advisory.MaxGroup + 1, 10_000} {
		var records []advisory.Names
		for i := range n {
			records = append(records, advisory.Names{ID: fmt.Sprintf("X-%05d", i), Aliases: []string{fmt.Sprintf("X-%05d", (i+1)%n), fmt.Sprintf("X-%05d", i)}})
		}
		of := advisory.Groups(records)
		want := "X-00000"
		if n > advisory.MaxGroup {
			want = fmt.Sprintf("X-%05d", n-1) // too many to be one: each stands for itself
		}
		if got := of[fmt.Sprintf("X-%05d", n-1)]; got != want || len(of) != n {
			t.Errorf("a circle of %d: %s of %d, want %s", n, got, len(of), want)
		}
	}
}

// TestAnAdvisoryForEverythingIsJudgedInBoundedTime takes the largest records there can be, and thousands of packages.
func TestAnAdvisoryForEverythingIsJudgedInBoundedTime(t *testing.T) {
	t.Parallel()
	var all, long, listed advisory.Record
	for i := range advisory.MaxAffected {
		all.Affected = append(all.Affected, entry("npm", fmt.Sprintf("p%d", i), "0"))
	}
	events := strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(&events, "%d.0.0 -%d.5.0 ", i, i)
	}
	long.Affected = []advisory.Affected{entry("npm", "p1", events.String())}
	var versions []string
	for i := range advisory.MaxVersions {
		versions = append(versions, fmt.Sprintf("%d.0.1", i))
	}
	listed.Affected = []advisory.Affected{entry("npm", "p1", "", versions...)}
	for name, r := range map[string]advisory.Record{"every package": all, "a long range": long, "a long list": listed} {
		began, judge, hits := time.Now(), advisory.NewJudge(r), 0
		for i := range 10_000 {
			p := advisory.Package{Ecosystem: "npm", Names: []string{"p1"}, Version: fmt.Sprintf("%d.0.1", i)}
			if name == "every package" {
				p.Names[0] = fmt.Sprintf("p%d", i)
			}
			if m, ok := judge.Affects(p); ok && !m.Undecided {
				hits++
			}
		}
		if took := time.Since(began); hits != 10_000 || took > 10*time.Second {
			t.Errorf("%s: %d hits in %s", name, hits, took)
		}
	}
}

func TestScoresThatAreNoNumbersAreRefused(t *testing.T) {
	t.Parallel()
	for _, score := range []string{"NaN", "nan", "Infinity", "+Inf", "-Inf", "1e400", "-0.1", "1.0000001", "", "0,5", "0x1p-2000000000000", strings.Repeat("0", 900) + "1"} {
		_, err := advisory.ParseEPSS(strings.NewReader("cve,epss,percentile\nCVE-2024-0001,"+score+",0.5\n"), func(e advisory.EPSS) error {
			if !(e.Score >= 0 && e.Score <= 1) {
				t.Errorf("%q is %v", score, e.Score)
			}
			return nil
		})
		if good := strings.HasPrefix(score, "0x1p-") || strings.HasPrefix(score, "000"); (err == nil) && !good {
			t.Errorf("%q is taken", score)
		}
	}
}

// millions is a zip file of so many small documents.
func millions(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "all.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	for i := range n {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%07d.json", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAZipFileOfAMillionFilesIsRead holds how much memory its list takes, and that more than the limit is refused before anything of
// it is handed over.
func TestAZipFileOfAMillionFilesIsRead(t *testing.T) {
	const n = 1_000_000
	path := millions(t, n)
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	began, seen := time.Now(), 0
	err := advisory.Feed{Source: path}.Walk(t.Context(), func(d advisory.Document) error {
		if seen++; seen == n/2 {
			runtime.GC()
			runtime.ReadMemStats(&during)
		}
		return d.Err
	})
	held := int64(during.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d documents in %s, %d MiB held", seen, time.Since(began), held>>20)
	if err != nil || seen != n || held > 600<<20 || time.Since(began) > time.Minute {
		t.Errorf("%d documents, %d bytes held, %v", seen, held, err)
	}
	for _, most := range []int{n - 1, 1000} {
		seen = 0
		err := advisory.Feed{Source: path, MaxDocuments: most}.Walk(t.Context(), func(advisory.Document) error { seen++; return nil })
		if err == nil || !strings.Contains(err.Error(), "documents") || seen > 0 {
			t.Errorf("at most %d: %v, %d were handed over", most, err, seen)
		}
	}
}

func TestAZipFileThatLeadsOutOrBlowsUp(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	files := []file{
		{"../../../evil.json", "1"},
		{"/etc/evil.json", "2"},
		{`..\..\evil.json`, "3"},
		{"a\x00/../evil.json", "4"},
		{"bomb.json", strings.Repeat("0", advisory.MaxRecord*20)},
		{strings.Repeat("d/", 5000) + "e.json", "5"},
		{"last.json", "6"},
	}
	path := filepath.Join(root, "all.zip")
	if err := os.WriteFile(path, zipped(t, files...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := walked(t, advisory.Feed{Source: path})
	if err != nil || len(got) != len(files) || !strings.Contains(got[4], "larger than 4194304 bytes") || got[6] != "7/7 last.json 6" {
		t.Errorf("%.500q, %v", got, err)
	}
	there, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(there) != 1 {
		t.Errorf("it was unpacked: %v, %v", there, err)
	}
}
