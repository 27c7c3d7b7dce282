// Package config reads how an installation is set up: from the command line and from the environment, checked at once,
// so that an operator learns everything that is wrong from one attempt.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// SafeTokenLength is the fewest characters that a bootstrap token should have. It becomes an organisation admin's token, and
// sixteen random characters are out of reach of anyone who guesses over the network.
const SafeTokenLength = 16

// MaxTokenLength keeps the token far below what fits a request header.
const MaxTokenLength = 512

// Config is a checked set-up. Printing it, or logging it with slog, never shows the bootstrap token, the database's
// password, the secret of a webhook, or what gives access to a feed.
type Config struct {
	// Listen is the TCP address to serve on, host:port. Port 0 takes any free one.
	Listen string
	// Data is the directory that holds what the service keeps outside its database. It need not exist yet.
	Data string
	// Database is where the records are: "sqlite:PATH" or a "postgres://" or "postgresql://" URL.
	Database string
	// Objects is where large evidence and attachments are: "file:///FOLDER" or "s3://BUCKET?…". Credentials are never part
	// of it.
	Objects string
	// BootstrapToken becomes the organisation admin's token on an empty database. Empty when none was given: then one is
	// made and printed once.
	BootstrapToken string
	// ReleaseKey is the path of the private key that signs releases. It need not exist yet.
	ReleaseKey string
	// LogKey is the path of the keys that sign the log's checkpoints, one a line. It need not exist yet.
	LogKey string
	// LogWitnesses is the path of a list of those who cosign the log's checkpoints. Empty: nobody is asked.
	LogWitnesses string
	// LogOrigin names the log: the first line of its checkpoints and the name of its key (C2SP tlog-checkpoint).
	LogOrigin string
	// VerifierID is the URI under which verification summaries name this installation as their verifier (SLSA VSA v1).
	VerifierID string
	// SonarQubeSecret is what SonarQube signs its webhooks with. Empty: none are taken.
	SonarQubeSecret string
	// AdvisoryFeeds are pulled every AdvisoryInterval. Empty: nothing is fetched.
	AdvisoryFeeds []AdvisoryFeed
	// AdvisoryInterval is how often feeds are pulled.
	AdvisoryInterval time.Duration
	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level
	// LogFormat is "text" or "json".
	LogFormat string
}

// AdvisoryFeed is a feed of advisories and where it is pulled from.
type AdvisoryFeed struct {
	Name string
	// Format is OSV, KEV or EPSS.
	Format string
	// Source is a URL, or the path of a folder or file. Its user and query may be secret.
	Source string
}

// String implements fmt.Stringer without what may be secret.
func (f AdvisoryFeed) String() string {
	source := f.Source
	if strings.Contains(source, "://") {
		source = redactAddress(source)
	}
	return f.Name + "=" + f.Format + ":" + source
}

// GoString implements fmt.GoStringer, so that %#v keeps the secrets, too.
func (f AdvisoryFeed) GoString() string { return "config.AdvisoryFeed{" + f.String() + "}" }

// setting ties a flag to its environment variable: one row is one line of the help text.
type setting struct {
	flag, env, fallback, help string
	set                       func(c *Config, value string) error
}

