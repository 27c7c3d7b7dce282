package view_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/view"
)

const documents = "https://plimsoll.dev/documents/"

const surefire = `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="shop.CartTest" time="1,234.5" tests="4" errors="1" skipped="1" failures="1">
  <properties><property name="a" value="b"/></properties>
  <testcase name="adds" classname="shop.CartTest" time="0.5"/>
  <testcase name="removes" classname="shop.CartTest"><failure message="expected 1 &lt; 2" type="AssertionError">at line 3</failure></testcase>
  <testcase name="pays" classname="shop.CartTest"><error type="java.io.IOException">
     broken pipe</error><system-out><![CDATA[<failure/>]]></system-out></testcase>
  <testcase name="later" classname="shop.CartTest"><skipped/></testcase>
</testsuite>`

const nunit3 = `<test-run total="4" passed="1" failed="1" inconclusive="1" skipped="1" engine-version="3.6" duration="2.5" result="Failed">
	<test-suite type="Assembly" name="Cart.dll" total="4" duration="2"><test-case name="A" result="Passed" duration="1"/>
	<test-case name="B" classname="Cart" result="Failed"><failure><message>no</message><stack-trace>at B</stack-trace></failure></test-case>
	<test-case name="C" result="Inconclusive"/><test-case name="D" result="Skipped"><reason><message>later</message></reason></test-case>
	</test-suite></test-run>`

const nunit2 = `<test-results total="2" errors="0" failures="1" not-run="1" skipped="1" ignored="0"><environment nunit-version="2.5"/>
	<test-suite name="Cart" success="False" time="0.4"><results><test-case name="A" executed="True" success="True"/>
	<test-case name="B" executed="True" success="False"/><test-case name="C" executed="False"/></results></test-suite></test-results>`

const xunit2 = "\uFEFF" + `<assemblies><assembly name="a.dll" test-framework="xUnit.net 2.4" total="3" passed="1" failed="1" skipped="1" errors="0" time="0.3">
	<errors/><collection total="3" time="0.2"><test name="C.F" type="C" result="Fail"><failure><message><![CDATA[boom]]></message></failure></test>
	<test name="C.P" type="C" result="Pass"/><test name="C.S" type="C" result="Skip"><reason>later</reason></test></collection></assembly></assemblies>`

const tap14 = "TAP version 14\n1..5\nok 1 - adds\nnot ok 2 - pays # 3\n  ---\n  message: no\n  ...\n    not ok 1 - inside\nok 3 # SKIP later\n" +
	"not ok 4 - soon # \x54ODO not yet\nok 5 - a \\# skip\n"

const ctrf = `{"reportFormat": "CTRF", "results": {"tool": {"name": "jest", "version": "29"},
	"summary": {"tests": 4, "passed": 1, "failed": 1, "skipped": 1, "pending": 1, "other": 0, "start": 1700000000000, "stop": 1700000001500},
	"tests": [{"name": "a", "status": "passed", "duration": 5}, {"name": "b", "status": "failed", "message": "no", "suite": ["x", "y"]},
		{"name": "c", "status": "skipped"}, {"name": "d", "status": "pending"}]}}`

const jacoco = `<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
	<report name="cart"><sessioninfo id="a" start="1" dump="2"/><package name="p"><counter type="LINE" missed="99" covered="99"/></package>
	<counter type="BRANCH" missed="1" covered="3"/><counter type="LINE" missed="2" covered="8"/></report>`

const cobertura = `<?xml version="1.0"?><!DOCTYPE coverage SYSTEM 'http://cobertura.example/coverage-04.dtd'>
	<coverage line-rate="0.5" lines-valid="10" lines-covered="8" branches-valid="4" branches-covered="3"/>`

const cobertura1 = `<coverage line-rate="0.5"><packages><package><classes><class><methods><method><lines><line number="1" hits="1"/></lines></method></methods>
	<lines><line number="1" hits="10"/><line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class></classes></package></packages></coverage>`

const lcov = "TN:\nSF:a.js\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nBRF:4\nBRH:3\nend_of_record\nSF:b.js\nDA:1,1\nDA:2,3,x\nBRDA:1,0,0,-\nBRDA:1,0,1,2\nend_of_record\n"

