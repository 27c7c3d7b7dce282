package passport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// MaxParsed is the size in bytes of the largest file that is read as a whole; a larger one is checked by its digest alone.
const MaxParsed = 64 << 20

// maxNesting is how deep the JSON of a passport may be nested.
const maxNesting = 256

// Options are what whoever checks a passport brings along.
type Options struct {
	// ReleaseKeys are public keys, PEM. Without any, those in the passport are believed.
	ReleaseKeys [][]byte
	// LogKeys are keys of the log and its witnesses, a line each. Without any, those in the passport are believed.
	LogKeys []byte
	// Time bounds each evaluation of a rule. Zero means a minute: the server that decided may be a faster machine.
	Time time.Duration
}

// ruleMemory is how much memory the evaluation of a rule may take.
const ruleMemory = 1 << 30

// limits bound one evaluation.
func (o Options) limits() rego.Limits {
	return rego.Limits{Time: cmp.Or(o.Time, time.Minute), Memory: ruleMemory}
}

// verifier is one check of one passport.
type verifier struct {
	ctx    context.Context //nolint:containedctx // of one call of Verify
	fsys   fs.FS
	opts   Options
	report Report

	index Index
	files map[string]File // those that are listed, by path

	keys       []attest.Candidate // of the release
	statements []statement
	inputs     map[string]map[string]bool // what decisions were given of evidence: digest → verified and signer
	decided    map[string]bool            // the names of decisions that statements name
}

// Verify checks the passport that lies in a folder. Whatever is wrong with it stands in the report; an error is of the options,
// or of ctx. Everything in the passport may come from anybody: nothing of it is run but Rego under its capabilities, within
// bounds.
func Verify(ctx context.Context, fsys fs.FS, opts Options) (Report, error) {
	v := &verifier{ctx: ctx, fsys: fsys, opts: opts, files: map[string]File{}, inputs: map[string]map[string]bool{}, decided: map[string]bool{}}
	if err := v.takeKeys(); err != nil {
		return Report{}, err
	}
	v.checkFiles()
	if !v.report.Wrong() { // what fails here fails by accident as well: nothing else is looked at then
		v.checkStatements()
		v.checkStanding()
		v.checkEvidence()
		v.checkDecisions()
		v.checkLog()
	}
	return v.report, ctx.Err()
}

// takeKeys reads the keys that were given.
func (v *verifier) takeKeys() error {
	for _, text := range v.opts.ReleaseKeys {
		key, err := attest.ParsePublicKey(text)
		if err != nil {
			return fmt.Errorf("release key: %w", err)
		}
		v.keys = append(v.keys, attest.Candidate{Key: key})
		v.report.ReleaseKeys = append(v.report.ReleaseKeys, Key{Name: key.Fingerprint(), Given: true})
	}
	if v.opts.LogKeys != nil && len(lines(v.opts.LogKeys)) == 0 {
		return errors.New("log key: there is no key in it")
	}
	return nil
}

// checkFiles holds every file against passport.json, and what is there against what is listed.
func (v *verifier) checkFiles() {
	if why := v.readIndex(); why != "" {
		v.report.wrong(IndexName, "files", why)
		return
	}
	v.report.Application, v.report.Version, v.report.ManifestDigest = v.index.Application, v.index.Version, v.index.ManifestDigest
	found := map[string]bool{}
	err := fs.WalkDir(v.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || name == IndexName:
		case !d.Type().IsRegular():
			v.report.wrong(name, "files", "is neither a file nor a folder")
		case v.files[name].Path == "":
			v.report.wrong(name, "files", "is not in passport.json")
		default:
			found[name] = true
		}
		if len(found) > MaxFiles {
			return ErrTooLarge
		}
		return v.ctx.Err()
	})
	if err != nil {
		v.report.wrong(IndexName, "files", fmt.Sprintf("the files cannot be listed: %v", err))
		return
	}
	for _, f := range v.index.Files {
		switch {
		case f.LeftOut && found[f.Path]:
			v.report.wrong(f.Path, "files", "is there, and passport.json says that it was left out")
		case f.LeftOut:
			v.report.notChecked(f.Path, "files", "was left out")
		case !found[f.Path]:
			v.report.wrong(f.Path, "files", "is missing, and was not left out on purpose")
		default:
			v.checkFile(f)
		}
	}
}

func (v *verifier) checkFile(f File) {
	digest, size, err := v.digestOf(f.Path, f.Size+1)
	switch {
	case err != nil:
		v.report.wrong(f.Path, "files", fmt.Sprintf("cannot be read: %v", err))
	case size != f.Size:
		v.report.wrong(f.Path, "files", "has another size than passport.json says")
	case digest != f.Digest:
		v.report.wrong(f.Path, "files", "was altered: it does not have the digest that passport.json says")
	default:
		v.report.Files++
	}
}

// digestOf reads up to limit bytes of a file.
func (v *verifier) digestOf(name string, limit int64) (digest string, size int64, err error) {
	f, err := v.fsys.Open(name)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	size, err = io.Copy(sum, io.LimitReader(f, limit))
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), size, errors.Join(err, f.Close())
}

