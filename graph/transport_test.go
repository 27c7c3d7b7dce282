package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/plimsoll/plimsoll/graph"
)

const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

// newServer is a server over a schema made by hand. Its fields answer with what they were given; "boom" panics, "refused"
// is refused before execution, "slow" ends with its context.
func newServer(t *testing.T, transport graph.Transport) (http.Handler, *bytes.Buffer) {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: `
		scalar JSON
		enum Colour { RED GREEN }
		type Query { hello(name: String): String  echo(value: JSON): String  paint(colour: Colour): String  self: Query
		             boom: String  refused: String  slow: String }
		type Mutation { paint(colour: Colour): String }
		type Subscription { ticks: String }`})
	if err != nil {
		t.Fatal(err)
	}
	srv := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc:     func() *ast.Schema { return schema },
		ComplexityFunc: func(context.Context, string, string, int, map[string]any) (int, bool) { return 0, false },
		ExecFunc:       answer,
	})
	var log bytes.Buffer
	graph.Limits(srv, slog.New(slog.NewTextHandler(&log, nil)), func(context.Context) string { return "ref-1" })
	srv.AddTransport(transport)
	return srv, &log
}

// answer resolves the root fields one by one, as generated code does.
func answer(ctx context.Context) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	return func(ctx context.Context) *graphql.Response {
		data := map[string]any{}
		for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Query", "Mutation"}) {
			if field.Name == "refused" {
				return &graphql.Response{Errors: graphql.ErrorResponse(ctx, "not for you").Errors}
			}
			data[field.Alias] = resolve(ctx, operation, field)
		}
		if ctx.Err() != nil {
			return nil
		}
		b, err := json.Marshal(data)
		if err != nil {
			panic(err)
		}
		return &graphql.Response{Data: b}
	}
}

func resolve(ctx context.Context, operation *graphql.OperationContext, field graphql.CollectedField) (value any) {
	defer func() {
		if cause := recover(); cause != nil {
			graphql.AddError(ctx, operation.RecoverFunc(ctx, cause))
		}
	}()
	arguments := field.ArgumentMap(operation.Variables)
	switch field.Name {
	case "__typename":
		return "Query"
	case "hello":
		return arguments["name"]
	case "echo":
		return fmt.Sprintf("%T %v", arguments["value"], arguments["value"])
	case "boom":
		panic("the secret ingredient")
	case "slow":
		<-ctx.Done()
	}
	return nil
}

type exchange struct {
	method, accept, contentType, encoding string
	body                                  string
	status                                int
	media                                 string
	contains, lacks                       []string
}

func (x exchange) run(t *testing.T, h http.Handler) {
	t.Helper()
	method, target, body := x.method, "/graphql", io.Reader(strings.NewReader(x.body))
	if method == "" {
		method = http.MethodPost
	}
	if method == http.MethodGet {
		target, body = "/graphql?"+x.body, nil
	}
	r := httptest.NewRequest(method, target, body)
	if x.contentType == "" {
		x.contentType = mediaJSON
	}
	if x.contentType != "none" {
		r.Header.Set("Content-Type", x.contentType)
	}
	if x.accept != "" {
		r.Header.Set("Accept", x.accept)
	}
	if x.encoding != "" {
		r.Header.Set("Content-Encoding", x.encoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	got := w.Body.String()
	if w.Code != x.status {
		t.Errorf("status %d, want %d: %s", w.Code, x.status, got)
	}
	if media := w.Header().Get("Content-Type"); x.media != "" && media != x.media+"; charset=utf-8" {
		t.Errorf("Content-Type %q, want %q", media, x.media)
	}
	for _, part := range x.contains {
		if !strings.Contains(got, part) {
			t.Errorf("%s does not contain %s", got, part)
		}
	}
	for _, part := range x.lacks {
		if strings.Contains(got, part) {
			t.Errorf("%s contains %s", got, part)
		}
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("not JSON: %s", got)
	}
}

func runAll(t *testing.T, h http.Handler, table map[string]exchange) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		t.Run(name, func(t *testing.T) { table[name].run(t, h) })
	}
}

