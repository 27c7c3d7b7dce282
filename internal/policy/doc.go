// Package policy holds what gates ask for: templates, rules, policies, and which policies guard a gate.
//
// Vocabulary. A template is Rego with the JSON Schema (2020-12) of its parameters; it has revisions, and a revision never
// changes. A rule is a template's revision with its parameters filled in; it never changes either. A policy says which
// rules guard which gate of which applications, and what an unsatisfied rule does; changing one makes a new revision, of
// which the latest is in force. A gate is a side of a stage: ENTRY, EXIT or RELEASE. A scope is how far a policy reaches:
// every application, those of some projects, or some applications, narrowed by labels and criticality.
//
// Invariants:
//
//   - What cannot be evaluated is not saved: a template compiles without built-ins that are not deterministic, its schema
//     stands on its own and its defaults obey it, a rule's parameters obey the schema (MODEL rules 19 and 22).
//   - A parameter that the template does not know is refused, whatever the schema says: a typo must not loosen a rule.
//   - One revision of a policy is in force. Of two changes that started from the same revision one wins.
//   - A policy is made and changed only by who may do so for all that it reaches, before the change and after it.
//   - A gate asks with the eyes of the service, so that no policy is overlooked because of who asks (rule 24). What a
//     caller is shown of a scope holds nothing that does not exist for them (rule 45).
//   - Templates that come with the program cannot be replaced by a user.
//
// The API calls the verbs and the reads. The gate calls Applying and Compiled, and Generation to learn whether any policy
// changed between judging and committing. The package writes policy_templates, rules, policies and policy_targets, and
// reads stages, projects and applications.
package policy
