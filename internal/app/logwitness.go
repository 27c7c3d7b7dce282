package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/plimsoll/plimsoll/internal/config"
	"github.com/plimsoll/plimsoll/internal/tlog"
	"github.com/plimsoll/plimsoll/internal/translog"
)

const (
	// witnessTimeout is how long a witness may take for an answer.
	witnessTimeout = 5 * time.Second
	// maxWitnessAnswer is how much of an answer is read: some signatures, or the size of a tree.
	maxWitnessAnswer = 16 << 10
)

// withWitnesses makes the log send its checkpoints to the witnesses that the operator named, if any.
func withWitnesses(cfg config.Config, tree *translog.Service) (*translog.Service, error) {
	if cfg.LogWitnesses == "" {
		return tree, nil
	}
	list, err := tlog.LoadWitnesses(cfg.LogWitnesses)
	if err != nil {
		return nil, err
	}
	return tree.WithWitnesses(list, postTo(&http.Client{
		Timeout: witnessTimeout,
		// The operator named the witness itself: neither it nor the environment leads elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 1, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true},
	})), nil
}

func postTo(client *http.Client) translog.Post {
	return func(ctx context.Context, url string, body []byte) (answer translog.Answer, err error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return answer, err
		}
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
		request.Header.Set("User-Agent", "plimsoll/"+Program)
		response, err := client.Do(request)
		if err != nil {
			return answer, err
		}
		defer func() { _ = response.Body.Close() }() // what was read is complete
		answer.Status, answer.MediaType = response.StatusCode, response.Header.Get("Content-Type")
		answer.Body, err = io.ReadAll(io.LimitReader(response.Body, maxWitnessAnswer))
		return answer, err
	}
}
