package push

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll/plimsoll/internal/attest"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/client"
	"github.com/plimsoll/plimsoll/internal/fault"
)

// FileDigest gives the digest of a file, "sha256:" and hexadecimal digits.
func FileDigest(path string) (string, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// Build reads NAME#NUMBER.
func Build(text string) (client.BuildRef, error) {
	at := strings.LastIndexByte(text, '#') // a name may have one, a number not
	if at < 1 || at == len(text)-1 {
		return client.BuildRef{}, fault.At("", "a build is given as NAME#NUMBER, got %q", text)
	}
	return client.BuildRef{Name: text[:at], Number: text[at+1:]}, nil
}

// subjectsOf gives what the documents of a call speak of.
func subjectsOf(call Call) ([]client.Subject, error) {
	var list []client.Subject
	for _, text := range call.Subjects {
		s, err := subject(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if (call.Application == "") != (call.Version == "") {
		return nil, fault.At("", "--application and --version go together: they name the version that documents speak of")
	}
	if call.Application != "" {
		list = append(list, client.Subject{ApplicationVersion: &client.VersionRef{ApplicationKey: call.Application, Version: call.Version}})
	}
	for _, text := range call.Builds {
		b, err := Build(text)
		if err != nil {
			return nil, err
		}
		list = append(list, client.Subject{Build: &b})
	}
	if call.Key == nil {
		return list, nil
	}
	for _, s := range list {
		if s.Digest == "" {
			return nil, fault.At("", "--sign-key signs for digests: with it, name subjects as sha256:… or file:PATH")
		}
	}
	return list, nil
}

func subject(text string) (client.Subject, error) {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		digest, err := FileDigest(path)
		if err != nil {
			return client.Subject{}, fault.At("", "--subject: %v", err)
		}
		return client.Subject{Name: filepath.Base(path), Digest: digest}, nil
	}
	if strings.HasPrefix(text, "pkg:") {
		return client.Subject{Purl: text}, nil
	}
	if canonical.IsDigest(text) {
		return client.Subject{Digest: text}, nil
	}
	return client.Subject{}, fault.At("", "--subject: %q is none: give sha256: and 64 lower-case hexadecimal digits, file:PATH, or a purl (pkg:…)", text)
}

// signable gives subjects in the form of a statement. Each has a digest.
func signable(subjects []client.Subject) []attest.Subject {
	var list []attest.Subject
	for _, s := range subjects {
		algorithm, value, _ := strings.Cut(s.Digest, ":")
		list = append(list, attest.Subject{Name: s.Name, Digest: map[string]string{algorithm: value}})
	}
	return list
}
