package apitest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/cli"
	"github.com/plimsoll/plimsoll/internal/passport"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// issued is a release with everything that a passport can hold, and what was told of it.
type issued struct {
	manifest string
	ci       *attest.Signer
	// evidence are the digests of the payloads: an envelope, a bundle, and a document.
	envelope, bundle, bill string
	evalIDs                []string
}

// trusted releases a gateway: with signed evidence, an SBOM, a waiver and an approval.
func (s *server) trusted() issued {
	s.t.Helper()
	is := issued{ci: key(s.t), bill: canonical.Digest([]byte(bill))}
	s.settle("payments", "gateway")
	s.must(admin, "AddTrustAnchor", object{"alias": "ci of payments", "publicKey": string(is.ci.PublicKeyPEM())})
	s.must(admin, "CreatePolicyTemplate", object{"name": "odd", "category": "QUALITY", "rego": odd, "parametersSchema": object{
		"type": "object", "properties": object{"n": object{"type": "number"}},
	}})
	s.guard("bills", "sbom-complete", object{}, "DEV", "ENTRY", "WARN")
	s.guard("tested", "evidence-present", object{"predicateType": testResult, "signers": []string{"ci of payments"}}, "QA", "ENTRY", "BLOCK")
	s.guard("odd", "odd", object{"n": 1.5}, "PROD", "RELEASE", "BLOCK")
	s.guard("approved", "approved-by", object{"approvers": []string{"RELEASER"}}, "PROD", "RELEASE", "BLOCK")
	is.manifest = s.report("gateway", "1.0.0")
	pushed := func(in object) string {
		return s.must(admin, "SubmitEvidence", in, "submitEvidence", "evidence").(object)["digest"].(string)
	}
	is.envelope = pushed(object{"envelope": signed(s.t, is.ci, testResult, object{"result": "PASSED"}, is.manifest)})
	is.bundle = pushed(object{"envelope": bundleOf(s.t, is.ci, image)})
	pushed(object{"document": object{"mediaType": "application/vnd.cyclonedx+json", "content": bill, "subjects": []object{{"name": "image", "digest": image}}}})
	waiver := s.must(s.token("asks", "CONTRIBUTOR", "payments"), "RequestWaiver", object{
		"policy": "odd", "applicationKey": "gateway", "code": "ODD", "justification": "because of that", "expiresAt": tomorrow(),
	}, "requestWaiver", "waiver", "id")
	s.must(s.token("decides", "WAIVER_APPROVER", "payments"), "DecideWaiver", object{"id": waiver, "approve": true})
	grace := s.ask(admin, `mutation($input: CreateTokenInput!) { createToken(input: $input) { secret } }`,
		object{"input": object{"name": "grace", "role": "RELEASER", "person": true}}, "createToken", "secret").(string)
	s.ask(grace, `mutation($input: ApproveApplicationVersionInput!) { approveApplicationVersion(input: $input) { approval { counts } } }`,
		object{"input": object{"applicationKey": "gateway", "version": "1.0.0", "manifestDigest": is.manifest}}, "approveApplicationVersion")
	for _, to := range []string{"DEV", "QA"} {
		got := s.must(admin, "Promote", object{"applicationKey": "gateway", "version": "1.0.0", "toStage": to}, "promoteApplicationVersion").(object)
		is.note(s.t, got, "COMPLETED")
	}
	got := s.must(admin, "Release", object{"applicationKey": "gateway", "version": "1.0.0"}, "releaseApplicationVersion").(object)
	is.note(s.t, got, "COMPLETED")
	if trust := got["applicationVersion"].(object)["trust"]; trust != "TRUSTED_RELEASE" {
		s.t.Fatalf("it is released as %v: %s", trust, text(s.t, got))
	}
	return is
}

