// Package web is the border to HTTP: which paths there are, who is asking, what every answer carries, and how the
// server starts and stops. What a request means is decided behind it.
//
// Promises:
//   - Every answer has an X-Request-Id, which the log has, too. No log line holds a token, a query string or a body.
//   - A request without Authorization goes on anonymously; one whose token is malformed or unknown ends here with 401.
//   - No page loads anything from another host, and the content security policy would stop it.
//   - A panic costs one request, not the process.
package web
