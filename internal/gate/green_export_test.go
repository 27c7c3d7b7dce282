package gate

import (
	"context"
	"time"
)

// Act is an act of a path to green, with what the API says in words.
type Act struct {
	Kind, About, Thing, Subject, Type, Signer string
	Says                                      map[string][]string
	Least                                     map[string]float64
	Approvers                                 []string
	Until                                     time.Time
	Wait                                      time.Duration
	Waiver                                    *EvaluatedWaiver
}

// Acts are those of PathToGreen.
func (s *Service) Acts(ctx context.Context, application, version, toStage string) ([]Act, error) {
	w, err := s.findWay(ctx, application, &version, toStage)
	if err != nil {
		return nil, err
	}
	p, acts, err := s.planFor(ctx, w)
	if err != nil {
		return nil, err
	}
	var out []Act
	for _, a := range sorted(acts) {
		act := Act{
			Kind: string(a.kind), About: a.about, Thing: a.thing, Subject: a.subject(p.scene), Type: a.predicateType(), Says: a.says, Least: a.least,
			Approvers: a.approvers, Until: a.until, Wait: a.wait, Waiver: a.waiver,
		}
		act.Signer, _ = a.signer().(string)
		out = append(out, act)
	}
	return out, nil
}

// Fewest is how many acts do for wants of evidence, each given by what will do: types, subjects and signers; nil for any.
func Fewest(wants [][3][]string) int {
	list := make([]*want, len(wants))
	for i, w := range wants {
		list[i] = &want{kind: doEvidence, about: aboutPush, types: w[0], subjects: w[1], signers: w[2], signed: true}
	}
	return len(cover(list))
}
