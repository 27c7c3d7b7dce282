package view

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// csafType is the type of CSAF 2.0.
const csafType = "https://docs.oasis-open.org/csaf/csaf/v2.0"

type csafDocument struct {
	Document struct {
		Version   string `json:"csaf_version"`
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			CurrentReleaseDate string `json:"current_release_date"`
		} `json:"tracking"`
	} `json:"document"`
	ProductTree struct {
		Branches      []csafBranch  `json:"branches"`
		Products      []csafProduct `json:"full_product_names"`
		Relationships []struct {
			row
			Reference string      `json:"product_reference"`
			Product   csafProduct `json:"full_product_name"`
		} `json:"relationships"`
		Groups []struct {
			row
			ID         string   `json:"group_id"`
			ProductIDs []string `json:"product_ids"`
		} `json:"product_groups"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafBranch struct {
	row
	Branches []csafBranch `json:"branches"`
	Product  csafProduct  `json:"product"`
}

type csafProduct struct {
	row
	Name   string `json:"name"`
	ID     string `json:"product_id"`
	Helper struct {
		PURL  string   `json:"purl"`
		PURLs []string `json:"purls"`
		CPE   string   `json:"cpe"`
	} `json:"product_identification_helper"`
}

type csafVulnerability struct {
	row
	CVE string `json:"cve"`
	IDs []struct {
		row
		Text string `json:"text"`
	} `json:"ids"`
	Status       map[string][]string `json:"product_status"`
	Flags        []csafRemark        `json:"flags"`
	Threats      []csafRemark        `json:"threats"`
	Remediations []csafRemark        `json:"remediations"`
}

// csafRemark is a flag, a threat or a remediation: something said about some of the products.
type csafRemark struct {
	row
	Label      string   `json:"label"`
	Category   string   `json:"category"`
	Details    string   `json:"details"`
	ProductIDs []string `json:"product_ids"`
	GroupIDs   []string `json:"group_ids"`
}

// readCSAF reads an advisory or a VEX document of CSAF 2.0.
func readCSAF(content []byte) (View, error) {
	var d csafDocument
	if err := decodeScan("CSAF document", content, &d); err != nil {
		return View{}, err
	}
	if v := d.Document.Version; v == "" {
		return View{}, errors.New("the CSAF document has no document.csaf_version")
	} else if !strings.HasPrefix(v, "2.") {
		return View{}, fmt.Errorf("the CSAF document says document.csaf_version %q; 2.0 and 2.1 are read", scanText(v))
	}
	c := csafReader{products: map[string]csafProduct{}, parts: map[string]string{}, groups: map[string][]string{}}
	c.index(&d)
	out := newVex(d.Document.Publisher.Name)
	at := scanTime(d.Document.Tracking.CurrentReleaseDate)
	for i := range d.Vulnerabilities {
		v := &d.Vulnerabilities[i]
		base := VexStatement{Vulnerability: v.CVE, At: at}
		for _, id := range v.IDs {
			base.Vulnerability = cmp.Or(base.Vulnerability, id.Text)
			if id.Text != base.Vulnerability {
				base.Aliases = append(base.Aliases, id.Text)
			}
		}
		if base.Vulnerability == "" {
			return View{}, fmt.Errorf("the CSAF document has neither vulnerabilities[%d].cve nor ids", i)
		}
		if err := c.into(out, v, base); err != nil {
			return View{}, fmt.Errorf("the CSAF document cannot be read: vulnerabilities[%d]: %w", i, err)
		}
	}
	return View{Vex: out}, nil
}

// maxPURLs is how many package URLs of a product are read: each is written wherever the product is named.
const maxPURLs = 10

// csafReader resolves product ids.
type csafReader struct {
	products map[string]csafProduct
	parts    map[string]string // what a related product is: the component, by the id of the relationship
	groups   map[string][]string
	unfolded int // how many products were named by groups, which may be named again and again
}

func (c *csafReader) index(d *csafDocument) {
	c.branches(d.ProductTree.Branches)
	for _, p := range d.ProductTree.Products {
		c.products[p.ID] = p
	}
	for _, r := range d.ProductTree.Relationships {
		c.products[r.Product.ID] = r.Product
		c.parts[r.Product.ID] = r.Reference
	}
	for _, g := range d.ProductTree.Groups {
		c.groups[g.ID] = g.ProductIDs
	}
}

// branches goes down the tree, as deep as the document is nested.
func (c *csafReader) branches(all []csafBranch) {
	for i := range all {
		if p := all[i].Product; p.ID != "" {
			c.products[p.ID] = p
		}
		c.branches(all[i].Branches)
	}
}

// names gives what a product is called outside of the document: its package URL, else its CPE, else its name. A
// relationship without any of its own, such as "openssl as a component of Linux 8", keeps its name and does not take
// the component's package URL: what is said of it is not said of openssl elsewhere.
func (c *csafReader) names(id string) ([]string, error) {
	p, ok := c.products[id]
	if !ok {
		return nil, fmt.Errorf("%q is not in the product_tree", scanText(id))
	}
	purls := append([]string{}, p.Helper.PURLs[:min(len(p.Helper.PURLs), maxPURLs)]...)
	if p.Helper.PURL != "" {
		purls = append(purls, p.Helper.PURL)
	}
	if len(purls) > 0 {
		return purls, nil
	}
	if _, related := c.parts[id]; related {
		return []string{cmp.Or(p.Name, id)}, nil
	}
	return []string{cmp.Or(p.Helper.CPE, p.Name, id)}, nil
}
