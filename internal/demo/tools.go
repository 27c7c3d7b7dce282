package demo

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/attest"
)

// toolPatience is how long a stock tool may take; verifying offline takes less than a second.
const toolPatience = 30 * time.Second

// verifyWithTools shows the commands that verify the files, and runs those whose tool is here.
func (s *story) verifyWithTools(ctx context.Context, summary verificationSummary) error {
	cosign := func(bundle, predicateType string) []string {
		return []string{
			"cosign verify-blob-attestation", "--key " + publicKey + " --bundle " + bundle + " --insecure-ignore-tlog",
			"--type " + predicateType + " " + manifestFile,
		}
	}
	slsa := []string{
		"slsa-verifier verify-vsa", "--subject-digest " + s.result.ManifestDigest, "--attestation-path " + vsaEnvelope + " --public-key-path " + publicKey,
		"--verifier-id " + summary.Verifier.ID + " --resource-uri " + summary.ResourceURI,
	}
	for _, level := range summary.VerifiedLevels {
		slsa = append(slsa, "--verified-level "+level)
	}
	s.result.Tools = map[string]string{}
	for _, command := range [][]string{cosign(ownBundle, attest.PredicateRelease), cosign(vsaBundle, attest.PredicateVSA), slsa} {
		s.page.command(command...)
		if err := s.runTool(ctx, strings.Fields(strings.Join(command, " "))); err != nil {
			return err
		}
	}
	return nil
}

// runTool runs a command in the folder of the proof when its tool is here, and fails when the tool refuses the proof.
func (s *story) runTool(ctx context.Context, command []string) error {
	path := s.findTool(command[0])
	if path == "" {
		s.page.result(command[0] + " is not on this machine; verified by the demonstration itself instead")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, toolPatience)
	defer cancel()
	run := exec.CommandContext(ctx, path, command[1:]...)
	run.Dir = s.options.Dir
	said, err := run.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s refuses the release: %w\n%s", command[0], err, said)
	}
	s.result.Tools[command[0]] = strings.TrimSpace(string(said))
	for line := range strings.Lines(string(said)) {
		if strings.HasPrefix(line, "Verified OK") || strings.HasPrefix(line, "PASSED") {
			s.page.result(command[0] + ": " + strings.TrimSpace(line))
		}
	}
	return nil
}

// findTool returns the path of a stock tool, or nothing.
func (s *story) findTool(name string) string {
	if s.options.Tools != "" {
		// The command runs in another folder, so the path must not depend on this one.
		folder, err := filepath.Abs(s.options.Tools)
		if err == nil {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}
