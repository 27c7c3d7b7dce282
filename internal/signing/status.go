package signing

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/attestation"
	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/store"
)

// Cause is why a trusted release is worth something else from now on.
type Cause string

// The causes. They stand in what was signed, and never change their meaning.
const (
	// Rollback took the release back.
	Rollback Cause = "ROLLBACK"
	// Vulnerability was found in the release since, or holds no more.
	Vulnerability Cause = "VULNERABILITY"
	// EvidenceWithdrawn is that evidence which the release rests on counts no longer.
	EvidenceWithdrawn Cause = "EVIDENCE_WITHDRAWN"
	// SignerRevoked is that whoever signed evidence which the release rests on is trusted no longer.
	SignerRevoked Cause = "SIGNER_REVOKED"
)

// How many of a kind a statement names.
const (
	MaxVulnerabilities = 100
	MaxEvidence        = 100
)

// Signer is whom a statement says to be trusted no longer.
type Signer struct {
	Alias       string `json:"alias"`
	Fingerprint string `json:"fingerprint"`
}

// Status is what a trusted release is worth from an instant on, and why.
type Status struct {
	Standing applicationversion.Standing
	Cause    Cause
	Since    time.Time
	// Vulnerabilities are the names of those that put it at risk, the worst first. A statement tells how many they are, and
	// names the first MaxVulnerabilities.
	Vulnerabilities []string
	// Evidence are the digests of what was withdrawn; a statement names the first MaxEvidence.
	Evidence []string
	// Signer is who was revoked; nil for nobody.
	Signer *Signer
}

// status is the predicate.
type status struct {
	Application        string                      `json:"application"`
	Version            string                      `json:"version"`
	ManifestDigest     string                      `json:"manifestDigest"`
	Standing           applicationversion.Standing `json:"standing"`
	Cause              Cause                       `json:"cause"`
	Since              string                      `json:"since"`
	Vulnerabilities    []string                    `json:"vulnerabilities,omitempty"`
	VulnerabilityCount int                         `json:"vulnerabilityCount,omitempty"`
	Evidence           []string                    `json:"evidence,omitempty"`
	Signer             *Signer                     `json:"signer,omitempty"`
}

// SignStatus signs what a version, which must come with its application, is worth. Contents are what in it has a digest.
func (s *Service) SignStatus(ctx context.Context, v *db.ApplicationVersion, contents []*db.Releasable, st Status) (Signed, error) {
	app := v.Edges.Application.Key
	subjects, err := VersionSubjects(app, v.Version, v.ManifestDigest, contents)
	if err != nil {
		return Signed{}, fmt.Errorf("sign the standing of version %d: %w", v.ID, err)
	}
	n := len(st.Vulnerabilities)
	return s.Sign(ctx, subjects, attest.PredicateStatus, status{
		Application: app, Version: v.Version, ManifestDigest: v.ManifestDigest, Standing: st.Standing, Cause: st.Cause,
		Since: st.Since.UTC().Format(time.RFC3339Nano), Vulnerabilities: st.Vulnerabilities[:min(n, MaxVulnerabilities)], VulnerabilityCount: n,
		Evidence: st.Evidence[:min(len(st.Evidence), MaxEvidence)], Signer: st.Signer,
	})
}

// RecordEach writes one signed statement about each of the versions in the caller's transaction: few statements of SQL,
// however many they are. The two lists have the same order.
func (s *Service) RecordEach(ctx context.Context, tx *db.Client, versions []*db.ApplicationVersion, statements []Signed) error {
	rows := store.Rows{Table: attestation.Table, Columns: []string{
		attestation.FieldDigest, attestation.FieldPredicateType, attestation.FieldStatement, attestation.FieldBundle,
		attestation.FieldCreatedAt, attestation.FieldVersionID, attestation.FieldProjectID, attestation.FieldSigningKeyID,
	}}
	at := s.now().UTC()
	for i, st := range statements {
		rows.Add(st.Digest, st.PredicateType, string(st.Statement), string(st.Bundle), at, versions[i].ID, versions[i].ProjectID, s.keyID)
	}
	if err := s.store.Insert(ctx, tx, rows, nil); err != nil {
		return fmt.Errorf("record statements: %w", err)
	}
	return nil
}
