package evidence

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/build"
	"github.com/plimsoll/plimsoll/ent/db/buildartifact"
	"github.com/plimsoll/plimsoll/ent/db/predicate"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/view"
)

const (
	sonarQubeType = documents + "sonarqube-quality-gate/v1"

	// Properties that whoever starts an analysis may set; SonarQube repeats them in its webhook.
	sonarDigests = "sonar.analysis.plimsoll.digest"
	sonarBuild   = "sonar.analysis.plimsoll.build"
)

// sonarHook is what is read of SonarQube's webhook to learn what was analysed.
type sonarHook struct{ revision, digests, build string }

// CollectSonarQube keeps what SonarQube says of a quality gate as evidence of the organisation, signed by this
// installation. The caller has checked that the body came from SonarQube, and acts as the installation. The same body
// again, when it is about the same things, is the same evidence.
//
// A body that is no verdict of a quality gate is a BAD_USER_INPUT fault. One of which nobody can tell what it is about is a
// FAILED_PRECONDITION, which says what to set.
func (s *Service) CollectSonarQube(ctx context.Context, body []byte) (ev *db.Evidence, alreadyKnown bool, err error) {
	if _, _, err := view.Read(sonarQubeType, body); err != nil {
		return nil, false, fault.New(fault.BadInput, "refused: %v", err)
	}
	hook, err := readSonarHook(body)
	if err != nil {
		return nil, false, err
	}
	subjects, err := s.analysed(auth.System(ctx), hook)
	if err != nil {
		return nil, false, err
	}
	return s.collect(ctx, received{
		predicateType: sonarQubeType, content: body, subjects: subjects, provider: "sonarqube",
		checked: "the webhook's HMAC was checked, and this installation signed for having received it",
	})
}

// readSonarHook reads a body that is known to be strict JSON.
func readSonarHook(body []byte) (hook sonarHook, err error) {
	top, err := canonical.Members(body)
	if err != nil {
		return hook, fault.New(fault.BadInput, "refused: %v", err)
	}
	properties := map[string]json.RawMessage{}
	if given := top["properties"]; given != nil && string(given) != "null" {
		if properties, err = canonical.Members(given); err != nil {
			return hook, fault.At("properties", "refused: %v", err)
		}
	}
	for _, field := range []struct {
		path  string
		given json.RawMessage
		into  *string
	}{
		{"revision", top["revision"], &hook.revision},
		{"properties." + sonarDigests, properties[sonarDigests], &hook.digests},
		{"properties." + sonarBuild, properties[sonarBuild], &hook.build},
	} {
		if field.given != nil && json.Unmarshal(field.given, field.into) != nil {
			return hook, fault.At(field.path, "want a text")
		}
	}
	return hook, nil
}

// analysed finds what a webhook is about: what its properties name, otherwise everything that was built of its revision.
func (s *Service) analysed(ctx context.Context, hook sonarHook) ([]attest.Subject, error) {
	names := map[string]string{} // by digest
	var err error
	switch {
	case hook.digests != "":
		err = named(hook.digests, names)
	case hook.build != "":
		name, number, ok := cutLast(hook.build, "#")
		if !ok {
			return nil, fault.At("properties."+sonarBuild, "want the name and number of a build, as in checkout#42, got %.300q", hook.build)
		}
		err = s.built(ctx, names, build.Name(name), build.Number(number))
		if len(names) == 0 && err == nil {
			return nil, unknownSubject("no build %.300q was reported here: report it before its quality gate, or set the analysis property %s to the digest of what was analysed", hook.build, sonarDigests)
		}
	case hook.revision != "":
		err = s.built(ctx, names, build.Revision(hook.revision))
	}
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, unknownSubject("nothing tells what was analysed, revision %.100q: set the analysis property %s to its digest or %s to NAME#NUMBER of its build, or report the build of the revision before its quality gate",
			hook.revision, sonarDigests, sonarBuild)
	}
	if len(names) > MaxSubjects {
		return nil, unknownSubject("what was analysed has %d digests, and at most %d are taken: set the analysis property %s to those that are meant", len(names), MaxSubjects, sonarDigests)
	}
	subjects := make([]attest.Subject, 0, len(names))
	for _, digest := range slices.Sorted(maps.Keys(names)) {
		subjects = append(subjects, attest.Subject{Name: names[digest], Digest: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}})
	}
	return subjects, nil
}

func unknownSubject(format string, args ...any) error {
	return fault.New(fault.FailedPrecondition, format, args...)
}

// named reads one digest, or several with commas between them.
func named(list string, names map[string]string) error {
	for digest := range strings.SplitSeq(list, ",") {
		if digest = strings.TrimSpace(digest); !canonical.IsDigest(digest) {
			return fault.At("properties."+sonarDigests, "want sha256: and 64 lower-case hexadecimal digits, several with commas between them, got %.100q", digest)
		}
		names[digest] = ""
	}
	return nil
}

// built adds the builds that match, and what they made. Whoever reports a build says what was built of which revision.
func (s *Service) built(ctx context.Context, names map[string]string, where ...predicate.Build) error {
	found, err := s.store.Read().Build.Query().Where(where...).
		WithArtifacts(func(q *db.BuildArtifactQuery) { q.Order(buildartifact.ByID()) }).Order(build.ByID()).Limit(MaxSubjects + 1).All(ctx)
	if err != nil {
		return fmt.Errorf("load builds that were analysed: %w", err)
	}
	for _, b := range found {
		names[b.Digest] = cmp.Or(names[b.Digest], "build "+b.Name+"#"+b.Number)
		for _, a := range b.Edges.Artifacts {
			names[a.Digest] = cmp.Or(names[a.Digest], a.Name)
		}
	}
	return nil
}

// cutLast splits a text at the last separator, with something on both sides.
func cutLast(text, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(text, separator)
	if i < 1 || i+len(separator) == len(text) {
		return "", "", false
	}
	return text[:i], text[i+len(separator):], true
}
