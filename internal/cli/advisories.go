package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/plimsoll/plimsoll/internal/advisory"
	"github.com/plimsoll/plimsoll/internal/client"
)

const importUsage = `Imports advisories: plimsoll advisories import DIR|ZIP|FILE [FLAGS]

Of a folder or a zip file, each *.json is an OSV record: a mirror of osv.dev, or an export of GitHub's database. What is there
already and did not change stays as it is, so a run that was interrupted may be run again, and is quick then.

  --format FORMAT  osv (default); kev, a file of CISA's catalogue, JSON; epss, a file of FIRST's scores, CSV, also .gz
  --feed NAME      the feed that they are from; without it, the one called like the format

Ends with 2 when something was refused: each is told with the reason, and all the others are taken.
`

const importAdvisories = `mutation ImportAdvisories($input: ImportAdvisoriesInput!) {
  importAdvisories(input: $input) { imported updated unchanged rejected { index reason } newFindings }
}`

// importSummary is what became of all that was sent.
type importSummary struct {
	Imported    int `json:"imported"`
	Updated     int `json:"updated"`
	Unchanged   int `json:"unchanged"`
	Rejected    int `json:"rejected"`
	NewFindings int `json:"newFindings"`
}

// importer gathers documents and sends them together.
type importer struct {
	env    environment
	server *client.Client
	format string
	feed   string // "" for that of the format

	names, texts []string
	sum          importSummary
	told         time.Time
}

func runImport(ctx context.Context, env environment, args []string) error {
	var r remote
	var format, feed string
	flags := remoteFlags(env, "advisories import", &r)
	flags.StringVar(&format, "format", "osv", "")
	flags.StringVar(&feed, "feed", "", "")
	words, err := r.parse(env, flags, importUsage, args)
	if err != nil {
		return err
	}
	formats := map[string]string{"osv": "OSV", "kev": "KEV", "epss": "EPSS"}
	switch {
	case formats[format] == "":
		return fmt.Errorf("%w: --format is osv, kev or epss, not %q", errWrongCall, format)
	case len(words) != 1:
		return fmt.Errorf("%w: give one folder, zip file or file to import, not %d", errWrongCall, len(words))
	}
	if _, err := os.Stat(words[0]); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: there is no %s", errWrongCall, words[0])
	}
	i := importer{env: env, format: formats[format], feed: feed, told: time.Now()}
	if i.server, err = r.client(); err != nil {
		return err
	}
	err = i.run(ctx, words[0])
	if i.sum != (importSummary{}) || err == nil {
		err = errors.Join(err, i.sumUp(r.output))
	}
	if err == nil && i.sum.Rejected > 0 {
		return errRefused
	}
	return err
}

func (i *importer) run(ctx context.Context, source string) error {
	if i.format != "OSV" {
		text, err := advisory.ReadList(source)
		if errors.Is(err, advisory.ErrTooLong) {
			err = fmt.Errorf("%w: %w", errWrongCall, err)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", source, err)
		}
		i.add(source, text)
		return i.send(ctx)
	}
	return advisory.Feed{Source: source}.Batches(ctx, func(batch []advisory.Document) error {
		for _, d := range batch {
			if d.Err != nil {
				i.refuse(d.Name, d.Err.Error())
				continue
			}
			i.add(d.Name, d.Content)
		}
		if err := i.send(ctx); err != nil {
			return err
		}
		last := batch[len(batch)-1]
		i.progress(last.Number, last.Of)
		return nil
	})
}

func (i *importer) add(name string, content []byte) {
	i.names, i.texts = append(i.names, name), append(i.texts, string(content))
}

// send sends what was gathered. The same twice changes nothing, so it is tried again when there is no answer.
func (i *importer) send(ctx context.Context) error {
	if len(i.texts) == 0 {
		return nil
	}
	input := map[string]any{"format": i.format, "documents": i.texts}
	if i.feed != "" {
		input["feed"] = i.feed
	}
	op := client.Operation{Name: "ImportAdvisories", Document: importAdvisories, Variables: map[string]any{"input": input}}
	var out struct {
		ImportAdvisories struct {
			importSummary
			Rejected []struct {
				Index  int    `json:"index"`
				Reason string `json:"reason"`
			} `json:"rejected"`
		} `json:"importAdvisories"`
	}
	if err := client.Retry(ctx, pause, func() error { return i.server.Ask(ctx, op, &out) }); err != nil {
		return err
	}
	done := out.ImportAdvisories
	i.sum.Imported, i.sum.Updated = i.sum.Imported+done.Imported, i.sum.Updated+done.Updated
	i.sum.Unchanged, i.sum.NewFindings = i.sum.Unchanged+done.Unchanged, i.sum.NewFindings+done.NewFindings
	for _, bad := range done.Rejected {
		if bad.Index >= 0 && bad.Index < len(i.names) {
			i.refuse(i.names[bad.Index], bad.Reason)
		}
	}
	i.names, i.texts = nil, nil
	return nil
}

func (i *importer) refuse(name, reason string) {
	i.sum.Rejected++
	fmt.Fprintf(i.env.stderr, "refused %s: %s\n", name, reason)
}

// progress tells every five seconds how many documents the server has.
func (i *importer) progress(done, of int) {
	const every = 5 * time.Second
	if time.Since(i.told) >= every {
		i.told = time.Now()
		fmt.Fprintf(i.env.stderr, "%d of %d documents, %d unchanged\n", done, of, i.sum.Unchanged)
	}
}

func (i *importer) sumUp(output string) error {
	if output == "json" {
		return writeJSON(i.env.stdout, i.sum)
	}
	_, err := fmt.Fprintf(i.env.stdout, "%d imported, %d updated, %d unchanged, %d refused; %d new findings\n",
		i.sum.Imported, i.sum.Updated, i.sum.Unchanged, i.sum.Rejected, i.sum.NewFindings)
	return err
}
