package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/push"
)

const versionUsage = `Reports a version of an application: plimsoll version create --application KEY --version V [FLAGS]

  --artifact NAME=WHAT       repeat: an artifact; WHAT is sha256:… or file:PATH, whose digest is taken
  --package PURL[=sha256:…]  repeat: a package version
  --build NAME#NUMBER        repeat: everything that a build made
  --from APPLICATION@V       repeat: everything that another version consists of
  --include PATTERN          repeat: take only parts with such a name or purl; * stands for any characters
  --exclude PATTERN          repeat: of these, leave out such parts
  --tag TAG                  a name for people
  --draft                    its parts may still change
  --dry-run                  check everything and keep nothing
`

const createVersion = `mutation CreateApplicationVersion($input: CreateApplicationVersionInput!) {
  createApplicationVersion(input: $input) { manifestDigest applicationVersion { version status manifestDigest } }
}`

// createdVersion is what is printed of a version.
type createdVersion struct {
	Application    string `json:"application"`
	Version        string `json:"version"`
	Status         string `json:"status"`
	ManifestDigest string `json:"manifestDigest"`
}

// sourceFlags are the flags that say what a version consists of.
type sourceFlags struct {
	artifacts, packages, builds, versions, include, exclude list
}

// reportVersion sends createApplicationVersion.
func reportVersion(ctx context.Context, env environment, args []string) error {
	var r remote
	var application, version, tag string
	var sources sourceFlags
	var draft, dryRun bool
	fs := remoteFlags(env, "version create", &r)
	fs.StringVar(&application, "application", "", "")
	fs.StringVar(&version, "version", "", "")
	fs.StringVar(&tag, "tag", "", "")
	fs.BoolVar(&draft, "draft", false, "")
	fs.BoolVar(&dryRun, "dry-run", false, "")
	fs.Var(&sources.artifacts, "artifact", "")
	fs.Var(&sources.packages, "package", "")
	fs.Var(&sources.builds, "build", "")
	fs.Var(&sources.versions, "from", "")
	fs.Var(&sources.include, "include", "")
	fs.Var(&sources.exclude, "exclude", "")
	if err := r.parseAlone(env, fs, versionUsage, args, "application", "version"); err != nil {
		return err
	}
	input := map[string]any{"applicationKey": application, "version": version}
	if tag != "" {
		input["tag"] = tag
	}
	// Only what is asked for is sent, so that the command works with a server of before.
	for name, asked := range map[string]bool{"draft": draft, "dryRun": dryRun} {
		if asked {
			input[name] = true
		}
	}
	if err := sources.into(input); err != nil {
		return err
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	var out struct {
		CreateApplicationVersion struct {
			ManifestDigest     string
			ApplicationVersion *struct{ Status string }
		}
	}
	op := client.Operation{Name: "CreateApplicationVersion", Document: createVersion, Variables: map[string]any{"input": input}}
	// It is sent once: whether a version was made by the first of two tries could not be told.
	if err := server.Ask(ctx, op, &out); err != nil {
		return fmt.Errorf("create version: %w", err)
	}
	made := createdVersion{application, version, "DRY_RUN", out.CreateApplicationVersion.ManifestDigest}
	if v := out.CreateApplicationVersion.ApplicationVersion; v != nil {
		made.Status = v.Status
	}
	if r.output == "json" {
		return writeJSON(env.stdout, made)
	}
	_, err = fmt.Fprintln(env.stdout, made.Application, made.Version, made.Status, made.ManifestDigest)
	return err
}

// into writes the sources and filters into the input of the operation.
func (s sourceFlags) into(input map[string]any) error {
	sources := map[string]any{}
	artifacts, err := each(s.artifacts, artifact)
	if err != nil {
		return err
	}
	packages, err := each(s.packages, func(text string) (map[string]string, error) {
		if at := strings.LastIndex(text, "=sha256:"); at > 0 {
			return map[string]string{"purl": text[:at], "digest": text[at+1:]}, nil
		}
		return map[string]string{"purl": text}, nil
	})
	if err != nil {
		return err
	}
	builds, err := each(s.builds, push.Build)
	if err != nil {
		return err
	}
	versions, err := each(s.versions, func(text string) (client.VersionRef, error) {
		application, version, ok := strings.Cut(text, "@")
		if !ok || application == "" || version == "" {
			return client.VersionRef{}, fmt.Errorf("%w: --from is APPLICATION@VERSION, got %q", errWrongCall, text)
		}
		return client.VersionRef{ApplicationKey: application, Version: version}, nil
	})
	if err != nil {
		return err
	}
	put(sources, "artifacts", artifacts)
	put(sources, "packages", packages)
	put(sources, "builds", builds)
	put(sources, "versions", versions)
	if len(sources) == 0 {
		return fmt.Errorf("%w: say what the version consists of with --artifact, --package, --build or --from", errWrongCall)
	}
	input["sources"] = sources
	filters := map[string]any{}
	put(filters, "include", s.include)
	put(filters, "exclude", s.exclude)
	if len(filters) > 0 {
		input["filters"] = filters
	}
	return nil
}

// artifact reads NAME=sha256:… and NAME=file:PATH.
func artifact(text string) (map[string]string, error) {
	name, what, ok := strings.Cut(text, "=")
	path, isFile := strings.CutPrefix(what, "file:")
	if !ok || name == "" || !isFile && !strings.HasPrefix(what, "sha256:") {
		return nil, fmt.Errorf("%w: --artifact is NAME=sha256:… or NAME=file:PATH, got %q", errWrongCall, text)
	}
	if isFile {
		digest, err := push.FileDigest(path)
		if err != nil {
			return nil, fmt.Errorf("%w: --artifact: %w", errWrongCall, err)
		}
		what = digest
	}
	return map[string]string{"name": name, "digest": what}, nil
}

func each[T any](texts []string, read func(string) (T, error)) ([]T, error) {
	var values []T
	for _, text := range texts {
		value, err := read(text)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// put sets a member that is a list, unless it is empty.
func put[T any](into map[string]any, name string, values []T) {
	if len(values) > 0 {
		into[name] = values
	}
}
