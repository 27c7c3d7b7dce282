package view_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/docs"
	"github.com/plimsoll/plimsoll/internal/view"
)

// members are the names in a view and in all that it holds, as paths.
func members(at string, t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, at+"."+name)
		names = append(names, members(at+"."+name, field.Type)...)
	}
	return names
}

// described are the names that a schema gives, as paths.
func described(at string, schema map[string]any) []string {
	if items, ok := schema["items"].(map[string]any); ok {
		return described(at, items)
	}
	properties, _ := schema["properties"].(map[string]any)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		names = append(names, at+"."+name)
		names = append(names, described(at+"."+name, properties[name].(map[string]any))...)
	}
	return names
}

func TestRule19_TheSchemaOfThePolicyInputNamesAllThatAViewHolds(t *testing.T) {
	var schema struct {
		Defs map[string]map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal(docs.PolicyInputSchema, &schema); err != nil {
		t.Fatal(err)
	}
	want, got := members("view", reflect.TypeFor[view.View]()), described("view", schema.Defs["view"])
	slices.Sort(want)
	slices.Sort(got)
	if fmt.Sprint(want) != fmt.Sprint(got) || len(want) < 50 {
		t.Errorf("the views hold\n%v\nand the schema says\n%v", want, got)
	}
}
