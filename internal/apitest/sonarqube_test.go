package apitest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/app"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

const (
	sonarSecret = "what-sonarqube-was-told"
	sonarType   = "https://plimsoll.dev/documents/sonarqube-quality-gate/v1"
)

// startForSonarQube starts a service that takes SonarQube's webhooks, and names the file of its log.
func startForSonarQube(t *testing.T, dsn string) (_ *server, logFile string) {
	t.Helper()
	data := t.TempDir()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), config.Config{
		Data: data, Database: dsn, ReleaseKey: filepath.Join(data, "release.key"), LogKey: filepath.Join(data, "log.key"), LogOrigin: "log.example.test", BootstrapToken: admin,
		VerifierID: "https://example.test/verifier", SonarQubeSecret: sonarSecret,
	}, slog.New(slog.NewTextHandler(log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(a.Handler())
	side, err := store.Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		service.Close()
		for _, closing := range []func() error{a.Close, side.Close, log.Close} {
			if err := closing(); err != nil {
				t.Error(err)
			}
		}
	})
	return &server{t: t, url: service.URL, data: data, db: side}, log.Name()
}

// hook sends what SonarQube would, with an HMAC under the secret.
func (s *server) hook(secret, body string) page {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/webhooks/sonarqube", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r.Header.Set("X-Sonar-Webhook-HMAC-SHA256", hex.EncodeToString(mac.Sum(nil)))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{response.StatusCode, response.Header, string(raw)}
}

func qualityGate(status, more string) string {
	return fmt.Sprintf(`{"serverUrl":"https://sonar.example.test","taskId":"AY1","status":"SUCCESS","analysedAt":"2026-11-21T03:00:00+0000","revision":%q,
		"project":{"key":"gateway"},"qualityGate":{"name":"Way","status":%q,"conditions":[]}%s}`, commit, status, more)
}

func TestRule32_ASonarQubeWebhookBecomesEvidenceThatAGateAccepts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s, logFile := startForSonarQube(t, dsn)
		s.settle("payments", "gateway")
		s.guard("quality", "evidence-present", object{"predicateType": sonarType, "signers": []string{"collector"}}, "DEV", "ENTRY", "BLOCK")

		before := s.trace()
		for name, c := range map[string]struct {
			got    page
			status int
			says   string
		}{
			"an HMAC under another secret": {s.hook("another secret", qualityGate("OK", "")), 401, "UNAUTHENTICATED"},
			"a revision nobody built":      {s.hook(sonarSecret, qualityGate("OK", "")), 422, "sonar.analysis.plimsoll.digest"},
			"no verdict":                   {s.hook(sonarSecret, qualityGate("NONE", "")), 400, "qualityGate.status"},
		} {
			if c.got.status != c.status || !strings.Contains(c.got.body, c.says) {
				t.Errorf("%s: %d %s", name, c.got.status, c.got.body)
			}
		}
		if after := s.trace(); after != before {
			t.Error("a webhook that was refused left something")
		}

		s.build(admin, "7", "payments")
		s.must(admin, "CreateApplicationVersion", object{
			"applicationKey": "gateway", "version": "1.0.0", "sources": object{"builds": []object{{"name": "ci", "number": "7"}}},
		})
		s.move("1.0.0", "DEV", "BLOCKED")
		made, again := s.hook(sonarSecret, qualityGate("OK", "")), s.hook(sonarSecret, qualityGate("OK", ""))
		var first, second struct {
			Digest       string
			AlreadyKnown bool
		}
		for _, one := range []struct {
			page
			into any
		}{{made, &first}, {again, &second}} {
			if err := json.Unmarshal([]byte(one.body), one.into); err != nil {
				t.Fatalf("%d %s", one.status, one.body)
			}
		}
		if made.status != 201 || again.status != 200 || first.AlreadyKnown || !second.AlreadyKnown || first.Digest != second.Digest {
			t.Errorf("twice the same: %d %+v, %d %+v", made.status, first, again.status, second)
		}
		s.move("1.0.0", "DEV", "COMPLETED")

		got := s.ask(admin, `query($digest: Digest!) {
			evidence(digest: $digest) { predicateType category verified collected verification provider createdBy signer { anchor identity issuer }
				subjects { name } view { staticAnalysis { tool result } } raw }
			searchEvidence(filter: {signers: ["collector"]}) { totalCount } }`, object{"digest": first.Digest}).(object)
		ev := got["evidence"].([]any)[0].(object)
		bundle, err := attest.ParseBundle([]byte(ev["raw"].(string)))
		if err != nil {
			t.Fatal(err)
		}
		pub, err := attest.ParsePublicKey([]byte(s.fetch("/keys/release.pub")))
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := attest.Verify(*bundle.Envelope, []attest.Candidate{{Alias: "release", Key: pub}})
		if err != nil || verdict.Alias != "release" {
			t.Errorf("it is signed by %q: %v", verdict.Alias, err)
		}
		delete(ev, "raw")
		want := fmt.Sprintf(`{"category":"QUALITY","collected":true,"createdBy":"plimsoll","predicateType":%q,"provider":"sonarqube",`+
			`"signer":{"anchor":"collector","identity":%q,"issuer":null},"subjects":[%%s],`+
			`"verification":"the webhook's HMAC was checked, and this installation signed for having received it","verified":true,`+
			`"view":{"staticAnalysis":{"result":"PASSED","tool":"SonarQube"}}}`, sonarType, pub.Fingerprint())
		if n := len(ev["subjects"].([]any)); n != 3 { // the build and two digests
			t.Errorf("it speaks of %v", ev["subjects"])
		}
		if want = fmt.Sprintf(want, strings.Trim(text(t, ev["subjects"]), "[]")); text(t, ev) != want {
			t.Errorf("it is\n%s\nwant\n%s", text(t, ev), want)
		}
		if n := got["searchEvidence"].(object)["totalCount"]; n != float64(1) {
			t.Errorf("collected were %v", n)
		}
		if code, path := s.try(admin, "AddTrustAnchor", object{"alias": "collector", "publicKey": string(key(t).PublicKeyPEM())}).code(); code != "BAD_USER_INPUT" || path != "input.alias" {
			t.Errorf("an anchor called collector: %s at %s", code, path)
		}
		if logged, err := os.ReadFile(logFile); err != nil || len(logged) == 0 || strings.Contains(string(logged), sonarSecret) {
			t.Errorf("the log is empty or holds the secret: %v", err)
		}
	})
}

