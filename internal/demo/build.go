package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// submitted is the payload of SubmitEvidence.
type submitted struct {
	SubmitEvidence struct {
		Evidence     evidence
		AlreadyKnown bool
	}
}

// sign makes a DSSE envelope of an in-toto statement about one thing.
func (s *story) sign(ctx context.Context, key, subject, digest, predicateType string, predicate any) (string, error) {
	st, err := attest.NewStatement([]attest.Subject{
		{Name: subject, Digest: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}},
	}, predicateType, predicate)
	if err != nil {
		return "", fmt.Errorf("make statement about %s: %w", subject, err)
	}
	signed, err := s.keys[key].Sign(ctx, st)
	if err != nil {
		return "", fmt.Errorf("sign statement about %s: %w", subject, err)
	}
	return string(signed.Envelope), nil
}

// build lets CI build the services and say, signed, what each consists of and where it comes from.
func (s *story) build(ctx context.Context) error {
	s.page.begin("CI builds the five services and signs two statements about each: what it consists of (CycloneDX or SPDX) and " +
		"how it was built (SLSA provenance).")
	var inputs []object
	for _, a := range applications()[:services] {
		document, err := bill(a.document)
		if err != nil {
			return err
		}
		digest := built(a.key, a.version, document)
		s.digests[a.key] = digest
		predicateType := cycloneDX
		if strings.HasSuffix(a.document, ".spdx.json") {
			predicateType = spdx
		}
		subject := s.purl(a) + "@" + a.version
		listed, err := s.sign(ctx, ciBuilder, subject, digest, predicateType, document)
		if err != nil {
			return err
		}
		came, err := s.sign(ctx, ciBuilder, subject, digest, provenance, provenanceOf(a))
		if err != nil {
			return err
		}
		inputs = append(inputs, object{{"envelope", listed}, {"provider", "ci"}}, object{{"envelope", came}, {"provider", "ci"}})
	}
	taken, err := sendAll[submitted](ctx, s, ci, "SubmitEvidence", inputs)
	if err != nil {
		return err
	}
	if err := s.showEvidence(taken, s.name(ciBuilder)); err != nil {
		return err
	}
	var again submitted
	if err := s.sendQuietly(ctx, ci, "SubmitEvidence", object{{"input", inputs[len(inputs)-1]}}, &again); err != nil {
		return err
	}
	if !again.SubmitEvidence.AlreadyKnown {
		return s.unexpected("does not know what was pushed a moment ago")
	}
	s.page.result("the last one, pushed again by a nervous pipeline: alreadyKnown")
	return nil
}

// showEvidence shows evidence as it was taken, which must be as the signer's; an empty anchor means not verified.
func (s *story) showEvidence(taken []submitted, anchor string) error {
	var rows [][]string
	for i, t := range taken {
		e := t.SubmitEvidence.Evidence
		said := "unsigned"
		switch {
		case e.Verified && e.Signer != nil && e.Signer.Anchor != nil:
			said = "verified by " + *e.Signer.Anchor
		case e.Signer != nil:
			said = "not verified: nobody knows the key"
		}
		if e.Verified != (anchor != "") || e.Verified && said != "verified by "+anchor {
			return s.unexpected("(number %d) says %q of the signature", i+1, said)
		}
		subject := ""
		if len(e.Subjects) > 0 {
			subject = e.Subjects[0].Name
		}
		rows = append(rows, []string{subject, e.Category, e.PredicateType, said})
	}
	s.page.table(rows)
	return nil
}

// provenanceOf is the SLSA provenance v1 predicate of a service's build.
func provenanceOf(a application) object {
	at := time.Now().UTC()
	repository := "https://git.acme.example/payments/" + a.key
	return object{
		{"buildDefinition", object{
			{"buildType", "https://ci.acme.example/container/v1"},
			{"externalParameters", object{{"repository", repository}, {"ref", "refs/tags/" + a.version}}},
			{"resolvedDependencies", []object{{{"uri", "git+" + repository + "@refs/tags/" + a.version}}}},
		}},
		{"runDetails", object{
			{"builder", object{{"id", "https://ci.acme.example/runners/hardened"}}},
			{"metadata", object{
				{"invocationId", "https://ci.acme.example/runs/" + a.key + "/" + at.Format("20060102150405")},
				{"startedOn", at.Add(-4 * time.Minute).Format(time.RFC3339)},
				{"finishedOn", at.Format(time.RFC3339)},
			}},
		}},
	}
}

