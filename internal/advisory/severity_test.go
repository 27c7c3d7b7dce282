package advisory_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

const (
	vector2  = "AV:N/AC:L/Au:N/C:P/I:P/A:P"
	vector30 = "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	vector31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
	vector4  = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"
)

// TestRateScoresAsTheStandardsSay uses scores that FIRST publishes for these vectors.
func TestRateScoresAsTheStandardsSay(t *testing.T) {
	t.Parallel()
	cases := []struct {
		vector, version string
		score           float64
		level           advisory.Level
	}{
		{vector2, "2.0", 7.5, advisory.High},
		{"(" + vector2 + ")", "2.0", 7.5, advisory.High},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 10, advisory.High},
		{"AV:L/AC:H/Au:M/C:N/I:N/A:N", "2.0", 0, advisory.Low},
		{vector30, "3.0", 9.8, advisory.Critical},
		{vector31, "3.1", 6.1, advisory.Medium},
		{"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "3.1", 1.8, advisory.Low},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0, advisory.None},
		{vector4, "4.0", 10, advisory.Critical},
	}
	for _, c := range cases {
		got, err := advisory.Rate(c.vector)
		if err != nil || got.Version != c.version || got.Score != c.score || got.Level != c.level {
			t.Errorf("%s: got %+v, %v, want %s %.1f %s", c.vector, got, err, c.version, c.score, c.level)
		}
	}
	for _, wrong := range []string{"", "7.5", "HIGH", "CVSS:3.1/AV:N", "CVSS:5.0/AV:N", vector31 + "/AV:N", "CVSS:3.1/" + strings.Repeat("A", 1000)} {
		if got, err := advisory.Rate(wrong); err == nil || got != (advisory.Rating{}) {
			t.Errorf("%q is rated %+v", wrong, got)
		}
	}
}

func TestTheNewestVectorIsTheRatingAndWordsComeLast(t *testing.T) {
	t.Parallel()
	given := func(scores ...string) (list []advisory.Severity) {
		for _, s := range scores {
			list = append(list, advisory.Severity{Type: "CVSS", Score: s})
		}
		return list
	}
	in := func(a advisory.Affected) []advisory.Affected { return []advisory.Affected{{}, a} }
	cases := []struct {
		name    string
		record  advisory.Record
		version string
		level   advisory.Level
	}{
		{"nothing", advisory.Record{}, "", advisory.Unknown},
		{"4.0 before what is worse in 3.0", advisory.Record{Severities: given(vector30, "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", vector2)}, "4.0", advisory.Low},
		{"a wrong vector is passed over", advisory.Record{Severities: given("CVSS:4.0/x", vector31)}, "3.1", advisory.Medium},
		{"the worse of two", advisory.Record{Severities: given(vector31, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")}, "3.1", advisory.Critical},
		{"the record before its entries", advisory.Record{Severities: given(vector31), Affected: in(advisory.Affected{Severities: given(vector4)})}, "3.1", advisory.Medium},
		{"an entry", advisory.Record{SeverityText: "LOW", Affected: in(advisory.Affected{Severities: given(vector4)})}, "4.0", advisory.Critical},
		{"a word of GitHub", advisory.Record{SeverityText: "MODERATE"}, "", advisory.Medium},
		{"a priority of Ubuntu", advisory.Record{Severities: given("negligible")}, "", advisory.Low},
		{"an urgency of Debian", advisory.Record{Affected: in(advisory.Affected{SeverityText: "unimportant"})}, "", advisory.Low},
		{"a word of Red Hat", advisory.Record{SeverityText: "Important"}, "", advisory.High},
		{"a word in capitals", advisory.Record{SeverityText: "CRITICAL"}, "", advisory.Critical},
		{"none", advisory.Record{SeverityText: "none"}, "", advisory.None},
		{"the worst word", advisory.Record{SeverityText: "low", Affected: in(advisory.Affected{Severities: given("high")})}, "", advisory.High},
		{"a word that is none", advisory.Record{SeverityText: "not yet assigned"}, "", advisory.Unknown},
	}
	for _, c := range cases {
		got := c.record.Rating()
		if got.Version != c.version || got.Level != c.level {
			t.Errorf("%s: got %+v, want %q %s", c.name, got, c.version, c.level)
		}
	}
}

func FuzzRate(f *testing.F) {
	for _, seed := range []string{vector2, vector30, vector31, vector4, "", "CVSS:4.0/", "CVSS:3.1/AV:N/AV:N"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, vector string) {
		r, err := advisory.Rate(vector)
		if err == nil && (!(r.Score >= 0 && r.Score <= 10) || r.Level == advisory.Unknown || r.Version == "") {
			t.Fatalf("%q is rated %+v", vector, r)
		}
	})
}