func TestReportsOfTests(t *testing.T) {
	for name, c := range map[string]struct {
		format, content string
		want            view.Tests
	}{
		"Surefire": {"junit/v1", surefire, view.Tests{Result: view.Failed, Total: 4, Passed: 1, Failed: 2, Skipped: 1, DurationMs: 1234500, Failures: []view.Failure{
			{Suite: "shop.CartTest", Name: "removes", Message: "expected 1 < 2"}, {Suite: "shop.CartTest", Name: "pays", Message: "broken pipe"},
		}}},
		"an aggregate root and suites within suites, each with the tests below it": {
			"junit/v1", `<testsuites tests="3" failures="0" time="2"><testsuite name="a" tests="3" time="1">
			<testsuite name="b" tests="2"><testcase name="x"/><testcase name="y"/></testsuite><testcase name="z"/></testsuite></testsuites>`,
			view.Tests{Result: view.Passed, Total: 3, Passed: 3, DurationMs: 2000},
		},
		"suites that count without inner ones": {
			"junit/v1", `<testsuites><testsuite tests="1" time="1"><testcase name="z"/><testsuite tests="1" time="1">
			<testcase name="x"/></testsuite></testsuite><testsuite time="3"><testcase name="q"/></testsuite></testsuites>`,
			view.Tests{Result: view.Passed, Total: 3, Passed: 3, DurationMs: 4000},
		},
		"suites without counts":      {"junit/v1", `<testsuites><testsuite><testcase name="a" time="0,5"/></testsuite></testsuites>`, view.Tests{Result: view.Passed, Total: 1, Passed: 1, DurationMs: 500}},
		"counts without tests":       {"junit/v1", `<testsuite tests="6" failures="1" skipped="2"/>`, view.Tests{Result: view.Failed, Total: 6, Passed: 3, Failed: 1, Skipped: 2}},
		"a suite that hides failure": {"junit/v1", `<testsuite tests="1" failures="0"><testcase name="a"><failure/></testcase></testsuite>`, view.Tests{Result: view.Failed, Total: 1, Failed: 1, Failures: []view.Failure{{Name: "a"}}}},
		"GoogleTest's disabled ones": {"junit/v1", `<testsuites disabled="1" tests="2"><testsuite disabled="1" tests="2"><testcase status="run"/><testcase status="notrun"/></testsuite></testsuites>`, view.Tests{Result: view.Passed, Total: 2, Passed: 1, Skipped: 1}},
		"a flaky test that passed":   {"junit/v1", `<testsuite><testcase><flakyFailure message="once"/></testcase></testsuite>`, view.Tests{Result: view.Passed, Total: 1, Passed: 1}},
		"a clock that was set back":  {"junit/v1", `<testsuite time="-0.001"/>`, view.Tests{Result: view.Passed}},
		"Mocha's XUnit":              {"xunit/v1", `<testsuite name="Mocha Tests" tests="1" failures="0"><testcase name="a"/></testsuite>`, view.Tests{Result: view.Passed, Total: 1, Passed: 1}},
		"xUnit.net":                  {"xunit/v1", xunit2, view.Tests{Tool: "xUnit.net 2.4", Result: view.Failed, Total: 3, Passed: 1, Failed: 1, Skipped: 1, DurationMs: 300, Failures: []view.Failure{{Suite: "C", Name: "C.F", Message: "boom"}}}},
		"NUnit 3":                    {"nunit/v1", nunit3, view.Tests{Tool: "NUnit 3.6", Result: view.Failed, Total: 4, Passed: 1, Failed: 1, Skipped: 2, DurationMs: 2500, Failures: []view.Failure{{Suite: "Cart", Name: "B", Message: "no"}}}},
		"NUnit 2":                    {"nunit/v1", nunit2, view.Tests{Tool: "NUnit 2.5", Result: view.Failed, Total: 3, Passed: 1, Failed: 1, Skipped: 1, DurationMs: 400, Failures: []view.Failure{{Name: "B"}}}},
		"TAP":                        {"tap/v1", tap14, view.Tests{Result: view.Failed, Total: 5, Passed: 2, Failed: 1, Skipped: 2, Failures: []view.Failure{{Name: "pays # 3"}}}},
		"TAP with nothing to run":    {"tap/v1", "1..0 # skip nothing here\n", view.Tests{Result: view.Passed}},
		"TAP cut off":                {"tap/v1", "1..3\nok 1\n", view.Tests{Result: view.Failed, Total: 3, Passed: 1, Failed: 2, Failures: []view.Failure{{Message: "3 tests were planned, 1 ran"}}}},
		"TAP that bails out":         {"tap/v1", "1..3\nok 1\nBail out! no disk\n", view.Tests{Result: view.Failed, Total: 2, Passed: 1, Failed: 1, Failures: []view.Failure{{Message: "Bail out! no disk"}}}},
		"CTRF":                       {"ctrf/v1", ctrf, view.Tests{Tool: "jest 29", Result: view.Failed, Total: 4, Passed: 1, Failed: 1, Skipped: 2, DurationMs: 1500, Failures: []view.Failure{{Suite: "x > y", Name: "b", Message: "no"}}}},
		"JaCoCo":                     {"jacoco/v1", jacoco, view.Tests{Tool: "JaCoCo", Result: view.Passed, Coverage: &view.Coverage{Lines: 10, LinesCovered: 8, Branches: 4, BranchesCovered: 3}}},
		"Cobertura":                  {"cobertura/v1", cobertura, view.Tests{Result: view.Passed, Coverage: &view.Coverage{Lines: 10, LinesCovered: 8, Branches: 4, BranchesCovered: 3}}},
		"Cobertura without totals":   {"cobertura/v1", cobertura1, view.Tests{Result: view.Passed, Coverage: &view.Coverage{Lines: 2, LinesCovered: 1, Branches: 2, BranchesCovered: 1}}},
		"LCOV":                       {"lcov/v1", lcov, view.Tests{Result: view.Passed, Coverage: &view.Coverage{Lines: 4, LinesCovered: 3, Branches: 6, BranchesCovered: 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want.Failures == nil {
				c.want.Failures = []view.Failure{}
			}
			got := read(t, documents+c.format, c.content).Tests
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("\n got %+v\nwant %+v", *got, c.want)
			}
		})
	}
}