func (is *issued) note(t testing.TB, moved object, status string) {
	t.Helper()
	if p := moved["promotion"].(object); p["status"] != status {
		t.Fatalf("it was not moved: %s", text(t, moved))
	}
	for _, e := range moved["evaluations"].([]any) {
		is.evalIDs = append(is.evalIDs, e.(object)["evalId"].(string))
	}
}

// passport downloads one and unpacks it.
func (s *server) passport(token, digest string, leaveOut ...string) (map[string]string, passport.Index, []byte) {
	s.t.Helper()
	path := "/passports/" + digest
	if len(leaveOut) > 0 {
		path += "?" + url.Values{"leaveOut": leaveOut}.Encode()
	}
	got := s.get(path, token)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/zip" || got.header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("GET %s: %d, %v, %.300s", path, got.status, got.header, got.body)
	}
	files, index := unpacked(s.t, []byte(got.body))
	return files, index, []byte(got.body)
}

func unpacked(t testing.TB, packed []byte) (map[string]string, passport.Index) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := firstOf(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(b)
	}
	var index passport.Index
	if err := json.Unmarshal([]byte(files[passport.IndexName]), &index); err != nil {
		t.Fatal(err)
	}
	for _, f := range index.Files {
		content, there := files[f.Path]
		if there == f.LeftOut || there && (f.Digest != canonical.Digest([]byte(content)) || f.Size != int64(len(content))) {
			t.Errorf("%s: there: %t; listed as %+v", f.Path, there, f)
		}
	}
	if len(index.Files)+1 < len(files) {
		t.Errorf("%d files are there, %d are listed", len(files), len(index.Files))
	}
	return files, index
}

// paths are those of a passport, with what differs from run to run taken out.
func paths(files map[string]string, is issued) []string {
	numbers := regexp.MustCompile(`^log/\d+\.`)
	keys := regexp.MustCompile(`(keys/release-|payments-)[0-9a-f]+`)
	seen := map[string]bool{}
	for path := range files {
		path = keys.ReplaceAllString(numbers.ReplaceAllString(path, "log/N."), "${1}KEY")
		for i, id := range is.evalIDs {
			path = strings.Replace(path, id, fmt.Sprint("EVAL", i), 1)
		}
		for name, digest := range map[string]string{"ENVELOPE": is.envelope, "BUNDLE": is.bundle, "BILL": is.bill} {
			path = strings.Replace(path, strings.TrimPrefix(digest, "sha256:"), name, 1)
		}
		seen[path] = true
	}
	list := make([]string, 0, len(seen))
	for path := range seen {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// TestRule30_APassportHoldsAllThatChecksARelease looks at what is in a passport, then takes the release back and looks again.
func TestRule30_APassportHoldsAllThatChecksARelease(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		is := s.trusted()
		files, index, packed := s.passport(admin, is.manifest)
		if dir := os.Getenv("PLIMSOLL_KEEP_PASSPORT"); dir != "" {
			write(t, dir, map[string]string{"passport.zip": string(packed)})
		}
		want := `README.md attestations/01-manifest.bundle.json attestations/02-approval.bundle.json attestations/03-promotion.bundle.json ` +
			`attestations/04-promotion.bundle.json attestations/05-vsa.bundle.json attestations/06-release.bundle.json`
		got := strings.Join(paths(files, is), " ")
		if !strings.HasPrefix(got, want+" decisions/EVAL0/README.md ") {
			t.Errorf("it holds %s", got)
		}
		for path := range strings.FieldsSeq(`evidence/BILL evidence/BILL.json evidence/BUNDLE evidence/BUNDLE.json evidence/ENVELOPE evidence/ENVELOPE.json
			decisions/EVAL0/verify.sh decisions/EVAL1/input.json decisions/EVAL2/input.json index.html keys/anchors/anchor-ci_of_payments-KEY.json keys/anchors/anchor-ci_of_payments-KEY.pub
			keys/log.vkey keys/release-KEY.pub log/N.leaf log/N.tlog-proof log/checkpoint manifest.json passport.json verify.sh`) {
			if !strings.Contains(" "+got+" ", " "+path+" ") {
				t.Errorf("%s is not in it: %s", path, got)
			}
		}
		if index.Schema != passport.Schema || index.Application != "gateway" || index.Version != "1.0.0" || index.ManifestDigest != is.manifest ||
			canonical.Digest([]byte(files["manifest.json"])) != is.manifest || index.VerifierID != "https://example.test/verifier" {
			t.Errorf("it says of itself %+v", index)
		}
		s.sameAsExported(files, is)
		s.aboutEvidence(files, is)
		_, byPart, _ := s.passport(admin, image)
		if byPart.ManifestDigest != is.manifest {
			t.Errorf("by the image it is the passport of %s", byPart.ManifestDigest)
		}
		s.must(admin, "Rollback", object{"applicationKey": "gateway", "version": "1.0.0", "fromStage": "PROD", "reason": "customers complain"})
		after, _, _ := s.passport(admin, is.manifest)
		if after["attestations/07-status.bundle.json"] == "" || !strings.Contains(after["index.html"], "WITHDRAWN since") || strings.Contains(files["index.html"], "WITHDRAWN since") {
			t.Errorf("after the rollback it holds %v", paths(after, is))
		}
	})
}

