package config_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/config"
)

const token = "correct-horse-battery-staple"

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestLoad(t *testing.T) {
	objects := func(data string) string {
		address, err := config.ObjectsIn(data)
		if err != nil || !strings.HasPrefix(address, "file:///") || !strings.HasSuffix(address, data+"/objects") {
			t.Fatalf("the objects in %s are at %s, %v", data, address, err)
		}
		return address
	}
	defaults := config.Config{
		Listen:     "127.0.0.1:8080",
		Data:       "data",
		Database:   "sqlite:" + filepath.Join("data", "plimsoll.db"),
		ReleaseKey: filepath.Join("data", "release.key"),
		LogKey:     filepath.Join("data", "log.key"),
		LogOrigin:  "plimsoll.dev/log",
		Objects:    objects("data"),
		VerifierID: "https://plimsoll.dev/verifier",
		LogFormat:  "text",

		AdvisoryInterval: 6 * time.Hour,
	}
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		want func(c *config.Config)
	}{
		"nothing given takes the defaults": {want: func(*config.Config) {}},
		"a flag is taken": {
			args: []string{"--listen", "0.0.0.0:0"},
			want: func(c *config.Config) { c.Listen = "0.0.0.0:0" },
		},
		"a variable is taken": {
			env:  map[string]string{"PLIMSOLL_LISTEN": "[::1]:9000"},
			want: func(c *config.Config) { c.Listen = "[::1]:9000" },
		},
		"the flag wins over the variable": {
			args: []string{"--log-level=debug"},
			env:  map[string]string{"PLIMSOLL_LOG_LEVEL": "error"},
			want: func(c *config.Config) { c.LogLevel = slog.LevelDebug },
		},
		"the flag wins even over a variable that is wrong": {
			args: []string{"--listen=127.0.0.1:1"},
			env:  map[string]string{"PLIMSOLL_LISTEN": "nonsense"},
			want: func(c *config.Config) { c.Listen = "127.0.0.1:1" },
		},
		"the database and the key follow the data directory": {
			args: []string{"--data", "/srv/plimsoll"},
			want: func(c *config.Config) {
				c.Data = "/srv/plimsoll"
				c.Database = "sqlite:/srv/plimsoll/plimsoll.db"
				c.ReleaseKey = "/srv/plimsoll/release.key"
				c.LogKey = "/srv/plimsoll/log.key"
				c.Objects = "file:///srv/plimsoll/objects"
			},
		},
		"a database elsewhere does not move the key": {
			env:  map[string]string{"PLIMSOLL_DATABASE": "postgres://u:p@db/plimsoll?sslmode=disable"},
			want: func(c *config.Config) { c.Database = "postgres://u:p@db/plimsoll?sslmode=disable" },
		},
		"an object store elsewhere is taken": {
			args: []string{"--objects", "s3://evidence?region=here"},
			want: func(c *config.Config) { c.Objects = "s3://evidence?region=here" },
		},
		"the other spelling of Postgres is taken": {
			env:  map[string]string{"PLIMSOLL_DATABASE": "postgresql:///plimsoll?host=/run/postgresql"},
			want: func(c *config.Config) { c.Database = "postgresql:///plimsoll?host=/run/postgresql" },
		},
		"a token, a key, a verifier and a format are taken": {
			args: []string{"--release-key", "k.pem", "--verifier-id", "urn:example:verifier", "--log-format", "json"},
			env:  map[string]string{"PLIMSOLL_BOOTSTRAP_TOKEN": token},
			want: func(c *config.Config) {
				c.ReleaseKey, c.VerifierID, c.LogFormat, c.BootstrapToken = "k.pem", "urn:example:verifier", "json", token
			},
		},
		"a log's key and origin are taken": {
			args: []string{"--log-key", "l.key", "--log-origin", "log.example.org/plimsoll"},
			want: func(c *config.Config) { c.LogKey, c.LogOrigin = "l.key", "log.example.org/plimsoll" },
		},
		"feeds to pull are taken": {
			args: []string{"--advisory-interval", "90m"},
			env:  map[string]string{"PLIMSOLL_ADVISORY_FEEDS": "osv-go=OSV:https://user:pass@osv.example/Go/all.zip?key=k=v\n e=epss:/data/epss.csv.gz"},
			want: func(c *config.Config) {
				c.AdvisoryInterval = 90 * time.Minute
				c.AdvisoryFeeds = []config.AdvisoryFeed{
					{Name: "osv-go", Format: "OSV", Source: "https://user:pass@osv.example/Go/all.zip?key=k=v"},
					{Name: "e", Format: "EPSS", Source: "/data/epss.csv.gz"},
				}
			},
		},
		"a secret of 16 characters is taken": {
			env:  map[string]string{"PLIMSOLL_SONARQUBE_SECRET": "größer als sechz"},
			want: func(c *config.Config) { c.SonarQubeSecret = "größer als sechz" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := defaults
			tc.want(&want)
			got, err := config.Load(tc.args, environment(tc.env))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		want []string
	}{
		"an address without a port":        {args: []string{"--listen=localhost"}, want: []string{"--listen", "PLIMSOLL_LISTEN", "host:port"}},
		"a port that is a name":            {args: []string{"--listen=:http"}, want: []string{`port "http"`}},
		"a port that does not exist":       {args: []string{"--listen=:65536"}, want: []string{`port "65536"`}},
		"a port with leading zeros":        {args: []string{"--listen=:0080"}, want: []string{`port "0080"`, "write 80"}},
		"an empty data directory":          {args: []string{"--data="}, want: []string{"--data", "PLIMSOLL_DATA"}},
		"an empty key path":                {args: []string{"--release-key="}, want: []string{"--release-key"}},
		"a database of another make":       {args: []string{"--database=mysql://h/d"}, want: []string{"--database", "PLIMSOLL_DATABASE", "sqlite:"}},
		"a database without a scheme":      {args: []string{"--database=plimsoll.db"}, want: []string{"--database"}},
		"an SQLite database without path":  {args: []string{"--database=sqlite:"}, want: []string{"sqlite:PATH"}},
		"a Postgres URL without a name":    {args: []string{"--database=postgres://h"}, want: []string{"names no database"}},
		"a Postgres URL without slashes":   {args: []string{"--database=postgres:h/d"}, want: []string{"is no URL"}},
		"objects in a path without scheme": {args: []string{"--objects=/srv/objects"}, want: []string{"--objects", "PLIMSOLL_OBJECTS", "file:///"}},
		"objects of another make":          {args: []string{"--objects=gs://bucket"}, want: []string{"s3://"}},
		"objects with a password":          {args: []string{"--objects=s3://u:p@bucket"}, want: []string{"AWS environment"}},
		"a token with a space":             {args: []string{"--bootstrap-token", "sixteen letters and a space"}, want: []string{"cannot be sent in a header"}},
		"a token that is too long":         {args: []string{"--bootstrap-token", strings.Repeat("x", 513)}, want: []string{"has 513"}},
		"a secret of 15 characters":        {args: []string{"--sonarqube-secret=123456789012345"}, want: []string{"--sonarqube-secret", "PLIMSOLL_SONARQUBE_SECRET", "at least 16", "has 15"}},
		"an empty secret on the line":      {args: []string{"--sonarqube-secret="}, want: []string{"at least 16"}},
		"an origin that no note can have":  {args: []string{"--log-origin=a+b"}, want: []string{"--log-origin", "plus signs"}},
		"a verifier that is no URI":        {args: []string{"--verifier-id=plimsoll"}, want: []string{"--verifier-id", "absolute URI"}},
		"a feed without a name":            {args: []string{"--advisory-feeds=OSV:/data"}, want: []string{"--advisory-feeds", "PLIMSOLL_ADVISORY_FEEDS", "feed 1", "osv-go=OSV:"}},
		"a feed with an odd name":          {args: []string{"--advisory-feeds=a=OSV:/data B-=OSV:/data"}, want: []string{"feed 2", "1 to 64"}},
		"a feed of another format":         {args: []string{"--advisory-feeds=a=CSAF:/data"}, want: []string{"neither OSV: nor KEV: nor EPSS:"}},
		"a feed from nowhere":              {args: []string{"--advisory-feeds=a=KEV:"}, want: []string{"needs a URL"}},
		"a feed over another protocol":     {args: []string{"--advisory-feeds=a=KEV:ftp://h/x"}, want: []string{"https://"}},
		"a feed that is named twice":       {args: []string{"--advisory-feeds=a=KEV:/x a=OSV:/y"}, want: []string{"feed 2", "given twice"}},
		"an interval that is none":         {args: []string{"--advisory-interval=often"}, want: []string{"--advisory-interval", "PLIMSOLL_ADVISORY_INTERVAL", "6h"}},
		"an interval that is too short":    {args: []string{"--advisory-interval=59s"}, want: []string{"1m"}},
		"a level nobody knows":             {args: []string{"--log-level=loud"}, want: []string{"--log-level", "PLIMSOLL_LOG_LEVEL"}},
		"a format nobody knows":            {env: map[string]string{"PLIMSOLL_LOG_FORMAT": "xml"}, want: []string{"PLIMSOLL_LOG_FORMAT"}},
		"a flag nobody knows":              {args: []string{"--lisen=:1"}, want: []string{"lisen", "--help"}},
		"an argument that is no flag":      {args: []string{"serve"}, want: []string{"takes flags only"}},
		"everything that is wrong at once": {args: []string{"--listen=x", "--log-level=loud"}, env: map[string]string{"PLIMSOLL_DATABASE": "x"}, want: []string{"--listen", "--log-level", "--database"}},
		"other faults beside unknown flag": {args: []string{"--what"}, env: map[string]string{"PLIMSOLL_DATABASE": "x"}, want: []string{"what", "PLIMSOLL_DATABASE"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Load(tc.args, environment(tc.env))
			if err == nil {
				t.Fatalf("accepted: %s", got)
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestErrorsRepeatNoSecret(t *testing.T) {
	for name, args := range map[string][]string{
		"a URL that cannot be parsed": {"--database=postgres://u:hunter2@h:port/d"},
		"a URL with an odd escape":    {"--database=postgres://u:hunter2%zz@h/d"},
		"a URL of another make":       {"--database=mysql://u:hunter2@h/d"},
		"a URL without a database":    {"--database=postgres://u:hunter2@h"},
		"a token that cannot be sent": {"--bootstrap-token=hunter 2"},
		"objects with a password":     {"--objects=s3://u:hunter2@bucket"},
		"objects of another make":     {"--objects=gs://bucket?key=hunter2"},
		"objects that are no URL":     {"--objects=s3://bucket:hunter2"},
		"a secret that is short":      {"--sonarqube-secret=hunter2"},
		"a feed without a name":       {"--advisory-feeds=https://u:hunter2@h/x?key=hunter2"},
		"a feed over ftp":             {"--advisory-feeds=a=OSV:ftp://u:hunter2@h/x"},
		"a feed that is no URL":       {"--advisory-feeds=a=OSV:https://u:hunter2@h:port/x"},
		"a token with a space":        {"--bootstrap-token=hunter2 hunter2 hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(args, environment(nil))
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPrintingShowsNoSecret(t *testing.T) {
	for name, database := range map[string]string{
		"password with the user":     "postgres://u:hunter2@h/d",
		"password as a parameter":    "postgres://h/d?user=u&password=hunter2&sslmode=disable",
		"password of the client key": "postgres://h/d?sslpassword=hunter2",
		"password given in both":     "postgresql://u:hunter2@h/d?password=hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Load([]string{"--database", database}, environment(map[string]string{"PLIMSOLL_BOOTSTRAP_TOKEN": token, "PLIMSOLL_SONARQUBE_SECRET": "hunter2-hunter2-hunter2", "PLIMSOLL_ADVISORY_FEEDS": "a=OSV:https://hunter2:hunter2@h/x?key=hunter2"}))
			if err != nil {
				t.Fatal(err)
			}
			if c.Database != database {
				t.Fatalf("the password is needed to connect, got %q", c.Database)
			}
			var logged bytes.Buffer
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("starting", "config", c, "again", &c)
			for _, text := range []string{c.String(), fmt.Sprintf("%v %+v %#v %s", c, c, c, &c), fmt.Sprintf("%v %#v 127.0.0.1:8080", c.AdvisoryFeeds, c.AdvisoryFeeds), logged.String()} {
				if strings.Contains(text, "hunter2") || strings.Contains(text, token) {
					t.Errorf("a secret is in %s", text)
				}
				if !strings.Contains(text, "REDACTED") || !strings.Contains(text, "127.0.0.1:8080") {
					t.Errorf("the rest is missing in %s", text)
				}
			}
		})
	}
}

func TestPrintingShowsWhereObjectsAreAndNoParameter(t *testing.T) {
	c, err := config.Load([]string{"--objects", "s3://evidence?secret=hunter2"}, environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if text := c.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "s3://evidence") {
		t.Errorf("printed %s", text)
	}
}

func TestHelpNamesEveryFlagAndVariable(t *testing.T) {
	if _, err := config.Load([]string{"--help"}, environment(nil)); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("got %v, want flag.ErrHelp", err)
	}
	var b bytes.Buffer
	if err := config.Usage(&b); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"listen", "data", "database", "objects", "bootstrap-token", "release-key", "log-key", "log-witnesses", "log-origin", "verifier-id", "sonarqube-secret", "advisory-feeds", "advisory-interval", "log-level", "log-format"} {
		env := "PLIMSOLL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if !strings.Contains(b.String(), "--"+name) || !strings.Contains(b.String(), env) {
			t.Errorf("help does not name --%s and %s:\n%s", name, env, b.String())
		}
	}
}

func FuzzDatabase(f *testing.F) {
	for _, seed := range []string{"sqlite:x", "postgres://u:p@h/d", "postgres://[::1]:5432/d?password=p", "postgresql:", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		c, err := config.Load([]string{"--database", dsn}, environment(nil))
		if err == nil && c.Database != dsn {
			t.Errorf("accepted %q as %q", dsn, c.Database)
		}
		_ = c.String()
	})
}
