package policies_test

import "slices"

// aboutTheWhole is what rules that take the version and its contents together do not look at in the contents.
func aboutTheWhole() []string {
	return append(withAll("contents/1"), fieldsOf("contents/0", "name", "purl", "kind", "connection_level", "owning_application")...)
}

func buildCases() []mutationCase {
	const said = "evidence/0/view/provenance"
	provenance := slices.Concat(aContent(), []string{"contents/?/name"}, withAll("evidence/0/predicate", said+"/materials"),
		fieldsOf("evidence/0", "category", "provider", "signer", "stage", "created_at"),
		fieldsOf(said, "attributes", "build_type", "finished_at", "invocation_id", "material_count", "source_revision", "started_at"))
	return []mutationCase{
		{
			"provenance by a builder from a repository, verified by another", "slsa-provenance",
			`{"builders":["https://ci.example/builders/*"],"minLevel":2,"sourceRepositories":["https://git.example/shop/checkout.git"]}`,
			[]string{"contents", "evidence"},
			slices.Concat(provenance, []string{said + "/source_ref"}, withAll("evidence/[^07]", "evidence/7/predicate", "evidence/7/view/approval/by"),
				fieldsOf("evidence/7", "category", "provider", "signer", "stage", "created_at"),
				fieldsOf("evidence/7/view/approval", "at", "comment", "expires_at", "policy", "what")),
		},
		{
			"a branch", "source-branch", `{"refs":["refs/heads/main"],"builders":["https://ci.example/builders/linux@v2"]}`,
			[]string{"contents", "evidence"},
			slices.Concat(provenance, []string{said + "/source_repository"}, withAll("evidence/[^0]")),
		},
	}
}

func reportCases() []mutationCase {
	const tests, measured, found, verdict = "evidence/3/view/tests", "evidence/4/view/tests", "evidence/5/view/static_analysis", "evidence/6/view/static_analysis"
	return []mutationCase{
		{
			"tests that passed", "tests-passed", `{"minPassed":400,"maxFailed":0,"minCoverage":80}`,
			[]string{"version", "contents", "evidence"},
			slices.Concat(aboutTheWhole(), withAll("version/[^m]*", "evidence/[^34]"),
				fieldsOf("evidence/[34]", "category", "collected", "created_at", "predicate", "predicate_type", "provider", "signer", "stage", "verified"),
				fieldsOf(tests, "duration_ms", "failures", "tool", "skipped is 0"),
				fieldsOf(measured, "duration_ms", "failures", "tool", "coverage/branches", "coverage/branches_covered")),
		},
		{
			"static analysis that found little", "static-analysis", `{"maxErrors":0,"maxWarnings":2,"tools":["CodeQL"]}`,
			[]string{"contents", "evidence"},
			slices.Concat(aboutTheWhole(), withAll("evidence/[^5]"),
				// What is gone from the log itself is not seen, but that a tool stopped is.
				fieldsOf("evidence/5/predicate/runs/0/invocations/0", executionKinds()...),
				[]string{
					"evidence/5/predicate", "evidence/5/predicate/version", "evidence/5/predicate/runs", "evidence/5/predicate/runs/0",
					"evidence/5/predicate/runs/0/invocations", "evidence/5/predicate/runs/0/invocations/0",
				},
				withAll("evidence/5/predicate/runs/0/tool"), []string{"evidence/5/predicate/runs/0/results"}, withAll(found+"/findings"),
				fieldsOf("evidence/5", "category", "collected", "created_at", "provider", "signer", "stage", "verified"),
				fieldsOf(found, "conditions", "counts/none", "counts/note", "counts/warning is 0", "result", "suppressed", "version")),
		},
		{
			"a quality gate that passed", "quality-gate", `{"allowWarned":false,"verified":true}`,
			[]string{"contents", "evidence"},
			slices.Concat(withAll("contents/?", "evidence/[^6]", "evidence/6/predicate", verdict+"/conditions", verdict+"/counts"),
				fieldsOf("evidence/6", "category", "collected", "provider", "signer", "stage", "subjects/?"),
				fieldsOf(verdict, "findings", "suppressed", "tool", "version")),
		},
	}
}

// executionKinds are the losses after which nobody says that a tool stopped.
func executionKinds() []string {
	var list []string
	for _, kind := range []string{"gone", "null", `""`, `"x"`, "0", "-1", "[]", "{}", "[true]", `{"0":true}`} {
		list = append(list, "executionSuccessful is "+kind)
	}
	return list
}

