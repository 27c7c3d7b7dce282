package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// folderPolicy is a policy of a folder, in the form of CreatePolicyInput. What is not given is what the server takes then.
type folderPolicy struct {
	Name            string      `json:"name"`
	Rules           []string    `json:"rules"`
	Mode            string      `json:"mode"`
	Gate            policyGate  `json:"gate"`
	Scope           policyScope `json:"scope"`
	Waivable        *bool       `json:"waivable,omitempty"`
	WaiverApprovals *int        `json:"waiverApprovals,omitempty"`
	WaiverMaxDays   *int        `json:"waiverMaxDays,omitempty"`
	Enabled         *bool       `json:"enabled,omitempty"`
}

type policyGate struct {
	Stage string `json:"stage"`
	Kind  string `json:"kind"`
}

type policyScope struct {
	Type            string        `json:"type"`
	ProjectKeys     []string      `json:"projectKeys,omitempty"`
	ApplicationKeys []string      `json:"applicationKeys,omitempty"`
	Labels          []policyLabel `json:"labels,omitempty"`
	Criticality     []string      `json:"criticality,omitempty"`
}

type policyLabel struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// eachFile reads the files of a folder, one thing in each, in the order of their names.
func eachFile[T any](folder, kind string, into *[]T) error {
	files, err := filepath.Glob(filepath.Join(folder, kind, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		var one T
		if err := readJSONFile(file, &one); err != nil {
			return err
		}
		*into = append(*into, one)
	}
	return nil
}

// readJSONFile reads exactly one JSON value; a member that is not known is a typo.
func readJSONFile(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: there is more than one value in it", file)
	}
	return nil
}

// agree refuses names that are missing or taken twice.
func (f *policyFolder) agree() error {
	unique := func(kind string, names []string) error {
		slices.Sort(names)
		for i, name := range names {
			switch {
			case name == "":
				return fmt.Errorf("%w: %s/%s: a file gives no name", errWrongCall, f.path, kind)
			case i > 0 && names[i-1] == name:
				return fmt.Errorf("%w: %s/%s: %q is there twice", errWrongCall, f.path, kind, name)
			}
		}
		return nil
	}
	rules, policies := make([]string, len(f.rules)), make([]string, len(f.policies))
	for i := range f.rules {
		if f.rules[i].Parameters == nil {
			f.rules[i].Parameters = json.RawMessage(`{}`)
		}
		rules[i] = f.rules[i].Name
	}
	for i, p := range f.policies {
		policies[i] = p.Name
	}
	return errors.Join(unique("rules", rules), unique("policies", policies))
}
