// Package cli is the command line: one file a command. Commands end with 0 when done, 1 when a gate said no, 2 when the
// call was wrong, and 3 when something failed.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

// Exit codes of every command.
const (
	Done      = 0
	GateNo    = 1
	WrongCall = 2
	Fault     = 3
)

// errWrongCall marks an error as the caller's.
var errWrongCall = errors.New("wrong call")

// command is one word of the command line.
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
	for _, c := range commands() {
		if c.name == args[0] {
			return exit(stderr, c.run(ctx, env, args[1:]))
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
	case errors.Is(err, errWrongCall):
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
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.help)
	}
	fmt.Fprintln(w, "\nplimsoll COMMAND --help tells more.")
}
