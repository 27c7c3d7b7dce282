package testdb

import (
	"slices"
	"strings"
	"sync"
)

// recorder collects statements from any number of goroutines.
type recorder struct {
	mu   sync.Mutex
	seen []Statement
}

func (r *recorder) add(query string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, Statement{SQL: query, Args: slices.Clone(args)})
}

// queries returns the statements that read, or choose rows to change.
func (r *recorder) queries() []Statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.seen), func(s Statement) bool {
		verb, _, _ := strings.Cut(s.SQL, " ")
		return !slices.Contains([]string{"SELECT", "UPDATE", "DELETE", "WITH"}, strings.ToUpper(verb))
	})
}
