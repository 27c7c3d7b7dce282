package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"

	"github.com/plimsoll/plimsoll/graph/generated"
	"github.com/plimsoll/plimsoll/internal/auth"
)

// NewHandler serves the API. It fails when the schema has a root field that the access table says nothing about: what
// nobody thought of is not served.
func NewHandler(services Services, log *slog.Logger, reference func(context.Context) string) (http.Handler, error) {
	r := &Resolver{services}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: r, Complexity: complexity()})
	if missing := auth.Uncovered(rootFields(schema)); len(missing) > 0 {
		return nil, fmt.Errorf("no access rule for %s: add it to the table in package auth", strings.Join(missing, ", "))
	}
	srv := handler.New(schema)
	srv.AddTransport(Transport{})
	Limits(srv, log, reference)
	srv.SetErrorPresenter(present(log, reference))
	srv.AroundRootFields(admit)
	srv.AroundOperations(r.withLoaders)
	return srv, nil
}

// rootFields lists the schema's root fields as the access table names them.
func rootFields(schema graphql.ExecutableSchema) []string {
	var fields []string
	root := schema.Schema()
	for _, name := range []string{"Query", "Mutation"} {
		for _, f := range root.Types[name].Fields {
			if !strings.HasPrefix(f.Name, "__") {
				fields = append(fields, name+"."+f.Name)
			}
		}
	}
	return fields
}

// admit is the first look at who may send a field: deny by default, before anything is resolved.
func admit(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx)
	if strings.HasPrefix(field.Field.Name, "__") {
		return next(ctx)
	}
	root := field.Field.ObjectDefinition.Name
	if err := auth.Admit(ctx, root+"."+field.Field.Name); err != nil {
		graphql.AddError(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root, Field: field.Field}), err)
		return graphql.Null
	}
	return next(ctx)
}
