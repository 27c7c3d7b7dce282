package view

// readVSA reads a SLSA verification summary.
func readVSA(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels")
	v := &Approval{
		By:     names(p["verifier"].object("id")["id"]),
		What:   p["resourceUri"].text(),
		Policy: p["policy"].object("uri")["uri"].text(),
		Levels: p["verifiedLevels"].texts(),
		At:     p["timeVerified"].instant(),
	}
	switch result := p["verificationResult"].required(); result.text() {
	case "PASSED":
		v.Decision = Approved
	case "FAILED":
		v.Decision = Rejected
	default:
		result.wrong("must be PASSED or FAILED, not %q", result.text())
	}
	return view(View{Approval: v}, f)
}

// readSVR reads a simple verification result. It only says what was verified, so that it always approves.
func readSVR(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("verifier", "timeCreated", "properties", "policy")
	v := &Approval{
		Decision: Approved,
		By:       names(p["verifier"].required().object("id")["id"].required()),
		Levels:   p["properties"].required().texts(),
		At:       p["timeCreated"].instant(),
	}
	// Verifiers add what they like; a policy is read where one names its URI.
	if p["policy"].is('{') {
		if uri := p["policy"].object("uri")["uri"]; uri.is('"') {
			v.Policy = uri.text()
		}
	}
	return view(View{Approval: v}, f)
}

// readApproval reads our own predicates, approval and review:
//
//	{"decision": "APPROVED" or "REJECTED", "by": ["…"] or "…", "what": "…", "policy": "…",
//	 "at": "…", "expiresAt": "…", "comment": "…"}
//
// Only the decision is required: who signed says by whom, what is attested says about what.
func readApproval(content []byte) (View, error) {
	doc, f := openJSON(content)
	p := doc.object("decision", "by", "what", "policy", "at", "expiresAt", "comment")
	decision := p["decision"].required()
	v := &Approval{
		Decision:  Decision(decision.text()),
		What:      p["what"].text(),
		Policy:    p["policy"].text(),
		Levels:    []string{},
		At:        p["at"].instant(),
		ExpiresAt: p["expiresAt"].instant(),
		Comment:   p["comment"].text(),
	}
	switch by := p["by"]; {
	case by.given() && !by.is('"') && !by.is('['):
		by.wrong("must be a string or a list of strings")
	case by.is('['):
		v.By = by.texts()
	default:
		v.By = names(by)
	}
	if v.Decision != Approved && v.Decision != Rejected {
		decision.wrong("must be %s or %s, not %q", Approved, Rejected, v.Decision)
	}
	return view(View{Approval: v}, f)
}

// names is a list of one text, or of none.
func names(f field) []string {
	if s := f.text(); s != "" {
		return []string{s}
	}
	return []string{}
}

// view gives what was read unless something was wrong.
func view(v View, f *failure) (View, error) {
	if f.err != nil {
		return View{}, f.err
	}
	return v, nil
}
