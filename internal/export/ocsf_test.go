package export_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/ent/db/activityevent"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/export"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// types reads what can happen from the constants of the activity log, so that none can be forgotten here.
func types(t *testing.T) (list []activity.Type) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../activity/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, typed := spec.Type.(*ast.Ident); typed && name.Name == "Type" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, activity.Type(value))
		}
		return true
	})
	if len(list) < 47 {
		t.Fatalf("there are %d types", len(list))
	}
	return list
}

// captions are the classes and activities of the schema, release 1.5.0, as far as they are used here.
var captions = map[string]string{
	"2002": "Vulnerability Finding", "200201": "Create", "200202": "Update",
	"2003": "Compliance Finding", "200301": "Create", "200302": "Update",
	"3001": "Account Change", "300101": "Create", "300105": "Disable", "300106": "Delete",
	"3004": "Entity Management", "300401": "Create", "300403": "Update", "300404": "Delete", "300408": "Enable", "300409": "Disable", "300411": "Deactivate",
	"6002": "Application Lifecycle", "600201": "Install", "600206": "Enable", "600207": "Disable", "600208": "Update",
}

// required are the attributes that the schema requires of a class, and of the objects in them; of a list with | one.
var required = map[string][]string{
	"":     {"activity_id", "category_uid", "class_uid", "metadata", "metadata.product", "metadata.product.name|metadata.product.uid", "metadata.version", "severity_id", "time", "type_uid"},
	"2002": {"finding_info", "finding_info.uid", "vulnerabilities", "vulnerabilities.0.cve.uid|vulnerabilities.0.advisory.uid"},
	"2003": {"finding_info", "finding_info.uid", "compliance"},
	"3001": {"user", "user.name|user.uid"},
	"3004": {"entity", "entity.name|entity.uid"},
	"6002": {"app", "app.name|app.uid"},
}

// at gives what stands at a path; nil for nothing, and for an empty text.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case object:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	if v == "" {
		return nil
	}
	return v
}

// happened is an event of a type, as the verbs write it.
func happened(w *world, typ activity.Type, result activityevent.Result) activity.Event {
	e := activity.Event{Type: typ, Result: result, Subject: "checkout@1.0", Application: "checkout", Project: w.project, Summary: "it happened"}
	switch typ {
	case activity.VulnerabilityFound:
		e.Subject, e.Summary = "checkout", "CVE-2021-44228, GHSA-5mrr-rgp6-x4gr and 2 more found in 3 live versions"
	case activity.TriageDecided:
		e.Subject, e.Changes = "GHSA-5mrr-rgp6-x4gr", []activity.Change{activity.Added("status", activity.Text("ACCEPTED"))}
	case activity.StandingChanged:
		e.Changes = []activity.Change{activity.Changed("standing", "GOOD", "AT_RISK")}
	case activity.TokenCreated:
		e.Subject, e.Changes = "of a person", []activity.Change{activity.Added("person", activity.Person("user:joan"))}
	default: // the others need no more
	}
	return e
}

// TestEveryTypeOfEventIsOneOfTheSchema exports an event of every type and with every result.
func TestEveryTypeOfEventIsOneOfTheSchema(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	var wrote []activity.Event
	for _, typ := range types(t) {
		for _, result := range []activityevent.Result{activity.Success, activity.Blocked, activity.Failed} {
			wrote = append(wrote, happened(w, typ, result))
		}
	}
	w.write(wrote...)
	w.integrate()
	lines, _ := w.export(export.Input{Limit: export.MaxLimit, Format: export.OCSF})
	for i, line := range lines {
		o, e := w.read(line), wrote[i]
		class := fmt.Sprint(at(o, "class_uid"))
		for _, list := range [][]string{required[""], required[class]} {
			for _, one := range list {
				found := false
				for path := range strings.SplitSeq(one, "|") {
					found = found || at(o, path) != nil
				}
				if !found {
					t.Errorf("%s, %s has no %s: %s", e.Type, e.Result, one, line)
				}
			}
		}
		id, _ := at(o, "activity_id").(float64)
		uid, _ := at(o, "class_uid").(float64)
		if at(o, "type_uid") != uid*100+id || at(o, "category_uid") != float64(int(uid)/1000) || captions[fmt.Sprint(at(o, "type_uid"))] == "" {
			t.Errorf("%s, %s is of no class or activity that the schema has: %s", e.Type, e.Result, line)
		}
		if at(o, "entity.type") == "unknown" {
			t.Errorf("%s is in no table", e.Type)
		}
		if moment, _ := at(o, "time").(float64); time.Since(time.UnixMilli(int64(moment))).Abs() > time.Minute {
			t.Errorf("%s happened at %v ms", e.Type, moment)
		}
		if e.Result != activity.Success && at(o, "class_uid") != 2003.0 {
			t.Errorf("%s, %s is no finding", e.Type, e.Result)
		}
		if at(o, "metadata.sequence") != float64(i) || at(o, "actor.user.name") != "ada" || at(o, "message") != e.Summary || at(o, "unmapped.subject") != e.Subject ||
			at(o, "metadata.event_code") != string(e.Type) || at(o, "metadata.version") != export.Version || at(o, "metadata.log_provider") != "log.example.test" {
			t.Errorf("%s is told as %s", e.Type, line)
		}
	}
}

