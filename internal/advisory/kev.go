package advisory

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// MaxKEV is the largest catalogue of known exploited vulnerabilities that is read, in bytes. In 2026 it has 2 MB.
	MaxKEV = 64 << 20
	maxKEV = 100_000 // entries
)

// KEV is a vulnerability that is known to be exploited, as CISA says.
type KEV struct {
	CVE string
	// Added and Due are days, as midnight in UTC. Due is zero when the entry gives none.
	Added, Due time.Time
	// Ransomware is true when campaigns are known to use it.
	Ransomware bool
}

var cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)

// ParseKEV reads the catalogue in JSON, entry by entry, and hands each to the function, whose error ends the reading and
// is returned. Other errors say what is wrong and where; entries before that place were handed over by then.
func ParseKEV(in io.Reader, each func(KEV) error) error {
	bounded := &bounded{in: in, left: MaxKEV, limit: MaxKEV}
	r := &reader{in: jsontext.NewDecoder(bounded)}
	entries, found := 0, false
	err := r.object(map[string]func() error{"vulnerabilities": func() error {
		found = true
		return r.list(func() error {
			if entries++; entries > maxKEV {
				return fmt.Errorf("the catalogue holds more than %d entries", maxKEV)
			}
			entry, err := r.kev()
			if err != nil {
				return err
			}
			return each(entry)
		})
	}})
	if err == nil && !found {
		err = errors.New("vulnerabilities: missing")
	}
	if err == nil {
		if _, more := r.in.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the end of the catalogue")
		}
	}
	if err != nil {
		return fmt.Errorf("the catalogue of exploited vulnerabilities cannot be read: %w", err)
	}
	return nil
}

func (r *reader) kev() (KEV, error) {
	var k KEV
	var ransomware string
	err := r.object(map[string]func() error{
		"cveID":                      r.word(&k.CVE, MaxID),
		"dateAdded":                  r.day(&k.Added),
		"dueDate":                    r.day(&k.Due),
		"knownRansomwareCampaignUse": r.prose(&ransomware, MaxID),
	})
	k.Ransomware = ransomware == "Known"
	switch {
	case err != nil:
		return KEV{}, err
	case !cveID.MatchString(k.CVE):
		return KEV{}, r.wrong("cveID: %q is not the id of a CVE", k.CVE)
	case k.Added.IsZero():
		return KEV{}, r.wrong("dateAdded: missing")
	}
	return k, nil
}

// day reads a date; a blank one is one that is missing.
func (r *reader) day(into *time.Time) func() error {
	return func() error {
		s, err := r.text()
		if err != nil || s == "" {
			return err
		}
		if *into, err = time.Parse(time.DateOnly, s); err != nil {
			return r.wrong("must be a day like 2006-01-02, not %q", cut(s, MaxID))
		}
		return nil
	}
}

// bounded refuses to read more than it should, where io.LimitReader would feign the end.
type bounded struct {
	in          io.Reader
	left, limit int64
}

// Read fails once more than the limit was there to read.
func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.in.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLargeError{b.limit}
	}
	return n, err
}

type tooLargeError struct{ limit int64 }

func (e tooLargeError) Error() string { return fmt.Sprintf("it is larger than %d bytes", e.limit) }
