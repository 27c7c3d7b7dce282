package gate

import (
	"encoding/json"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/evidence"
)

// evidencePart is one piece of evidence in the input.
type evidencePart struct {
	Digest        string          `json:"digest"`
	PredicateType string          `json:"predicate_type"`
	Category      string          `json:"category"`
	Verified      bool            `json:"verified"`
	Collected     bool            `json:"collected"`
	Signer        *string         `json:"signer"`
	Provider      *string         `json:"provider"`
	Stage         *string         `json:"stage"`
	CreatedAt     string          `json:"created_at"`
	Subjects      []string        `json:"subjects"`
	Predicate     json.RawMessage `json:"predicate"`
	View          json.RawMessage `json:"view"`
}

// indexPart is one piece of evidence about image indexes that hold something in the version.
type indexPart struct {
	evidencePart
	Children []string `json:"children"`
}

// sbomPart is one SBOM in the input: as often as there is evidence for it, because each may have another signer.
type sbomPart struct {
	Digest         string   `json:"digest"`
	Format         string   `json:"format"`
	SpecVersion    string   `json:"spec_version"`
	Subjects       []string `json:"subjects"`
	ComponentCount int      `json:"component_count"`
	Verified       bool     `json:"verified"`
	Signer         *string  `json:"signer"`
}

// componentPart is one component in the input.
type componentPart struct {
	PURL     *string  `json:"purl"`
	Name     string   `json:"name"`
	Version  *string  `json:"version"`
	Licenses []string `json:"licenses"`
	Sboms    []string `json:"sboms"`
}

func evidenceParts(list []evidence.GateEvidence) []evidencePart {
	parts := make([]evidencePart, len(list))
	for i, e := range list {
		parts[i] = evidencePartOf(e)
	}
	return parts
}

func evidencePartOf(e evidence.GateEvidence) evidencePart {
	return evidencePart{
		Digest: e.Row.Digest, PredicateType: e.Row.PredicateType, Category: string(e.Row.Category), Verified: e.Verified,
		Collected: e.Row.Collected, Signer: known(e.Anchor), Provider: known(e.Row.Provider), Stage: known(e.Stage),
		CreatedAt: instant(e.Row.CreatedAt), Subjects: e.Subjects, Predicate: e.Predicate, View: e.View,
	}
}

func indexParts(list []evidence.IndexEvidence) []indexPart {
	parts := make([]indexPart, len(list))
	for i, e := range list {
		parts[i] = indexPart{evidencePartOf(e.GateEvidence), e.Children}
	}
	return parts
}

func sbomParts(list []evidence.GateEvidence) []sbomPart {
	parts := []sbomPart{}
	for _, e := range list {
		if e.Sbom == nil {
			continue
		}
		parts = append(parts, sbomPart{
			Digest: e.Sbom.Digest, Format: string(e.Sbom.Format), SpecVersion: e.Sbom.SpecVersion, Subjects: e.Subjects,
			ComponentCount: e.Sbom.ComponentCount, Verified: e.Verified, Signer: known(e.Anchor),
		})
	}
	return parts
}

func componentParts(list []evidence.GateComponent) []componentPart {
	parts := make([]componentPart, len(list))
	for i, c := range list {
		parts[i] = componentPart{PURL: known(c.PURL), Name: c.Name, Version: known(c.Version), Licenses: c.Licenses, Sboms: c.Sboms}
		if c.Licenses == nil {
			parts[i].Licenses = []string{}
		}
	}
	return parts
}

// sbomsOf lists the SBOMs, each once, in the order of their rows.
func sbomsOf(list []evidence.GateEvidence) []*db.Sbom {
	byID := map[int]*db.Sbom{}
	ids := []int{}
	for _, e := range list {
		if e.Sbom != nil && byID[e.Sbom.ID] == nil {
			byID[e.Sbom.ID] = e.Sbom
			ids = append(ids, e.Sbom.ID)
		}
	}
	slices.Sort(ids)
	sboms := make([]*db.Sbom, len(ids))
	for i, id := range ids {
		sboms[i] = byID[id]
	}
	return sboms
}

// digests names the evidence that rules were shown, that of image indexes included; sorted, each once.
func digests(sub *subject) []string {
	out := make([]string, 0, len(sub.evidence)+len(sub.indexes))
	for _, e := range sub.evidence {
		out = append(out, e.Row.Digest)
	}
	for _, e := range sub.indexes {
		out = append(out, e.Row.Digest)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
