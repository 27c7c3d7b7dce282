package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func setListen(c *Config, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return fmt.Errorf("%q is no address to listen on; write host:port, for example 127.0.0.1:8080", value)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	} else if strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("port %q is written oddly; write %d", port, n)
	}
	c.Listen = value
	return nil
}

func setData(c *Config, value string) error {
	if value == "" || strings.ContainsRune(value, 0) {
		return errors.New("needs the path of a directory")
	}
	c.Data = value
	return nil
}

// setDatabase never repeats the value: it may hold a password, and the errors of net/url quote what they could not read.
func setDatabase(c *Config, value string) error {
	scheme, rest, _ := strings.Cut(value, ":")
	switch scheme {
	case "sqlite":
		if rest == "" {
			return errors.New("sqlite: needs the path of a file; write sqlite:PATH")
		}
	case "postgres", "postgresql":
		u, err := url.Parse(value)
		if err != nil || !strings.HasPrefix(rest, "//") {
			return errors.New("is no URL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded")
		}
		if strings.Trim(u.Path, "/") == "" {
			return errors.New("names no database; write postgres://USER:PASSWORD@HOST:PORT/DATABASE")
		}
	default:
		return errors.New("starts with neither sqlite: nor postgres:// nor postgresql://")
	}
	c.Database = value
	return nil
}

// setObjects leaves the details to the store, which knows them, and never repeats the value: somebody may have put
// credentials into it.
func setObjects(c *Config, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "file" && u.Scheme != "s3" {
		return errors.New("starts with neither file:/// nor s3://")
	}
	if u.User != nil {
		return errors.New("must not have a user or password; give credentials in the AWS environment variables")
	}
	c.Objects = value
	return nil
}

// setBootstrapToken accepts what RFC 6750 allows in an Authorization header, so that the token can be sent.
func setBootstrapToken(c *Config, value string) error {
	if n := len(value); n > MaxTokenLength {
		return fmt.Errorf("takes at most %d characters, has %d", MaxTokenLength, n)
	}
	for _, r := range strings.TrimRight(value, "=") {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("-._~+/", r) {
			return errors.New("has a character that cannot be sent in a header; use letters, digits and -._~+/")
		}
	}
	c.BootstrapToken = value
	return nil
}

func setReleaseKey(c *Config, value string) error {
	if value == "" || strings.ContainsRune(value, 0) {
		return errors.New("needs the path of a file")
	}
	c.ReleaseKey = value
	return nil
}

func setLogKey(c *Config, value string) error {
	if value == "" || strings.ContainsRune(value, 0) {
		return errors.New("needs the path of a file")
	}
	c.LogKey = value
	return nil
}

func setLogWitnesses(c *Config, value string) error {
	if value == "" || strings.ContainsRune(value, 0) {
		return errors.New("needs the path of a file")
	}
	c.LogWitnesses = value
	return nil
}

// setLogOrigin accepts what may stand in a signed note as the name of a key.
func setLogOrigin(c *Config, value string) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '+' }
	if value == "" || len(value) > 200 || strings.ContainsFunc(value, odd) {
		return fmt.Errorf("%q is no origin: at most 200 printable ASCII characters without spaces and plus signs, for example log.example.org/plimsoll", value)
	}
	c.LogOrigin = value
	return nil
}

func setVerifierID(c *Config, value string) error {
	u, err := url.Parse(value)
	if err != nil || !u.IsAbs() || (u.Host == "" && u.Opaque == "") {
		return fmt.Errorf("%q is no absolute URI; write for example https://releases.example.org/verifier", value)
	}
	c.VerifierID = value
	return nil
}

// setSonarQubeSecret never repeats the value.
func setSonarQubeSecret(c *Config, value string) error {
	if n := utf8.RuneCountInString(value); n < SafeTokenLength {
		return fmt.Errorf("needs at least %d characters, has %d", SafeTokenLength, n)
	}
	c.SonarQubeSecret = value
	return nil
}

// MinAdvisoryInterval is how often feeds are pulled at most.
const MinAdvisoryInterval = time.Minute

// setAdvisoryFeeds never repeats a source: a URL may hold a password or a token.
func setAdvisoryFeeds(c *Config, value string) error {
	var problems []error
	seen := map[string]bool{}
	c.AdvisoryFeeds = nil
	for i, text := range strings.Fields(value) {
		f, err := advisoryFeed(text)
		if err == nil && seen[f.Name] {
			err = fmt.Errorf("the name %s is given twice", f.Name)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("feed %d: %w", i+1, err))
			continue
		}
		seen[f.Name] = true
		c.AdvisoryFeeds = append(c.AdvisoryFeeds, f)
	}
	return errors.Join(problems...)
}

// feedName is what the names of feeds match, as those of imports do.
var feedName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$`)

func advisoryFeed(text string) (AdvisoryFeed, error) {
	name, rest, _ := strings.Cut(text, "=")
	format, source, _ := strings.Cut(rest, ":")
	f := AdvisoryFeed{Name: name, Format: strings.ToUpper(format), Source: source}
	switch {
	case !feedName.MatchString(name):
		return f, errors.New("needs a name of 1 to 64 of a-z, 0-9 and -, starting with a letter and not ending with -; write for example osv-go=OSV:https://…")
	case f.Format != "OSV" && f.Format != "KEV" && f.Format != "EPSS":
		return f, fmt.Errorf("%s has neither OSV: nor KEV: nor EPSS: after the =", name)
	case source == "" || strings.ContainsRune(source, 0):
		return f, fmt.Errorf("nothing stands after %s: in %s, which needs a URL, a folder or a file", f.Format, name)
	case !strings.Contains(source, "://"):
		return f, nil
	}
	if u, err := url.Parse(source); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return f, fmt.Errorf("the URL of %s is none, or starts with neither https:// nor http://", name)
	}
	return f, nil
}

func setAdvisoryInterval(c *Config, value string) error {
	every, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("%q is no duration; write for example 6h or 90m", value)
	}
	if every < MinAdvisoryInterval {
		return fmt.Errorf("%s is too often; write %s or more", value, MinAdvisoryInterval)
	}
	c.AdvisoryInterval = every
	return nil
}

func setLogLevel(c *Config, value string) error {
	if err := c.LogLevel.UnmarshalText([]byte(value)); err != nil {
		return fmt.Errorf("%q is no level; write debug, info, warn or error", value)
	}
	return nil
}

func setLogFormat(c *Config, value string) error {
	if value != "text" && value != "json" {
		return fmt.Errorf("%q is no format; write text or json", value)
	}
	c.LogFormat = value
	return nil
}