// TestGraphQLOverHTTP holds the statements of the GraphQL-over-HTTP draft that graphql-http's audits check.
func TestGraphQLOverHTTP(t *testing.T) {
	h, _ := newServer(t, graph.Transport{})
	const typename = `{"query":"{ __typename }"}`
	table := map[string]exchange{
		"graphql-response+json is answered as such":    {accept: mediaGraphQL, body: typename, status: 200, media: mediaGraphQL, contains: []string{`{"data":{"__typename":"Query"}}`}},
		"json is answered as such":                     {accept: mediaJSON, body: typename, status: 200, media: mediaJSON},
		"*/* is answered as json":                      {accept: "*/*", body: typename, status: 200, media: mediaJSON},
		"application/* is answered as json":            {accept: "application/*", body: typename, status: 200, media: mediaJSON},
		"no Accept is answered as json":                {body: typename, status: 200, media: mediaJSON},
		"the higher quality wins":                      {accept: mediaGraphQL + ";q=0.4, " + mediaJSON + ";q=0.5", body: typename, status: 200, media: mediaJSON},
		"the lower quality loses":                      {accept: mediaGraphQL + ", " + mediaJSON + ";q=0.9", body: typename, status: 200, media: mediaGraphQL},
		"of two equals the one that tells more wins":   {accept: mediaJSON + ", " + mediaGraphQL, body: typename, status: 200, media: mediaGraphQL},
		"a named type beats a wildcard":                {accept: "*/*, " + mediaGraphQL, body: typename, status: 200, media: mediaGraphQL},
		"a type excluded by name is not served by */*": {accept: mediaJSON + ";q=0, */*;q=0.1", body: typename, status: 200, media: mediaGraphQL},
		"charset utf-8 is accepted":                    {accept: mediaGraphQL + "; charset=UTF-8", body: typename, status: 200, media: mediaGraphQL},
		"a list with something else in it is accepted": {accept: "text/html;q=0.9, " + mediaJSON + ";q=0.1", body: typename, status: 200, media: mediaJSON},
		"nothing acceptable":                           {accept: "text/html", body: typename, status: 406, contains: []string{"BAD_USER_INPUT"}},
		"everything excluded":                          {accept: "*/*;q=0", body: typename, status: 406},
		"another charset asked for":                    {accept: mediaJSON + "; charset=utf-16", body: typename, status: 406},
		"an Accept that cannot be read":                {accept: ";;;", body: typename, status: 406},
		"a quality that is no number":                  {accept: mediaJSON + ";q=NaN", body: typename, status: 406},
		"utf-8 is accepted in requests":                {contentType: mediaJSON + "; charset=utf-8", body: `{"query":"{ hello(name: \"Run🏃Swim🏊\") }"}`, status: 200, contains: []string{"Run🏃Swim🏊"}},
		"another charset sent":                         {contentType: mediaJSON + "; charset=latin1", body: typename, status: 415},
		"no content type":                              {contentType: "none", body: typename, status: 415},
		"plain text, as a cross-site form would send":  {contentType: "text/plain", body: typename, status: 415},
		"a form":                                         {contentType: "application/x-www-form-urlencoded", body: "query={__typename}", status: 415},
		"a multipart form":                               {contentType: "multipart/form-data; boundary=b", body: typename, status: 415},
		"a compressed body":                              {encoding: "gzip", body: typename, status: 415},
		"no body":                                        {status: 400, lacks: []string{`"data"`}},
		"no query":                                       {accept: mediaGraphQL, body: `{"notquery":"{ __typename }"}`, status: 400, media: mediaGraphQL, contains: []string{`\"query\" is missing`}},
		"an empty query":                                 {body: `{"query":""}`, status: 400},
		"a query under another case":                     {body: `{"QUERY":"{ __typename }"}`, status: 400},
		"unknown members are ignored":                    {body: `{"query":"{ __typename }","more":[1]}`, status: 200},
		"the operation is picked by name":                {body: `{"query":"query A { __typename } query B { hello(name: \"b\") }","operationName":"B"}`, status: 200, contains: []string{`{"data":{"hello":"b"}}`}},
		"variables are taken":                            {body: `{"query":"query($n: String!) { hello(name: $n) }","variables":{"n":"v"}}`, status: 200, contains: []string{`"v"`}, lacks: []string{"errors"}},
		"extensions are taken":                           {body: `{"query":"{ __typename }","extensions":{"some":"value"}}`, status: 200, lacks: []string{"errors"}},
		"numbers keep their digits":                      {body: `{"query":"query($v: JSON) { echo(value: $v) }","variables":{"v":[9007199254740993, 0.10]}}`, status: 200, contains: []string{"9007199254740993 0.10"}},
		"JSON that breaks off":                           {body: `{ "not a JSON hunter2`, status: 400, media: mediaJSON, lacks: []string{"hunter2", `"data"`}},
		"JSON that breaks off, the other type":           {accept: mediaGraphQL, body: `{ "not a JSON`, status: 400, media: mediaGraphQL},
		"something after the JSON":                       {body: typename + typename, status: 400},
		"a member given twice":                           {body: `{"query":"{ hunter2 }","query":"{ __typename }"}`, status: 400, lacks: []string{"hunter2"}},
		"a key given twice inside the variables":         {body: `{"query":"{ __typename }","variables":{"a":{"hunter2":1,"hunter2":2}}}`, status: 400, lacks: []string{"hunter2"}},
		"bytes that are not UTF-8":                       {body: "{\"query\":\"{ hello(name: \\\"\xff\\\") }\"}", status: 400},
		"a batch":                                        {body: "[" + typename + "]", status: 400, contains: []string{"batches are not supported"}},
		"a document that cannot be parsed, json":         {accept: mediaJSON, body: `{"query":"{"}`, status: 200, contains: []string{`"code":"BAD_USER_INPUT"`}, lacks: []string{`"data"`}},
		"a document that cannot be parsed":               {accept: mediaGraphQL, body: `{"query":"{"}`, status: 400, lacks: []string{`"data"`}},
		"a document that does not validate, json":        {accept: mediaJSON, body: `{"query":"{ nope }"}`, status: 200, lacks: []string{`"data"`}},
		"a document that does not validate":              {accept: mediaGraphQL, body: `{"query":"{ nope }"}`, status: 400, contains: []string{`"code":"BAD_USER_INPUT"`}, lacks: []string{`"data"`}},
		"a variable that is missing, json":               {accept: mediaJSON, body: `{"query":"query($id: ID!) { __typename }","variables":{"id":null}}`, status: 200, lacks: []string{`"data"`}},
		"a variable that is missing":                     {accept: mediaGraphQL, body: `{"query":"query($id: ID!) { __typename }","variables":{"id":null}}`, status: 400, lacks: []string{`"data"`}},
		"an operation that is not there":                 {accept: mediaGraphQL, body: `{"query":"query A { __typename }","operationName":"B"}`, status: 400},
		"several operations and no name":                 {accept: mediaGraphQL, body: `{"query":"query A { __typename } query B { __typename }"}`, status: 400},
		"an operation refused before it ran":             {accept: mediaGraphQL, body: `{"query":"{ refused }"}`, status: 400, contains: []string{"not for you"}, lacks: []string{`"data"`}},
		"an operation refused before it ran, json":       {accept: mediaJSON, body: `{"query":"{ refused }"}`, status: 200, contains: []string{"not for you"}, lacks: []string{`"data"`}},
		"a subscription as a plain request":              {body: `{"query":"subscription { ticks }"}`, status: 406, contains: []string{"text/event-stream"}},
		"GET where only POST is offered":                 {method: "GET", body: "query={__typename}", status: 400},
		"names of the schema are not offered for fields": {body: `{"query":"{ helo }"}`, status: 200, lacks: []string{"hello"}},
		"… for arguments":                                {body: `{"query":"{ hello(nam: 1) }"}`, status: 200, lacks: []string{`\"name\"`}},
		"… for types":                                    {body: `{"query":"query($a: Strin) { __typename }"}`, status: 200, lacks: []string{"String"}},
		"… for enum values":                              {body: `{"query":"{ paint(colour: GREN) }"}`, status: 200, lacks: []string{"GREEN"}},
	}
	for _, member := range []string{"query", "operationName", "variables", "extensions"} {
		for kind, value := range map[string]string{"a number": "0", "a boolean": "false", "an array": `["hunter2"]`} {
			table[fmt.Sprintf("%s as %s", member, kind)] = exchange{
				body: fmt.Sprintf(`{%q: %s, "query": "{ __typename }"}`, member, value), status: 400, lacks: []string{"hunter2", `"data"`},
			}
		}
		if member != "query" {
			table[member+" as null"] = exchange{body: fmt.Sprintf(`{"query":"{ __typename }",%q:null}`, member), status: 200, lacks: []string{"errors"}}
		}
	}
	for member, value := range map[string]string{"query": `{"hunter2":1}`, "operationName": `{"hunter2":1}`, "variables": `"hunter2"`, "extensions": `"hunter2"`} {
		body := fmt.Sprintf(`{"query":"{ __typename }",%q:%s}`, member, value)
		if member == "query" {
			body = fmt.Sprintf(`{%q:%s}`, member, value)
		}
		table[member+" of the wrong type"] = exchange{body: body, status: 400, contains: []string{`\"` + member + `\"`}, lacks: []string{"hunter2"}}
	}
	runAll(t, h, table)
}

