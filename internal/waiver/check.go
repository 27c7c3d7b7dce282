package waiver

import (
	"time"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/id"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/vulnerability"
)

// The limits, in characters.
const (
	maxCode          = 128
	maxSubject       = 4096
	maxVulnerability = 128
	maxComment       = 2000
)

// wish is a waiver that is going to be asked for: what is not given is empty.
type wish struct {
	policy, rule, code, subject, vulnerability, purl, justification string
	expires                                                         time.Time

	application *db.Application
	version     *db.ApplicationVersion
	needed      int
}

// read holds the input to the limits, and gives names the form in which they are kept.
func (in RequestWaiverInput) read(now time.Time) (*wish, error) {
	w := &wish{justification: in.Justification, expires: in.ExpiresAt.UTC().Truncate(time.Microsecond)} // as databases keep it
	switch {
	case in.Policy == nil && in.Rule == nil:
		return nil, fault.At("input.policy", "say which policy it is about, or which rule")
	case in.Policy != nil && in.Rule != nil:
		return nil, fault.At("input.rule", "a policy is given as well: a waiver is about one of them")
	}
	for _, f := range []struct {
		path    string
		given   *string
		to      *string
		longest int
	}{
		{"input.policy", in.Policy, &w.policy, check.MaxName},
		{"input.rule", in.Rule, &w.rule, check.MaxName},
		{"input.code", in.Code, &w.code, maxCode},
		{"input.vulnerability", in.Vulnerability, &w.vulnerability, maxVulnerability},
	} {
		if f.given == nil {
			continue
		}
		if err := check.Line(f.path, *f.given, 1, f.longest); err != nil {
			return nil, err
		}
		*f.to = *f.given
	}
	w.vulnerability = vulnerability.Spelled(w.vulnerability)
	if in.Subject != nil {
		if err := check.Text("input.subject", *in.Subject, 1, maxSubject); err != nil {
			return nil, err
		}
		w.subject = *in.Subject
	}
	if in.Purl != nil {
		p, err := purl.Parse(*in.Purl)
		if err != nil {
			return nil, fault.At("input.purl", "%v", err)
		}
		w.purl = p.String()
	}
	if err := check.Justification("input.justification", in.Justification); err != nil {
		return nil, err
	}
	if !w.expires.After(now) {
		return nil, fault.At("input.expiresAt", "it is over already: the clock here says %s", now.Format(time.RFC3339Nano))
	}
	return w, nil
}

// rowOf reads the id of a waiver.
func rowOf(global string) (int, error) {
	typ, n, err := id.ParseGlobal(global)
	if err != nil || typ != "Waiver" {
		return 0, fault.At("input.id", "not the id of a waiver")
	}
	return n, nil
}
