package estate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/evidence"
)

// maxPushed is how many bytes of documents are pushed at once.
const maxPushed = 3 << 20

// pusher gathers bills of materials and pushes them together.
type pusher struct {
	*loader
	tally *tally
	items []*evidence.SubmitEvidenceInput
	size  int
	edges int
}

// application makes the artifacts of an application, version by version.
func (p *pusher) application(ctx context.Context, application int) error {
	lines, contents := make([]*line, p.shape.Artifacts), make([][]int32, p.shape.Artifacts)
	made := make([]int, p.shape.Artifacts) // revisions, of each line
	for v, revisions := range p.shape.revisions(application) {
		for i, revision := range revisions {
			switch {
			case v == 0:
				lines[i] = p.shape.line(p.draws, application, i)
			case revision > made[i]:
				lines[i].next()
			default:
				continue
			}
			made[i], contents[i] = revision, slices.Sorted(slices.Values(lines[i].contents))
			if err := p.add(ctx, artifactName(application, i), revision, contents[i]); err != nil {
				return err
			}
		}
		p.tally.count(v == p.shape.inProduction() || v == p.shape.inDevelopment(), contents)
	}
	return nil
}

func (p *pusher) add(ctx context.Context, name string, revision int, contents []int32) error {
	var text strings.Builder
	text.Grow(400 * len(contents))
	p.pool.bill(&text, name, revision, contents)
	digest := artifactDigest(name, revision)
	p.items = append(p.items, &evidence.SubmitEvidenceInput{Document: &evidence.EvidenceDocumentInput{
		MediaType: "application/vnd.cyclonedx+json", Content: text.String(),
		Subjects: []*evidence.EvidenceSubjectInput{{Name: &name, Digest: &digest}},
	}})
	p.size += text.Len()
	p.edges += len(contents)
	if p.size < maxPushed && len(p.items) < evidence.MaxBatch {
		return nil
	}
	return p.flush(ctx)
}

func (p *pusher) flush(ctx context.Context) error {
	if len(p.items) == 0 {
		return nil
	}
	results, err := p.Evidence.SubmitBatch(ctx, evidence.SubmitEvidenceBatchInput{Items: p.items})
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Refused != nil {
			return fmt.Errorf("a bill of materials was refused: %w", r.Refused)
		}
	}
	p.items, p.size = nil, 0
	return nil
}

func artifactDigest(name string, revision int) string {
	return canonical.Digest(fmt.Appendf(nil, "%s %d", name, revision))
}
