package gate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/ent/db/gatepolicy"
	"github.com/plimsoll/plimsoll/ent/db/stage"
)

// Commands are those of the program, or mutations of the API where it has none. Words in capital letters are for whoever runs them
// to fill in: FILE, BUNDLE, KEY, a VERSION that was not named.

// commandFor is the command that supplies what a violation misses, or what a rule needs when none is given; "" when none does.
func (b *bench) commandFor(f *finding, v *Violation) string {
	template := f.rule.Edges.Template
	if template.CreatedBy == nil && (template.Name == "gate-certified" || template.Name == "soak-time") {
		return b.firstThrough(f)
	}
	if wants := b.wants(f, v); len(wants) > 0 {
		return b.command(wants[0])
	}
	return ""
}

// firstThrough is the command that brings the version to the stage that a rule wants it to have been in, when it is not there.
func (b *bench) firstThrough(f *finding) string {
	var p parameters
	if json.Unmarshal([]byte(f.rule.Parameters), &p) != nil {
		return ""
	}
	i := b.index(p.Stage)
	if i < 0 || b.version != nil && b.version.Edges.CurrentStage != nil && b.version.Edges.CurrentStage.Name == p.Stage && p.Gate != string(gatepolicy.GateKindEXIT) {
		return ""
	}
	if p.Gate == string(gatepolicy.GateKindEXIT) && i+1 < len(b.stages) {
		i++
	}
	return b.moveTo(i)
}

// moveTo is the command that moves the version to the i-th stage.
func (b *bench) moveTo(i int) string {
	if b.stages[i].Category == stage.CategoryRELEASE {
		return shell("plimsoll", "release", "--application", b.application.Key, "--version", b.versionName())
	}
	return shell("plimsoll", "promote", "--application", b.application.Key, "--version", b.versionName(), "--stage", b.stages[i].Name)
}

func (b *bench) versionName() string {
	if b.version == nil {
		return "VERSION"
	}
	return b.version.Version
}

// command is the command that does an act; "" when none does.
func (b *bench) command(a *want) string {
	switch {
	case a.about == aboutPush:
		return b.pushCommand(a)
	case a.about == aboutFeed:
		return feedCommand(b, a.thing)
	case a.kind == doApproval:
		return b.approveCommand()
	case a.kind == doGate:
		in := b.index(a.thing)
		hop := b.index(b.hop(b.stages[in]).Name)
		return b.moveTo(in) + " && " + b.moveTo(hop)
	case a.about == aboutMaturity:
		return fmt.Sprintf("mutation { updateApplication(input: {key: %s, maturity: PRODUCTION}) { application { key } } }", quoted(b.application.Key))
	case a.about == aboutOwners:
		return fmt.Sprintf("mutation { updateApplication(input: {key: %s, owners: {add: [\"team:NAME\"]}}) { application { key } } }", quoted(b.application.Key))
	case a.kind == doWaiver:
		return b.waiverCommand(a.waiver)
	}
	return ""
}

func (b *bench) pushCommand(a *want) string {
	subject := a.subject(b.scene)
	if subject == "" {
		subject = "sha256:DIGEST"
	}
	if a.types == nil {
		return "plimsoll evidence push BUNDLE" // as cosign writes it: what it speaks of stands in it
	}
	args := []string{"plimsoll", "evidence", "push", "--subject", subject}
	if kind := a.predicateType(); (len(a.types) == 1 || strings.HasPrefix(kind, provenanceTypes)) && !readByContent(kind) {
		args = append(args, "--predicate-type", kind)
	}
	if a.signed {
		args = append(args, "--sign-key", "KEY")
	}
	return shell(append(args, "FILE")...)
}

// readByContent tells whether the server sees by its content what a document is.
func readByContent(predicateType string) bool {
	return billFormat(predicateType) != "" || predicateType == sarifType || strings.HasPrefix(predicateType, "https://plimsoll.dev/documents/")
}

// feedCommand imports a feed, known by its name or, before there is one, by its format.
func feedCommand(b *bench, thing string) string {
	format, name := strings.ToUpper(thing), ""
	if b.sub.known != nil {
		for _, f := range b.sub.known.Feeds {
			if f.Name == thing {
				format, name = f.Format, f.Name
			}
		}
	}
	args := []string{"plimsoll", "advisories", "import"}
	if format != "OSV" {
		args = append(args, "--format", strings.ToLower(format))
	}
	if name != "" && !strings.EqualFold(name, format) {
		args = append(args, "--feed", name)
	}
	file := "DIR"
	if format != "OSV" {
		file = "FILE"
	}
	return shell(append(args, file)...)
}

func (b *bench) approveCommand() string {
	digest := "sha256:DIGEST"
	if b.sub.version != nil {
		digest = b.sub.version.ManifestDigest
	}
	return fmt.Sprintf("mutation { approveApplicationVersion(input: {applicationKey: %s, version: %s, manifestDigest: %s}) { approval { id } } }",
		quoted(b.application.Key), quoted(b.versionName()), quoted(digest))
}

func (b *bench) waiverCommand(w *EvaluatedWaiver) string {
	var fields []string
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name+": "+quoted(value))
		}
	}
	add("policy", w.Policy)
	add("rule", w.Rule)
	add("applicationKey", b.application.Key)
	add("version", b.versionName())
	add("code", w.Code)
	add("subject", w.Subject)
	if len(w.Vulnerabilities) > 0 {
		add("vulnerability", w.Vulnerabilities[0])
	}
	add("purl", w.Package)
	add("justification", "WHY: 10 to 2,000 characters")
	add("expiresAt", "UNTIL")
	return fmt.Sprintf("mutation { requestWaiver(input: {%s}) { waiver { id } } }", strings.Join(fields, ", "))
}

// quoted is a string as GraphQL writes it.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always has a form
	}
	return string(b)
}

var unquoted = regexp.MustCompile(`^[a-zA-Z0-9_@%+=:,./-]+$`)

// shell writes a command line; what a shell would take apart or change is quoted.
func shell(args ...string) string {
	words := slices.Clone(args)
	for i, a := range words {
		if !unquoted.MatchString(a) {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
