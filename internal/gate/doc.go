// Package gate judges whether a version may pass. It collects the policy input, asks every rule of every policy that
// applies, and says what the gate says.
//
//	Judge    collects and evaluates, outside any transaction
//	Record   writes what was judged, in the caller's transaction
//	Replay   gives back a recorded evaluation with its input, byte for byte
//
// An outcome is PASS, VIOLATION, WAIVED, NOT_EVIDENCED or ERROR; only the first and the third satisfy. A decision is PASS,
// WARN, FAIL or ERROR; the last two stop the version. A gate that says no is an answer, not an error.
//
// The evaluation is a pure function of its input, which is kept in parts by digest: what did not change from one
// evaluation to the next is kept once.
package gate