func TestReportsThatAreWrongAreRefused(t *testing.T) {
	for _, c := range []struct{ format, content, words string }{
		{"junit/v1", `not XML`, "not valid XML"},
		{"junit/v1", ``, "there is no element"},
		{"junit/v1", `<suites/>`, "the root element is <suites>"},
		{"junit/v1", `<testsuite tests="-1"/>`, "testsuite/@tests: must be a whole number"},
		{"junit/v1", `<testsuite tests="99999999999"/>`, "testsuite/@tests"},
		{"junit/v1", `<testsuites>` + strings.Repeat(`<testsuite tests="1000000000"/>`, 3) + `</testsuites>`, "counts 3000000000 tests"},
		{"junit/v1", `<testsuite time="NaN"/>`, "testsuite/@time: must be a number of seconds"},
		{"junit/v1", `<testsuite time="1e300"/>`, "testsuite/@time"},
		{"junit/v1", `<testsuite><testcase></testsuite>`, "not valid XML"},
		{"junit/v1", `<testsuite/><testsuite/>`, "second root"},
		{"junit/v1", `<testsuite/>x`, "outside of the root"},
		{"junit/v1", `<!DOCTYPE testsuite [<!ENTITY a "b">]><testsuite name="&a;"/>`, "document type declaration"},
		{"junit/v1", `<testsuite name="&a;"/>`, "not valid XML"},
		{"junit/v1", `<?xml version="1.0" encoding="utf-16"?><testsuite/>`, "only UTF-8 is read"},
		{"junit/v1", strings.Repeat("<testsuite>", 200), "nested deeper than 128"},
		{"junit/v1", "PK\x03\x04", "zip"},
		{"xunit/v1", nunit3, "the root element is <test-run>"},
		{"nunit/v1", "\x1f\x8b", "gzip"},
		{"tap/v1", "ok 1\n", "there is no plan"},
		{"tap/v1", "1..2\n1..2\n", "line 2: there is a second plan"},
		{"tap/v1", "1..99999999999\n", "line 1: the plan: must be"},
		{"tap/v1", "PK\x03\x04", "zip"},
		{"ctrf/v1", `{}`, "results: missing"},
		{"ctrf/v1", `{"results": {}}`, "results.summary: missing"},
		{"ctrf/v1", `{"results": {"summary": {"tests": -1}}}`, "results.summary.tests: must be a number between 0"},
		{"ctrf/v1", `{"results": {"summary": {"tests": 1.5}}}`, "results.summary.tests: must be a whole number"},
		{"ctrf/v1", `{"results": {"summary": {}, "tests": [{"status": "green"}]}}`, "results.tests[0].status: must be passed"},
		{"jacoco/v1", `<report name="a"/>`, "has no counter"},
		{"jacoco/v1", `<report><counter type="LINE" missed="-1" covered="1"/></report>`, "counter/@missed: must be"},
		{"jacoco/v1", `<!DOCTYPE report SYSTEM "a" [<!ELEMENT a ANY>]><report/>`, "document type declaration"},
		{"cobertura/v1", `<coverage clover="3"/>`, "neither line-rate nor lines-valid"},
		{"cobertura/v1", `<coverage lines-valid="1" lines-covered="2"/>`, "2 of 1 lines are covered"},
		{"lcov/v1", "SF:a\nDA:1,1\n", "there is no end_of_record"},
		{"lcov/v1", "SF:a\nLF:-1\nend_of_record\n", "line 2: LF: must be"},
		{"lcov/v1", "SF:a\nSF:b\n", "line 2: a file begins"},
	} {
		refuses(t, documents+c.format, c.content, c.words)
	}
}

