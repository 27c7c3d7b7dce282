package graph

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	// DefaultMaxBody is the largest request in bytes. A document of 32 MiB travels inside a JSON string, where escapes
	// about double it.
	DefaultMaxBody = 64 << 20
	// DefaultTimeout is how long an operation may run once its request was read.
	DefaultTimeout = 30 * time.Second
	// BacktestTimeout is how long one may run that makes recorded decisions again: ten thousand take about a minute.
	BacktestTimeout = 2 * time.Minute
	// maxRequestErrors keeps a document with thousands of mistakes from being answered with megabytes.
	maxRequestErrors = 20

	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

// Transport serves single operations as the GraphQL-over-HTTP draft says (https://graphql.github.io/graphql-over-http/):
// the answer's media type is negotiated, and a request that never came to execution is answered without "data", with
// 200 as application/json and 400 as application/graphql-response+json. Batches, multipart forms and encodings other than
// UTF-8 are refused. No answer repeats what the body held. The zero value is ready to use and takes POST only.
//
// It answers every POST, also those it refuses: a transport for event streams has to be added before it.
type Transport struct {
	// MaxBody is the largest body in bytes; 0 means DefaultMaxBody.
	MaxBody int64
	// Timeout bounds the execution; 0 means DefaultTimeout.
	Timeout time.Duration
	// Get also takes queries, and nothing but queries, in the URL of a GET request.
	Get bool
}

var _ graphql.Transport = Transport{}

// Supports implements graphql.Transport.
func (t Transport) Supports(r *http.Request) bool {
	return r.Header.Get("Upgrade") == "" && (r.Method == http.MethodPost || t.Get && r.Method == http.MethodGet)
}

// Do implements graphql.Transport.
func (t Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	start := graphql.Now()
	mediaType, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		refuse(w, mediaJSON, http.StatusNotAcceptable, fault.BadInput, "this endpoint answers "+mediaGraphQL+" and "+mediaJSON)
		return
	}
	params, problem := t.read(w, r)
	if problem != nil {
		refuse(w, mediaType, problem.status, problem.kind, problem.message)
		return
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}

	ctx, cancel := context.WithTimeout(r.Context(), orDefault(t.Timeout, DefaultTimeout))
	defer cancel()
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		answer := exec.DispatchError(graphql.WithOperationContext(ctx, operation), withCodes(errs))
		answerRequestError(w, mediaType, answer.Errors)
		return
	}
	if r.Method == http.MethodGet && operation.Operation.Operation != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, mediaType, http.StatusMethodNotAllowed, fault.BadInput, "GET takes queries only; send this operation with POST")
		return
	}
	if operation.Operation.Operation == ast.Subscription {
		refuse(w, mediaType, http.StatusNotAcceptable, fault.BadInput, "a subscription needs Accept: text/event-stream or a WebSocket")
		return
	}
	ctx, done := context.WithTimeout(r.Context(), t.bound(operation))
	defer done()
	t.execute(ctx, w, mediaType, exec, operation)
}

// bound is how long an operation may run: longer, when it asks for a back-test at the top of its text.
func (t Transport) bound(operation *graphql.OperationContext) time.Duration {
	for _, selection := range operation.Operation.SelectionSet {
		if field, ok := selection.(*ast.Field); ok && field.Name == "backtestPolicy" {
			return orDefault(t.Timeout, BacktestTimeout)
		}
	}
	return orDefault(t.Timeout, DefaultTimeout)
}

func (t Transport) execute(
	ctx context.Context, w http.ResponseWriter, mediaType string, exec graphql.GraphExecutor, operation *graphql.OperationContext,
) {
	responses, ctx := exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	switch late := errors.Is(ctx.Err(), context.DeadlineExceeded); {
	case late && (response == nil || len(response.Errors) > 0):
		refuse(w, mediaType, http.StatusServiceUnavailable, fault.ResourceExhausted, fmt.Sprintf(
			"gave up after %s; a mutation may have taken effect: look before you repeat it", t.bound(operation)))
	case response == nil:
		// Whoever asked has hung up: this is for the access log.
		refuse(w, mediaType, http.StatusServiceUnavailable, fault.ResourceExhausted, "the request was given up")
	case response.Data == nil && len(response.Errors) > 0:
		// An interceptor refused the operation: nothing was executed, so there is no data entry.
		answerRequestError(w, mediaType, response.Errors)
	default:
		write(w, mediaType, http.StatusOK, response)
	}
}

// problem is a request that is no GraphQL request.
type problem struct {
	status  int
	kind    fault.Kind
	message string
}

func (t Transport) read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *problem) {
	var in request
	if r.Method == http.MethodGet {
		if p := in.fromURL(r); p != nil {
			return nil, p
		}
	} else {
		if p := checkContentType(r.Header); p != nil {
			return nil, p
		}
		body := http.MaxBytesReader(w, r.Body, orDefault(t.MaxBody, DefaultMaxBody))
		if err := json.UnmarshalRead(body, &in, decodeOptions()); err != nil {
			return nil, bodyProblem(err)
		}
	}
	if in.Query == nil || *in.Query == "" {
		return nil, &problem{http.StatusBadRequest, fault.BadInput, `"query" is missing`}
	}
	params := &graphql.RawParams{Query: *in.Query, Variables: in.Variables, Extensions: in.Extensions}
	if in.OperationName != nil {
		params.OperationName = *in.OperationName
	}
	return params, nil
}

