package blast

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func asJSON(lines []line) (string, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		l.Owners, l.Environments = append([]string{}, l.Owners...), append([]string{}, l.Environments...)
		if err := e.Encode(l); err != nil {
			return "", fmt.Errorf("write a line: %w", err)
		}
	}
	return out.String(), nil
}

func asCSV(lines []line) (string, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	rows := [][]string{{
		"application", "version", "project", "stage", "trust", "owners", "environments",
		"component", "releasable", "releasablePurl", "digest", "direct",
	}}
	for _, l := range lines {
		row := []string{
			l.Application, l.Version, l.Project, l.Stage, l.Trust, strings.Join(l.Owners, " "), strings.Join(l.Environments, " "),
			l.Component, l.Releasable, l.ReleasablePurl, l.Digest, strconv.FormatBool(l.Direct),
		}
		for i, cell := range row {
			row[i] = inert(cell)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return "", fmt.Errorf("write lines: %w", err)
	}
	return out.String(), nil
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
