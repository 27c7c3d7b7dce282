package passport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/tlog"
)

// checkLog holds the checkpoint against the key of the log, every leaf against the checkpoint, and the statements against the
// leaves.
func (v *verifier) checkLog() {
	const name = "log/checkpoint"
	note, err := v.readFile(name)
	if err != nil {
		v.report.wrong(name, "log", err.Error())
		return
	}
	opened, err := v.openCheckpoint(note)
	if err != nil {
		v.report.wrong(name, "log", fmt.Sprintf("%v (%s)", err, v.logKeys()))
		return
	}
	v.report.Log, v.report.TreeSize, v.report.Witnesses = Key{Name: opened.Origin, Given: v.opts.LogKeys != nil}, opened.Size, opened.Witnesses
	v.report.ok(name, "log")
	for _, key := range opened.Unread {
		v.report.notChecked(name, "log", fmt.Sprintf("the cosignature of %s, whose key is of a kind that is not known here", key))
	}
	logged := map[string]bool{}
	for _, leaf := range v.of(KindLeaf) {
		digests, file, err := v.checkLeaf(leaf, note, opened.Tree)
		if err != nil {
			v.report.wrong(file, "log", err.Error())
			continue
		}
		v.report.Leaves++
		v.report.ok(leaf, "log")
		for _, d := range digests {
			logged[d] = true
		}
	}
	for _, proof := range v.of(KindProof) {
		if !v.has(strings.TrimSuffix(proof, ".tlog-proof") + ".leaf") {
			v.report.wrong(proof, "log", "proves a leaf that is not in the passport")
		}
	}
	for _, s := range v.statements {
		if !logged[s.predicateType+" "+s.digest] {
			v.report.wrong(s.path, "log", "its digest stands in no leaf of the log")
		}
		v.checkEarlier(s, opened)
	}
}

// logKeys says where the keys of the log are from.
func (v *verifier) logKeys() string {
	if v.opts.LogKeys != nil {
		return "the key that was given"
	}
	return "keys/log.vkey"
}

// checkEarlier verifies the checkpoint that stands in a statement.
func (v *verifier) checkEarlier(s statement, newest tlog.Opened) {
	if s.predicate.LogCheckpoint == "" {
		return
	}
	earlier, err := v.openCheckpoint([]byte(s.predicate.LogCheckpoint))
	if err == nil && (earlier.Size > newest.Size || earlier.Origin != newest.Origin) {
		err = fmt.Errorf("it is not an earlier one of the log %q", newest.Origin)
	}
	if err != nil {
		v.report.wrong(s.path, "log", fmt.Sprintf("the checkpoint that stands in it: %v", err))
	}
}

// checkLeaf proves a leaf, and gives the type and the digest of each statement that it holds. After a failure it names the file
// that is wrong.
func (v *verifier) checkLeaf(name string, checkpoint []byte, tree tlog.Tree) (digests []string, file string, err error) {
	leaf, err := v.readFile(name)
	if err != nil {
		return nil, name, err
	}
	file = strings.TrimSuffix(name, ".leaf") + ".tlog-proof"
	text, err := v.readFile(file)
	if err != nil {
		return nil, file, err
	}
	proof, err := tlog.ParseProof(text)
	switch {
	case err != nil:
	case !bytes.Equal(proof.Checkpoint, checkpoint):
		err = fmt.Errorf("is of another checkpoint than log/checkpoint")
	case strconv.FormatInt(proof.Index, 10) != base(name, ".leaf"):
		err = fmt.Errorf("is of another leaf than %s", name)
	default:
		err = proof.Includes(tlog.LeafHash(leaf), tree)
	}
	if err != nil {
		return nil, file, fmt.Errorf("does not prove that %s is in the tree of the checkpoint: %w", name, err)
	}
	normal, err := canonical.Normalize(leaf)
	if err != nil || !bytes.Equal(normal, leaf) {
		return nil, name, fmt.Errorf("is not canonical JSON")
	}
	var event struct {
		Changes []struct {
			Field string `json:"field"`
			To    any    `json:"to"`
		} `json:"changes"`
	}
	if err := json.Unmarshal(leaf, &event); err != nil {
		return nil, name, err
	}
	for _, c := range event.Changes {
		if kind, ok := strings.CutPrefix(c.Field, "attestation "); ok {
			digests = append(digests, fmt.Sprint(kind, " ", c.To))
		}
	}
	return digests, name, nil
}
