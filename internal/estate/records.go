package estate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/stage"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/deployment"
	"github.com/plimsoll/plimsoll/internal/release"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

const (
	development = "DEV"
	production  = "PROD"
)

func (l *loader) loadApplications(ctx context.Context) (int, error) {
	for _, s := range []catalog.CreateStageInput{{Name: development, Category: stage.CategoryCODE}, {Name: production, Category: stage.CategoryRELEASE, Production: true}} {
		if _, err := l.Catalog.CreateStage(ctx, s); err != nil {
			return 0, err
		}
	}
	for a := 0; a < l.shape.Applications; a += perProject {
		if _, err := l.Catalog.CreateProject(ctx, catalog.CreateProjectInput{Key: projectKey(a), Name: "Project " + projectKey(a)}); err != nil {
			return 0, err
		}
		if _, err := l.Catalog.SetLifecycle(ctx, catalog.SetLifecycleInput{ProjectKey: projectKey(a), Stages: []string{development, production}}); err != nil {
			return 0, err
		}
	}
	criticalities := []application.Criticality{application.CriticalityLOW, application.CriticalityMEDIUM, application.CriticalityHIGH, application.CriticalityCRITICAL}
	return l.shape.Applications, l.each(ctx, callers, func(ctx context.Context, a int) error {
		_, err := l.Catalog.CreateApplication(ctx, catalog.CreateApplicationInput{
			ProjectKey: projectKey(a), Key: applicationKey(a), Name: "Application " + applicationKey(a),
			Criticality: criticalities[a%len(criticalities)], Owners: []string{fmt.Sprintf("team:team-%03d", a/perOwner)},
		})
		return err
	})
}

func (l *loader) loadVersions(ctx context.Context) (int, error) {
	return l.shape.Applications * l.shape.Versions, l.each(ctx, callers, func(ctx context.Context, a int) error {
		for v, revisions := range l.shape.revisions(a) {
			sources := &version.VersionSourcesInput{}
			for i, revision := range revisions {
				name := artifactName(a, i)
				sources.Artifacts = append(sources.Artifacts, &version.ArtifactSourceInput{Name: name, Digest: artifactDigest(name, revision)})
			}
			_, err := l.Versions.Create(ctx, version.CreateApplicationVersionInput{ApplicationKey: applicationKey(a), Version: versionName(v), Sources: sources})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// loadMoves releases and deploys a version of each application, and promotes the newest into development.
func (l *loader) loadMoves(ctx context.Context) (int, error) {
	moved := 2
	if l.shape.inDevelopment() >= 0 {
		moved = 3
	}
	return moved * l.shape.Applications, l.each(ctx, callers, func(ctx context.Context, a int) error {
		key, released := applicationKey(a), versionName(l.shape.inProduction())
		if _, err := l.Releases.Release(ctx, release.ReleaseApplicationVersionInput{ApplicationKey: key, Version: released}); err != nil {
			return err
		}
		_, err := l.Deployments.Record(ctx, deployment.RecordDeploymentInput{
			ApplicationKey: key, Version: released, Environment: "production", Kind: "RELEASE", Status: "SUCCEEDED",
		})
		if v := l.shape.inDevelopment(); v >= 0 && err == nil {
			_, err = l.Releases.Promote(ctx, release.PromoteApplicationVersionInput{ApplicationKey: key, Version: versionName(v), ToStage: development})
		}
		return err
	})
}

// loadAdvisories imports an advisory for some components. None of them is a target: each of these has its own.
func (l *loader) loadAdvisories(ctx context.Context) (int, error) {
	taken := map[int32]bool{}
	for _, t := range l.out.Targets {
		taken[t.component] = true
	}
	var texts []string
	for i, c := range l.pool.some(l.shape.random(1<<40-2, 0), l.shape.Advisories, taken) {
		texts = append(texts, l.pool.components[c].osv(fmt.Sprintf("CVE-2098-%05d", i), "A flaw"))
	}
	for some := range slices.Chunk(texts, vulnerability.MaxDocuments) {
		if err := l.importAll(ctx, some); err != nil {
			return 0, err
		}
	}
	return l.shape.Advisories, nil
}

func (l *loader) importAll(ctx context.Context, texts []string) error {
	done, err := l.Vulnerabilities.Import(ctx, vulnerability.ImportAdvisoriesInput{Format: "OSV", Documents: texts})
	if err == nil && len(done.Rejected) > 0 {
		err = fmt.Errorf("an advisory was rejected: %s", done.Rejected[0].Reason)
	}
	return err
}

// String tells of a step in a line.
func (s Step) String() string {
	text := fmt.Sprintf("%-38s %9s in %8s", s.Name, grouped(s.Count), s.Took.Round(time.Millisecond))
	if s.Count > 1 {
		text += fmt.Sprintf("  %9s/s", grouped(int(s.PerSecond())))
	}
	return text
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	text := fmt.Sprint(n)
	var parts []string
	for len(text) > 3 {
		parts, text = append(parts, text[len(text)-3:]), text[:len(text)-3]
	}
	slices.Reverse(parts)
	return strings.Join(append([]string{text}, parts...), ",")
}
