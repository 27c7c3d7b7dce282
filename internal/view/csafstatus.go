package view

import (
	"fmt"
	"slices"
)

// csafStatuses are the product statuses that say something of VEX, in the order in which statements are made, with the
// category of the remark that explains them. first_affected and last_affected are read as what they say of the version
// named; recommended says nothing.
func csafStatuses() []struct {
	name   string
	status VexStatus
} {
	return []struct {
		name   string
		status VexStatus
	}{
		{"known_not_affected", NotAffected},
		{"known_affected", Affected},
		{"first_affected", Affected},
		{"last_affected", Affected},
		{"fixed", Fixed},
		{"first_fixed", Fixed},
		{"under_investigation", UnderInvestigation},
	}
}

// into makes a statement for each status, and for each justification among the products of one.
func (c *csafReader) into(out *Vex, v *csafVulnerability, base VexStatement) error {
	flags, impacts, actions := c.remarks(v.Flags), c.remarks(v.Threats), c.remarks(v.Remediations)
	if c.unfolded > maxRows {
		return fmt.Errorf("it names more than %d products by groups", maxRows)
	}
	for _, s := range csafStatuses() {
		type said struct{ label, text string }
		var order []said
		products := map[said][]string{}
		for i, id := range v.Status[s.name] {
			names, err := c.names(id)
			if err != nil {
				return fmt.Errorf("product_status.%s[%d]: %w", s.name, i, err)
			}
			var key said
			switch s.status {
			case NotAffected:
				key = said{flags.label(id), impacts.details(id, "impact")}
			case Affected:
				key.text = actions.details(id, "")
			case Fixed, UnderInvestigation:
			}
			if products[key] == nil {
				order = append(order, key)
			}
			products[key] = append(products[key], names...)
		}
		for _, key := range order {
			statement := base
			statement.Status, statement.Justification, statement.Statement = s.status, key.label, key.text
			statement.Products, statement.Aliases = products[key], slices.Clone(base.Aliases)
			out.add(statement)
		}
	}
	return nil
}

// csafRemarks finds remarks by product id. The one under "" is about every product.
type csafRemarks map[string][]*csafRemark

func (c *csafReader) remarks(all []csafRemark) csafRemarks {
	out := csafRemarks{}
	for i := range all {
		remark := &all[i]
		remark.Details = scanText(remark.Details)
		ids := slices.Clone(remark.ProductIDs)
		for _, group := range remark.GroupIDs {
			if c.unfolded += len(c.groups[group]); c.unfolded <= maxRows {
				ids = append(ids, c.groups[group]...)
			}
		}
		if len(remark.ProductIDs)+len(remark.GroupIDs) == 0 {
			ids = []string{""}
		}
		for _, id := range ids {
			if len(out[id]) < 10 {
				out[id] = append(out[id], remark)
			}
		}
	}
	return out
}

func (r csafRemarks) label(id string) string {
	for _, remark := range slices.Concat(r[id], r[""]) {
		if remark.Label != "" {
			return remark.Label
		}
	}
	return ""
}

func (r csafRemarks) details(id, category string) string {
	for _, remark := range slices.Concat(r[id], r[""]) {
		if category == "" || remark.Category == category {
			return remark.Details
		}
	}
	return ""
}
