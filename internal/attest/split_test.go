package attest_test

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/attest"
)

const someBundle = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "x" :[1.0]}`

func TestSplitAttestationsGivesTheBytesThatWereSent(t *testing.T) {
	pretty := "{\n  \"payload\": \"eA==\",\n  \"payloadType\": \"t\"\n}"
	for name, c := range map[string]struct {
		raw  string
		want []string
	}{
		"one envelope":           {" " + goodEnvelope + "\n", []string{goodEnvelope}},
		"one on several lines":   {pretty, []string{pretty}},
		"one bundle":             {someBundle, []string{someBundle}},
		"JSON lines":             {someBundle + "\n\n" + goodEnvelope + "\r\n" + pretty, []string{someBundle, goodEnvelope, pretty}},
		"the API of GitHub":      {`{"attestations":[{"bundle": ` + someBundle + ` ,"repository_id":1,"bundle_url":"https://x"}]}`, []string{someBundle}},
		"the API of npm":         {`{"attestations":[{"predicateType":"p","bundle":` + someBundle + `},{"bundle":` + someBundle + `}]}`, []string{someBundle, someBundle}},
		"gh verify":              {`[{"attestation":{"bundle":` + someBundle + `,"bundle_url":""},"verificationResult":{}}]`, []string{someBundle}},
		"an array of bundles":    {"[" + someBundle + "," + goodEnvelope + "]", []string{someBundle, goodEnvelope}},
		"an array, and one more": {"[" + someBundle + "]\n" + `{"attestations":[{"bundle":` + someBundle + "}]}", []string{someBundle, someBundle}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := attest.SplitAttestations([]byte(c.raw), 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %d: %s", len(got), got)
			}
			for i := range got {
				if string(got[i]) != c.want[i] {
					t.Errorf("[%d] is %s", i, got[i])
				}
			}
		})
	}
}

func TestSplitAttestationsRefusesAndNamesTheLine(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"nothing":                  {" \n", "no attestation"},
		"broken":                   {someBundle + "\n\n{\"payload\":", "line 3: "},
		"a duplicate":              {someBundle + "\n" + `{"payload":"a","payload":"b"}`, "line 2: "},
		"something else":           {someBundle + "\n" + `{"bomFormat":"CycloneDX"}`, "line 2: neither"},
		"a text":                   {`"text"`, "line 1: must be a JSON object"},
		"an array of texts":        {`["text"]`, "line 1: [0]: must be a JSON object"},
		"an address only":          {`{"attestations":[{"bundle":null,"bundle_url":"https://x"}]}`, "line 1: attestations[0]: has no bundle, only its address"},
		"an address, and no null":  {`[{"attestation":{"bundle_url":"https://x"}}]`, "line 1: [0].attestation: has no bundle, only its address"},
		"no attestations":          {`{"attestations":[]}`, "line 1: attestations: must not be empty"},
		"attestations of nothing":  {`{"attestations":[{}]}`, "line 1: attestations[0]: neither"},
		"a bundle that is none":    {`{"attestations":[{"bundle":{"mediaType":"x"}}]}`, "line 1: attestations[0].bundle: neither"},
		"a bundle that is a text":  {`{"attestations":[{"bundle":"x"}]}`, "line 1: attestations[0].bundle: must be"},
		"too many lines":           {strings.Repeat(someBundle+"\n", 4), "line 4: more than 3 attestations"},
		"too many in a list":       {"[" + strings.Repeat(someBundle+",", 3) + someBundle + "]", "line 1: has 4 elements, at most 3"},
		"too deep":                 {strings.Repeat("[", 200) + strings.Repeat("]", 200), "line 1: "},
		"a list within a list":     {"[[" + someBundle + "]]", "line 1: [0]: must be a JSON object"},
		"invalid text in a bundle": {someBundle[:len(someBundle)-1] + ",\"y\":\"\xff\"}", "line 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attest.SplitAttestations([]byte(c.raw), 3)
			wantError(t, err, c.want)
		})
	}
}
