package blast

// Inert is how a cell of an export is written.
func Inert(cell string) string { return inert(cell) }
