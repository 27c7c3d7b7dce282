// Package web is the border to HTTP: which paths there are, who is asking, what every answer carries, and how the
// server starts and stops. What a request means is decided behind it.
//
// Promises:
//   - Every answer has an X-Request-Id, which the log has, too. No log line holds a token, a query string or a body.
//   - A request without Authorization goes on anonymously, but to /evidence, where it ends with 401; one whose token is
//     malformed or unknown ends here, too. No body is read before that. A webhook is known by the HMAC of its body, of
//     which nothing else is looked at before.
//   - Uploads and downloads take as long as they need, and end when the other side stands still.
//   - What somebody uploaded is never run by a browser that downloads it.
//   - No page loads anything from another host, and the content security policy would stop it.
//   - A panic costs one request, not the process.
package web
