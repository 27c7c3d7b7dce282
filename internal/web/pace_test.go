package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/web"
)

// timed is a connection that notes until when it would wait for the caller.
type timed struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (c *timed) SetReadDeadline(t time.Time) error {
	c.until = append(c.until, t)
	return nil
}

// patience is what the package gives a caller who sends nothing, with some time for the test itself.
const patience = time.Minute + 5*time.Second

// waits sends a body and says until when each read of it would have waited, the last of which met the end.
func waits(t *testing.T, body io.Reader) (start time.Time, until []time.Time) {
	t.Helper()
	d, _ := deps()
	d.Upload, d.MaxUpload = counting, 1<<30
	r := httptest.NewRequest(http.MethodPost, "/evidence", body)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	c := &timed{ResponseRecorder: httptest.NewRecorder()}
	start = time.Now()
	web.Handler(d).ServeHTTP(c, r)
	if c.Code != http.StatusCreated || len(c.until) < 2 {
		t.Fatalf("answered %d after %d reads", c.Code, len(c.until))
	}
	return start, c.until
}

func TestWhoSendsABodyInDripsIsNotWaitedForLongerThanWhoSendsNothing(t *testing.T) {
	drips := readerFunc(nil)
	rest := formOf("1234")
	drips = func(b []byte) (int, error) {
		if rest == "" {
			return 0, io.EOF
		}
		time.Sleep(time.Millisecond)
		b[0], rest = rest[0], rest[1:]
		return 1, nil
	}
	start, until := waits(t, drips)
	for _, u := range until[:len(until)-1] {
		if u.After(start.Add(patience)) {
			t.Fatalf("it would wait %v in all", u.Sub(start))
		}
	}
}

func TestWhoSendsMuchIsWaitedForLonger(t *testing.T) {
	const size = 64 << 20
	start, until := waits(t, strings.NewReader(formOf(strings.Repeat("x", size))))
	if last := until[len(until)-2].Sub(start); last < 9*time.Minute || last > 10*time.Minute {
		t.Errorf("64 MiB may take %v, want a minute, and 512 seconds", last)
	}
}
