package apitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const (
	feedPackages = 200
	feedRecords  = 5000 // five calls of the command
)

// feedOf writes records about packages of npm, of which some share aliases across calls and some come twice.
func feedOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range feedRecords {
		r := record(fmt.Sprintf("OSV-%d", i), fmt.Sprintf("CVE-2024-%04d", i%4000), fmt.Sprintf("p%d", i%feedPackages), fmt.Sprintf("1.%d.0", i%7), "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.json", i)), []byte(text(t, r)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// billOf is a bill of materials of what the records speak of.
func (s *server) billOf() {
	s.t.Helper()
	var parts []object
	for i := range feedPackages {
		parts = append(parts, object{"type": "library", "name": fmt.Sprintf("p%d", i), "version": "1.3.0", "purl": fmt.Sprintf("pkg:npm/p%d@1.3.0", i)})
	}
	content := text(s.t, object{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": parts})
	s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": content, "subjects": []object{{"digest": image}}}})
}

// advisoriesIn is everything that an import wrote, in names and without times: two equal states are one.
func advisoriesIn(t *testing.T, data string) string {
	t.Helper()
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(data, "plimsoll.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("the database does not open: %v", err)
	}
	defer s.Close()
	ctx, read := auth.System(context.Background()), s.Read()
	var lines []string
	for _, m := range read.ComponentMatch.Query().WithComponent().WithAdvisory().WithVulnerability().AllX(ctx) {
		lines = append(lines, fmt.Sprint("match ", m.Edges.Component.Identity, m.Edges.Advisory.Name, m.Edges.Vulnerability.Name, m.Because, m.Vers, m.FixedIn, m.Undecided))
	}
	for _, a := range read.Advisory.Query().WithVulnerability().WithAffected().AllX(ctx) {
		var keys []string
		for _, p := range a.Edges.Affected {
			keys = append(keys, p.PackageKey)
		}
		slices.Sort(keys)
		lines = append(lines, fmt.Sprint("advisory ", a.Name, a.Digest, a.Edges.Vulnerability.Name, keys))
	}
	for _, v := range read.Vulnerability.Query().WithAliases().AllX(ctx) {
		var names []string
		for _, a := range v.Edges.Aliases {
			names = append(names, a.Name)
		}
		slices.Sort(names)
		lines = append(lines, fmt.Sprint("vulnerability ", v.Name, names, v.Summary, v.Severity))
	}
	for _, b := range read.Blob.Query().AllX(ctx) {
		lines = append(lines, "blob "+b.Digest)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// stored is how many vulnerabilities the server has.
func (s *server) stored() int {
	body := `{"query":"{ vulnerabilities(first: 1) { totalCount } }"}`
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/graphql", strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+admin)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	var said struct {
		Data struct {
			Vulnerabilities struct{ TotalCount int }
		}
	}
	_ = json.Unmarshal(content, &said) // what it does not say is nothing
	return said.Data.Vulnerabilities.TotalCount
}

// importing starts the command in a process of its own, and waits until the server has something of it.
func (p process) importing(dir string, more time.Duration) *exec.Cmd {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), os.Args[0], "advisories", "import", "--url", p.url, "--feed", "mirror", dir)
	cmd.Env = append(os.Environ(), commandVariable+"=1", "PLIMSOLL_TOKEN="+admin)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is gone already when the test went well
		_ = cmd.Wait()
	})
	for began := time.Now(); p.stored() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			p.t.Fatalf("nothing is imported: %s", said.String())
		}
	}
	time.Sleep(more)
	return cmd
}

// end stops the server and waits for it.
func (p process) end(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was told to
}

// TestRule39_AnImportThatIsKilledResumes kills the server, or the command, in the middle of an import, runs the command again, and
// compares everything with an import that nobody disturbed.
func TestRule39_AnImportThatIsKilledResumes(t *testing.T) {
	dir := feedOf(t)
	run := func(p process) {
		t.Helper()
		if code, stdout, stderr := p.plimsoll(admin, "advisories", "import", "--feed", "mirror", dir); code != cli.Done {
			t.Fatalf("ended with %d: %s%s", code, stdout, stderr)
		}
	}
	undisturbed := t.TempDir()
	p := spawn(t, undisturbed)
	p.settle("payments", "gateway")
	p.billOf()
	run(p)
	p.end(syscall.SIGTERM)
	want := advisoriesIn(t, undisturbed)
	if n := strings.Count(want, "match "); n < 1000 {
		t.Fatalf("only %d matches: the test asks too little", n)
	}
	for name, kill := range map[string]func(p process, command *exec.Cmd, data string) process{
		"the server": func(p process, command *exec.Cmd, data string) process {
			p.end(syscall.SIGKILL)
			_ = command.Process.Kill()
			return spawn(t, data)
		},
		"the command": func(p process, command *exec.Cmd, _ string) process {
			_ = command.Process.Kill()
			return p
		},
	} {
		for _, later := range []time.Duration{0, 120 * time.Millisecond} {
			data := t.TempDir()
			p := spawn(t, data)
			p.settle("payments", "gateway")
			p.billOf()
			command := p.importing(dir, later)
			p = kill(p, command, data)
			_ = command.Wait() // says that it was killed
			before := p.stored()
			run(p)
			p.end(syscall.SIGTERM)
			t.Logf("%s, %s later: %d vulnerabilities were there", name, later, before)
			if before == 0 {
				t.Errorf("%s: nothing was there after the kill", name)
			}
			if got := advisoriesIn(t, data); got != want {
				t.Errorf("%s was killed: %d lines, want %d", name, strings.Count(got, "\n"), strings.Count(want, "\n"))
			}
		}
	}
}

// TestAnImportNamesItsFeed sends records as of two feeds, and one of them in a format that is not its own.
func TestAnImportNamesItsFeed(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.json": text(t, lodashAdvisory()), "kev.json": `{"vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10"}]}`})
	s.want(cli.Done, admin, "advisories", "import", "--feed", "mirror", filepath.Join(dir, "a.json"))
	s.want(cli.Done, admin, "advisories", "import", "--feed", "cisa", "--format", "kev", filepath.Join(dir, "kev.json"))
	if said := s.want(cli.WrongCall, admin, "advisories", "import", "--feed", "mirror", "--format", "kev", filepath.Join(dir, "kev.json")); !strings.Contains(said, "format") {
		t.Errorf("another format: %s", said)
	}
	if said := s.want(cli.WrongCall, admin, "advisories", "import", "--feed", "No Name", filepath.Join(dir, "a.json")); !strings.Contains(said, "name of a feed") {
		t.Errorf("a name that is none: %s", said)
	}
	if raw := s.post(admin, `{ feeds { name format } }`, nil).raw; !strings.Contains(raw, `"name":"mirror","format":"OSV"`) || !strings.Contains(raw, `"name":"cisa","format":"KEV"`) {
		t.Errorf("feeds: %s", raw)
	}
}
