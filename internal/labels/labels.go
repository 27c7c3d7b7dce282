// Package labels is the shape of a label wherever it is a value: in selectors, inherited context and events.
package labels

// Label is a key and a value. A key may occur with several values.
type Label struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
