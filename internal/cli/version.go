package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/app"
)

func printVersion(_ context.Context, env environment, _ []string) error {
	_, err := fmt.Fprintln(env.stdout, "plimsoll", app.Program)
	return err
}
