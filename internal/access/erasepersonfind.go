package access

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/owner"
	"github.com/plimsoll/plimsoll/ent/db/principal"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
)

// Beginnings of what records call people. No principal is made with a name that begins as a pseudonym does.
const (
	pseudonymPrefix = "person:"
	userPrefix      = "user:"
	teamPrefix      = "team:"
)

// erasure is a person about to be erased: as whom they act, and as whom they own.
type erasure struct {
	principals []*db.Principal
	// pseudonyms take the place of the principals' names, in their order.
	pseudonyms []string
	owner      *db.Owner // nil when they own nothing
	// pseudonym is what the person is called: that of the owner, if there is one.
	pseudonym string
	// names are all by which events may name the person.
	names []string
}

// bare is a name as it is compared with owners, who are written in lower case.
func bare(name string) string { return strings.TrimPrefix(strings.ToLower(name), userPrefix) }

// find loads and locks everything that the person of a name is. Principals and owners are the same person when the
// owner's reference is the principal's name, in lower case, with or without "user:" before it; approvals see it so, too.
func find(ctx context.Context, tx *db.Client, name string) (*erasure, error) {
	sys, alone := auth.System(ctx), bare(name)
	rows, err := tx.Principal.Query().Where(
		principal.Or(principal.Name(name), principal.NameEqualFold(alone), principal.NameEqualFold(userPrefix+alone)),
	).Order(principal.ByID()).Modify(locked).All(sys)
	if err != nil {
		return nil, fmt.Errorf("load principal: %w", err)
	}
	owners, err := tx.Owner.Query().Where(owner.RefIn(userPrefix+alone, strings.ToLower(name))).Order(owner.ByID()).Modify(locked).All(sys)
	if err != nil {
		return nil, fmt.Errorf("load owner: %w", err)
	}
	if err := refused(name, rows, owners); err != nil {
		return nil, err
	}
	who := &erasure{names: []string{userPrefix + alone}}
	service := false
	for _, p := range rows {
		if p.Kind != principal.KindUSER {
			service = service || p.Name == alone
			continue
		}
		who.principals = append(who.principals, p)
		who.names = append(who.names, p.Name)
	}
	if !service { // the subject of a trust anchor may be the person's bare name
		who.names = append(who.names, alone)
	}
	if len(owners) > 0 {
		who.owner = owners[0]
	}
	who.call()
	return who, nil
}

// locked holds rows until the transaction ends, so that of two erasures at once the second finds nobody.
func locked(s *sql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(sql.LockUpdate)
	}
}

// refused says why nobody of a name can be erased, if so. An owner is found by the reference alone: a bare name is that
// of whoever acts.
func refused(name string, rows []*db.Principal, owners []*db.Owner) error {
	no := func(why string, args ...any) error {
		return &fault.Error{Kind: fault.FailedPrecondition, Path: "input.name", Message: fmt.Sprintf(why, args...)}
	}
	lower := strings.ToLower(name)
	found, service := false, false
	for _, p := range rows {
		switch {
		case strings.HasPrefix(p.Name, pseudonymPrefix):
			return no("%s was erased already", p.Name)
		case p.Kind == principal.KindUSER:
			found = found || strings.ToLower(p.Name) == lower
		default:
			service = service || p.Name == name
		}
	}
	for _, o := range owners {
		switch {
		case strings.HasPrefix(o.Ref, teamPrefix):
			return no("%s is a team, and the names of people alone are erased", o.Ref)
		case strings.HasPrefix(o.Ref, pseudonymPrefix):
			return no("%s was erased already", o.Ref)
		default:
			found = found || o.Ref == lower
		}
	}
	switch {
	case found:
		return nil
	case service:
		return no("%q is a service account, and the names of people alone are erased; revoke its token instead", name)
	default:
		return &fault.Error{Kind: fault.NotFound, Path: "input.name", Message: "nobody has this name; give the one that records show, or the reference of an owner (user:…)"}
	}
}

// call chooses the pseudonyms. The first principal is called as the owner is, so that gates go on seeing the two as one;
// names are unique, so that others who write themselves differently get their own.
func (e *erasure) call() {
	for i, p := range e.principals {
		switch {
		case i == 0 && e.owner != nil:
			e.pseudonyms = append(e.pseudonyms, e.owner.Pseudonym)
		case p.Pseudonym != nil:
			e.pseudonyms = append(e.pseudonyms, *p.Pseudonym)
		default:
			e.pseudonyms = append(e.pseudonyms, pseudonymPrefix+id.Random(16))
		}
	}
	if e.owner != nil {
		e.pseudonym = e.owner.Pseudonym
	} else {
		e.pseudonym = e.pseudonyms[0]
	}
}

// names tells whether a name stands in a text as words of its own, in whatever case.
func names(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 || name == "" {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from+i])
		after, _ := utf8.DecodeRuneInString(text[from+i+len(name):])
		if !inWord(before) && !inWord(after) {
			return true
		}
		from += i + len(name)
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