// request is the body of a POST; other members are ignored, as the draft asks.
type request struct {
	Query         *string        `json:"query"`
	OperationName *string        `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    map[string]any `json:"extensions"`
}

func (in *request) fromURL(r *http.Request) *problem {
	values := r.URL.Query()
	if query := values.Get("query"); query != "" {
		in.Query = &query
	}
	if name := values.Get("operationName"); name != "" {
		in.OperationName = &name
	}
	for name, to := range map[string]*map[string]any{"variables": &in.Variables, "extensions": &in.Extensions} {
		if text := values.Get(name); text != "" {
			if err := json.Unmarshal([]byte(text), to, decodeOptions()); err != nil {
				return &problem{http.StatusBadRequest, fault.BadInput, fmt.Sprintf("parameter %q is not a JSON object", name)}
			}
		}
	}
	return nil
}

// decodeOptions keep numbers as they were written: a 64-bit integer or a decimal inside a JSON scalar must not pass
// through a float. Duplicate members and invalid UTF-8 are refused by the decoder itself.
func decodeOptions() json.Options {
	return json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
		if d.PeekKind() != '0' {
			return errors.ErrUnsupported
		}
		number, err := d.ReadValue()
		*v = stdjson.Number(number)
		return err
	}))
}

// bodyProblem says what is wrong with a body by the names of the protocol and positions, never with the body's words.
func bodyProblem(err error) *problem {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &problem{
			http.StatusRequestEntityTooLarge, fault.ResourceExhausted,
			fmt.Sprintf("the request is larger than %d bytes", large.Limit),
		}
	}
	message := "the body is not readable as JSON"
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		switch at := string(semantic.JSONPointer); at {
		case "/query", "/operationName", "/variables", "/extensions":
			message = fmt.Sprintf("%q has the wrong type", at[1:])
		default:
			message = "the body is not a JSON object; batches are not supported: send one operation a request"
		}
	} else if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		message = "the body is not one JSON value in UTF-8 without duplicate members: see byte " + strconv.FormatInt(syntax.ByteOffset, 10)
	}
	return &problem{http.StatusBadRequest, fault.BadInput, message}
}

func checkContentType(h http.Header) *problem {
	refused := &problem{http.StatusUnsupportedMediaType, fault.BadInput, "send Content-Type: application/json in UTF-8, without Content-Encoding"}
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != mediaJSON || !isUTF8(params) {
		return refused
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return refused
	}
	return nil
}

func isUTF8(params map[string]string) bool {
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// negotiate picks the answer's media type from the Accept headers (RFC 9110, section 12.5.1). Of the types that are
// wanted most, one that is named beats a wildcard, and graphql-response+json beats json, for it tells more. Without a
// header, or with wildcards alone, it is application/json, which every client reads.
func negotiate(headers []string) (mediaType string, ok bool) {
	if len(headers) == 0 {
		return mediaJSON, true
	}
	accepted := strings.Join(headers, ",")
	if strings.TrimSpace(accepted) == "" {
		return mediaJSON, true
	}
	forJSON, forGraphQL := preferenceFor(mediaJSON, accepted), preferenceFor(mediaGraphQL, accepted)
	if forJSON.quality == 0 && forGraphQL.quality == 0 {
		return "", false
	}
	if forGraphQL.quality > forJSON.quality ||
		forGraphQL.quality == forJSON.quality && forGraphQL.specificity == exact {
		return mediaGraphQL, true
	}
	return mediaJSON, true
}

const exact = 3

// preference is how much one media type is wanted: by the most specific range that covers it.
type preference struct {
	quality     float64
	specificity int
}

func preferenceFor(mediaType, accepted string) preference {
	var best preference
	for part := range strings.SplitSeq(accepted, ",") {
		offered, params, err := mime.ParseMediaType(part)
		if err != nil || !isUTF8(params) {
			continue
		}
		specificity := map[string]int{"*/*": 1, "application/*": 2, mediaType: exact}[offered]
		if specificity <= best.specificity {
			continue
		}
		quality := 1.0
		if q, given := params["q"]; given {
			if quality, err = strconv.ParseFloat(q, 64); err != nil || !(quality >= 0 && quality <= 1) {
				continue
			}
		}
		best = preference{quality, specificity}
	}
	return best
}

// withCodes gives the errors of parsing, validating and limiting the code that callers know, and bounds their number.
func withCodes(errs gqlerror.List) gqlerror.List {
	if len(errs) > maxRequestErrors {
		errs = errs[:maxRequestErrors]
	}
	for _, err := range errs {
		switch code, _ := err.Extensions["code"].(string); code {
		case "", errcode.ParseFailed, errcode.ValidationFailed:
			errcode.Set(err, string(fault.BadInput))
		case complexityExceeded:
			errcode.Set(err, string(fault.ResourceExhausted))
		}
	}
	return errs
}

func refuse(w http.ResponseWriter, mediaType string, status int, kind fault.Kind, message string) {
	err := &gqlerror.Error{Message: message}
	errcode.Set(err, string(kind))
	write(w, mediaType, status, requestError{gqlerror.List{err}})
}

func answerRequestError(w http.ResponseWriter, mediaType string, errs gqlerror.List) {
	status := http.StatusOK
	if mediaType == mediaGraphQL {
		status = http.StatusBadRequest
	}
	write(w, mediaType, status, requestError{errs})
}

// requestError is a response without a data entry, which graphql.Response always writes.
type requestError struct {
	Errors gqlerror.List `json:"errors"`
}

func write(w http.ResponseWriter, mediaType string, status int, response any) {
	body, err := stdjson.Marshal(response)
	if err != nil {
		panic(fmt.Errorf("marshal GraphQL response: %w", err))
	}
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.WriteHeader(status)
	// A caller who has gone is the only reason to fail here.
	_, _ = w.Write(body)
}

func orDefault[T int64 | time.Duration](value, fallback T) T {
	if value == 0 {
		return fallback
	}
	return value
}