func TestGetTakesQueriesOnly(t *testing.T) {
	h, _ := newServer(t, graph.Transport{Get: true})
	runAll(t, h, map[string]exchange{
		"a query":                {method: "GET", body: "query=%7B__typename%7D", status: 200, media: mediaJSON, contains: []string{`"data"`}},
		"a query with variables": {method: "GET", accept: mediaGraphQL, body: "query=query(%24n:String){hello(name:%24n)}&variables=%7B%22n%22:%22v%22%7D", status: 200, media: mediaGraphQL, contains: []string{`"v"`}},
		"a mutation":             {method: "GET", accept: mediaGraphQL, body: "query=mutation%7Bpaint%7D", status: 405},
		"a subscription":         {method: "GET", body: "query=subscription%7Bticks%7D", status: 405},
		"no query":               {method: "GET", status: 400},
		"variables as a list":    {method: "GET", body: "query=%7B__typename%7D&variables=[]", status: 400, contains: []string{"variables"}},
		"POST as before":         {body: `{"query":"mutation { paint(colour: RED) }"}`, status: 200},
	})
}

// TestHostileDocuments sends documents that are small and would cost seconds, or for ever, without the limits.
func TestHostileDocuments(t *testing.T) {
	h, _ := newServer(t, graph.Transport{})
	fragments := "query{...F0}"
	for i := range 40 {
		fragments += fmt.Sprintf(" fragment F%d on Query{a%d:hello ...F%d ...F%d}", i, i, i+1, i+1)
	}
	fragments += " fragment F40 on Query{hello}"
	branches := "query{...G0}"
	for i := range 40 {
		branches += fmt.Sprintf(" fragment G%d on Query{a:self{...G%d} b:self{...G%d}}", i, i+1, i+1)
	}
	branches += " fragment G40 on Query{hello}"
	refused := func(query string) exchange {
		return exchange{
			accept: mediaGraphQL, body: string(mustMarshal(t, map[string]any{"query": query})), status: 400,
			contains: []string{`"code":"RESOURCE_EXHAUSTED"`}, lacks: []string{`"data"`},
		}
	}
	invalid := refused("{ hello " + strings.Repeat("@aa ", 900) + "}")
	invalid.contains = []string{"BAD_USER_INPUT"}
	brackets := refused("{ echo(value: " + strings.Repeat("[", 1500))
	brackets.contains = []string{"BAD_USER_INPUT", "exceeded maximum nesting depth"}
	runAll(t, h, map[string]exchange{
		"one field 5,000 times":                      refused("{" + strings.Repeat("hello ", 5000) + "}"),
		"one field 1,100 times":                      refused("{" + strings.Repeat("hello ", 1100) + "}"),
		"one field with selections 1,500 times":      refused("{" + strings.Repeat("self{hello} ", 1500) + "}"),
		"more tokens than any client needs":          refused("{ hello(name: \"\") " + strings.Repeat("@skip(if: false) ", 1000) + "}"),
		"fragments that double with every level":     refused(fragments),
		"fields that double with every level":        refused(branches),
		"nine hundred mistakes are answered briefly": invalid,
		"lists nested 1,500 deep":                    brackets,
		"fragments in a circle":                      {accept: mediaGraphQL, body: `{"query":"query{...A} fragment A on Query{...B} fragment B on Query{...A}"}`, status: 400},
		"introspection without end": {
			accept: mediaGraphQL, status: 400, contains: []string{"introspection depth"},
			body: `{"query":"{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}"}`,
		},
		"introspection as explorers do it": {body: `{"query":"{__schema{types{name fields(includeDeprecated:true){name type{name ofType{name}}}}}}"}`, status: 200, lacks: []string{"errors"}},
		"a hundred aliases are fine":       {body: `{"query":"{` + aliases(100) + `}"}`, status: 200, lacks: []string{"errors"}},
	})
	long := string(mustMarshal(t, map[string]any{"query": "{ hello " + strings.Repeat("@aa ", 900) + "}"}))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(long))
	r.Header.Set("Content-Type", mediaJSON)
	h.ServeHTTP(w, r)
	if w.Body.Len() > 4<<10 {
		t.Errorf("nine hundred mistakes are answered with %d bytes", w.Body.Len())
	}
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:hello ", i)
	}
	return b.String()
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBodyLimit(t *testing.T) {
	h, _ := newServer(t, graph.Transport{MaxBody: 1000})
	of := func(size int) string {
		return `{"query":"{ __typename }","x":"` + strings.Repeat("y", size) + `"}`
	}
	runAll(t, h, map[string]exchange{
		"a body within the limit is taken": {body: of(900), status: 200},
		"a body over the limit":            {body: of(1000), status: 413, contains: []string{"larger than 1000 bytes", "RESOURCE_EXHAUSTED"}, lacks: []string{"yyy"}},
	})
}

