package access

import (
	"context"
	"errors"
)

// ErasePersonInput says whom to erase.
type ErasePersonInput struct {
	// Name is that of a principal or the reference of an owner.
	Name   string
	Reason string
}

// Erased is what took the place of a name.
type Erased struct {
	Pseudonym string
	Events    int
}

// ErasePerson removes whatever opens the commitments to a person's name, and the name everywhere else.
func (s *Service) ErasePerson(ctx context.Context, in ErasePersonInput) (Erased, error) {
	return Erased{}, errors.New("not written yet")
}
