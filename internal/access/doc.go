// Package access lets principals in: it makes and revokes tokens, says whom a token stands for and what they hold, and
// founds the organisation on an empty database.
//
// Vocabulary. A principal is whoever acts. A token lets a principal in; making one makes the service account it stands
// for, of the same name, with one role on the organisation or on one project. The installation is the service itself,
// the principal "plimsoll", which acts when nobody has asked.
//
// What holds:
//   - Of a secret the SHA-256 alone is stored. It has 256 random bits, so a fast hash is enough, and looking the hash up
//     tells nothing of the secret by its timing. No secret is logged or stands in an event.
//   - A revoked or expired token opens nothing from that moment: tokens are looked up for every request and never cached.
//     Unknown, expired and revoked tokens get the same answer.
//   - Nobody raises themselves: roles on the organisation are given, and taken, by its admin alone; a project's admin gives
//     roles on that project, this one included. ORGANISATION_ADMIN is held on the organisation or not at all.
//   - Tokens exist for those who administer or audit where they are held, and for nobody else.
//   - A person can be erased: their name is then neither in the records nor in bytes that the database left behind, and no
//     principal is made with a name that begins as pseudonyms do.
//   - However many servers start on one empty database, one bootstrap token comes of it.
//
// Web calls Authenticate for every request, the composition root calls Bootstrap and Installation at the start. Access
// calls activity alone.
package access
