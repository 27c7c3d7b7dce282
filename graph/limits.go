package graph

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// The bounds of one operation. Each stands against a document that is small to send and dear to answer.
const (
	// MaxTokens is how many tokens a document may have. All operations that partners send, put into one document, have
	// under 2,000; the largest single one has 132.
	MaxTokens = 4000
	// MaxRepetition bounds the sum, over all names in a document, of the square of how often the name occurs. Whether fields
	// of one name can be merged is checked pair by pair, so a field repeated 5,000 times costs seconds; at this
	// bound (one name 1,000 times) it costs about 50 ms. The document of all partner operations has under 14,000.
	MaxRepetition = 1_000_000
	// MaxSelections is how many selections an operation may have once its fragments are written out. Fragments that spread
	// others twice double with every level: 30 of them make a thousand million selections.
	MaxSelections = 5000
	// MaxComplexity bounds the nodes and fields that an operation may ask for, with every list counted at its page size. A flat
	// node costs about 20 µs, so this is about a second of one core.
	MaxComplexity = 50_000
	// DefaultPageSize is the size of a page when neither first nor last is given.
	DefaultPageSize = 25
	// MaxPageSize is the largest page.
	MaxPageSize = 100

	// Cached documents are bounded in number and size: a syntax tree takes about a hundred times the room of its text,
	// so the cache stays under about 120 MB at the very worst.
	maxCachedQueries    = 256
	maxCachedQueryBytes = 4 << 10

	complexityExceeded = "COMPLEXITY_LIMIT_EXCEEDED"
)

// Limits bounds what one operation may cost and keeps failures to themselves: size and repetition of the document,
// fragments written out, complexity, a bounded cache of validated documents, no guesses at field names in errors, panics
// logged and masked. Introspection stays on, because the explorer reads the schema with it; its depth is bounded
// by a validation rule. Time and body size are bounded by Transport.
//
// reference gives the id that a caller can quote for a masked failure, the request id for example; it may be nil.
func Limits(srv *handler.Server, log *slog.Logger, reference func(context.Context) string) {
	srv.SetParserTokenLimit(MaxTokens)
	srv.SetDisableSuggestion(true)
	srv.SetValidationRulesFn(rulesWithoutSuggestions)
	srv.SetQueryCache(smallQueries{lru.New[*ast.QueryDocument](maxCachedQueries)})
	srv.SetRecoverFunc(maskPanic(log, reference))
	srv.Use(documentLimit{})
	// Before the complexity is computed, because computing it writes the fragments out.
	srv.Use(selectionLimit{})
	srv.Use(extension.Introspection{})
	srv.Use(extension.FixedComplexityLimit(MaxComplexity))
}

// ListCost is the complexity of a list field of a page given by first or last, each item costing child. It
// saturates instead of overflowing, so that nesting cannot wrap a huge cost into a small one.
func ListCost(child int, first, last *int) int {
	size := DefaultPageSize
	if first != nil {
		size = *first
	} else if last != nil {
		size = *last
	}
	// Sizes outside the bounds are refused when the field is resolved; until then they must not look cheap.
	size = min(max(size, 1), MaxPageSize)
	if child > (math.MaxInt-1)/size {
		return math.MaxInt
	}
	return 1 + size*max(child, 1)
}

// rulesWithoutSuggestions are the validation rules, with those that search the schema for similar names replaced.
// The executor replaces two more of the kind by itself.
func rulesWithoutSuggestions() *rules.Rules {
	all := rules.NewDefaultRules()
	for _, r := range []struct{ old, plain validator.Rule }{
		{rules.KnownArgumentNamesRule, rules.KnownArgumentNamesRuleWithoutSuggestions},
		{rules.KnownTypeNamesRule, rules.KnownTypeNamesRuleWithoutSuggestions},
		{rules.ValuesOfCorrectTypeRule, rules.ValuesOfCorrectTypeRuleWithoutSuggestions},
	} {
		all.RemoveRule(r.old.Name)
		all.AddRule(r.plain.Name, r.plain.RuleFunc)
	}
	return all
}

// smallQueries caches validated documents by their text, but not long texts: those carry data and never come again.
type smallQueries struct {
	graphql.Cache[*ast.QueryDocument]
}

// Add implements graphql.Cache.
func (c smallQueries) Add(ctx context.Context, query string, document *ast.QueryDocument) {
	if len(query) <= maxCachedQueryBytes {
		c.Cache.Add(ctx, query, document)
	}
}

// documentLimit counts tokens and repetitions before anything is parsed.
type documentLimit struct{}

var _ graphql.OperationParameterMutator = documentLimit{}

// ExtensionName implements graphql.HandlerExtension.
func (documentLimit) ExtensionName() string { return "DocumentLimit" }

// Validate implements graphql.HandlerExtension.
func (documentLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator. It changes nothing.
func (documentLimit) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	tokens, repetition := 0, 0
	seen := map[string]int{}
	lex := lexer.New(&ast.Source{Input: params.Query})
	for {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			// The parser says what is wrong, and where.
			return nil
		}
		if tokens++; tokens > MaxTokens {
			return exhausted("the document has more than %d tokens", MaxTokens)
		}
		if token.Kind == lexer.Name {
			n := seen[token.Value]
			seen[token.Value] = n + 1
			// (n+1)² - n²
			if repetition += 2*n + 1; repetition > MaxRepetition {
				return exhausted("the document repeats its names too often; send it in parts")
			}
		}
	}
}

// selectionLimit counts an operation's selections with all fragments written out.
type selectionLimit struct{}

var _ graphql.OperationContextMutator = selectionLimit{}

// ExtensionName implements graphql.HandlerExtension.
func (selectionLimit) ExtensionName() string { return "SelectionLimit" }

// Validate implements graphql.HandlerExtension.
func (selectionLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator. It changes nothing.
func (selectionLimit) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	c := selectionCounter{fragments: map[string]int{}}
	if c.count(operation.Operation.SelectionSet) > MaxSelections {
		return exhausted("the operation has more than %d selections with its fragments written out", MaxSelections)
	}
	return nil
}

// selectionCounter remembers what each fragment counts, so that it looks at each once. Validation has refused cycles.
type selectionCounter struct {
	fragments map[string]int
}

// count stops growing a little above the limit, far below an overflow.
func (c selectionCounter) count(set ast.SelectionSet) int {
	total := 0
	for _, selection := range set {
		total++
		switch s := selection.(type) {
		case *ast.Field:
			total += c.count(s.SelectionSet)
		case *ast.InlineFragment:
			total += c.count(s.SelectionSet)
		case *ast.FragmentSpread:
			n, known := c.fragments[s.Name]
			if !known {
				n = c.count(s.Definition.SelectionSet)
				c.fragments[s.Name] = n
			}
			total += n
		}
		total = min(total, MaxSelections+1)
	}
	return total
}

func exhausted(format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, string(fault.ResourceExhausted))
	return err
}

// maskPanic logs a resolver's panic with its stack and tells the caller only which reference to quote.
func maskPanic(log *slog.Logger, reference func(context.Context) string) graphql.RecoverFunc {
	return func(ctx context.Context, cause any) error {
		err := gqlerror.Errorf("something went wrong here; it has been logged")
		errcode.Set(err, "INTERNAL")
		if reference != nil {
			if ref := reference(ctx); ref != "" {
				err.Extensions["reference"] = ref
			}
		}
		log.ErrorContext(ctx, "panic in a resolver",
			slog.Any("cause", cause), slog.Any("reference", err.Extensions["reference"]), slog.String("stack", string(debug.Stack())))
		return err
	}
}
