package evidence

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/id"
)

// Receipt is the answer to an upload.
type Receipt struct {
	Evidence     ReceivedEvidence `json:"evidence"`
	AlreadyKnown bool             `json:"alreadyKnown"`
}

// ReceivedEvidence is the evidence as it stands, with all of its attachments.
type ReceivedEvidence struct {
	ID            string               `json:"id"`
	Digest        string               `json:"digest"`
	PredicateType string               `json:"predicateType"`
	Category      string               `json:"category"`
	Verified      bool                 `json:"verified"`
	Verification  string               `json:"verification"`
	DownloadPath  string               `json:"downloadPath"`
	Attachments   []ReceivedAttachment `json:"attachments"`
}

// ReceivedAttachment is a file that belongs to the evidence.
type ReceivedAttachment struct {
	Name         string `json:"name"`
	Digest       string `json:"digest"`
	MediaType    string `json:"mediaType"`
	Size         int    `json:"size"`
	DownloadPath string `json:"downloadPath"`
}

// receipt reads the evidence again, as it stands after the commit.
func (s *Service) receipt(ctx context.Context, evidenceID int, known bool) (*Receipt, error) {
	sys := auth.System(ctx) // the pusher may push here, which is all that they need to see what they pushed
	ev, err := s.store.Read().Evidence.Get(sys, evidenceID)
	if err != nil {
		return nil, fmt.Errorf("load evidence: %w", err)
	}
	found, err := s.AttachmentsOf(sys, []int{evidenceID})
	if err != nil {
		return nil, err
	}
	r := &Receipt{AlreadyKnown: known, Evidence: ReceivedEvidence{
		ID: id.Global("Evidence", ev.ID), Digest: ev.Digest, PredicateType: ev.PredicateType, Category: string(ev.Category),
		Verified: ev.Verified, Verification: ev.Verification, DownloadPath: DownloadPath(ev), Attachments: []ReceivedAttachment{},
	}}
	for _, a := range found[evidenceID] {
		r.Evidence.Attachments = append(r.Evidence.Attachments, ReceivedAttachment{
			Name: a.Name, Digest: a.Digest, MediaType: a.MediaType, Size: a.Size, DownloadPath: AttachmentPath(a),
		})
	}
	return r, nil
}
