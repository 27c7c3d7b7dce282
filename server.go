// Command plimsoll is the system of record and the control plane for software releases. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/plimsoll/plimsoll/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
