package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/schema"
)

const questionsUsage = `Asks a server the seven questions of the contract and says how long it took: plimsoll bench questions [FLAGS]

Each is asked by itself, once and then --times more. Written are the first time, the middle one and the longest.

  --vulnerability LIST  what is looked for, names with commas between (CVE-2099-1000,CVE-2099-1001,CVE-2099-1002)
  --application KEY     of the questions about one application (app-00000)
  --version VERSION     and one version of it, that was released (1.8.0)
  --stage STAGE         and the stage to get to (PROD)
  --times N             how often (20)
`

// timed is a document and what it was asked with.
type timed struct {
	name, operation, document string
	variables                 map[string]any
}

// benchQuestions measures a server from outside.
func benchQuestions(ctx context.Context, env environment, args []string) error {
	var r remote
	fs := remoteFlags(env, "bench questions", &r)
	vulnerabilities := fs.String("vulnerability", "CVE-2099-1000,CVE-2099-1001,CVE-2099-1002", "")
	application, version, stage := fs.String("application", "app-00000", ""), fs.String("version", "1.8.0", ""), fs.String("stage", "PROD", "")
	times := fs.Int("times", 20, "")
	words, err := r.parse(env, fs, questionsUsage, args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *times < 1 || *times > 10_000 {
		return fmt.Errorf("%w: takes flags only, and --times from 1 to 10000", errWrongCall)
	}
	server, err := r.client()
	if err != nil {
		return err
	}
	digest, err := artifactIn(ctx, server, *application, *version)
	if err != nil {
		return err
	}
	list, err := allQuestions(strings.Split(*vulnerabilities, ","), *application, *version, *stage, digest)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%-64s %9s %9s %9s  %s\n", "question", "first", "middle", "longest", "bytes")
	for _, q := range list {
		if err := q.measure(ctx, env, server, *times); err != nil {
			return err
		}
	}
	return nil
}

// artifactIn is the digest of something that the version holds.
func artifactIn(ctx context.Context, server *client.Client, application, version string) (string, error) {
	var out struct {
		ApplicationVersion *struct {
			Contents struct {
				Edges []struct{ Node struct{ Digest *string } }
			}
		}
	}
	const document = "query Contents($a: String!, $v: String!) { applicationVersion(application: $a, version: $v) { contents(first: 20) { edges { node { digest } } } } }"
	op := client.Operation{Name: "Contents", Document: document, Variables: map[string]any{"a": application, "v": version}}
	if err := server.Ask(ctx, op, &out); err != nil {
		return "", err
	}
	if out.ApplicationVersion != nil {
		for _, e := range out.ApplicationVersion.Contents.Edges {
			if e.Node.Digest != nil {
				return *e.Node.Digest, nil
			}
		}
	}
	return "", fmt.Errorf("%w: nothing with a digest is in version %s of %s", errWrongCall, version, application)
}

func allQuestions(vulnerabilities []string, application, version, stage, digest string) ([]timed, error) {
	type object = map[string]any
	list := []timed{
		{"applications, first 50", "Applications", "query Applications { applications(first: 50) { totalCount edges { node { key name owners { ref } } } } }", nil},
		{name: "1: teams using what is deprecated", operation: "TeamsUsingDeprecated", variables: object{"first": 20}},
	}
	for _, v := range vulnerabilities {
		of := object{"vulnerability": v}
		for _, live := range []bool{false, true} {
			name := "2: where is " + v
			if live {
				name += ", live"
			}
			list = append(list, timed{name: name, operation: "BlastRadius", variables: object{"of": of, "in": object{"liveOnly": live}, "first": 20}})
		}
		list = append(list,
			timed{name: "3: who brought " + v + " in", operation: "WhoIntroduced", variables: object{"application": application, "version": version, "vulnerability": v}},
			timed{name: "4: packages vulnerable to " + v, operation: "PackagesVulnerableTo", variables: object{"id": v, "first": 20}},
			timed{name: "6: who overrode " + v, operation: "WhoOverrode", variables: object{"of": of, "first": 20}},
		)
	}
	list = append(list,
		timed{name: "5: what is required", operation: "WhatIsRequired", variables: object{"application": application, "version": version, "toStage": stage}},
		timed{name: "7: was it approved", operation: "ProveApproved", variables: object{"digest": digest}},
	)
	for i, q := range list {
		if q.document != "" {
			continue
		}
		_, after, found := strings.Cut(schema.Contract, "\nquery "+q.operation+"(")
		text, _, ends := strings.Cut(after, "\n}\n")
		if !found || !ends {
			return nil, fmt.Errorf("the contract has no query %s", q.operation)
		}
		list[i].document = "query " + q.operation + "(" + text + "\n}\n"
	}
	return list, nil
}

func (q timed) measure(ctx context.Context, env environment, server *client.Client, times int) error {
	var took []time.Duration
	var answer json.RawMessage
	for range times + 1 {
		began := time.Now()
		if err := server.Ask(ctx, client.Operation{Name: q.operation, Document: q.document, Variables: q.variables}, &answer); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		took = append(took, time.Since(began))
	}
	first := took[0]
	again := slices.Sorted(slices.Values(took[1:]))
	_, err := fmt.Fprintf(env.stdout, "%-64s %9s %9s %9s  %d\n", q.name, short(first), short(again[len(again)/2]), short(again[len(again)-1]), len(answer))
	return err
}

func short(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
