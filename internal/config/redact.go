package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

const redacted = "REDACTED"

// String implements fmt.Stringer without the secrets.
func (c Config) String() string {
	return fmt.Sprintf("listen=%s data=%s database=%s objects=%s bootstrap-token=%s release-key=%s log-key=%s log-witnesses=%s log-origin=%s verifier-id=%s sonarqube-secret=%s advisory-feeds=%s advisory-interval=%s log-level=%s log-format=%s",
		c.Listen, c.Data, redactDSN(c.Database), redactAddress(c.Objects), hidden(c.BootstrapToken), c.ReleaseKey, c.LogKey, c.LogWitnesses, c.LogOrigin, c.VerifierID, hidden(c.SonarQubeSecret), shownFeeds(c.AdvisoryFeeds), c.AdvisoryInterval, c.LogLevel, c.LogFormat)
}

// GoString implements fmt.GoStringer, so that %#v keeps the secrets, too.
func (c Config) GoString() string { return "config.Config{" + c.String() + "}" }

// LogValue implements slog.LogValuer without the secrets.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("listen", c.Listen),
		slog.String("data", c.Data),
		slog.String("database", redactDSN(c.Database)),
		slog.String("objects", redactAddress(c.Objects)),
		slog.String("bootstrap_token", hidden(c.BootstrapToken)),
		slog.String("release_key", c.ReleaseKey),
		slog.String("log_key", c.LogKey),
		slog.String("log_witnesses", c.LogWitnesses),
		slog.String("log_origin", c.LogOrigin),
		slog.String("verifier_id", c.VerifierID),
		slog.String("sonarqube_secret", hidden(c.SonarQubeSecret)),
		slog.String("advisory_feeds", shownFeeds(c.AdvisoryFeeds)),
		slog.Duration("advisory_interval", c.AdvisoryInterval),
		slog.String("log_level", c.LogLevel.String()),
		slog.String("log_format", c.LogFormat),
	)
}

// hidden tells no more of a secret than whether there is one.
func hidden(secret string) string {
	if secret == "" {
		return "none"
	}
	return redacted
}

// redactAddress shows where the object store is and nothing else: the parameters of an address may hold what does not
// belong there.
func redactAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return redacted
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.RawQuery != "" {
		shown.RawQuery = redacted
	}
	return shown.String()
}

// shownFeeds lists feeds without the users and queries of their URLs.
func shownFeeds(list []AdvisoryFeed) string {
	if len(list) == 0 {
		return "none"
	}
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.String()
	}
	return strings.Join(texts, " ")
}

// redactDSN hides the password wherever a Postgres URL may carry one: with the user, or as a parameter (libpq allows
// password and sslpassword there). What cannot be parsed is hidden as a whole.
func redactDSN(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") || dsn == "" {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), redacted)
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, redacted)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