func TestFindingsSayWhatWasFoundAndHowItStands(t *testing.T) {
	w := newWorld(t, testdb.SQLite(t))
	good := happened(w, activity.StandingChanged, activity.Success)
	good.Changes = []activity.Change{activity.Changed("standing", "AT_RISK", "GOOD")}
	w.write(
		happened(w, activity.VulnerabilityFound, activity.Success), happened(w, activity.TriageDecided, activity.Success),
		happened(w, activity.StandingChanged, activity.Success), good,
		happened(w, activity.VersionPromoted, activity.Blocked), happened(w, activity.VersionPromoted, activity.Failed),
		happened(w, activity.TokenCreated, activity.Success), happened(w, activity.VersionReleased, activity.Success), happened(w, "OF_TOMORROW", activity.Success),
	)
	w.integrate()
	lines, _ := w.export(export.Input{Limit: 100, Format: export.OCSF})
	for i, want := range []object{
		{"vulnerabilities.0.cve.uid": "CVE-2021-44228", "vulnerabilities.1.advisory.uid": "GHSA-5mrr-rgp6-x4gr", "vulnerabilities.2": nil, "status_id": 1.0, "severity_id": 4.0},
		{"vulnerabilities.0.advisory.uid": "GHSA-5mrr-rgp6-x4gr", "vulnerabilities.1": nil, "status_id": 3.0, "finding_info.uid": "GHSA-5mrr-rgp6-x4gr"},
		{"compliance.status_id": 2.0, "status_id": 1.0, "severity_id": 4.0, "finding_info.uid": "checkout@1.0"},
		{"compliance.status_id": 1.0, "status_id": 4.0, "severity_id": 1.0, "finding_info.uid": "checkout@1.0"},
		{"compliance.status_id": 3.0, "status_code": "BLOCKED", "resources.0.name": "checkout@1.0"},
		{"compliance.status_id": 2.0, "status_code": "FAILED"},
		{"user.name": "user:joan", "status_id": 1.0},
		{"app.name": "checkout", "app.version": "1.0", "metadata.profiles.0": "host"},
		{"class_uid": 3004.0, "activity_id": 99.0, "entity.type": "unknown"},
	} {
		for path, value := range want {
			if o := w.read(lines[i]); at(o, path) != value {
				t.Errorf("%s of event %d is %v, want %v: %s", path, i, at(o, path), value, lines[i])
			}
		}
	}
}

// TestTheTableForReadersIsTheOneThatIsUsed holds docs/siem.md against what is exported.
func TestTheTableForReadersIsTheOneThatIsUsed(t *testing.T) {
	text, err := os.ReadFile("../../docs/siem.md")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, testdb.SQLite(t))
	var wrote []activity.Event
	for _, typ := range types(t) {
		wrote = append(wrote, happened(w, typ, activity.Success))
	}
	w.write(wrote...)
	w.integrate()
	lines, _ := w.export(export.Input{Limit: export.MaxLimit, Format: export.OCSF})
	rows := regexp.MustCompile("(?m)^\\| `[A-Z_]+` \\|.*$").FindAllString(string(text), -1)
	for i, line := range lines {
		o := w.read(line)
		about, _ := at(o, "entity.type").(string)
		row := fmt.Sprintf("| `%s` | %v %s | %v %s | %s | %v |", wrote[i].Type, at(o, "class_uid"), captions[fmt.Sprint(at(o, "class_uid"))],
			at(o, "activity_id"), captions[fmt.Sprint(at(o, "type_uid"))], about, at(o, "severity_id"))
		if i >= len(rows) || rows[i] != row {
			t.Errorf("docs/siem.md lacks, at its place:\n%s", row)
		}
	}
	if len(rows) != len(lines) {
		t.Errorf("docs/siem.md has %d rows, and there are %d types", len(rows), len(lines))
	}
}