// report lets CI report the version: services and the login library as packages, the partner's connector as an artifact.
func (s *story) report(ctx context.Context) error {
	s.page.begin("CI reports version " + version + " of the gateway: five services, the login library and a partner's connector, locked " +
		"under one digest.")
	var packages []object
	for _, a := range applications() {
		document, err := bill(a.document)
		if err != nil {
			return err
		}
		s.digests[a.key] = built(a.key, a.version, document)
		packages = append(packages, object{{"purl", s.purl(a) + "@" + a.version}, {"digest", s.digests[a.key]}})
	}
	document, err := bill(connectorDocument)
	if err != nil {
		return err
	}
	s.digests[connector] = built(connector, version, document)
	var out struct {
		CreateApplicationVersion struct {
			ApplicationVersion struct{ Version, Status, Trust, ManifestDigest, CreatedBy string }
		}
	}
	err = s.send(ctx, ci, "CreateApplicationVersion", object{{"input", object{
		{"applicationKey", s.name(gateway)},
		{"version", version},
		{"tag", tag},
		{"sources", object{
			{"packages", packages}, {"artifacts", []object{{{"name", connector}, {"digest", s.digests[connector]}}}},
		}},
	}}}, &out)
	if err != nil {
		return err
	}
	v := out.CreateApplicationVersion.ApplicationVersion
	s.result.Application, s.result.Version, s.result.ManifestDigest = s.name(gateway), v.Version, v.ManifestDigest
	s.page.result(v.Status+", "+v.Trust+", reported by "+v.CreatedBy, "manifest "+v.ManifestDigest)
	return s.want("the version", v.Status+" "+v.Trust, "LOCKED PRE_RELEASE")
}

// takePartnerDocuments pushes plain documents: they count as unsigned.
func (s *story) takePartnerDocuments(ctx context.Context) error {
	s.page.begin("The bills of materials of the login library and of the connector come as plain documents, without a signature.")
	var inputs []object
	for _, d := range []struct {
		document, provider string
		subject            object
	}{
		{"common-utils.cdx.json", "team platform", object{{"purl", s.purl(applications()[services]) + "@" + applications()[services].version}}},
		{connectorDocument, "settlement partner", object{{"name", connector}, {"digest", s.digests[connector]}}},
	} {
		document, err := bill(d.document)
		if err != nil {
			return err
		}
		inputs = append(inputs, object{
			{"document", object{
				{"mediaType", "application/vnd.cyclonedx+json"}, {"content", string(document)}, {"subjects", []object{d.subject}},
			}},
			{"provider", d.provider},
		})
	}
	taken, err := sendAll[submitted](ctx, s, ci, "SubmitEvidence", inputs)
	if err != nil {
		return err
	}
	return s.showEvidence(taken, "")
}

// showOwners asks whose each part is.
func (s *story) showOwners(ctx context.Context) error {
	s.page.begin("Whose is what? The login library is SECOND_PARTY: its owners stand beside it.")
	var out struct {
		ApplicationVersion struct {
			Contents struct {
				TotalCount int
				Edges      []struct{ Node releasable }
			}
		}
	}
	err := s.send(ctx, ci, "VersionContent", object{
		{"application", s.name(gateway)}, {"version", version}, {"first", 50},
	}, &out)
	if err != nil {
		return err
	}
	var rows [][]string
	levels := map[string]string{}
	for _, e := range out.ApplicationVersion.Contents.Edges {
		r := e.Node
		what, whose, owners := r.Name, "nobody here", ""
		if r.Purl != nil {
			what = *r.Purl
		}
		if r.OwningApplication != nil {
			whose, owners = r.OwningApplication.Key, refs(r.OwningApplication.Owners)
		}
		levels[r.Name] = r.ConnectionLevel + " " + owners
		rows = append(rows, []string{r.ConnectionLevel, what, whose, owners})
	}
	s.page.table(rows)
	for name, level := range map[string]string{
		s.name(gateway): "FIRST_PARTY team:payments", s.name("login"): "SECOND_PARTY team:platform", connector: "THIRD_PARTY ",
	} {
		if err := s.want("the level of "+name, levels[name], level); err != nil {
			return err
		}
	}
	return nil
}

// testReport is the in-toto test-result v0.1 predicate of the laboratory.
func testReport() object {
	return object{
		{"result", "PASSED"},
		{"configuration", []object{{{"name", "end-to-end"}, {"uri", "https://git.acme.example/qa/end-to-end/payments.yaml"}}}},
		{"url", "https://qa.acme.example/runs/payments-gateway/" + version},
		{"passedTests", []string{"checkout/card", "checkout/refund", "ledger/double-entry", "fraud/velocity", "login/second-factor"}},
		{"warnedTests", []string{}},
		{"failedTests", []string{}},
	}
}
