package advisory

import (
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/purl"
)

// Parse reads an advisory in the OSV format. The error is a sentence that says what is wrong and where. Members that are
// not read can be anything; unknown ecosystems and kinds of severity are kept, as the schema grows.
func Parse(b []byte) (Record, error) {
	if len(b) > MaxRecord {
		return Record{}, fmt.Errorf("the advisory is %d bytes long; at most %d are read", len(b), MaxRecord)
	}
	if err := canonical.Check(b, MaxDepth); err != nil {
		return Record{}, fmt.Errorf("the advisory cannot be read: %w", err)
	}
	p := parser{reader: newReader(b)}
	if err := p.record(); err != nil {
		return Record{}, fmt.Errorf("the advisory cannot be read: %w", err)
	}
	return p.out, nil
}

type parser struct {
	*reader
	out                      Record
	versions, ranges, events int // counted over all entries
	severities               int
}

func (p *parser) record() error {
	var schema string
	dated := false
	r := &p.out
	err := p.object(map[string]func() error{
		"schema_version":    p.word(&schema, MaxID),
		"id":                p.word(&r.ID, MaxID),
		"aliases":           p.words(&r.Aliases, MaxAliases, MaxID),
		"upstream":          p.words(&r.Upstream, maxRelated, MaxID),
		"related":           p.words(&r.Related, maxRelated, MaxID),
		"published":         p.instant(&r.Published),
		"modified":          func() error { dated = true; return p.instant(&r.Modified)() },
		"withdrawn":         p.instant(&r.Withdrawn),
		"summary":           p.prose(&r.Summary, MaxSummary),
		"details":           p.prose(&r.Details, MaxDetails),
		"severity":          p.severity(&r.Severities),
		"database_specific": p.severityText(&r.SeverityText),
		"affected":          func() error { return p.list(p.affected) },
	})
	switch {
	case err != nil:
		return err
	case r.ID == "":
		return fmt.Errorf("id: missing")
	case !dated:
		return fmt.Errorf("modified: missing")
	case schema != "" && !strings.HasPrefix(schema, "1."):
		return fmt.Errorf("schema_version: %q is not read; versions 1.x are", schema)
	}
	return nil
}

func (p *parser) affected() error {
	if len(p.out.Affected) == MaxAffected {
		return p.tooMany("entries", MaxAffected)
	}
	var a Affected
	err := p.object(map[string]func() error{
		"package":            func() error { return p.pkg(&a) },
		"ranges":             func() error { return p.list(func() error { return p.rng(&a) }) },
		"versions":           p.listed(&a),
		"severity":           p.severity(&a.Severities),
		"ecosystem_specific": p.severityText(&a.SeverityText),
		"database_specific":  p.severityText(&a.SeverityText),
	})
	p.out.Affected = append(p.out.Affected, a)
	return err
}

func (p *parser) pkg(a *Affected) error {
	var url string
	err := p.object(map[string]func() error{
		"ecosystem": p.word(&a.Ecosystem, MaxID),
		"name":      p.word(&a.Name, MaxName),
		"purl":      p.prose(&url, MaxRecord),
	})
	switch {
	case err != nil:
		return err
	case a.Ecosystem == "":
		return p.wrong("ecosystem: missing")
	case a.Name == "":
		return p.wrong("name: missing")
	}
	// A wrong package URL does not cost the advisory: ecosystem and name say the same.
	if u, err := purl.Parse(url); err == nil {
		a.PURL = u.WithoutVersion()
	}
	return nil
}

func (p *parser) rng(a *Affected) error {
	if p.ranges++; p.ranges > maxEvents {
		return p.tooMany("ranges", maxEvents)
	}
	var r Range
	var kind string
	err := p.object(map[string]func() error{
		"type":   p.word(&kind, MaxID),
		"repo":   p.prose(&r.Repo, MaxName),
		"events": func() error { return p.list(func() error { return p.event(&r) }) },
	})
	if err != nil {
		return err
	}
	switch r.Type = RangeType(kind); r.Type {
	case RangeSemver, RangeEcosystem, RangeGit:
	case "":
		return p.wrong("type: missing")
	default:
		return p.wrong("type: must be SEMVER, ECOSYSTEM or GIT, not %q", kind)
	}
	if len(r.Events) == 0 {
		return p.wrong("events: missing")
	}
	a.Ranges = append(a.Ranges, r)
	return nil
}

func (p *parser) event(r *Range) error {
	if p.events++; p.events > maxEvents {
		return p.tooMany("events", maxEvents)
	}
	at := map[EventKind]*string{}
	members := map[string]func() error{}
	for _, kind := range []EventKind{Introduced, Fixed, LastAffected, Limit} {
		at[kind] = new(string)
		members[string(kind)] = p.word(at[kind], MaxVersion)
	}
	if err := p.object(members); err != nil {
		return err
	}
	given := Event{}
	for kind, version := range at {
		if *version == "" {
			continue
		}
		if given.Version != "" {
			return p.wrong("must be one of introduced, fixed, last_affected and limit, not several")
		}
		given = Event{Kind: kind, Version: *version}
	}
	if given.Version == "" {
		return p.wrong("must be one of introduced, fixed, last_affected and limit")
	}
	r.Events = append(r.Events, given)
	return nil
}

func (p *parser) listed(a *Affected) func() error {
	read := p.words(&a.Versions, MaxVersions, MaxVersion)
	return func() error {
		err := read()
		if p.versions += len(a.Versions); err == nil && p.versions > MaxVersions {
			return p.wrong("the advisory holds more than %d versions", MaxVersions)
		}
		return err
	}
}

func (p *parser) severity(into *[]Severity) func() error {
	return func() error {
		return p.list(func() error {
			if p.severities++; p.severities > maxSeverities {
				return p.tooMany("severities", maxSeverities)
			}
			var s Severity
			err := p.object(map[string]func() error{
				"type": p.word(&s.Type, MaxID), "score": p.word(&s.Score, MaxName),
			})
			*into = append(*into, s)
			return err
		})
	}
}

// severityText looks for a word among what a database adds of its own, which may have any shape.
func (p *parser) severityText(into *string) func() error {
	word := func() error {
		if p.in.PeekKind() != '"' {
			return p.in.SkipValue()
		}
		var s string
		err := p.prose(&s, MaxID)()
		if *into == "" || levelOf(s) != Unknown {
			*into = s
		}
		return err
	}
	return func() error {
		if p.in.PeekKind() != '{' {
			return p.in.SkipValue()
		}
		return p.object(map[string]func() error{"severity": word, "ubuntu_priority": word, "urgency": word})
	}
}

// tooMany is about the next value.
func (p *parser) tooMany(what string, limit int) error {
	if err := p.in.SkipValue(); err != nil {
		return err
	}
	return p.wrong("the advisory holds more than %d %s", limit, what)
}
