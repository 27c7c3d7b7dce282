//go:build ignore

// Command entc generates the database client in ent/db from the tables described in ent/schema.
package main

import (
	"log"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	// The SDL is written by hand in schema/: entgql serves for pagination, Node and field collection alone.
	graphql, err := entgql.NewExtension(
		entgql.WithNodeDescriptor(false),
		entgql.WithWhereInputs(false),
	)
	if err != nil {
		log.Fatal(err)
	}
	err = entc.Generate("./schema", &gen.Config{
		Target:  "./db",
		Package: "github.com/plimsoll/plimsoll/ent/db",
		Features: []gen.Feature{
			gen.FeatureUpsert, gen.FeatureVersionedMigration, gen.FeatureIntercept, gen.FeatureModifier, gen.FeatureExecQuery,
		},
		Templates: []*gen.Template{gen.MustParse(gen.NewTemplate("globalid").ParseFiles("globalid.tmpl"))},
	}, entc.Extensions(graphql))
	if err != nil {
		log.Fatal(err)
	}
}
