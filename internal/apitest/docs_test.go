package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// block is a piece of a document that is meant to be run.
type block struct {
	heading, text string
}

// blocks gives the blocks of bash in a document, in their order, each with the heading above it.
func blocks(t *testing.T, path string) (list []block) {
	t.Helper()
	heading, inside := "", false
	for line := range strings.Lines(contentOf(t, path)) {
		switch {
		case inside && strings.TrimSpace(line) == "```":
			inside = false
		case inside:
			list[len(list)-1].text += line
		case strings.TrimSpace(line) == "```bash":
			inside = true
			list = append(list, block{heading: heading})
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "# "))
		}
	}
	return list
}

// reader is somebody who follows a document, in a folder of their own.
type reader struct {
	t      *testing.T
	dir    string
	env    []string
	evalID string
}

// run runs lines as they stand in one bash that ends at the first failure. Where the document has an ellipsis, what it stands for
// is put in its place.
func (r reader) run(dir, text string) (said string, err error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", strings.ReplaceAll(text, "eval-release-…", r.evalID))
	cmd.Dir, cmd.Env = dir, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// follow makes a reader of a service that runs, with the stock tools and the command line on the PATH.
func follow(t *testing.T, p process) reader {
	t.Helper()
	tools := os.Getenv("PLIMSOLL_TOOLS")
	if tools == "" {
		t.Skip("make test builds the tools")
	}
	for _, tool := range []string{"cosign", "slsa-verifier", "opa", "tlogcheck"} {
		if _, err := os.Stat(filepath.Join(tools, tool)); err != nil {
			t.Fatalf("PLIMSOLL_TOOLS is set, but: %v; run scripts/tools %s", err, tool)
		}
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", commandVariable, os.Args[0])
	if err := os.WriteFile(filepath.Join(bin, "plimsoll"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{bin, tools, os.Getenv("PATH")}, string(os.PathListSeparator))
	return reader{t: t, dir: t.TempDir(), env: append(os.Environ(), "PATH="+path, "PLIMSOLL_URL="+p.url, "PLIMSOLL_TOKEN="+admin, "HOME="+t.TempDir())}
}

// firstSession does what README does, and remembers the decision that released.
func (r *reader) firstSession() {
	r.t.Helper()
	list := blocks(r.t, "../../README.md")
	session := ""
	for _, b := range list {
		if b.heading == "A first session" {
			session = b.text
		}
	}
	exported := regexp.MustCompile(`(?m)^export PLIMSOLL_URL=.*….*$`)
	if !exported.MatchString(session) {
		r.t.Fatalf("the first session does not begin with the address and the token: %s", session)
	}
	said, err := r.run(r.dir, exported.ReplaceAllString(session, ""))
	if err != nil || !strings.Contains(said, "TRUSTED_RELEASE") {
		r.t.Fatalf("the first session ends with %v: %s", err, said)
	}
	r.evalID = regexp.MustCompile(`eval-release-[0-9a-f]+`).FindString(said)
	overwrite(r.t, filepath.Join(r.dir, "gateway.tar"), "the gateway")
}

// outcomes are the words that say, in the answers to docs/verify.md, that something is as it was signed.
var outcomes = []struct {
	heading, says string
	times         int
}{
	{"Is it the version?", "manifest.json: OK", 1},
	{"Was it released? (cosign)", "Verified OK", 2},
	{"Was it released? (cosign)", `"trust": "TRUSTED_RELEASE"`, 1},
	{"Did it pass? (slsa-verifier)", "PASSED: SLSA verification passed", 1},
	{"Check the log (a tile-log client)", "it goes on from the checkpoint of", 1},
	{"Was the decision right? (opa)", "outcomes and decision are the same: PASS", 1},
	{"The same by hand", "json: OK", 2},
	{"The same by hand", "the same\n", 1},
}

// TestRule30_TheCommandsOfTheDocumentVerifyAFreshRelease starts the service, does what README does, and then every command of
// docs/verify.md as it stands. Then it changes a byte of each file in a copy, which the command that reads it has to notice.
func TestRule30_TheCommandsOfTheDocumentVerifyAFreshRelease(t *testing.T) {
	r := follow(t, spawn(t, t.TempDir()))
	r.firstSession()
	list := blocks(t, "../../docs/verify.md")
	var all strings.Builder
	for _, b := range list {
		fmt.Fprintf(&all, "echo '@@ %s'\n%s\n", b.heading, b.text)
	}
	said, err := r.run(r.dir, all.String())
	if err != nil {
		t.Fatalf("the commands end with %v: %s", err, said)
	}
	answers := map[string]string{}
	for _, part := range strings.Split(said, "@@ ")[1:] {
		heading, answer, _ := strings.Cut(part, "\n")
		answers[heading] += answer
	}
	for _, v := range outcomes {
		if strings.Count(answers[v.heading], v.says) != v.times {
			t.Errorf("%s: it does not say %q: %s", v.heading, v.says, answers[v.heading])
		}
	}
	r.alternatives(list)
	for _, b := range blocks(t, "../../docs/siem.md") {
		if said, err := r.run(r.dir, b.text); err != nil || !strings.Contains(said, `"next":`) {
			t.Errorf("docs/siem.md, %s: %v: %s", b.heading, err, said)
		}
	}
	for _, c := range changes {
		r.refuses(list, c)
	}
}

// TestRule41_TheCommandsOfTheDocumentCheckTheLog does what docs/log.md says, with the names of this service for those in the document.
func TestRule41_TheCommandsOfTheDocumentCheckTheLog(t *testing.T) {
	data := t.TempDir()
	p := spawn(t, data)
	r := follow(t, p)
	overwrite(t, filepath.Join(r.dir, "log.vkey"), p.fetch("/log/key"))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if status, _, kept := p.readLog("", "/log/checkpoint"); status == http.StatusOK {
			overwrite(t, filepath.Join(r.dir, "kept.checkpoint"), string(kept))
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no checkpoint after ten seconds")
		}
	}
	p.settle("payments", "gateway")
	here := strings.NewReplacer("TLOGCHECK_TOKEN=…", "TLOGCHECK_TOKEN="+admin, "https://plimsoll.example.org", p.url, ".cache/tools/", "", "DIR", data)
	commands := regexp.MustCompile(`(?m)^    ((?:TLOGCHECK_TOKEN=… \S+|plimsoll log verify) .*)$`).FindAllStringSubmatch(contentOf(t, "../../docs/log.md"), -1)
	var said string
	for _, c := range commands {
		answer, err := r.run(r.dir, here.Replace(c[1]))
		if err != nil {
			t.Errorf("%s: %v: %s", c[1], err, answer)
		}
		said += answer
	}
	if len(commands) < 2 || !strings.Contains(said, "it goes on from the checkpoint of") || !strings.Contains(said, "Nothing was rewritten.") {
		t.Errorf("%d commands say %s", len(commands), said)
	}
}

// alternatives are what the document names beside a command: a zip file, and an artifact in place of the manifest.
func (r reader) alternatives(list []block) {
	r.t.Helper()
	export := regexp.MustCompile(`(?m)^(plimsoll evaluation export .*--output )\S+ +# or --output (\S+)$`)
	for _, b := range list {
		switch b.heading {
		case "Was the decision right? (opa)":
			either := export.FindStringSubmatch(b.text)
			if either == nil {
				r.t.Fatalf("%s: no other --output", b.heading)
			}
			if said, err := r.run(r.dir, either[1]+either[2]); err != nil || !strings.Contains(said, "replay.zip: PASS") {
				r.t.Errorf("%s as %s: %v: %s", b.heading, either[2], err, said)
			}
		case "Did it pass? (slsa-verifier)":
			if said, err := r.run(r.dir, strings.ReplaceAll(b.text, "manifest.json", "gateway.tar")); err != nil || !strings.Contains(said, "PASSED") {
				r.t.Errorf("%s for an artifact: %v: %s", b.heading, err, said)
			}
		}
	}
}

// changed is a byte of a file that is not as it was.
type changed struct {
	file string
	// near is what stands where the byte lies; empty for the middle of the file.
	near string
	// heading is that of the commands that have to notice, from the line on that begins as begins says.
	heading, begins string
}

var changes = []changed{
	{"manifest.json", "", "Is it the version?", ""},
	{"manifest.json", "", "Was it released? (cosign)", ""},
	{"manifest.json", "", "Did it pass? (slsa-verifier)", ""},
	{"gateway.tar", "", "Was it released? (cosign)", ""},
	{"release.pub", "", "Was it released? (cosign)", ""},
	{"release.pub", "", "Did it pass? (slsa-verifier)", ""},
	{"release.bundle.json", `"payload":"`, "Was it released? (cosign)", ""},
	{"release.bundle.json", `"sig":"`, "Was it released? (cosign)", ""},
	{"vsa.bundle.json", `"payload":"`, "Did it pass? (slsa-verifier)", ""},
	{"vsa.bundle.json", `"sig":"`, "Did it pass? (slsa-verifier)", ""},
	{"old.checkpoint", "", "Check the log (a tile-log client)", "TLOGCHECK_TOKEN"},
	{"log.vkey", "", "Check the log (a tile-log client)", "TLOGCHECK_TOKEN"},
	{"replay/input.json", "", "Was the decision right? (opa)", "replay/verify.sh"},
	{"input.json", "", "The same by hand", "jq -r .dsseEnvelope"},
	{"capabilities.json", "", "The same by hand", "jq -r .dsseEnvelope"},
	{"input.json", `"eval-entry-`, "The same by hand", "opa eval"},
	{"policy.rego", "violations contains", "The same by hand", "opa eval"},
}

// refuses changes a byte in a copy of the folder, and runs the commands that have to notice it there.
func (r reader) refuses(list []block, c changed) {
	r.t.Helper()
	copied := filepath.Join(r.t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(r.dir)); err != nil {
		r.t.Fatal(err)
	}
	path := filepath.Join(copied, c.file)
	text := []byte(contentOf(r.t, path))
	at := len(text) / 2
	if c.near != "" {
		if at = strings.Index(string(text), c.near); at < 0 {
			r.t.Errorf("%s has no %s", c.file, c.near)
			return
		}
		at += len(c.near) + 1
	}
	text[at] ^= 1
	overwrite(r.t, path, string(text))
	for _, b := range list {
		from := 0
		if c.begins != "" {
			from = strings.Index("\n"+b.text, "\n"+c.begins)
		}
		if b.heading != c.heading || from < 0 {
			continue
		}
		// Whatever the commands before it set stays set.
		if said, err := r.run(copied, "i=0\n"+b.text[from:]); err == nil {
			r.t.Errorf("%s, with a byte changed near %q, passes under %q: %s", c.file, c.near, c.heading, said)
		} else if _, ran := errors.AsType[*exec.ExitError](err); !ran {
			r.t.Errorf("%s: %v", c.heading, err)
		}
		return
	}
	r.t.Errorf("under %q nothing begins with %q", c.heading, c.begins)
}
