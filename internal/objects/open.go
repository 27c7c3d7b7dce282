package objects

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
)

// s3Params are the parameters that an s3 address may have. Credentials are not among them: an address is logged.
var s3Params = []string{
	"region", "endpoint", "use_path_style", "s3ForcePathStyle", "hostname_immutable", "disable_https",
	"ssetype", "kmskeyid", "request_checksum_calculation",
}

// Open opens the store at address, which is one of
//
//   - file:///absolute/folder, created with mode 0700 when it is missing;
//   - s3://bucket?region=…&endpoint=http://…&use_path_style=true, for any service with the S3 protocol. Credentials come
//     from where the AWS tools find them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).
//
// It fails on any other address, and never repeats in an error what may be a credential. A bucket is not asked for: see
// Ready. Staging to a bucket takes some 50 MiB of memory for each upload in flight, to a folder 32 KiB.
func Open(ctx context.Context, address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		// The error of url.Parse quotes the address.
		return nil, errors.New("the address of the object store is not a URL")
	}
	if u.User != nil {
		return nil, errors.New("the address of the object store must not have a user or password: give credentials in the AWS environment variables")
	}
	switch u.Scheme {
	case "file":
		return openFolder(u)
	case "s3":
		return openBucket(ctx, u)
	default:
		return nil, fmt.Errorf("an object store cannot be at %q: expected file:///absolute/folder or s3://bucket", u.Scheme+":")
	}
}

func openFolder(u *url.URL) (*Store, error) {
	if u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address of the object store must be file:/// and an absolute folder, and nothing else")
	}
	dir := filepath.Clean(u.Path)
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("create the folder of the object store: %w", err)
	}
	// Temporary files go beside their targets: a rename does not cross file systems.
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{
		DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open the folder of the object store: %w", err)
	}
	return &Store{bucket: bucket, dir: dir}, nil
}

func openBucket(ctx context.Context, u *url.URL) (*Store, error) {
	if u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errors.New("the address of the object store must be s3://bucket and parameters, without a path")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the parameters in the address of the object store are not well-formed")
	}
	for name := range params {
		if !slices.Contains(s3Params, name) {
			return nil, fmt.Errorf("the address of the object store has a parameter %q: expected only %s", name, strings.Join(s3Params, ", "))
		}
	}
	if endpoint := params.Get("endpoint"); endpoint != "" {
		e, err := url.Parse(endpoint)
		if err != nil || e.User != nil || e.Host == "" || (e.Scheme != "http" && e.Scheme != "https") {
			return nil, errors.New("the endpoint of the object store must be an http or https URL without a user or password")
		}
	}
	// Every reader here checks the digest. To ask for checksums as well makes the SDK warn where a service has none.
	params.Set("response_checksum_validation", "when_required")
	u.RawQuery = params.Encode()
	bucket, err := new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("open the bucket of the object store: %w", err)
	}
	return &Store{bucket: bucket}, nil
}
