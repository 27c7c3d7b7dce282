package web

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Export says what of the log to export; nil for what was not said.
type Export struct {
	From   *int64
	Limit  *int64
	Format *string
}

// exportOf reads the parameters. One that is not known is refused: it would change nothing, and who sent it would not know.
func exportOf(r *http.Request) (Export, error) {
	var e Export
	for name, values := range r.URL.Query() {
		if !slices.Contains([]string{"from", "limit", "format"}, name) || len(values) != 1 {
			return e, fault.At(name, "the parameters are from, limit and format, each once at most")
		}
		if name == "format" {
			e.Format = &values[0]
			continue
		}
		n, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			return e, fault.At(name, "must be a whole number, got %q", values[0])
		}
		if name == "from" {
			e.From = &n
		} else {
			e.Limit = &n
		}
	}
	return e, nil
}

// export sends lines.
func export(deps Deps) http.Handler {
	return identified(deps, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var write func(context.Context, io.Writer) error
		e, err := exportOf(r)
		if err == nil {
			write, err = deps.Export(r.Context(), e)
		}
		if err != nil {
			refuse(w, r, err, deps.Logger)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		stream(w, r, "export", write, deps.Logger)
	}))
}
