// Package evidence takes documents about what is released, and says who signed them.
//
// Evidence is something signed (an in-toto Statement in a DSSE envelope, or a Sigstore bundle) or a document without a
// signature (an SBOM, a report, anything with a predicate type). What it says is kept beside it as a view.
// It speaks of subjects, which are digests; names are hints for people. Evidence is about a version when one of its
// subjects is the version's manifest digest or the digest of something that the version contains.
//
// What is promised:
//   - A signature is verified once, when the evidence arrives, against the trust anchors that are valid then. The result
//     is stored with a sentence that says why, and is never judged again. Evidence that nobody vouches for is kept, as
//     unverified. Evidence whose signature names a registered key and is not that key's is refused, and so is a bundle
//     whose signature is not that of its own certificate.
//   - What is refused leaves nothing behind: no row, no bytes, no event.
//   - What is taken is kept byte for byte as it came: in the database what Submit took, in the object store what Upload
//     took, with the attachments. Bytes are there before the record that names them. Those that no record names, because
//     an upload was cut off, SweepObjects removes a day later.
//   - The same payload by the same signer in the same place is one piece of evidence, however often it is pushed, and also
//     when it was signed anew. Whoever pushes it again gets the first one's record.
//   - A document is what it is called, or refused. A signed predicate of another shape is kept without a view.
//   - What calls itself an SBOM is one: it is parsed, or refused. Equal bytes give one SBOM, and what a purl
//     says of a component cannot be said differently by whoever names the component first.
//
// An image index proves by its own digest which images it holds. Evidence about it counts for them only where a rule asks
// for that, so gates are shown it apart.
//
// What tools send that cannot sign is signed by this installation itself, for having received it, and says so: it is
// verified, collected, and its signer is called "collector".
//
// Where evidence goes decides where it counts. Pushed by someone who may push for the organisation, it belongs to the
// organisation and counts for every version. Pushed by someone who may push for one project, it belongs to that project
// and counts for that project's versions alone. Whoever may push for several projects pushes to the one of them that has
// a version which the evidence speaks of; when none or several have, the push is refused.
//
// Nothing here changes or deletes evidence. Trust anchors are added and revoked; revoking one changes nothing that was
// judged before.
//
// Package graph calls the verbs and the reads; package gate calls ForGate, IndexesForGate and Components for what policies look
// at. The package writes evidence, evidence_subjects, evidence_withdrawals, image_children, sboms, components, sbom_components,
// attachments and trust_anchors.
package evidence
