package attest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
)

func TestParseStatement_RefusesWhatIdentifiesNothing(t *testing.T) {
	digest := `{"sha256":"` + sha256Hex + `"}`
	subject := `[{"name":"shop","digest":` + digest + `}]`
	for name, c := range map[string]struct{ change, says string }{
		"another type":                      {`Statement/v1→Statement/v2`, "_type: "},
		"no type":                           {`"_type"→"type"`, "_type: missing"},
		"a type in another case":            {`"_type"→"_Type"`, "_type: missing"},
		"a type that is null":               {`"https://in-toto.io/Statement/v1"→null`, "_type: must be a string"},
		"no subject":                        {`"subject"→"subjects"`, "subject: missing"},
		"a subject that is no list":         {subject + `→{}`, "subject: must be a JSON array"},
		"null for subjects":                 {subject + `→null`, "subject: must be a JSON array"},
		"an empty list of subjects":         {subject + `→[]`, "subject: must not be empty"},
		"a subject that is a string":        {`{"name":"shop","digest":` + digest + `}→"shop"`, "subject[0]: must be a JSON object"},
		"a subject with a name alone":       {`,"digest":` + digest + `→`, "subject[0].digest: missing"},
		"a subject with an empty digest":    {digest + `→{}`, "subject[0].digest: must hold at least one digest"},
		"a digest that is a number":         {`"` + sha256Hex + `"→7`, "subject[0].digest.sha256: must be a string"},
		"an empty digest":                   {sha256Hex + `→`, "subject[0].digest.sha256: has 0"},
		"a digest that is too short":        {sha256Hex + `→` + sha256Hex[2:], "has 62 hexadecimal digits, expected 64"},
		"a digest of the wrong algorithm":   {`"sha256"→"sha512"`, "has 64 hexadecimal digits, expected 128"},
		"a digest in upper case":            {sha256Hex + `→` + strings.ToUpper(sha256Hex), "not lower-case hexadecimal"},
		"a digest with its prefix":          {sha256Hex + `→sha256:` + sha256Hex, "not lower-case hexadecimal"},
		"an opaque digest that is empty":    {digest + `→{"dirHash":""}`, "subject[0].digest.dirHash: must be 1 to 256"},
		"an opaque digest that is long":     {digest + `→{"dirHash":"` + strings.Repeat("x", 257) + `"}`, "must be 1 to 256"},
		"an algorithm without a name":       {digest + `→{"":"x"}`, "the name of an algorithm"},
		"a name that is too long":           {`"shop"→"` + strings.Repeat("n", 2049) + `"`, "subject[0].name: is 2049 bytes long"},
		"a name that is a number":           {`"shop"→1`, "subject[0].name: must be a string"},
		"no predicate type":                 {`"predicateType"→"predicateTyp"`, "predicateType: missing"},
		"an empty predicate type":           {`https://example.com/p/v1→`, "predicateType: must not be empty"},
		"a predicate type that is too long": {`https://example.com/p/v1→` + strings.Repeat("p", 513), "predicateType: is 513 bytes long"},
		"a subject said twice":              {`"subject"→"subject":[],"subject"`, "statement: not valid JSON"},
		"a digest said twice":               {digest + `→{"sha256":"` + sha256Hex + `","sha256":"` + sha256Hex + `"}`, "statement: not valid JSON"},
		"a second document":                 {`{"n":1}}→{"n":1}} {}`, "statement: expected one JSON value"},
		"invalid UTF-8":                     {`shop→` + "\xff", "statement: not valid JSON"},
		"a predicate nested too deep":       {`{"n":1}→` + strings.Repeat("[", 65) + strings.Repeat("]", 65), "nested deeper than 64"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseStatement([]byte(statementJSON(c.change)))
			wantError(t, err, c.says)
		})
	}
	for name, payload := range map[string]string{"nothing": "", "null": "null", "a list": "[]", "a string": `"x"`, "half": `{"_type":`} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.ParseStatement([]byte(payload))
			wantError(t, err, "")
		})
	}
}

func TestParseStatement_BoundsSubjectsAndDigests(t *testing.T) {
	one := `{"digest":{"sha256":"` + sha256Hex + `"}}`
	withSubjects := func(list string) []byte {
		return []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[` + list + `]}`)
	}
	if _, err := attest.ParseStatement(withSubjects(one + strings.Repeat(","+one, attest.MaxSubjects-1))); err != nil {
		t.Errorf("as many subjects as allowed: %v", err)
	}
	_, err := attest.ParseStatement(withSubjects(one + strings.Repeat(","+one, attest.MaxSubjects)))
	wantError(t, err, "subject: has 16385 elements, at most 16384")

	var digests []string
	for i := range attest.MaxSubjectDigests + 1 {
		digests = append(digests, fmt.Sprintf(`"own%d":"x"`, i))
	}
	_, err = attest.ParseStatement(withSubjects(`{"digest":{` + strings.Join(digests, ",") + `}}`))
	wantError(t, err, "subject[0].digest: has 17 digests, at most 16")
}

func TestParseStatement_ReadsBothVersionsAndForeignMembers(t *testing.T) {
	for name, change := range map[string]string{
		"version 1":                      "",
		"version 0.1":                    `Statement/v1→Statement/v0.1`,
		"members that in-toto ignores":   `"predicate":→"extra":{"a":[1]},"predicate":`,
		"annotations on a subject":       `"name":"shop"→"name":"shop","annotations":{"a":{"b":1}}`,
		"a commit as subject":            `"sha256":"` + sha256Hex + `"→"gitCommit":"` + strings.Repeat("a", 40) + `"`,
		"a commit of a SHA-256 history":  `"sha256":"` + sha256Hex + `"→"gitCommit":"` + sha256Hex + `"`,
		"an algorithm nobody knows":      `"sha256":"` + sha256Hex + `"→"dirHash":"h1:Zm9v"`,
		"a predicate that is only text":  `{"n":1}→"SPDXVersion: SPDX-2.3"`,
		"no predicate":                   `,"predicate":{"n":1}→`,
		"white space around the members": `{"n":1}→ {"n": 1}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			st, err := attest.ParseStatement([]byte(statementJSON(change)))
			if err != nil {
				t.Fatal(err)
			}
			if len(st.Subject) != 1 || len(st.Subject[0].Digest) != 1 || st.PredicateType != "https://example.com/p/v1" {
				t.Errorf("read as %+v", st)
			}
		})
	}
}

