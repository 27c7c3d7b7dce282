// Package cli is the command line: one file a command. Commands end with 0 when done, 1 when a gate said no or checks failed, 2
// when the call was wrong, and 3 when something failed.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes of every command.
const (
	Done      = 0
	GateNo    = 1
	WrongCall = 2
	Fault     = 3
)

var (
	// errWrongCall marks an error as the caller's.
	errWrongCall = errors.New("wrong call")
	// errGateNo says that a gate said no: what it said was printed.
	errGateNo = errors.New("a gate says no")
	// errChecks says that checks or tests failed: what they said was printed.
	errChecks = errors.New("not everything is as it has to be")
)

// command is one word of the command line, or two.
type command struct {
	name, help string
	run        func(ctx context.Context, env environment, args []string) error
}

// environment is what commands know of the world outside.
type environment struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

func commands() []command {
	return []command{
		{"serve", "serve the API, the explorer and the dashboard", serve},
		{"demo", "walk a payments gateway from a CI build to a signed trusted release", runDemo},
		{"build report", "report a build and what it made", tellBuild},
		{"evidence push", "push files as evidence", pushEvidence},
		{"version create", "report a version of an application", reportVersion},
		{"deployment record", "record that a version was rolled out", tellDeployment},
		{"advisories import", "import advisories, or lists of what is exploited", runImport},
		{"policy check", "look at policies kept in a folder, as the server does", checkPolicies},
		{"policy test", "run the unit tests of policies kept in a folder", testPolicies},
		{"policy push", "bring policies kept in a folder to the server", pushPolicies},
		{"policy backtest", "say what a policy would have decided", runBacktest},
		{"evaluation export", "write all that a decision was made from", exportEvaluation},
		{"passport", "write a release with all that it takes to check it", writePassport},
		{"passport redact", "leave files out of a passport", redactPassport},
		{"verify", "check a passport, without server and network", verifyPassport},
		{"promote", "move a version to a stage if the gates let it", promoteVersion},
		{"release", "release a version if the gates let it", releaseVersion},
		{"log accept", "go on with a log that is not the one that the server has seen", acceptLog},
		{"log verify", "recompute the log, and name the first event that differs", verifyLog},
		{"log export", "write the log as lines of JSON, for systems that watch", exportLog},
		{"bench estate", "load a made-up estate to measure on", benchEstate},
		{"bench questions", "ask a server the seven questions, and say how long it took", benchQuestions},
		{"version", "print the version", printVersion},
	}
}

// Run runs the command that args name and returns the exit code. It ends early when ctx is done.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	env := environment{getenv, stdout, stderr}
	if len(args) == 0 {
		usage(stderr)
		return WrongCall
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(stdout)
		return Done
	}
	for words := min(2, len(args)); words > 0; words-- {
		for _, c := range commands() {
			if c.name == strings.Join(args[:words], " ") {
				return exit(stderr, c.run(ctx, env, args[words:]))
			}
		}
	}
	fmt.Fprintf(stderr, "plimsoll: there is no command %q\n\n", args[0])
	usage(stderr)
	return WrongCall
}

func exit(stderr io.Writer, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return Done
	case errors.Is(err, errGateNo), errors.Is(err, errChecks):
		fmt.Fprintln(stderr, "plimsoll:", err)
		return GateNo
	case callersOwn(err):
		fmt.Fprintln(stderr, "plimsoll:", err)
		return WrongCall
	default:
		fmt.Fprintln(stderr, "plimsoll:", err)
		return Fault
	}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "Plimsoll: the mark that says software is safe to leave port.\n\nUsage: plimsoll COMMAND [FLAGS]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-17s %s\n", c.name, c.help)
	}
	fmt.Fprintln(w, "\nplimsoll COMMAND --help tells more.")
}
