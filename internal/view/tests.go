package view

import "strings"

// attestationKinds lists the in-toto predicates that are read here.
func attestationKinds() []kind {
	return []kind{
		{"https://slsa.dev/provenance/v1", readSLSA1},
		{"https://slsa.dev/provenance/v0.2", readSLSA02},
		{"https://slsa.dev/provenance/v0.1", readSLSA01},
		{"https://in-toto.io/attestation/scai/attribute-report/v0", readSCAI},
		{"https://in-toto.io/attestation/test-result/v0.1", readTestResult},
		{"https://slsa.dev/verification_summary/", readVSA},
		{"https://in-toto.io/attestation/svr/v0.1", readSVR},
		{"https://plimsoll.dev/attestations/approval/v1", readApproval},
		{"https://plimsoll.dev/attestations/review/v1", readApproval},
	}
}

// reportKinds lists the reports of tests and coverage that are read as documents.
func reportKinds() []kind {
	const documents = "https://plimsoll.dev/documents/"
	return []kind{
		{documents + "junit/v1", readJUnit},
		{documents + "xunit/v1", readXUnit},
		{documents + "nunit/v1", readNUnit},
		{documents + "tap/v1", readTAP},
		{documents + "ctrf/v1", readCTRF},
		{documents + "jacoco/v1", readJaCoCo},
		{documents + "cobertura/v1", readCobertura},
		{documents + "lcov/v1", readLCOV},
	}
}

// readTestResult reads in-toto's test result, whose verdict is its own. A test that warned did not fail: it counts as
// passed.
func readTestResult(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("result", "passedTests", "warnedTests", "failedTests")
	result := p["result"].required()
	v := &Tests{Result: Result(result.text()), Failures: []Failure{}}
	switch v.Result {
	case Passed, Failed, Warned:
	default:
		result.wrong("must be %s, %s or %s, not %q", Passed, Warned, Failed, v.Result)
	}
	ignore := func(entry field) { entry.required().text() }
	v.Passed = p["passedTests"].each(ignore) + p["warnedTests"].each(ignore)
	v.Failed = p["failedTests"].each(func(entry field) {
		if name := entry.required().text(); len(v.Failures) < MaxEntries {
			v.Failures = append(v.Failures, Failure{Name: name})
		}
	})
	v.Total = v.Passed + v.Failed
	return view(View{Tests: v}, f)
}

// readCTRF reads the Common Test Report Format. What its summary says and what its tests say are taken together as those
// of a suite in XML are.
func readCTRF(content []byte) (View, error) {
	doc, f := openJSON(content)
	results := doc.object("results")["results"].required().object("tool", "summary", "tests")
	tool := results["tool"].object("name", "version")
	failures := []Failure{}
	var counted tally
	results["tests"].each(func(entry field) {
		test := entry.object("name", "status", "duration", "message", "suite")
		one := tally{total: 1, ms: int64(test["duration"].number(maxMilliseconds))}
		switch status := test["status"].required(); status.text() {
		case "passed":
		case "skipped", "pending", "other":
			one.skipped = 1
		case "failed":
			one.failed = 1
			if len(failures) < MaxEntries {
				failures = append(failures, Failure{Suite: ctrfSuite(test["suite"]), Name: test["name"].text(), Message: test["message"].text()})
			}
		default:
			status.wrong("must be passed, failed, skipped, pending or other, not %q", status.text())
		}
		counted.add(one)
	})
	said := ctrfSummary(results["summary"].required())
	if f.err != nil {
		return View{}, f.err
	}
	v, err := counted.with(said).tests(strings.TrimSpace(tool["name"].text()+" "+tool["version"].text()), failures)
	if err == nil {
		err = f.err
	}
	if err != nil {
		return View{}, err
	}
	return View{Tests: v}, nil
}

func ctrfSummary(summary field) tally {
	s := summary.object("tests", "passed", "failed", "pending", "skipped", "other", "start", "stop")
	said := tally{
		total:   s["tests"].count(),
		failed:  s["failed"].count(),
		skipped: s["pending"].count() + s["skipped"].count() + s["other"].count(),
	}
	const farthest = 1 << 53 // instants are milliseconds since 1970
	if start, stop := s["start"].number(farthest), s["stop"].number(farthest); start > 0 && stop > start {
		if stop-start > maxMilliseconds {
			s["stop"].wrong("is more than a hundred years after the start")
		}
		said.ms = int64(stop - start)
	}
	return said
}

// ctrfSuite reads a suite, which newer versions write as a list from the outermost to the innermost.
func ctrfSuite(suite field) string {
	if !suite.is('[') {
		return suite.text()
	}
	return scanText(strings.Join(suite.texts(), " > "))
}
