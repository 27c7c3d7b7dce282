package web

import (
	"io"
	"net/http"
	"time"

	"github.com/plimsoll/plimsoll/internal/fault"
)

// Uploads and downloads may take as long as they need while they go on.
const (
	// patience is how long the caller may stand still: in all when sending, each time when taking.
	patience = time.Minute
	// pace is how many bytes buy a sender another second, some 1 Mbit/s.
	pace = 128 << 10
)

// pacedReader is the body of an upload: it ends when the caller is too slow or sends too much. Only the time is counted
// that the server waits for the caller.
type pacedReader struct {
	from    io.Reader
	control *http.ResponseController
	left    int64 // how many bytes may come still
	came    int64
	waited  time.Duration
}

func (p *pacedReader) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, fault.New(fault.ResourceExhausted, "the body is larger than all that an upload may hold")
	}
	start := after(0)
	// Errors mean that the writer has no deadlines, as in tests without a connection.
	_ = p.control.SetReadDeadline(start.Add(patience + time.Duration(p.came/pace)*time.Second - p.waited))
	n, err := p.from.Read(b[:min(int64(len(b)), p.left)])
	p.waited += after(0).Sub(start)
	p.came += int64(n)
	p.left -= int64(n)
	if err != nil {
		// From here the server itself listens whether the caller is still there, which must not end the work.
		_ = p.control.SetReadDeadline(after(answerTimeout))
	}
	return n, err
}

// pacedWriter ends when the caller takes nothing for a while.
type pacedWriter struct {
	to      io.Writer
	control *http.ResponseController
	err     error
}

func (p *pacedWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(after(patience))
	n, err := p.to.Write(b)
	p.err = err
	return n, err
}

// after is that long from now.
func after(d time.Duration) time.Time {
	return time.Now().Add(d) //nolint:forbidigo // deadlines of connections, which no record depends on
}