func TestWithoutASecretThereAreNoWebhooks(t *testing.T) {
	s := start(t, testdb.SQLite(t))
	for _, secret := range []string{"", sonarSecret} {
		if got := s.hook(secret, qualityGate("OK", "")); got.status != 404 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

func TestRule34_AnImageIndexGivesItsImagesAndTheirEvidenceWhereARuleSaysSo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		s := start(t, dsn)
		s.settle("payments", "gateway")
		s.guard("strict", "evidence-present", object{"predicateType": provenance, "signers": []string{"ci"}}, "DEV", "ENTRY", "BLOCK")
		ci := key(t)
		s.must(admin, "AddTrustAnchor", object{"alias": "ci", "publicKey": string(ci.PublicKeyPEM())})
		arm := canonical.Digest([]byte("the image for ARM"))
		index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
			{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":527,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
			{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":528,"platform":{"os":"linux","architecture":"amd64"}}]}`, arm, image)
		digest := canonical.Digest([]byte(index))
		s.must(admin, "SubmitEvidence", object{"document": object{"mediaType": "application/json", "content": index, "subjects": []object{}}})
		s.must(admin, "SubmitEvidence", object{"envelope": signed(t, ci, provenance, object{"buildDefinition": object{}}, digest)})
		s.report("gateway", "1.0.0")
		s.move("1.0.0", "DEV", "BLOCKED")
		s.must(admin, "CreateApplicationVersion", object{"applicationKey": "gateway", "version": "2.0.0", "sources": object{
			"artifacts": []object{{"name": "images", "digest": digest}}, "packages": []object{{"purl": "pkg:npm/none@1"}},
		}})
		got := s.ask(admin, `{ applicationVersion(application: "gateway", version: "2.0.0") { contents { edges { node { name children { platform digest mediaType size } } } } } }`, nil,
			"applicationVersion", "contents")
		const manifest = `"mediaType":"application/vnd.oci.image.manifest.v1+json","platform":`
		want := fmt.Sprintf(`{"edges":[{"node":{"children":[{"digest":%q,%s"linux/amd64","size":528},{"digest":%q,%[2]s"linux/arm64/v8","size":527}],"name":"images"}},`+
			`{"node":{"children":[],"name":"none"}}]}`, image, manifest, arm)
		if text(t, got) != want {
			t.Errorf("it contains\n%s\nwant\n%s", text(t, got), want)
		}
		s.must(admin, "CreateRule", object{"name": "lenient", "template": "evidence-present", "parameters": object{"predicateType": provenance, "signers": []string{"ci"}, "acceptIndex": true}})
		s.must(admin, "UpdatePolicy", object{"name": "strict", "rules": []string{"lenient"}})
		s.move("1.0.0", "DEV", "COMPLETED")
	})
}