// readIndex reads passport.json, and says what is wrong with it. There is one spelling of it.
func (v *verifier) readIndex() string {
	text, err := v.readFile(IndexName)
	if err != nil {
		return fmt.Sprintf("cannot be read: %v", err)
	}
	if err := canonical.Check(text, maxNesting); err != nil {
		return err.Error()
	}
	if err := json.Unmarshal(text, &v.index); err != nil {
		return err.Error()
	}
	again, err := canonical.JSON(v.index)
	switch {
	case v.index.Schema != Schema:
		return "is no passport of this kind: its schema is not " + Schema
	case err != nil || !bytes.Equal(again, text):
		return "is not canonical JSON, or has members that a passport does not have"
	case len(v.index.Files) > MaxFiles:
		return ErrTooLarge.Error()
	}
	total := int64(0)
	for _, f := range v.index.Files {
		if why := f.whyNot(); why != "" {
			return fmt.Sprintf("the entry of %q is not one of a passport: %s", f.Path, why)
		}
		if _, twice := v.files[f.Path]; twice {
			return fmt.Sprintf("names %s twice", f.Path)
		}
		if total += f.Size; total > MaxBytes {
			return ErrTooLarge.Error()
		}
		v.files[f.Path] = f
	}
	return ""
}

// whyNot says what is wrong with an entry.
func (f File) whyNot() string {
	if err := CheckPath(f.Path); err != nil {
		return "its path"
	}
	names := ""
	if f.Kind == KindEvidence || f.Kind == KindEvidenceRecord {
		names = "sha256:" + strings.TrimSuffix(path.Base(f.Path), ".json")
	}
	switch {
	case f.Kind != kindOf(f.Path):
		return "its kind"
	case !canonical.IsDigest(f.Digest):
		return "its digest"
	case f.Size < 0 || f.Size > MaxBytes:
		return "its size"
	case f.Kind == KindEvidence && !f.Is(names), f.Names != "" && f.Names != names:
		return "the digest by which statements name it"
	case f.LeftOut && !f.MayBeLeftOut():
		return "it cannot be left out"
	}
	return ""
}

// places are where the files of each kind lie.
var places = []struct {
	kind Kind
	path *regexp.Regexp
}{
	{KindManifest, regexp.MustCompile(`^manifest\.json$`)},
	{KindAttestation, regexp.MustCompile(`^attestations/[^/]+\.bundle\.json$`)},
	{KindEvidence, regexp.MustCompile(`^evidence/[0-9a-f]{64}$`)},
	{KindEvidenceRecord, regexp.MustCompile(`^evidence/[0-9a-f]{64}\.json$`)},
	{KindDecision, regexp.MustCompile(`^decisions/[A-Za-z0-9_-]+/.`)},
	{KindCheckpoint, regexp.MustCompile(`^log/checkpoint$`)},
	{KindLeaf, regexp.MustCompile(`^log/(0|[1-9][0-9]*)\.leaf$`)},
	{KindProof, regexp.MustCompile(`^log/(0|[1-9][0-9]*)\.tlog-proof$`)},
	{KindReleaseKey, regexp.MustCompile(`^keys/release-[^/]+\.pub$`)},
	{KindLogKey, regexp.MustCompile(`^keys/log\.vkey$`)},
	{KindAnchor, regexp.MustCompile(`^keys/anchors/[^/]+\.(pub|json)$`)},
	{KindGuide, regexp.MustCompile(`^[^/]+$`)},
}

// kindOf is what a file is, by where it lies; empty for a path that no file of a passport has.
func kindOf(name string) Kind {
	for _, p := range places {
		if p.path.MatchString(name) {
			return p.kind
		}
	}
	return ""
}

// of lists the paths of the files of a kind that are there, sorted.
func (v *verifier) of(kind Kind) []string {
	var list []string
	for _, f := range v.index.Files {
		if f.Kind == kind && !f.LeftOut {
			list = append(list, f.Path)
		}
	}
	slices.Sort(list)
	return list
}

// has tells whether a file is listed and there.
func (v *verifier) has(name string) bool {
	f, listed := v.files[name]
	return listed && !f.LeftOut
}

var errLarge = fmt.Errorf("it is larger than %d bytes", MaxParsed)

// readFile reads a file as a whole.
func (v *verifier) readFile(name string) ([]byte, error) {
	f, err := v.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxParsed+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > MaxParsed {
		return nil, errLarge
	}
	return text, nil
}

// readJSON reads a file of strict JSON into a value.
func (v *verifier) readJSON(name string, into any) error {
	text, err := v.readFile(name)
	if err == nil {
		err = canonical.Check(text, maxNesting)
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	return err
}

// lines are those of a text that are not empty.
func lines(text []byte) []string {
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

// openCheckpoint verifies a checkpoint with the keys that were given, or with those in the passport.
func (v *verifier) openCheckpoint(note []byte) (tlog.Opened, error) {
	keys := v.opts.LogKeys
	if keys == nil {
		var err error
		if keys, err = v.readFile("keys/log.vkey"); err != nil {
			return tlog.Opened{}, fmt.Errorf("there is no key of the log in the passport: %w", err)
		}
	}
	return tlog.OpenCheckpoint(note, lines(keys))
}
