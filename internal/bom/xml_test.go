package bom_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/bom"
)

// cycloneXML wraps elements of a document.
func cycloneXML(elements string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">` + elements + `</bom>`)
}

func TestXMLAndJSONGiveTheSameDocument(t *testing.T) {
	t.Parallel()
	fromXML := parse(t, cycloneXML(`<!-- a comment -->
		<metadata><timestamp>not read</timestamp><component type="application" bom-ref="root"><name>app</name></component></metadata>
		<components>
			<component type="library" bom-ref="a"><group>org.acme</group><name>a &amp; b</name><version>1</version>
				<hashes><hash alg="SHA-256">`+digestA+`</hash></hashes>
				<licenses><license><id>MIT</id><text>not read</text></license><license><name>Own</name></license></licenses>
				<purl>pkg:maven/org.acme/a@1</purl><properties><property name="x">y</property></properties>
				<components><component type="library" bom-ref="b"><name>b</name><evidence><identity><field>x</field></identity>
					<licenses><expression>ISC OR MIT</expression></licenses></evidence></component></components>
			</component>
		</components>
		<dependencies><dependency ref="root"><dependency ref="a"/></dependency><dependency ref="a"><dependency ref="b"/></dependency></dependencies>
		<compositions><composition><aggregate>complete</aggregate><assemblies><assembly ref="root"/></assemblies></composition></compositions>`))
	fromJSON := parse(t, cyclone(`,"metadata":{"component":{"bom-ref":"root","name":"app"}},"components":[
		{"bom-ref":"a","group":"org.acme","name":"a & b","version":"1","purl":"pkg:maven/org.acme/a@1","hashes":[{"alg":"SHA-256","content":"`+digestA+`"}],
		 "licenses":[{"license":{"id":"MIT"}},{"license":{"name":"Own"}}],
		 "components":[{"bom-ref":"b","name":"b","evidence":{"licenses":[{"expression":"ISC OR MIT"}]}}]}],
		"dependencies":[{"ref":"root","dependsOn":["a"]},{"ref":"a","dependsOn":["b"]}],
		"compositions":[{"aggregate":"complete","assemblies":["root"]}]`))
	if !reflect.DeepEqual(fromXML, fromJSON) {
		t.Errorf("XML  %+v\nJSON %+v", fromXML, fromJSON)
	}
	if len(fromXML.Components) != 2 || !fromXML.Components[0].Direct || !fromXML.Complete {
		t.Errorf("got %+v", fromXML)
	}
}

func TestXMLNamespaceMayHaveAPrefix(t *testing.T) {
	t.Parallel()
	doc := parse(t, []byte(`<c:bom xmlns:c="http://cyclonedx.org/schema/bom/1.4" xmlns:o="http://example.org/"><c:components>
		<c:component type="library"><c:name>a</c:name><o:name>other</o:name></c:component>
		<o:component><o:name>foreign</o:name></o:component></c:components></c:bom>`))
	if len(doc.Components) != 1 || doc.Components[0].Name != "a" || doc.SpecVersion != "1.4" {
		t.Errorf("got %+v", doc)
	}
}

func TestXMLRefuses(t *testing.T) {
	t.Parallel()
	billion := `<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	cases := []struct {
		name    string
		content []byte
		want    string
	}{
		{"a document type with entities", []byte(billion + string(cycloneXML(`<components/>`))), ""},
		{"a document type before the document", []byte(`<!DOCTYPE bom><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`), "document type declaration is not allowed"},
		{"an entity nobody declared", cycloneXML(`<components><component><name>&a;</name></component></components>`), "entity"},
		{"an entity in what is not read", cycloneXML(`<services>&a;</services>`), "entity"},
		{"another encoding", []byte(`<?xml version="1.0" encoding="ISO-8859-1"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`), ""},
		{"a version nobody knows", []byte(`<bom xmlns="http://cyclonedx.org/schema/bom/9.9"/>`), `version "9.9"`},
		{"no namespace", []byte(`<bom/>`), "first element is not <bom>"},
		{"another first element", []byte(`<sbom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`), "first element is not <bom>"},
		{"elements that do not match", cycloneXML(`<components></component>`), "element"},
		{"elements that do not match in what is not read", cycloneXML(`<services><a></b></services>`), "element"},
		{"a document cut off", cycloneXML(`<components>`)[:100], "cannot be read"},
		{"a second document", append(cycloneXML(``), cycloneXML(``)[39:]...), "something follows"},
		{"text after the end", append(cycloneXML(``), "text"...), "text stands outside"},
		{"a component that says nothing", cycloneXML(`<components><component/></components>`), "/components/0: the component has neither"},
		{"a million elements deep", cycloneXML(strings.Repeat(`<a>`, 1_000_000)), "deeper than 128"},
		{"components nested too deep", cycloneXML(strings.Repeat(`<components><component>`, 100)), "deeper than 128"},
		{"too many components", cycloneXML(`<components>` + strings.Repeat(`<component/>`, bom.MaxComponents+1) + `</components>`), "more than 100000 components"},
		{"too many dependencies", cycloneXML(`<dependencies>` + strings.Repeat(`<dependency/>`, 1_000_001) + `</dependencies>`), "more than 1000000 dependencies"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refuse(t, c.content, c.want)
		})
	}
}
