// Package release moves versions towards production: promote, release, roll back.
//
// Each verb tells its whole story in one function: who may, where to, what the gates say, what is signed, and then one
// transaction in which the move, the evaluations, the attestations and the event are there together or not at all. What
// was assumed is checked again inside it: of two moves of one version at once, one wins and the other is a CONFLICT that
// says where the version is now.
//
// The first move of a draft locks it, in the same transaction. A blocked attempt moves nothing, and the draft stays one.
//
// It writes promotions, and of application versions where they are and what they are worth.
package release