func stateCases() []mutationCase {
	moves := slices.Concat(withAll("version/inherited"), fieldsOf("version", "version", "tag", "manifest_digest", "created_at", "created_by"))
	return []mutationCase{
		{
			"a gate that was passed", "gate-certified", `{"stage":"QA","gate":"ENTRY"}`,
			[]string{"version"},
			slices.Concat(withAll("version/[^h]*", "version/history/0", "version/history/1/gates/0"),
				fieldsOf("version/history/1", "from_stage", "to_stage", "at"), []string{`version/history/1/gates/1/eval_id is "x"`}),
		},
		{
			"no vulnerability at or above a bound", "max-vulnerability", `{"severity":"HIGH","cvss":7,"onlyFixable":false,"kev":true,"maxFeedAgeHours":24}`,
			[]string{"evaluated_at", "contents", "sboms", "vulnerabilities", "feeds"},
			slices.Concat(aContent(), []string{"contents/?/name", "contents/1/digest is null", "feeds/?/changed_at", `feeds/?/digest is "x"`, `feeds/?/name is "x"`},
				fieldsOf("sboms/?", "signer", "spec_version", "verified"), withAll("vulnerabilities/?/aliases", "vulnerabilities/?/vex", "vulnerabilities/?/triage"),
				fieldsOf("vulnerabilities/?", "because", "component_name", "component_version", "cvss_vector", "direct", "epss", "kev_due", "published_at", "undecided"),
				// None, one less or a less severe one is a better version; VEX and triage are judged before. The first feed is that of
				// what is exploited, which need not be there.
				[]string{
					"feeds/0 is gone",
					"vulnerabilities is []", "vulnerabilities/? is gone", `vulnerabilities/?/id is "x"`, `vulnerabilities/?/component is "x"`,
					"vulnerabilities/?/cvss is null", "vulnerabilities/?/cvss is 0", "vulnerabilities/?/fixed_in is []",
					"vulnerabilities/?/fixed_in/0 is gone", `vulnerabilities/?/fixed_in/0 is "x"`, "vulnerabilities/0/kev is true", "vulnerabilities/1/kev is false",
				}),
		},
		{
			"approved by an owner and a releaser", "approved-by", `{"approvers":["OWNERS","RELEASER"],"count":2,"notAuthor":true}`,
			[]string{"version", "approvals"},
			slices.Concat(withAll("version/[^c]*"), []string{"approvals/?/owner_refs/0"}, fieldsOf("version", "created_at", "current_stage", `created_by is "x"`),
				[]string{
					"approvals/0 is gone", `approvals/0/by is "x"`, "approvals/0/owner is false", "approvals/2/owner is true", "approvals/?/at", `approvals/?/statement is "x"`,
					"approvals/[01]/roles/?", "approvals/[01]/roles is []", `approvals/[01]/roles is [["CONTRIBUTOR"]]`, "approvals/2/roles/1",
					"approvals/[01]/owner_refs is []", `approvals/[01]/owner_refs is [["person:4f1c"]]`, "approvals/2/owner_refs is [[]]",
				}),
		},
		{
			"owners", "owner-set", `{"minOwners":2,"team":true}`,
			[]string{"application"},
			slices.Concat(withAll("application/labels"), fieldsOf("application", "criticality", "maturity", "name", "project", `key is "x"`)),
		},
		{
			"not at its end", "not-end-of-life", `{"specified":true}`,
			[]string{"application"},
			slices.Concat(withAll("application/labels", "application/owners"), fieldsOf("application", "criticality", "name", "project", `key is "x"`)),
		},
		{
			"nothing deprecated for longer than it may be", "no-deprecated", `{"graceDays":30}`,
			[]string{"evaluated_at", "contents", "components", "deprecated"},
			slices.Concat(fieldsOf("contents/?", "digest", "name", "kind", "connection_level", "owning_application"), fieldsOf("components/?", "name", "version"),
				withAll("components/?/licenses", "components/?/sboms"),
				[]string{
					"contents/? is gone", "components/? is gone", "contents/?/purl is null", "components/?/purl is null", `contents/?/purl is "x"`, `components/?/purl is "x"`,
					"deprecated is []", "deprecated/? is gone", `deprecated/?/purl is "x"`, "deprecated/?/reason",
				}),
		},
		{
			"nothing frozen", "not-frozen", `{}`,
			[]string{"evaluated_at", "freezes"},
			// One that has yet to begin does not hold, whatever else it says.
			slices.Concat([]string{"freezes is []", "freezes/0 is gone"}, fieldsOf("freezes/0", "active", "ends_at", "id", "reason", "scope")),
		},
		{
			"long enough in a stage", "soak-time", `{"stage":"QA","hours":20}`,
			[]string{"evaluated_at", "version"},
			slices.Concat(moves, withAll("version/history/?/gates"), fieldsOf("version/history/?", "from_stage"),
				fieldsOf("version/history/0", "to_stage", `at is "x"`, "undone is true"), []string{"version/history/0 is gone"}),
		},
	}
}
