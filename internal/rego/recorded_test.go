package rego_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/rego"
)

const recordedSource = `package acme.recorded

examined contains upper(input.name)

violations contains {"code": "C", "subject": "<s>", "message": sprintf("%d", [data.parameters.n])} if data.parameters.n > 1
`

// capabilities are those of now, altered.
func capabilities(t *testing.T, alter func(map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(rego.Capabilities(), &doc); err != nil {
		t.Fatal(err)
	}
	alter(doc)
	text, err := canonical.JSON(doc)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func without(name string) func(map[string]any) {
	return func(doc map[string]any) {
		var kept []any
		for _, b := range doc["builtins"].([]any) {
			if b.(map[string]any)["name"] != name {
				kept = append(kept, b)
			}
		}
		doc["builtins"] = kept
	}
}

func with(builtin string) func(map[string]any) {
	return func(doc map[string]any) {
		var b any
		_ = json.Unmarshal([]byte(builtin), &b)
		doc["builtins"] = append(doc["builtins"].([]any), b)
	}
}

func TestRule23_ADecisionIsMadeAgainUnderItsOwnCapabilities(t *testing.T) {
	input, err := rego.ParseValue([]byte(`{"name":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	parameters := []byte(`{"n":2}`)
	for name, caps := range map[string][]byte{
		"those of now":         rego.Capabilities(),
		"of an older version":  capabilities(t, without("crypto.sha256")),
		"of one without upper": capabilities(t, without("upper")),
	} {
		p, err := rego.CompileRecorded(context.Background(), []byte(recordedSource), parameters, caps, rego.Limits{})
		if strings.Contains(name, "upper") {
			if err == nil || !strings.Contains(err.Error(), "upper") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Evaluate(context.Background(), input.AsInput(), rego.Limits{Time: time.Minute})
		want := `{"examined":["A"],"violations":[{"code":"C","message":"2","subject":"<s>"}]}`
		if err != nil || !bytes.Equal(got.Raw, []byte(want)) || p.Query() != `{"examined": data.acme.recorded.examined, "violations": data.acme.recorded.violations}` {
			t.Errorf("%s: %s, %v, %s", name, got.Raw, err, p.Query())
		}
	}
}

func TestRule22_CapabilitiesOfStrangersReachNothing(t *testing.T) {
	for name, caps := range map[string][]byte{
		"a host":          capabilities(t, func(doc map[string]any) { doc["allow_net"] = []string{"example.test"} }),
		"any host":        capabilities(t, func(doc map[string]any) { delete(doc, "allow_net") }),
		"null":            capabilities(t, func(doc map[string]any) { doc["allow_net"] = nil }),
		"http.send":       capabilities(t, with(`{"name":"http.send","decl":{"args":[{"type":"any"}],"result":{"type":"any"},"type":"function"}}`)),
		"the environment": capabilities(t, with(`{"name":"opa.runtime","decl":{"result":{"type":"any"},"type":"function"}}`)),
		"no JSON":         []byte("{"),
	} {
		if _, err := rego.CompileRecorded(context.Background(), []byte(recordedSource), []byte(`{}`), caps, rego.Limits{}); err == nil {
			t.Errorf("%s is allowed", name)
		}
	}
	for name, source := range map[string]string{
		"too long": recordedSource + strings.Repeat("#", rego.MaxSource), "empty": "", "no Rego": "package", "a comment": "# a",
		"what does not compile": "package a\n\nx := y",
	} {
		if _, err := rego.CompileRecorded(context.Background(), []byte(source), []byte(`{}`), rego.Capabilities(), rego.Limits{}); err == nil {
			t.Errorf("%s is compiled", name)
		}
	}
	if _, err := rego.CompileRecorded(context.Background(), []byte(recordedSource), []byte(`[]`), rego.Capabilities(), rego.Limits{}); err == nil {
		t.Error("parameters that are no object are taken")
	}
}
