package cli

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/client"
)

const policyPushUsage = `Brings policies kept in a folder to the server: plimsoll policy push DIR [FLAGS]

It shows what it will make and change first, with the difference of every template; then it looks at each template and runs its
tests, and writes nothing when one fails. What is on the server and not in the folder is left alone. The same again changes
nothing. A rule never changes: the one that succeeds rule NAME is called NAME.r2, and the policies of the folder move to it.

  --dry-run   show what would be made and changed, and write nothing
` + policyLayout

func pushPolicies(ctx context.Context, env environment, args []string) error {
	var r remote
	var dryRun bool
	flags := remoteFlags(env, "policy push", &r)
	flags.BoolVar(&dryRun, "dry-run", false, "")
	words, err := r.parse(env, flags, policyPushUsage, args)
	if err != nil {
		return err
	}
	folder, err := readFolder(words)
	if err != nil {
		return err
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	on, err := readServer(ctx, server, folder)
	if err != nil {
		return err
	}
	steps, err := planPush(folder, on)
	if err != nil {
		return err
	}
	if err := steps.tell(env, r.output, dryRun); err != nil {
		return err
	}
	if err := steps.lookAhead(ctx, env, server, r.output, folder); err != nil || dryRun {
		return err
	}
	return steps.apply(ctx, env, server, r.output)
}

// tell prints a plan.
func (p plan) tell(env environment, output string, dryRun bool) error {
	count := map[string]int{}
	for _, step := range p {
		count[step.Action]++
		if output == "json" {
			if err := writeJSON(env.stdout, step); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-9s  %-8s  %s", step.Action, step.Kind, step.Name)
		if step.Detail != "" {
			line += "  (" + step.Detail + ")"
		}
		fmt.Fprintf(env.stdout, "%s\n%s", line, step.Diff)
	}
	would := "to make"
	if dryRun {
		would = "would be made"
	}
	w := env.stdout
	if output == "json" {
		w = env.stderr
	}
	_, err := fmt.Fprintf(w, "%d %s, %d to change, %d unchanged\n", count[planMake], would, count[planChange], count[planKeep])
	return err
}

// lookAhead asks the server about every template that will be written, so that a push does not end half way.
func (p plan) lookAhead(ctx context.Context, env environment, server *client.Client, output string, f policyFolder) error {
	wrong := false
	for _, t := range f.templates {
		if !slices.ContainsFunc(p, func(s planned) bool { return s.Kind == "template" && s.Name == t.Name && s.Action != planKeep }) {
			continue
		}
		seen, err := lookAt(ctx, server, t, true)
		if err != nil {
			return err
		}
		if seen.OK {
			continue
		}
		wrong = true
		if err := seen.tell(env, output, f.path); err != nil {
			return err
		}
	}
	if wrong {
		return fmt.Errorf("%w: nothing was written", errChecks)
	}
	return nil
}

// apply sends what is to be made and changed, one after the other. Each is sent once: what a run that was interrupted left out,
// the next one does.
func (p plan) apply(ctx context.Context, env environment, server *client.Client, output string) error {
	for _, step := range p {
		if step.Action == planKeep {
			continue
		}
		var out struct {
			CreateRule *struct {
				Rule struct {
					Template struct{ Revision int }
				}
			}
		}
		op := client.Operation{Name: step.operation, Document: step.document, Variables: map[string]any{"input": step.input}}
		if err := server.Ask(ctx, op, &out); err != nil {
			return fmt.Errorf("%s %s: %w", step.Kind, step.Name, err)
		}
		if made := out.CreateRule; made != nil && made.Rule.Template.Revision != step.revision {
			return fmt.Errorf("rule %s stands on revision %d of its template, which somebody added meanwhile: push again", step.Name, made.Rule.Template.Revision)
		}
		if output == "text" {
			fmt.Fprintf(env.stdout, "done: %s %s\n", step.Kind, step.Name)
		}
	}
	return nil
}

// planPolicy compares a policy with that of the server. What the file does not give is the default, so that the folder says it
// all.
func planPolicy(p folderPolicy, there map[string]serverPolicy) (planned, error) {
	wanted := serverPolicy{
		Name: p.Name, Mode: p.Mode, Gate: p.Gate, Scope: p.Scope.sorted(),
		Enabled: orDefault(p.Enabled, true), Waivable: orDefault(p.Waivable, true),
		WaiverApprovals: orDefault(p.WaiverApprovals, 1), WaiverMaxDays: orDefault(p.WaiverMaxDays, 90),
	}
	for _, name := range p.Rules {
		wanted.Rules = append(wanted.Rules, inside{name})
	}
	input := map[string]any{
		"name": p.Name, "rules": p.Rules, "mode": p.Mode, "scope": p.Scope, "enabled": wanted.Enabled,
		"waivable": wanted.Waivable, "waiverApprovals": wanted.WaiverApprovals, "waiverMaxDays": wanted.WaiverMaxDays,
	}
	now, known := there[p.Name]
	if !known {
		input["gate"] = p.Gate
		return planned{Kind: "policy", Name: p.Name, Action: planMake, operation: "CreatePolicy", document: makePolicy, input: input}, nil
	}
	if now.Gate != p.Gate {
		return planned{}, fmt.Errorf("%w: policy %s guards the %s gate of %s on the server, and a policy keeps its gate: give this one another name",
			errWrongCall, p.Name, strings.ToLower(now.Gate.Kind), now.Gate.Stage)
	}
	changed := wanted.differences(now)
	if changed == nil {
		return planned{Kind: "policy", Name: p.Name, Action: planKeep}, nil
	}
	return planned{
		Kind: "policy", Name: p.Name, Action: planChange, Detail: strings.Join(changed, ", "),
		operation: "UpdatePolicy", document: changePolicy, input: input,
	}, nil
}

// differences names what differs between two policies, with what it was and becomes where that is short.
func (p serverPolicy) differences(now serverPolicy) (changed []string) {
	add := func(what string, was, becomes any) {
		if !reflect.DeepEqual(was, becomes) {
			changed = append(changed, fmt.Sprintf("%s %v becomes %v", what, was, becomes))
		}
	}
	names := func(rules []inside) string {
		list := make([]string, len(rules))
		for i, r := range rules {
			list[i] = r.Name
		}
		slices.Sort(list)
		return strings.Join(list, ", ")
	}
	add("mode", now.Mode, p.Mode)
	add("enabled", now.Enabled, p.Enabled)
	add("rules", names(now.Rules), names(p.Rules))
	add("waivable", now.Waivable, p.Waivable)
	add("waiverApprovals", now.WaiverApprovals, p.WaiverApprovals)
	add("waiverMaxDays", now.WaiverMaxDays, p.WaiverMaxDays)
	if !reflect.DeepEqual(now.Scope.sorted(), p.Scope) {
		changed = append(changed, "scope")
	}
	return changed
}

// sorted is the scope in one form: lists in order, and none where they are empty.
func (s policyScope) sorted() policyScope {
	texts := func(list []string) []string {
		if len(list) == 0 {
			return nil
		}
		return slices.Sorted(slices.Values(list))
	}
	s.ProjectKeys, s.ApplicationKeys, s.Criticality = texts(s.ProjectKeys), texts(s.ApplicationKeys), texts(s.Criticality)
	if len(s.Labels) == 0 {
		s.Labels = nil
	}
	s.Labels = slices.Clone(s.Labels)
	slices.SortFunc(s.Labels, func(a, b policyLabel) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) })
	return s
}

func orDefault[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
