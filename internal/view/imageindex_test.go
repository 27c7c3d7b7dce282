package view_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

const (
	ociIndex   = "application/vnd.oci.image.index.v1+json"
	dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
	ociImage   = "application/vnd.oci.image.manifest.v1+json"
)

func imageDigest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// imageIndex is an index with descriptors as JSON.
func imageIndex(mediaType string, manifests ...string) []byte {
	named := ""
	if mediaType != "" {
		named = fmt.Sprintf(`"mediaType":%q,`, mediaType)
	}
	return []byte(`{"schemaVersion":2,` + named + `"manifests":[` + strings.Join(manifests, ",") + `]}`)
}

func image(digest, platform string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":7143%s}`, ociImage, digest, platform)
}

const (
	amd64 = `,"platform":{"os":"linux","architecture":"amd64"}`
	armV8 = `,"platform":{"os":"linux","architecture":"arm64","variant":"v8","os.version":"1"},"annotations":{"a":"b"}`
)

func TestAnImageIndexHoldsItsImagesOnce(t *testing.T) {
	sha512 := "sha512:" + strings.Repeat("ab", 64)
	for _, mediaType := range []string{ociIndex, dockerList, ""} {
		content := imageIndex(mediaType, image(imageDigest(2), armV8), image(imageDigest(1), amd64), image(imageDigest(2), amd64), image(sha512, ""), image(imageDigest(3), ""))
		got, err := view.ReadImageIndex(content)
		if err != nil {
			t.Fatal(err)
		}
		says(t, got, `[{"Digest":"`+imageDigest(2)+`","MediaType":"`+ociImage+`","Platform":"linux/arm64/v8","Size":7143},
{"Digest":"`+imageDigest(1)+`","MediaType":"`+ociImage+`","Platform":"linux/amd64","Size":7143},
{"Digest":"`+imageDigest(3)+`","MediaType":"`+ociImage+`","Platform":"","Size":7143}]`)
		if v, known, err := view.Read(view.ImageIndexType, content); !known || err != nil || v != (view.View{}) {
			t.Errorf("an index is read as %+v, known %v: %v", v, known, err)
		}
		for _, as := range []string{"", "application/json", ociIndex, dockerList} {
			want := mediaType
			if want == "" {
				want = ociIndex
			}
			if found, err := view.Detect(as, content); err != nil || found.PredicateType != view.ImageIndexType || found.MediaType != want || found.Sbom {
				t.Errorf("%q as %q is %+v: %v", mediaType, as, found, err)
			}
		}
	}
	if got, err := view.ReadImageIndex(imageIndex("")); err != nil || len(got) != 0 {
		t.Errorf("an empty index holds %v: %v", got, err)
	}
}

func TestAnImageIsNoImageIndex(t *testing.T) {
	for _, content := range []string{
		`{"schemaVersion":2,"mediaType":"` + ociImage + `","manifests":[]}`,
		`{"schemaVersion":2,"mediaType":"` + ociImage + `","config":{},"layers":[]}`,
		`{"manifests":[]}`,
		`{"schemaVersion":2,"manifests":{}}`,
	} {
		for _, as := range []string{"", ociIndex} {
			if found, err := view.Detect(as, []byte(content)); err == nil {
				t.Errorf("%s as %q is %+v", content, as, found)
			}
		}
	}
}