func TestFailuresAreCutAndCounted(t *testing.T) {
	var b strings.Builder
	for i := range view.MaxEntries + 5 {
		fmt.Fprintf(&b, `<testcase name="t%d"><failure>%s</failure></testcase>`, i, strings.Repeat("é", 4000))
	}
	v := read(t, documents+"junit/v1", `<testsuite>`+b.String()+`</testsuite>`).Tests
	if len(v.Failures) != view.MaxEntries || v.Failed != view.MaxEntries+5 || len(v.Failures[0].Message) > view.MaxText || !strings.HasSuffix(v.Failures[0].Message, "é…") {
		t.Errorf("%d failures of %d, the first with %d bytes", len(v.Failures), v.Failed, len(v.Failures[0].Message))
	}
}

func TestReportsAreDetectedByTheirMarks(t *testing.T) {
	for content, format := range map[string]string{
		surefire: "junit/v1", `<testsuites/>`: "junit/v1", xunit2: "xunit/v1", nunit3: "nunit/v1", nunit2: "nunit/v1", tap14: "tap/v1", "1..0\n": "tap/v1",
		ctrf: "ctrf/v1", jacoco: "jacoco/v1", cobertura: "cobertura/v1", lcov: "lcov/v1",
	} {
		if d, err := view.Detect("", []byte(content)); err != nil || d.PredicateType != documents+format {
			t.Errorf("%.40q: %q, %v; want %s", content, d.PredicateType, err, format)
		}
	}
}

// FuzzReports holds that a report gives a view within bounds, the same one twice, or an error with a sentence.
func FuzzReports(f *testing.F) {
	formats := []string{"junit/v1", "xunit/v1", "nunit/v1", "tap/v1", "ctrf/v1", "jacoco/v1", "cobertura/v1", "lcov/v1"}
	for i, content := range []string{surefire, xunit2, nunit3, tap14, ctrf, jacoco, cobertura1, lcov} {
		f.Add(i, []byte(content))
	}
	f.Add(2, []byte(nunit2))
	f.Fuzz(func(t *testing.T, i int, content []byte) {
		if i >= 0 && i < len(formats) {
			bounded(t, documents+formats[i], content)
		}
	})
}