func TestRule36_UnknownPredicatesAreReadAsTheyStand(t *testing.T) {
	st, err := attest.ParseStatement([]byte(statementJSON(`{"n":1}→{"n":1e2,"z":null,"a":[ ]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(st.Predicate); got != `{"n":1e2,"z":null,"a":[ ]}` {
		t.Errorf("the predicate became %s", got)
	}
}

func TestNewStatement_RefusesWhatItCouldNotReadBack(t *testing.T) {
	good := subjects()
	for name, c := range map[string]struct {
		subjects      []attest.Subject
		predicateType string
		predicate     any
		says          string
	}{
		"no subjects":                   {nil, "p", struct{}{}, "subject: must not be empty"},
		"too many subjects":             {make([]attest.Subject, attest.MaxSubjects+1), "p", struct{}{}, "subject: has 16385"},
		"a subject without digest":      {[]attest.Subject{{Name: "shop"}}, "p", struct{}{}, "subject[0].digest"},
		"a digest that is no digest":    {[]attest.Subject{{Digest: map[string]string{"sha256": "sha256:00"}}}, "p", struct{}{}, "subject[0].digest.sha256"},
		"no predicate type":             {good, "", struct{}{}, "predicateType"},
		"a predicate that is a list":    {good, "p", []int{1}, "predicate: must be a JSON object"},
		"a predicate that is null":      {good, "p", nil, "predicate: must be a JSON object"},
		"a predicate JSON cannot carry": {good, "p", map[string]any{"n": math.Inf(1)}, "predicate: "},
		"a predicate with one key twice": {
			good, "p", json.RawMessage(`{"a":1,"a":2}`), "predicate: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.NewStatement(c.subjects, c.predicateType, c.predicate)
			wantError(t, err, c.says)
		})
	}
}

func TestVSA_RefusesWhatSLSAWouldNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*attest.VSA)
		says   string
	}{
		"nobody verified":             {func(v *attest.VSA) { v.Verifier.ID = "" }, "verifier.id"},
		"no instant":                  {func(v *attest.VSA) { v.TimeVerified = time.Time{} }, "timeVerified"},
		"no resource":                 {func(v *attest.VSA) { v.ResourceURI = "" }, "resourceUri"},
		"no policy":                   {func(v *attest.VSA) { v.Policy = attest.Resource{} }, "policy: needs"},
		"a policy digest with prefix": {func(v *attest.VSA) { v.Policy.Digest["sha256"] = "sha256:" + sha256Hex }, "policy.digest.sha256"},
		"an input that is nothing":    {func(v *attest.VSA) { v.InputAttestations = make([]attest.Resource, 1) }, "inputAttestations[0]"},
		"no result":                   {func(v *attest.VSA) { v.Result = "" }, "verificationResult"},
		"a result in lower case":      {func(v *attest.VSA) { v.Result = "passed" }, "verificationResult"},
		"an empty level":              {func(v *attest.VSA) { v.VerifiedLevels = []string{""} }, "verifiedLevels[0]"},
		"a level without track":       {func(v *attest.VSA) { v.VerifiedLevels = []string{"OWN", "SLSA_LEVEL_2"} }, "verifiedLevels[1]"},
		"a level without number":      {func(v *attest.VSA) { v.VerifiedLevels = []string{"SLSA_BUILD_LEVEL_X"} }, "verifiedLevels[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			v := passedVSA()
			c.change(&v)
			_, err := v.Statement(subjects())
			wantError(t, err, c.says)
		})
	}
}

func TestRule30_TheVSAIsUnextended(t *testing.T) {
	st, err := passedVSA().Statement(subjects())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"inputAttestations":[{"digest":{"sha256":"` + sha256Hex + `"}}],` +
		`"policy":{"digest":{"sha256":"` + sha256Hex + `"},"uri":"plimsoll://policies/prod"},` +
		`"resourceUri":"plimsoll://shop/1.4.0","slsaVersion":"1.1","timeVerified":"2026-11-21T03:00:00Z",` +
		`"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_2","TRUSTED_RELEASE"],` +
		`"verifier":{"id":"https://plimsoll.example/verifier","version":{"plimsoll":"0.1.0"}}}`
	if string(st.Predicate) != want {
		t.Errorf("predicate is\n%s\nwant\n%s", st.Predicate, want)
	}
	if st.PredicateType != "https://slsa.dev/verification_summary/v1" {
		t.Errorf("predicate type is %s", st.PredicateType)
	}

	none := attest.VSA{Verifier: attest.Verifier{ID: "v"}, TimeVerified: passedVSA().TimeVerified, ResourceURI: "r", Policy: attest.Resource{URI: "p"}, Result: attest.Failed}
	st, err = none.Statement(subjects())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(st.Predicate), `"verifiedLevels":[]`) {
		t.Errorf("no levels must be an empty list: %s", st.Predicate)
	}
}