// sameAsExported holds the decisions against what the command exports.
func (s *server) sameAsExported(files map[string]string, is issued) {
	s.t.Helper()
	for _, id := range is.evalIDs {
		dir := filepath.Join(s.t.TempDir(), "replay")
		s.want(cli.Done, admin, "evaluation", "export", id, "--output", dir)
		exported := 0
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			exported++
			b, err := os.ReadFile(path)
			rel, _ := filepath.Rel(dir, path)
			if got := files["decisions/"+id+"/"+filepath.ToSlash(rel)]; got != string(b) {
				s.t.Errorf("%s of decision %s: in the passport it is\n%s\nexported it is\n%s", rel, id, got, b)
			}
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		inside := 0
		for path := range files {
			if strings.HasPrefix(path, "decisions/"+id+"/") {
				inside++
			}
		}
		if inside != exported || inside == 0 {
			s.t.Errorf("decision %s has %d files, exported %d", id, inside, exported)
		}
	}
}

// aboutEvidence holds what is said of the evidence.
func (s *server) aboutEvidence(files map[string]string, is issued) {
	s.t.Helper()
	for digest, want := range map[string]passport.EvidenceRecord{
		is.envelope: {PredicateType: testResult, Verified: true, Signer: "ci of payments", Subjects: []passport.Subject{{Name: "subject", Digest: is.manifest}}},
		is.bundle:   {PredicateType: provenance, Verified: true, Signer: "ci of payments", Subjects: []passport.Subject{{Name: "gateway.tar", Digest: image}}},
		is.bill:     {PredicateType: "https://cyclonedx.org/bom", Subjects: []passport.Subject{{Name: "image", Digest: image}}},
	} {
		path := "evidence/" + strings.TrimPrefix(digest, "sha256:")
		var got passport.EvidenceRecord
		if err := json.Unmarshal([]byte(files[path+".json"]), &got); err != nil {
			s.t.Fatal(err)
		}
		if got.Digest != digest || got.PredicateType != want.PredicateType || got.Verified != want.Verified || got.Signer != want.Signer ||
			fmt.Sprint(got.Subjects) != fmt.Sprint(want.Subjects) || got.CreatedAt == "" || got.Verification == "" || got.Withdrawn != "" {
			s.t.Errorf("of %s it says %+v", digest, got)
		}
	}
	if files["evidence/"+strings.TrimPrefix(is.bill, "sha256:")] != bill {
		s.t.Error("the bill is not as it came")
	}
}

