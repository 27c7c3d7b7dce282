// Package catalog keeps what the organisation has: projects, stages, lifecycles, applications with their labels and
// owners, and which application owns which package.
//
// Vocabulary. A project is a group of applications. A stage is a place on the way to production, of one project or of
// the organisation; a project's stage hides the organisation's of the same name. A lifecycle is an order of stages; the
// one called "default" is followed by the applications that name none. An owner is a person ("user:…") or a team
// ("team:…"). A binding makes an application the owner of a package, or of one version of it.
//
// What holds:
//   - Keys are unique in the organisation and never change; an application never leaves its project.
//   - A lifecycle has exactly one stage of category RELEASE, the last. Its revision counts changes. No stage is dropped
//     from it while a version that follows it is there.
//   - Owner references are lower case throughout, so that one person or team has one spelling.
//   - A package belongs to at most one application at a time, and so does a version of it. A version's own binding wins
//     over that of the package. A version is named by its whole purl, qualifiers included.
//   - Ownership and bindings are periods with who began and who ended them: nothing is overwritten, and "who owned this on
//     that day" has an answer.
//   - An archived application keeps everything and stands in no list unless asked for; it is found by its key.
//   - Applications and packages have the words of their keys, names and purls written with them, in one transaction. Every
//     filter of a list leads from an index to the rows, and none tells of what is out of reach.
//   - A verb that changes nothing writes nothing, the event included, and answers with the record as it is.
//
// How a verb goes: it checks its input, then, in one transaction, reads again what it rests on (for whoever may not see
// it, it does not exist), asks auth.Allow with the project concerned, writes, and appends one event, or, of an import of
// owners, one for each application. Who loses a race for a unique name runs once more and then sees what the winner wrote.
//
// Whoever makes versions calls EnsurePackages and OwnersOfPackages; whoever moves them calls HoldLifecycle and Stages.
// Catalog calls activity alone.
package catalog
