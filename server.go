// Command plimsoll is the system of record and the control plane for software releases. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/plimsoll/plimsoll/internal/cli"
)

// garbage is by how much the heap may grow before it is collected, in percent. What is alive is little beside what one SBOM
// or one answer leaves behind, so that collecting twice as rarely takes some 80 MB more and a tenth of the time off both.
const garbage = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
