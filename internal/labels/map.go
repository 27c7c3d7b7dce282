package labels

// Map groups labels by key; the values of a key keep their order. It is never nil.
func Map(list []Label) map[string][]string {
	m := make(map[string][]string, len(list))
	for _, l := range list {
		m[l.Key] = append(m[l.Key], l.Value)
	}
	return m
}
