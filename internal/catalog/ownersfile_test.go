package catalog_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
)

func TestOwnersFilesAreRead(t *testing.T) {
	for name, c := range map[string]struct{ format, content, want string }{
		"nothing": {"CODEOWNERS", "\n # nobody\n", ""},
		"all kinds of owners": {
			"CODEOWNERS", "\uFEFFcheckout @acme/Payments @robin robin@example.org user:kim team:web # all of them\r\n",
			"checkout: team:payments user:robin user:robin@example.org user:kim team:web",
		},
		"an owner named twice":      {"CODEOWNERS", "checkout @robin @Robin", "checkout: user:robin"},
		"a line without owners":     {"CODEOWNERS", "* @acme/all\ncheckout", "*: team:all\ncheckout:"},
		"a catalogue":               {"BACKSTAGE", backstage, "checkout: team:payments\nshop: user:robin\ncart: team:web"},
		"documents that are empty":  {"BACKSTAGE", "---\n---\n# nothing\n---\n", ""},
		"an owner of one namespace": {"BACKSTAGE", "kind: System\nmetadata: {name: a}\nspec: {owner: acme/b}", "a: team:b"},
	} {
		t.Run(name, func(t *testing.T) {
			patterns, owners, err := catalog.ParseOwners(c.format, c.content)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for i, p := range patterns {
				lines = append(lines, strings.TrimSpace(p+": "+strings.Join(owners[i], " ")))
			}
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

const backstage = `# what we have
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  annotations: {"backstage.io/techdocs-ref": "dir:."}
spec: {type: service, lifecycle: production, owner: "group:default/payments"}
---
kind: System
metadata: {name: shop}
spec: {owner: "user:default/robin"}
---
kind: component
metadata: {name: cart}
spec: {owner: web}
---
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
`

func TestOwnersFilesAreRefused(t *testing.T) {
	deep := strings.Repeat("a: {", 70) + strings.Repeat("}", 70)
	for name, c := range map[string]struct{ format, content, says string }{
		"too long":                {"CODEOWNERS", strings.Repeat("#", catalog.MaxOwnersFile+1), "at most 1048576"},
		"not UTF-8":               {"CODEOWNERS", "checkout \xff", "UTF-8"},
		"another format":          {"OWNERS", "", "CODEOWNERS or BACKSTAGE"},
		"an owner that is none":   {"CODEOWNERS", "\ncheckout payments", "line 2: \"payments\" is no owner"},
		"a team with a colon":     {"CODEOWNERS", "checkout @team:web", "line 1: \"@team:web\" is no owner"},
		"51 owners":               {"CODEOWNERS", "checkout " + strings.Join(owners(51), " "), "line 1: an application has at most 50"},
		"a long pattern":          {"CODEOWNERS", strings.Repeat("a", 256), "line 1: the name is 256"},
		"too many lines":          {"CODEOWNERS", strings.Repeat("a\n", 10_001), "line 10001: at most 10000"},
		"too many wildcards":      {"CODEOWNERS", strings.Repeat("a*\n", 501), "line 501: at most 500"},
		"no YAML":                 {"BACKSTAGE", "kind: System\nmetadata: {name: a}\nspec: {owner: b}\n---\n\t:", "not YAML that can be read: line 5"},
		"an alias":                {"BACKSTAGE", "a: &a [x]\nb: *a", "line 1: anchors and aliases"},
		"an alias before":         {"BACKSTAGE", "kind: Component\nspec:\n  owner: *b", "unknown anchor"},
		"a key that stands twice": {"BACKSTAGE", "kind: Component\nkind: System", "line 2: the key \"kind\" stands twice"},
		"a document too deep":     {"BACKSTAGE", deep, "nests deeper than 64"},
		"a list":                  {"BACKSTAGE", "- a", "line 1: an entity is a mapping"},
		"a component of no name":  {"BACKSTAGE", "---\nkind: Component\nspec: {owner: a}", "line 2: this entity has no metadata.name"},
		"a name of a pattern":     {"BACKSTAGE", "kind: Component\nmetadata: {name: \"*\"}\nspec: {owner: a}", "no metadata.name"},
		"a long name":             {"BACKSTAGE", "kind: Component\nmetadata: {name: " + strings.Repeat("a", 256) + "}\nspec: {owner: a}", "the name is 256"},
		"a component of nobody":   {"BACKSTAGE", "kind: Component\nmetadata: {name: a}", "line 1: a has no spec.owner"},
		"an owner of no kind":     {"BACKSTAGE", "kind: Component\nmetadata: {name: a}\nspec: {owner: \"robot:b\"}", "not a group or a user"},
		"too many documents":      {"BACKSTAGE", strings.Repeat("---\na: b\n", 10_001), "at most 10000 documents"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := catalog.ParseOwners(c.format, c.content)
			path := "input.content"
			if name == "another format" {
				path = "input.format"
			}
			wantFault(t, err, fault.BadInput, path, c.says)
		})
	}
}

func FuzzOwnersFile(f *testing.F) {
	f.Add(false, "* @acme/all\ncheckout-* @robin user:kim # x\ncheckout")
	f.Add(true, backstage)
	f.Add(true, "a: &a [*a]")
	f.Fuzz(func(t *testing.T, yaml bool, content string) {
		format := map[bool]string{false: "CODEOWNERS", true: "BACKSTAGE"}[yaml]
		patterns, owners, err := catalog.ParseOwners(format, content)
		if err != nil {
			return
		}
		for i, pattern := range patterns {
			if pattern == "" || len(owners[i]) > 50 {
				t.Fatalf("a rule of %q with %d owners", pattern, len(owners[i]))
			}
			for _, ref := range owners[i] {
				if canonical, err := catalog.OwnerRef("", ref); err != nil || canonical != ref {
					t.Fatalf("%q is no owner: %v", ref, err)
				}
			}
		}
	})
}

// FuzzOwnersPattern holds patterns against regular expressions.
func FuzzOwnersPattern(f *testing.F) {
	for _, seed := range []string{"*", "a*a", "a**b", "*ab*ba*", "abc", ""} {
		f.Add(seed, "aba")
	}
	f.Fuzz(func(t *testing.T, pattern, key string) {
		parts := strings.Split(pattern, "*")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		want, err := regexp.MatchString(`(?s)\A`+strings.Join(parts, ".*")+`\z`, key)
		if err != nil || len(pattern) > 100 || !utf8.ValidString(pattern) || !utf8.ValidString(key) {
			t.Skip()
		}
		if got := catalog.Fits(pattern, key); got != want {
			t.Errorf("that %q fits %q is %v", key, pattern, got)
		}
	})
}
