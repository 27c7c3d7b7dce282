package gate

import "slices"

// maxExact is how many wants that could share acts are looked at together for the fewest acts. Beyond it each want joins the
// first act that it fits; what is superfluous then is left out when the acts are tried.
const maxExact = 20

// cover finds the fewest acts that do for all the wants.
func cover(wants []*want) []*want {
	var acts []*want
	for _, group := range related(wants) {
		acts = append(acts, fewest(group)...)
	}
	return acts
}

// related splits wants into groups of which none shares an act with another.
func related(wants []*want) [][]*want {
	var groups [][]*want
	for _, w := range wants {
		joined := []*want{w}
		groups = slices.DeleteFunc(groups, func(g []*want) bool {
			fits := slices.ContainsFunc(g, func(o *want) bool { _, ok := w.with(o); return ok || sharesAny(w.apart, o.apart) })
			if fits {
				joined = append(slices.Clone(g), joined...)
			}
			return fits
		})
		groups = append(groups, joined)
	}
	return groups
}

// fewest puts wants together so that as few acts as possible are left: each want joins an act or begins one, and what has no fewer
// acts than the best so far is not looked at further.
func fewest(wants []*want) []*want {
	best := firstFit(wants)
	if len(wants) > maxExact {
		return best
	}
	var try func(i int, acts []*want)
	try = func(i int, acts []*want) {
		if best != nil && len(acts) >= len(best) {
			return
		}
		if i == len(wants) {
			if distinct(acts) {
				best = slices.Clone(acts)
			}
			return
		}
		for n, a := range acts {
			if m, ok := a.with(wants[i]); ok {
				acts[n] = m
				try(i+1, acts)
				acts[n] = a
			}
		}
		try(i+1, append(slices.Clone(acts), wants[i]))
	}
	try(0, nil)
	return sign(best)
}

// firstFit lets each want join the first act that it fits; nil when the signers do not suffice then.
func firstFit(wants []*want) []*want {
	var acts []*want
	for _, w := range wants {
		i := slices.IndexFunc(acts, func(a *want) bool { _, ok := a.with(w); return ok })
		if i < 0 {
			acts = append(acts, w)
			continue
		}
		acts[i], _ = acts[i].with(w)
	}
	if !distinct(acts) {
		if len(wants) > maxExact {
			return wants
		}
		return nil
	}
	return sign(acts)
}

// distinct tells whether acts that must have different signers can.
func distinct(acts []*want) bool { return signers(acts) != nil }

// sign settles the signers of acts where it matters who signs.
func sign(acts []*want) []*want {
	chosen := signers(acts)
	out := make([]*want, len(acts))
	for i, a := range acts {
		out[i] = a
		if chosen != nil && chosen[i] != "" {
			settled := *a
			settled.signers = []string{chosen[i]}
			out[i] = &settled
		}
	}
	return out
}

// signers chooses a signer for each act that names some, another one for those that are to be apart; nil when there are too few.
func signers(acts []*want) []string {
	chosen := make([]string, len(acts))
	var try func(i int) bool
	try = func(i int) bool {
		if i == len(acts) {
			return true
		}
		if acts[i].signers == nil {
			return try(i + 1)
		}
		for _, signer := range acts[i].signers {
			taken := false
			for n := range i {
				taken = taken || chosen[n] == signer && sharesAny(acts[n].apart, acts[i].apart)
			}
			if chosen[i] = signer; !taken && try(i+1) {
				return true
			}
		}
		chosen[i] = ""
		return false
	}
	if !try(0) {
		return nil
	}
	return chosen
}
