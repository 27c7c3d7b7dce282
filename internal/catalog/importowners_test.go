package catalog_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/catalog"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// say is what an import did, in a few words.
func say(p *catalog.ImportOwnersPayload) string {
	var parts []string
	for _, c := range p.Changes {
		parts = append(parts, fmt.Sprintf("%s +%v -%v", c.Application.Key, c.Added, c.Removed))
	}
	return fmt.Sprintf("%s; %d unchanged; %v", strings.Join(parts, ", "), p.Unchanged, p.Unmatched)
}

func TestOwnersAreImported(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, key := range []string{"cart", "old-cart"} {
			must(w.catalog.CreateApplication(w.root, catalog.CreateApplicationInput{ProjectKey: "shop", Key: key, Name: key, Owners: []string{"team:old"}}))(t)
		}
		must(w.catalog.ArchiveApplication(w.root, catalog.ArchiveApplicationInput{Key: "old-cart", Archived: true}))(t)
		in := catalog.ImportOwnersInput{
			Format: "CODEOWNERS", DryRun: true,
			Content: "* @acme/all # who else\n*cart team:old @robin\nc*out\nnothing-* @kim\nledger @kim\nledger @kim\n",
		}
		const want = "cart +[user:robin] -[]; 1 unchanged; [nothing-* ledger]"
		w.noEvent(t, func() {
			if got := say(must(w.catalog.ImportOwners(w.shopAdmin, in))(t)); got != want {
				t.Errorf("the dry run says %s, want %s", got, want)
			}
		})
		in.DryRun = false
		e := w.onlyEvent(t, func() {
			if got := say(must(w.catalog.ImportOwners(w.shopAdmin, in))(t)); got != want {
				t.Errorf("the import says %s, want %s", got, want)
			}
		})
		if e.Type != "APPLICATION_UPDATED" || e.Subject != "cart" || changes(t, e) != "owners: - → user:robin" {
			t.Errorf("the event is %s of %s: %s", e.Type, e.Subject, changes(t, e))
		}
		w.noEvent(t, func() {
			if got := say(must(w.catalog.ImportOwners(w.shopAdmin, in))(t)); got != "; 2 unchanged; [nothing-* ledger]" {
				t.Errorf("the same again says %s", got)
			}
		})
		in.Content = "cart team:new\nold-cart\n* team:all\ncart team:new"
		if got, want := say(must(w.catalog.ImportOwners(w.root, in))(t)), "cart +[team:new] -[team:old user:robin], checkout +[team:all] -[], "+
			"ledger +[team:all] -[], old-cart +[] -[team:old]; 0 unchanged; []"; got != want {
			t.Errorf("root's import says %s, want %s", got, want)
		}
		in = catalog.ImportOwnersInput{Format: "BACKSTAGE", Content: "kind: Component\nmetadata: {name: ledger}\nspec: {owner: user:robin}", ProjectKey: ptr("shop")}
		if got := say(must(w.catalog.ImportOwners(w.root, in))(t)); got != "; 0 unchanged; [ledger]" {
			t.Errorf("an import for shop says %s", got)
		}
		in.ProjectKey = ptr("bank")
		if got := say(must(w.catalog.ImportOwners(w.bankAdmin, in))(t)); got != "ledger +[user:robin] -[team:all]; 0 unchanged; []" {
			t.Errorf("an import for bank says %s", got)
		}
	})
}

func TestRule45_ImportsOfOwnersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		half := w.principal(t, "half", auth.Grant{Role: auth.ProjectAdmin, Project: w.shop.ID}, auth.Grant{Role: auth.Viewer, Project: w.bank.ID})
		call := func(who func(*world) context.Context, project, content string) func(*world) error {
			return func(w *world) error {
				in := catalog.ImportOwnersInput{Format: "CODEOWNERS", Content: content}
				if project != "" {
					in.ProjectKey = &project
				}
				_, err := w.catalog.ImportOwners(who(w), in)
				return err
			}
		}
		as := func(*world) context.Context { return half }
		refuse(t, w, []refusal{
			{"a project that is none", call(root, "-", ""), fault.BadInput, "input.projectKey", "2 to 64"},
			{"a project out of sight", call(shopAdmin, "bank", ""), fault.NotFound, "input.projectKey", "no project"},
			{"a project that one sees and does not administer", call(as, "bank", "* @kim"), fault.Forbidden, "", "this project"},
			{"an application that one sees and does not administer", call(as, "", "checkout @kim\nledger @kim"), fault.Forbidden, "input.content", "projects of ledger"},
			{"a viewer", call(shopViewer, "", "checkout @kim"), fault.Forbidden, "input.content", "projects of checkout"},
			{"a line that is none", call(root, "", "checkout kim"), fault.BadInput, "input.content", "line 1"},
		})
		w.noEvent(t, func() {
			if got := say(must(w.catalog.ImportOwners(half, catalog.ImportOwnersInput{Format: "CODEOWNERS", Content: "led* @kim", DryRun: true}))(t)); got != "; 0 unchanged; [led*]" {
				t.Errorf("a pattern speaks of what one does not administer: %s", got)
			}
		})
	})
}
