package bench_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/internal/estate"
	"github.com/plimsoll/plimsoll/internal/store"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

// TestABlastRadiusOfManyAsksAsOftenAsOfOne counts the statements of the contract's document. On a busy machine what is
// gathered for one statement may take two or three.
func TestABlastRadiusOfManyAsksAsOftenAsOfOne(t *testing.T) {
	small := estate.Shape{Applications: 40, Versions: 5, Artifacts: 2, Components: 30, Pool: 500, Zipf: 0.9, Advisories: 10, Seed: 1}
	s, done := loaded(t, testdb.SQLite(t), small)
	asked := map[string]int64{}
	for _, target := range done.Targets {
		var n atomic.Int64
		ctx := store.Watch(context.Background(), func(string, []any) { n.Add(1) })
		body := request(t, operation(t, "BlastRadius"), object{"of": object{"vulnerability": target.Vulnerability}, "in": object{}, "first": 20})
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+admin)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || bytes.Contains(w.Body.Bytes(), []byte(`"errors"`)) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		asked[target.Name] = n.Load()
	}
	if few, many := asked["rare"], asked["30 %"]; few == 0 || many > few+8 {
		t.Errorf("statements: %v", asked)
	}
}