// TestAPassportIsTheSameButForWhenItWasMade compares two of one state.
func TestAPassportIsTheSameButForWhenItWasMade(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		is := s.trusted()
		s.inTree()
		one, first, packed := s.passport(admin, is.manifest)
		two, second, again := s.passport(admin, is.manifest)
		first.MadeAt, second.MadeAt = "", ""
		order := func(b []byte) (names []string) {
			z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range z.File {
				names = append(names, fmt.Sprint(f.Name, f.Mode(), f.Modified.Unix(), f.Method))
			}
			return names
		}
		if !slices.Equal(order(packed), order(again)) || len(order(packed)) != len(one) {
			t.Errorf("the order is %v and %v", order(packed), order(again))
		}
		for path, content := range one {
			if two[path] != content && path != "index.html" && path != passport.IndexName {
				t.Errorf("%s is another", path)
			}
		}
	})
}

// TestWhatIsLeftOutOfAPassportIsListed leaves out what may be, and is refused the rest.
func TestWhatIsLeftOutOfAPassportIsListed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		is := s.trusted()
		all, _, _ := s.passport(admin, is.manifest)
		input := canonical.Digest([]byte(all["decisions/"+is.evalIDs[0]+"/input.json"]))
		files, index, _ := s.passport(admin, is.manifest, is.bundle, input)
		path := "evidence/" + strings.TrimPrefix(is.bundle, "sha256:")
		var gone []string
		for _, f := range index.Files {
			if f.LeftOut {
				gone = append(gone, f.Path+" "+string(f.Kind)+" "+f.Digest)
			}
		}
		slices.Sort(gone)
		want := []string{"decisions/" + is.evalIDs[0] + "/input.json decision " + input, path + " evidence " + canonical.Digest([]byte(all[path]))}
		if !slices.Equal(gone, want) || len(files) != len(all)-2 {
			t.Errorf("left out is %v of %d files, now %d; want %v", gone, len(all), len(files), want)
		}
		for what, digest := range map[string]string{"manifest": is.manifest, "nothing": digestOf("nothing"), "no digest": "sha256:1"} {
			got := s.get("/passports/"+is.manifest+"?leaveOut="+digest, admin)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"BAD_USER_INPUT"`) || !strings.Contains(got.body, `"leaveOut"`) {
				t.Errorf("without %s: %d %s", what, got.status, got.body)
			}
		}
		many := url.Values{"leaveOut": slices.Repeat([]string{is.bundle}, 101)}.Encode()
		if got := s.get("/passports/"+is.manifest+"?"+many, admin); got.status != http.StatusBadRequest {
			t.Errorf("without a hundred and one: %d", got.status)
		}
	})
}

// TestRule45_APassportIsForWhoSeesTheVersion: to others it is as if there were none.
func TestRule45_APassportIsForWhoSeesTheVersion(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		is := s.trusted()
		s.settle("shop", "window")
		s.must(admin, "CreateApplicationVersion", object{"applicationKey": "window", "version": "1.0.0", "sources": object{"artifacts": []object{{"name": "image", "digest": digestOf("window")}}}})
		if _, index, _ := s.passport(s.token("reads", "VIEWER", "payments"), is.manifest); index.ManifestDigest != is.manifest {
			t.Errorf("a viewer of the project gets %+v", index)
		}
		other := s.token("looks", "VIEWER", "shop")
		nothing := s.get("/passports/"+digestOf("nothing at all"), other)
		for what, path := range map[string]string{"a release": is.manifest, "a part": image, "not released": digestOf("window")} {
			got := s.get("/passports/"+path, other)
			if got.status != http.StatusNotFound || got.body != nothing.body || !strings.Contains(got.body, `"NOT_FOUND"`) {
				t.Errorf("%s of another project: %d %s, where there is nothing: %s", what, got.status, got.body, nothing.body)
			}
		}
		if got := s.get("/passports/"+is.manifest, ""); got.status != http.StatusUnauthorized {
			t.Errorf("without a token: %d", got.status)
		}
		if got := s.get("/passports/nothing", other); got.status != http.StatusBadRequest {
			t.Errorf("what is no digest: %d %s", got.status, got.body)
		}
	})
}

// TestThePassportCommandWritesOverNothing runs the command.
func TestThePassportCommandWritesOverNothing(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	is := s.trusted()
	to := filepath.Join(t.TempDir(), "gateway.zip")
	if said := s.want(cli.Done, admin, "passport", is.manifest, "--output", to, "--leave-out", is.bill); !strings.Contains(said, "plimsoll verify") {
		t.Errorf("said %s", said)
	}
	packed, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := unpacked(t, packed); files["manifest.json"] == "" || files["evidence/"+strings.TrimPrefix(is.bill, "sha256:")] != "" {
		t.Error("the file is not the passport that was asked for")
	}
	for want, args := range map[string][]string{
		"already": {is.manifest, "--output", to}, "one digest": {}, "NOT_FOUND": {digestOf("nothing"), "--output", to + "2"},
		"--output": {is.manifest, "--output", filepath.Join(to, "below")}, "may be left out": {is.manifest, "--output", to + "3", "--leave-out", is.manifest},
	} {
		if code, _, stderr := s.plimsoll(admin, append([]string{"passport"}, args...)...); code != cli.WrongCall || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d: %s", args, code, stderr)
		}
	}
	left, err := os.ReadDir(filepath.Dir(to))
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// TestRule45_APassportHoldsNoInputOutOfReach: of a version that holds what an application of another project owns.
func TestRule45_APassportHoldsNoInputOutOfReach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.settle("shop", "window")
		s.must(admin, "BindPackage", object{"applicationKey": "window", "purl": "pkg:npm/pane"})
		manifest := s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "gateway", "version": "1.0.0", "sources": object{"packages": []object{{"purl": "pkg:npm/pane@1.0.0"}}},
		}, "createApplicationVersion", "applicationVersion", "manifestDigest").(string)
		for _, to := range []string{"DEV", "QA"} {
			s.move("1.0.0", to, "COMPLETED")
		}
		s.must(admin, "Release", object{"applicationKey": "gateway", "version": "1.0.0"})
		left := func(token string) (inputs int) {
			_, index, _ := s.passport(token, manifest)
			for _, f := range index.Files {
				if f.LeftOut && strings.HasSuffix(f.Path, "/input.json") {
					inputs++
				} else if f.LeftOut {
					t.Errorf("left out is %s", f.Path)
				}
			}
			return inputs
		}
		if all, some := left(admin), left(s.token("reads", "VIEWER", "payments")); all != 0 || some != 5 {
			t.Errorf("of 5 inputs %d are left out for the administrator, %d for a viewer of one project", all, some)
		}
	})
}

// TestAPassportOfChangedBytesIsNone changes what is kept of a piece of evidence: the command leaves nothing behind.
func TestAPassportOfChangedBytesIsNone(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	is := s.trusted()
	err := s.db.InTx(auth.System(t.Context()), func(tx *db.Client) error {
		_, err := tx.ExecContext(t.Context(), "UPDATE blobs SET content = (SELECT content FROM blobs WHERE digest <> $1 LIMIT 1) WHERE digest = $1", is.bill)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	code, _, stderr := s.plimsoll(admin, "passport", is.manifest, "--output", filepath.Join(dir, "a.zip"))
	left, err := os.ReadDir(dir)
	if err != nil || code != cli.Fault || len(left) != 0 {
		t.Errorf("ended with %d: %s; left is %v, %v", code, stderr, left, err)
	}
	if said := s.want(cli.Done, admin, "passport", is.manifest, "--output", filepath.Join(dir, "b.zip"), "--leave-out", is.bill); !strings.Contains(said, "b.zip") {
		t.Errorf("without the piece: %s", said)
	}
}
