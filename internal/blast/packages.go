package blast

// Package is the package that a question starts from, or those of its versions that it takes.
type Package struct {
	// Purl has no version.
	Purl string
	// Whole is true when every version is taken.
	Whole bool

	wanted wanted
}

// Takes tells whether a purl with a version is one of those.
func (p *Package) Takes(text string) bool { return p.wanted.is(text) }

// Package reads a question that starts from a package; it gives nil for any other. It refuses a question that is not one.
func (of BlastRadiusInput) Package() (*Package, error) {
	if err := of.check(); err != nil || of.Purl == nil && of.PurlRange == nil {
		return nil, err
	}
	w, err := of.wanted()
	if err != nil {
		return nil, err
	}
	return &Package{Purl: w.base, Whole: w.holds == nil, wanted: w}, nil
}
