package bom

import (
	"slices"
	"strings"
)

// license3 is what is read of one licence of an SPDX 3 graph, whatever its type.
type license3 struct {
	kind, name string
	Expression string   `json:"simplelicensing_licenseExpression"`
	Members    []string `json:"expandedlicensing_member"`
	Subject    string   `json:"expandedlicensing_subjectLicense"`
	Extendable string   `json:"expandedlicensing_subjectExtendableLicense"`
	Addition   string   `json:"expandedlicensing_subjectAddition"`
}

// licensed3 says that the licence was declared, or concluded, for the component.
type licensed3 struct {
	component, license string
	concluded          bool
}

// licenses3 writes the licences of a graph as expressions, each once.
type licenses3 struct {
	said map[string]license3
	done map[string]string
}

// maxLicenseDepth is how deep licences refer to licences; no expression that is kept whole is deeper.
const maxLicenseDepth = 32

// license gives the packages their licences: those concluded, else those declared, as of an SPDX 2 document.
func (g *graph3) license() {
	index := make(map[string]int, len(g.packages))
	for i, p := range g.packages {
		if _, taken := index[p.Ref]; !taken {
			index[p.Ref] = i
		}
	}
	for _, concluded := range []bool{true, false} {
		var found []licensed3
		for _, l := range g.licensed {
			at, known := index[l.component]
			if known && l.concluded == concluded && (concluded || len(g.packages[at].Licenses) == 0) {
				found = append(found, l)
			}
		}
		for _, l := range found {
			if text, ok := license(g.licenses.write(l.license, maxLicenseDepth)); ok {
				kept := &g.packages[index[l.component]]
				kept.Licenses = append(kept.Licenses, text)
			}
		}
	}
}

// write gives the expression of a licence, or "" where the document says none. A licence that refers to itself says
// nothing where it does.
func (l *licenses3) write(id string, depth int) string {
	id = oneLine(id)
	if text, done := l.done[id]; done || depth == 0 {
		return text
	}
	l.done[id] = ""
	text := l.expression(id, depth-1)
	if len(text) > MaxLicense {
		text = cut(text, MaxLicense)
	}
	l.done[id] = text
	return text
}

func (l *licenses3) expression(id string, depth int) string {
	said, known := l.said[id]
	if !known {
		return listed(id)
	}
	switch strings.TrimPrefix(said.kind, "expandedlicensing_") {
	case "ConjunctiveLicenseSet":
		return l.join(said.Members, " AND ", depth)
	case "DisjunctiveLicenseSet":
		return l.join(said.Members, " OR ", depth)
	case "OrLaterOperator":
		if subject := l.write(said.Subject, depth); subject != "" {
			return subject + "+"
		}
		return ""
	case "WithAdditionOperator":
		subject, addition := l.write(said.Extendable, depth), l.write(said.Addition, depth)
		if subject == "" || addition == "" {
			return subject
		}
		return subject + " WITH " + addition
	case "ListedLicense", "ListedLicenseException":
		if text := listed(id); text != "" {
			return text
		}
	}
	if said.Expression != "" {
		return oneLine(said.Expression)
	}
	return oneLine(said.name)
}

// join writes a set of licences. It stops where the text is longer than is kept.
func (l *licenses3) join(members []string, operator string, depth int) string {
	var texts []string
	size := 0
	for _, id := range members {
		text := l.write(id, depth)
		if text == "" || slices.Contains(texts, text) {
			continue
		}
		texts = append(texts, text)
		if size += len(text); size > MaxLicense {
			break
		}
	}
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	for i, text := range texts {
		if strings.Contains(text, " AND ") || strings.Contains(text, " OR ") {
			texts[i] = "(" + text + ")"
		}
	}
	return strings.Join(texts, operator)
}

// listed is the identifier in the address of a licence or exception on the SPDX list.
func listed(address string) string {
	for _, prefix := range []string{"http://spdx.org/licenses/", "https://spdx.org/licenses/"} {
		if id, ok := strings.CutPrefix(address, prefix); ok {
			return strings.TrimSuffix(strings.TrimSuffix(id, ".html"), ".json")
		}
	}
	return ""
}
