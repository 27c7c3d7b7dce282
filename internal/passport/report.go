package passport

// Outcome is what a check found.
type Outcome string

// The outcomes.
const (
	// OK is that it holds.
	OK Outcome = "OK"
	// Wrong is that it does not.
	Wrong Outcome = "WRONG"
	// NotChecked is that it could not be looked at: because it was left out, or because nobody here can.
	NotChecked Outcome = "NOT_CHECKED"
)

// Check is one thing that was looked at.
type Check struct {
	File string `json:"file"`
	// Check is which: files, statement, release, evidence, decision or log.
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	// Why says what is wrong, or what was not looked at; empty when it holds.
	Why string `json:"why,omitempty"`
}

// Key is a key that signatures were checked with.
type Key struct {
	// Name is the fingerprint of a release key, and the origin of the log.
	Name string `json:"name"`
	// Given says that whoever checks brought the key; otherwise it was believed because it is in the passport.
	Given bool `json:"given"`
}

// NoTrust stands in the place of a standing where the version was released without trust.
const NoTrust = "WITHOUT_TRUST"

// Report is what checking a passport found.
type Report struct {
	Application    string  `json:"application"`
	Version        string  `json:"version"`
	ManifestDigest string  `json:"manifestDigest"`
	Checks         []Check `json:"checks"`
	// Standing is what the last statement about it says: GOOD when there is none but the release, or NoTrust. Since is when it was made.
	// Both are empty when no release is in the passport.
	Standing    string `json:"standing"`
	Since       string `json:"since"`
	ReleaseKeys []Key  `json:"releaseKeys"`
	Log         Key    `json:"log"`
	// TreeSize is how many events the log had.
	TreeSize int64 `json:"treeSize"`
	// Witnesses are the names of those that cosigned the checkpoint and whose keys are known.
	Witnesses []string `json:"witnesses,omitempty"`
	// How many of each were checked and hold. Signatures are those of evidence.
	Files      int `json:"files"`
	Statements int `json:"statements"`
	Evidence   int `json:"evidence"`
	Signatures int `json:"signatures"`
	Decisions  int `json:"decisions"`
	Leaves     int `json:"leaves"`
}

// Wrong tells whether anything is.
func (r Report) Wrong() bool { return r.any(Wrong) }

// Complete tells whether everything could be looked at.
func (r Report) Complete() bool { return !r.any(NotChecked) }

func (r Report) any(o Outcome) bool {
	for _, c := range r.Checks {
		if c.Outcome == o {
			return true
		}
	}
	return false
}

func (r *Report) ok(file, check string) {
	r.Checks = append(r.Checks, Check{File: file, Check: check, Outcome: OK})
}

func (r *Report) wrong(file, check, why string) {
	r.Checks = append(r.Checks, Check{file, check, Wrong, why})
}

func (r *Report) notChecked(file, check, why string) {
	r.Checks = append(r.Checks, Check{file, check, NotChecked, why})
}
