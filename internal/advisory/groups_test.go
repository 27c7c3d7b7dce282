package advisory_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/plimsoll/plimsoll/internal/advisory"
)

func names(id string, aliases ...string) advisory.Names {
	return advisory.Names{ID: id, Aliases: aliases}
}

func chain(n int) (list []advisory.Names) {
	for i := range n - 1 {
		list = append(list, names(fmt.Sprintf("X-%03d", i), fmt.Sprintf("X-%03d", i+1)))
	}
	return list
}

func TestRecordsThatAliasEachOtherAreOneVulnerability(t *testing.T) {
	t.Parallel()
	many := names("USN-1")
	for i := range 33 {
		many.Aliases = append(many.Aliases, fmt.Sprintf("CVE-2026-%04d", i))
	}
	cases := []struct {
		name    string
		records []advisory.Names
		want    map[string]string
	}{
		{"nothing", nil, map[string]string{}},
		{"one record", []advisory.Names{names("PYSEC-1")}, map[string]string{"PYSEC-1": "PYSEC-1"}},
		{"a CVE stands for the others", []advisory.Names{names("GHSA-a", "CVE-2026-2"), names("GO-1", "CVE-2026-2", "GHSA-a")}, map[string]string{"GHSA-a": "CVE-2026-2", "GO-1": "CVE-2026-2", "CVE-2026-2": "CVE-2026-2"}},
		{"a GHSA stands where there is no CVE", []advisory.Names{names("A-1", "GHSA-b"), names("GHSA-b")}, map[string]string{"A-1": "GHSA-b", "GHSA-b": "GHSA-b"}},
		{"the first of several", []advisory.Names{names("GHSA-a", "CVE-2026-3", "CVE-2026-2")}, map[string]string{"GHSA-a": "CVE-2026-2", "CVE-2026-3": "CVE-2026-2", "CVE-2026-2": "CVE-2026-2"}},
		{"over a third", []advisory.Names{names("A", "B"), names("C", "B")}, map[string]string{"A": "A", "B": "A", "C": "A"}},
		{"a cycle", []advisory.Names{names("A", "B"), names("B", "C"), names("C", "A")}, map[string]string{"A": "A", "B": "A", "C": "A"}},
		{"its own alias, blank and doubled ones", []advisory.Names{names("A", "A", "", "B", "B"), names("")}, map[string]string{"A": "A", "B": "A"}},
		{"two groups", []advisory.Names{names("A", "B"), names("C", "D")}, map[string]string{"A": "A", "B": "A", "C": "C", "D": "C"}},
	}
	for _, c := range cases {
		if got := advisory.Groups(c.records); !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if got := advisory.Groups([]advisory.Names{many, names("GHSA-a", "CVE-2026-0007")}); got["USN-1"] != "USN-1" || got["CVE-2026-0001"] != "CVE-2026-0001" || got["GHSA-a"] != "CVE-2026-0007" {
		t.Errorf("a record that lists all of a release connects nothing: %v", got)
	}
	if got := advisory.Groups(chain(advisory.MaxGroup)); got["X-063"] != "X-000" {
		t.Errorf("the largest group is one: %v", got)
	}
	if got := advisory.Groups(chain(advisory.MaxGroup + 1)); got["X-064"] != "X-064" || got["X-001"] != "X-001" {
		t.Errorf("a larger one is none: %v", got)
	}
}

func TestGroupsDoNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	var records []advisory.Names
	for range 3000 {
		r := names(fmt.Sprintf("GHSA-%d", random.IntN(4000)))
		for range random.IntN(3) {
			kind := []string{"CVE", "GHSA", "OSV"}[random.IntN(3)]
			r.Aliases = append(r.Aliases, fmt.Sprintf("%s-%d", kind, random.IntN(4000)))
		}
		records = append(records, r)
	}
	want := advisory.Groups(records)
	for range 20 {
		random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		for _, r := range records {
			random.Shuffle(len(r.Aliases), func(i, j int) { r.Aliases[i], r.Aliases[j] = r.Aliases[j], r.Aliases[i] })
		}
		if got := advisory.Groups(records); !maps.Equal(got, want) {
			t.Fatal("another order gives other groups")
		}
	}
}

func TestAGiantChainIsGroupedAtOnce(t *testing.T) {
	t.Parallel()
	records := make([]advisory.Names, 200_000)
	for i := range records {
		records[i] = names(fmt.Sprint("X-", i), fmt.Sprint("X-", i+1))
	}
	if got := advisory.Groups(records); len(got) != len(records)+1 {
		t.Errorf("%d ids", len(got))
	}
}