func TestPanicIsMasked(t *testing.T) {
	h, log := newServer(t, graph.Transport{})
	exchange{
		accept: mediaGraphQL, body: `{"query":"{ boom hello(name: \"still here\") }"}`, status: 200,
		contains: []string{`"code":"INTERNAL"`, `"reference":"ref-1"`, "still here"}, lacks: []string{"secret", "goroutine"},
	}.run(t, h)
	for _, part := range []string{"the secret ingredient", "ref-1", "transport_test.go"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log does not contain %q: %s", part, log)
		}
	}
}

func TestOperationTimesOut(t *testing.T) {
	h, _ := newServer(t, graph.Transport{Timeout: time.Millisecond})
	exchange{
		accept: mediaGraphQL, body: `{"query":"{ slow }"}`, status: 503,
		contains: []string{"RESOURCE_EXHAUSTED", "gave up after 1ms"}, lacks: []string{`"data"`},
	}.run(t, h)
}

func TestListCost(t *testing.T) {
	at := func(n int) *int { return &n }
	for name, tc := range map[string]struct {
		child       int
		first, last *int
		want        int
	}{
		"neither first nor last":      {child: 2, want: 1 + 2*graph.DefaultPageSize},
		"first":                       {child: 2, first: at(10), want: 21},
		"last":                        {child: 2, last: at(10), want: 21},
		"a scalar child":              {child: 0, first: at(10), want: 11},
		"a negative first costs":      {child: 2, first: at(-1), want: 3},
		"a huge first counts as most": {child: 1, first: at(math.MaxInt), want: 1 + graph.MaxPageSize},
		"an overflow saturates":       {child: math.MaxInt / 2, first: at(100), want: math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			if got := graph.ListCost(tc.child, tc.first, tc.last); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// TestPartnersDocumentIsWithinTheLimits sends all operations of the contract as one document. It is refused for its unknown types,
// not for its size.
func TestPartnersDocumentIsWithinTheLimits(t *testing.T) {
	document, err := os.ReadFile("../schema/contract/operations.graphql")
	if err != nil {
		t.Fatal(err)
	}
	h, _ := newServer(t, graph.Transport{})
	exchange{
		body: string(mustMarshal(t, map[string]any{"query": string(document)})), status: 200,
		contains: []string{"BAD_USER_INPUT"}, lacks: []string{"RESOURCE_EXHAUSTED"},
	}.run(t, h)
}

func FuzzTransport(f *testing.F) {
	for _, seed := range []string{`{"query":"{ __typename }"}`, `[]`, `{"query":"{ hello(name: \"x\") }","variables":{"a":1e999}}`, `{"variables":`, "\xff"} {
		f.Add(mediaGraphQL+", */*;q=0.1", seed)
	}
	f.Fuzz(func(t *testing.T, accept, body string) {
		h, _ := newServer(t, graph.Transport{})
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", mediaJSON)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) || w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
