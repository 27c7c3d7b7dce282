package cli

import (
	"context"
	"errors"
)

func runDemo(context.Context, environment, []string) error { return errors.New("not yet") }