func TestImageIndexesThatAreRefused(t *testing.T) {
	good := image(imageDigest(1), amd64)
	for name, c := range map[string]struct{ content, says string }{
		"no JSON":                      {`{`, "not valid JSON"},
		"a list":                       {`[]`, "must be a JSON object"},
		"no schema version":            {`{"manifests":[]}`, "schemaVersion: missing"},
		"another schema version":       {`{"schemaVersion":1,"manifests":[]}`, "schemaVersion: must be 2"},
		"half a schema version":        {`{"schemaVersion":2.5,"manifests":[]}`, "schemaVersion"},
		"no manifests":                 {`{"schemaVersion":2}`, "manifests: missing"},
		"manifests that are no list":   {`{"schemaVersion":2,"manifests":{}}`, "manifests: must be a list"},
		"another media type":           {string(imageIndex(ociImage)), `mediaType: "` + ociImage + `" is no image index`},
		"manifests twice":              {`{"schemaVersion":2,"manifests":[],"manifests":[]}`, "duplicate"},
		"a manifest that is null":      {string(imageIndex("", good, "null")), "manifests[1]: missing"},
		"a manifest that is a text":    {string(imageIndex("", `"x"`)), "manifests[0]: must be an object"},
		"a digest in capitals":         {string(imageIndex("", image("sha256:"+strings.Repeat("A", 64), ""))), "manifests[0].digest: must be sha256:"},
		"a digest without algorithm":   {string(imageIndex("", image("abc", ""))), "manifests[0].digest: must be sha256:"},
		"no digest":                    {string(imageIndex("", `{"mediaType":"x","size":1}`)), "manifests[0].digest: missing"},
		"no media type":                {string(imageIndex("", `{"digest":"`+imageDigest(1)+`","size":1}`)), "manifests[0].mediaType: missing"},
		"an empty media type":          {string(imageIndex("", `{"mediaType":"","digest":"`+imageDigest(1)+`","size":1}`)), "manifests[0].mediaType: must not be empty"},
		"no size":                      {string(imageIndex("", `{"mediaType":"x","digest":"`+imageDigest(1)+`"}`)), "manifests[0].size: missing"},
		"a size below nothing":         {string(imageIndex("", `{"mediaType":"x","digest":"`+imageDigest(1)+`","size":-1}`)), "manifests[0].size: must be a number"},
		"a size of more than anything": {string(imageIndex("", `{"mediaType":"x","digest":"`+imageDigest(1)+`","size":1e300}`)), "manifests[0].size: must be a number"},
		"a platform without system":    {string(imageIndex("", image(imageDigest(1), `,"platform":{"architecture":"arm"}`))), "manifests[0].platform: needs os and architecture"},
		"a platform that is a text":    {string(imageIndex("", image(imageDigest(1), `,"platform":"linux/arm"`))), "manifests[0].platform: must be an object"},
		"1,001 images":                 {string(imageIndex("", strings.Split(strings.Repeat(good+";", view.MaxManifests)+good, ";")...)), "manifests: at most 1000"},
	} {
		got, err := view.ReadImageIndex([]byte(c.content))
		if err == nil || got != nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "the image index cannot be read: ") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := view.ReadImageIndex(make([]byte, view.MaxDocument+1)); err == nil || got != nil {
		t.Errorf("an index that is too long: %v, %v", got, err)
	}
}

func FuzzImageIndex(f *testing.F) {
	f.Add(imageIndex(ociIndex, image(imageDigest(2), armV8), image(imageDigest(1), amd64)))
	f.Add(imageIndex("", image("sha512:ab", ""), `{"mediaType":"x","digest":"sha256:","size":-1,"platform":null}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := view.ReadImageIndex(content)
		if err != nil && (got != nil || err.Error() == "") {
			t.Fatalf("%v beside %v", got, err)
		}
		seen := map[string]bool{}
		for _, c := range got {
			if seen[c.Digest] || len(c.Digest) != 71 || c.MediaType == "" || c.Size < 0 || c.Size > 1<<31-1 || len(c.Platform) > 4*view.MaxText {
				t.Fatalf("%+v", c)
			}
			seen[c.Digest] = true
		}
		if len(got) > view.MaxManifests {
			t.Fatalf("%d images", len(got))
		}
		if _, known, err := view.Read(view.ImageIndexType, content); !known || (err == nil) != (got != nil) {
			t.Fatalf("known %v: %v", known, err)
		}
	})
}
