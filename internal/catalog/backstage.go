package catalog

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// maxBackstageDepth is how deep a document may nest.
const maxBackstageDepth = 64

// parseBackstage reads the owners of the components and systems of a Backstage catalogue, one or several YAML documents.
// Documents are read as nodes, which expands no alias; those that have one are refused all the same, because what they say
// is not what stands there.
func parseBackstage(content string) ([]ownersRule, error) {
	documents := yaml.NewDecoder(strings.NewReader(content))
	var rules []ownersRule
	for n := 1; ; n++ {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return rules, nil
		}
		if err != nil {
			return nil, fault.At("input.content", "it is not YAML that can be read: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if n > maxOwnersRules {
			return nil, atLine(document.Line, "at most %d documents are allowed; split the file", maxOwnersRules)
		}
		if err := checkNode(&document, maxBackstageDepth); err != nil {
			return nil, err
		}
		rule, err := entity(&document)
		if err != nil {
			return nil, err
		}
		if rule != nil {
			rules = append(rules, *rule)
		}
	}
}

// checkNode refuses aliases, keys that stand twice in one mapping, and what is nested too deep.
func checkNode(n *yaml.Node, depth int) error {
	if depth == 0 {
		return atLine(n.Line, "the document nests deeper than %d levels", maxBackstageDepth)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return atLine(n.Line, "anchors and aliases are not read; write out what they stand for")
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if seen[child.Value] {
				return atLine(child.Line, "the key %.100q stands twice in one mapping; remove one", child.Value)
			}
			seen[child.Value] = true
		}
		if err := checkNode(child, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// entity reads a document; nil when it is of a kind that has no versions to release.
func entity(document *yaml.Node) (*ownersRule, error) {
	if len(document.Content) != 1 || document.Content[0].Kind == yaml.ScalarNode && document.Content[0].Tag == "!!null" {
		return nil, nil // nothing between two lines of dashes
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, atLine(root.Line, "an entity is a mapping with kind, metadata and spec")
	}
	if kind := text(root, "kind"); !strings.EqualFold(kind, "Component") && !strings.EqualFold(kind, "System") {
		return nil, nil
	}
	name := text(root, "metadata", "name")
	if name == "" || strings.Contains(name, "*") {
		return nil, atLine(root.Line, "this entity has no metadata.name that may be the key of an application")
	}
	if err := checkPattern(root.Line, name); err != nil {
		return nil, err
	}
	stated := text(root, "spec", "owner")
	if stated == "" {
		return nil, atLine(root.Line, "%s has no spec.owner; say who owns it", name)
	}
	owner, ok := entityOwner(stated)
	if !ok {
		return nil, atLine(root.Line, "%.100q, the owner of %s, is not a group or a user; write group:default/name or user:default/name", stated, name)
	}
	return &ownersRule{pattern: name, owners: []string{owner}}, nil
}

// text returns the text at a path of keys; empty when there is none.
func text(n *yaml.Node, path ...string) string {
	for _, key := range path {
		if n = value(n, key); n == nil {
			return ""
		}
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

func value(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// entityOwner reads a reference to an entity, "[kind:][namespace/]name"; without a kind it is a group.
func entityOwner(stated string) (string, bool) {
	kind, name, found := strings.Cut(stated, ":")
	if !found {
		kind, name = "group", stated
	}
	if _, after, ok := strings.Cut(name, "/"); ok {
		name = after
	}
	prefix := teamPrefix
	switch {
	case strings.EqualFold(kind, "user"):
		prefix = userPrefix
	case !strings.EqualFold(kind, "group"):
		return "", false
	}
	ref, err := OwnerRef("input.content", prefix+name)
	return ref, err == nil
}
