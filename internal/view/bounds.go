package view

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxCount is the largest count that is believed. The API's integers have 32 bits.
const maxCount = 1_000_000_000

// maxMilliseconds is the longest duration that is believed: a hundred years.
const maxMilliseconds = 100 * 366 * 24 * 60 * 60 * 1000

// withoutMark leaves out the byte order mark that some tools on Windows write.
func withoutMark(content []byte) []byte { return bytes.TrimPrefix(content, []byte("\uFEFF")) }

// readCount reads a whole number between 0 and maxCount.
func readCount(name, s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxCount {
		return 0, fmt.Errorf("%s: must be a whole number between 0 and %d, not %q", name, maxCount, scanText(s))
	}
	return int(n), nil
}

// readSeconds reads a duration in seconds as milliseconds. Some tools group thousands by commas, some write a comma as
// the decimal point. Clocks that were set back while tests ran give less than nothing, which is nothing.
func readSeconds(name, s string) (int64, error) {
	if strings.Contains(s, ".") || strings.Count(s, ",") > 1 {
		s = strings.ReplaceAll(s, ",", "")
	}
	seconds, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	ms := seconds * 1000
	if err != nil || ms != ms || ms > maxMilliseconds {
		return 0, fmt.Errorf("%s: must be a number of seconds, not %q", name, scanText(s))
	}
	return int64(max(ms, 0) + 0.5), nil
}
