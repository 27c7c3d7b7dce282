package evidence_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/testdb"
)

func TestWhatIsOutOfReachIsNotThereToDownload(t *testing.T) {
	testdb.Each(t, func(t *testing.T, dsn string) {
		u := newUploads(t, dsn)
		r := u.upload(u.on(auth.EvidencePusher, "pay"), described("video/mp4", recording, "image"), content("film"), attach("a", "1"))
		raw, file := r.Evidence.DownloadPath, r.Evidence.Attachments[0].DownloadPath
		for _, path := range []string{raw, file} {
			if _, err := u.download(u.on(auth.Viewer, "pay"), path); err != nil {
				t.Error(err)
			}
		}
		other := u.upload(u.on(auth.EvidencePusher, "web"), described("video/mp4", recording, "image"), content("film"))
		evidenceID, attachmentID := strings.Split(raw, "/")[2], strings.Split(file, "/")[4]
		_, never := u.service.Download(u.admin(), "RXZpZGVuY2U6OTk5OTk", "")
		for name, err := range map[string]error{
			"raw of another project":        second(u.download(u.on(auth.Viewer, "web"), raw)),
			"attachment of another project": second(u.download(u.on(auth.Viewer, "web"), file)),
			"attachment of other evidence":  second(u.download(u.admin(), strings.Replace(file, evidenceID, strings.Split(other.Evidence.DownloadPath, "/")[2], 1))),
			"an attachment as evidence":     second(u.service.Download(u.admin(), attachmentID, "")),
			"evidence as an attachment":     second(u.service.Download(u.admin(), evidenceID, evidenceID)),
			"no id":                         second(u.service.Download(u.admin(), "..", "")),
		} {
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.NotFound || err.Error() != never.Error() {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