// settings lists every setting in the order of the help text. It is a function, so that nothing can change it.
func settings() []setting {
	return []setting{
		{"listen", "PLIMSOLL_LISTEN", "127.0.0.1:8080", "TCP address to serve on, host:port", setListen},
		{"data", "PLIMSOLL_DATA", "data", "directory for what is kept outside the database", setData},
		{"database", "PLIMSOLL_DATABASE", "", "sqlite:PATH or postgres://… (default sqlite:DATA/plimsoll.db)", setDatabase},
		{
			"objects", "PLIMSOLL_OBJECTS", "",
			"where large evidence and attachments are: file:///FOLDER or s3://BUCKET?region=…\n" +
				"(default the folder DATA/objects). Credentials come from the AWS environment variables",
			setObjects,
		},
		{
			"bootstrap-token", "PLIMSOLL_BOOTSTRAP_TOKEN", "",
			"organisation admin's token on an empty database, better 16 characters or more;\n" +
				"prefer the environment: other users can see command lines. Without it one is made and printed once",
			setBootstrapToken,
		},
		{"release-key", "PLIMSOLL_RELEASE_KEY", "", "path of the key that signs releases (default DATA/release.key)", setReleaseKey},
		{"log-key", "PLIMSOLL_LOG_KEY", "", "path of the key that signs the log's checkpoints (default DATA/log.key)", setLogKey},
		{
			"log-witnesses", "PLIMSOLL_LOG_WITNESSES", "",
			"path of a list of witnesses that cosign the log's checkpoints: KEY URL, one a line. Without it nobody is asked",
			setLogWitnesses,
		},
		{
			"log-origin", "PLIMSOLL_LOG_ORIGIN", "plimsoll.dev/log",
			"name of the log in its checkpoints: one under a domain of yours; it never changes", setLogOrigin,
		},
		{
			"verifier-id", "PLIMSOLL_VERIFIER_ID", "https://plimsoll.dev/verifier",
			"URI that names this installation in verification summaries", setVerifierID,
		},
		{
			"sonarqube-secret", "PLIMSOLL_SONARQUBE_SECRET", "",
			"secret of SonarQube's webhook, 16 characters or more; prefer the environment.\n" +
				"Without it no webhooks are taken", setSonarQubeSecret,
		},
		{
			"advisory-feeds", "PLIMSOLL_ADVISORY_FEEDS", "",
			"feeds of advisories to pull, NAME=FORMAT:SOURCE with a space between two; FORMAT is OSV, KEV or EPSS,\n" +
				"SOURCE a URL, a folder or a file. Without it nothing is fetched", setAdvisoryFeeds,
		},
		{"advisory-interval", "PLIMSOLL_ADVISORY_INTERVAL", "6h", "how often feeds are pulled, 1m or more", setAdvisoryInterval},
		{"log-level", "PLIMSOLL_LOG_LEVEL", "info", "debug, info, warn or error", setLogLevel},
		{"log-format", "PLIMSOLL_LOG_FORMAT", "text", "text or json", setLogFormat},
	}
}

// Load reads args (the command line without the program and command name) and the environment through getenv. A flag
// wins over its variable; an empty variable counts as unset. It returns flag.ErrHelp when help was asked for; any other
// error joins everything that is wrong, each part naming the flag and the variable, and none repeating a secret.
func Load(args []string, getenv func(string) string) (Config, error) {
	all := settings()
	given := map[string]*string{}
	fs := flag.NewFlagSet("plimsoll", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	for _, s := range all {
		given[s.flag] = fs.String(s.flag, "", s.help)
	}

	var problems []error
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return Config{}, flag.ErrHelp
	} else if err != nil {
		problems = append(problems, fmt.Errorf("%w; run with --help for the list", err))
	} else if fs.NArg() > 0 {
		problems = append(problems, fmt.Errorf("takes flags only, found %d other arguments", fs.NArg()))
	}
	onCommandLine := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { onCommandLine[f.Name] = true })

	var c Config
	for _, s := range all {
		value := s.fallback
		if onCommandLine[s.flag] {
			value = *given[s.flag]
		} else if v := getenv(s.env); v != "" {
			value = v
		} else if value == "" {
			continue
		}
		if err := s.set(&c, value); err != nil {
			problems = append(problems, fmt.Errorf("--%s (%s): %w", s.flag, s.env, err))
		}
	}
	if len(problems) > 0 {
		return Config{}, errors.Join(problems...)
	}
	if err := c.fillFromData(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// fillFromData places what was not given inside the data directory.
func (c *Config) fillFromData() error {
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "plimsoll.db")
	}
	if c.ReleaseKey == "" {
		c.ReleaseKey = filepath.Join(c.Data, "release.key")
	}
	if c.LogKey == "" {
		c.LogKey = filepath.Join(c.Data, "log.key")
	}
	if c.Objects != "" {
		return nil
	}
	var err error
	c.Objects, err = ObjectsIn(c.Data)
	return err
}

// ObjectsIn is the address of the object store in a data directory.
func ObjectsIn(data string) (string, error) {
	folder, err := filepath.Abs(filepath.Join(data, "objects"))
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	return (&url.URL{Scheme: "file", Path: folder}).String(), nil
}

// Usage writes the help text: every flag with its variable and default.
func Usage(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Every flag can be given as an environment variable, too; the flag wins.\n\n")
	for _, s := range settings() {
		fmt.Fprintf(&b, "  --%s VALUE  (%s)\n", s.flag, s.env)
		fmt.Fprintf(&b, "        %s", strings.ReplaceAll(s.help, "\n", "\n        "))
		if s.fallback != "" {
			fmt.Fprintf(&b, " (default %s)", s.fallback)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
