package evidence

import (
	"context"
	"fmt"
	"mime"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/ent/db/application"
	"github.com/plimsoll/plimsoll/ent/db/applicationversion"
	"github.com/plimsoll/plimsoll/ent/db/packageversion"
	"github.com/plimsoll/plimsoll/ent/db/releasable"
	"github.com/plimsoll/plimsoll/internal/auth"
	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/purl"
	"github.com/plimsoll/plimsoll/internal/version"
	"github.com/plimsoll/plimsoll/internal/view"
)

// readDocument reads a document without a signature and finds the digests of what it is said to speak of. The content is
// nil for one that is kept as it is and not looked at.
func (s *Service) readDocument(ctx context.Context, path string, in *EvidenceDocumentInput, content []byte) (claim, error) {
	c := claim{path: path + ".content", raw: content, digest: canonical.Digest(content), predicate: content}
	base, _, err := mime.ParseMediaType(in.MediaType)
	if err != nil {
		return claim{}, fault.At(path+".mediaType", "want a media type, such as application/json: %v", err)
	}
	if in.PredicateType != nil {
		c.mediaType, c.predicateType = base, *in.PredicateType
	} else {
		found, err := view.Detect(in.MediaType, content)
		if err != nil {
			return claim{}, fault.At(path+".content", "refused: %v", err)
		}
		c.mediaType, c.predicateType = found.MediaType, found.PredicateType
	}
	switch {
	case c.isIndex():
		c.subjects = append(c.subjects, subject{name: "image index", digest: c.digest})
	case len(in.Subjects) == 0:
		return claim{}, fault.At(path+".subjects", "a document needs at least one subject: say what it speaks of")
	}
	for i, given := range in.Subjects {
		found, err := s.find(ctx, fmt.Sprintf("%s.subjects.%d", path, i), given)
		if err != nil {
			return claim{}, err
		}
		c.subjects = append(c.subjects, found)
	}
	c.subjects = once(c.subjects)
	return c, nil
}

// find resolves a subject to a digest, among what exists for whoever pushes.
func (s *Service) find(ctx context.Context, path string, in *EvidenceSubjectInput) (subject, error) {
	found := subject{}
	var err error
	switch {
	case in.Digest != nil:
		found.digest = *in.Digest
		if in.Purl != nil {
			p, err := purl.Parse(*in.Purl)
			if err != nil {
				return subject{}, fault.At(path+".purl", "%v", err)
			}
			found.name, found.purl = p.String(), p.String()
		}
	case in.Purl != nil:
		found.name, found.digest, err = s.findPackage(ctx, path+".purl", *in.Purl)
		found.purl = found.name
	case in.Build != nil:
		found.name = "build " + in.Build.Name + "#" + in.Build.Number
		found.digest, err = s.findBuild(ctx, path+".build", in.Build)
	default:
		ref := in.ApplicationVersion
		found.name = ref.ApplicationKey + "@" + ref.Version
		found.digest, err = s.findVersion(ctx, path+".applicationVersion", ref)
	}
	if in.Name != nil {
		found.name = *in.Name
	}
	return found, err
}

func (s *Service) findBuild(ctx context.Context, path string, ref *build.BuildRefInput) (string, error) {
	b, err := build.Find(ctx, s.store.Read(), *ref, nil)
	if err != nil {
		return "", err
	}
	if b == nil {
		return "", &fault.Error{
			Kind: fault.NotFound, Path: path,
			Message: fmt.Sprintf("there is no build %q with the number %q", ref.Name, ref.Number),
		}
	}
	return b.Digest, nil
}

func (s *Service) findVersion(ctx context.Context, path string, ref *version.ApplicationVersionRefInput) (string, error) {
	v, err := s.store.Read().ApplicationVersion.Query().Where(
		applicationversion.Version(ref.Version),
		applicationversion.HasApplicationWith(application.Key(ref.ApplicationKey)),
	).Only(ctx)
	if db.IsNotFound(err) {
		return "", &fault.Error{
			Kind: fault.NotFound, Path: path,
			Message: fmt.Sprintf("there is no version %q of an application %q", ref.Version, ref.ApplicationKey),
		}
	}
	if err != nil {
		return "", fmt.Errorf("load version %s@%s: %w", ref.ApplicationKey, ref.Version, err)
	}
	return v.ManifestDigest, nil
}

// findPackage gives a package version's purl in its canonical form and the digest under which versions in reach contain
// it. What versions out of reach know of it is as good as not known.
func (s *Service) findPackage(ctx context.Context, path, text string) (name, digest string, err error) {
	p, err := purl.Parse(text)
	if err != nil {
		return "", "", fault.At(path, "%v", err)
	}
	if !p.HasVersion() {
		return "", "", fault.At(path, "%q names no version: evidence speaks of one version of a package", text)
	}
	name = p.String()
	unknown := fault.At(path, "no digest is known here for this package version: give its digest")
	id, err := s.store.Read().PackageVersion.Query().Where(packageversion.Purl(name)).OnlyID(auth.System(ctx))
	if db.IsNotFound(err) {
		return "", "", unknown
	}
	if err != nil {
		return "", "", fmt.Errorf("load package version %s: %w", name, err)
	}
	digests, err := s.store.Read().Releasable.Query().
		Where(releasable.PackageVersionID(id), releasable.DigestNotNil()).
		Unique(true).Limit(2).Select(releasable.FieldDigest).Strings(ctx)
	if err != nil {
		return "", "", fmt.Errorf("load digests of package version %s: %w", name, err)
	}
	switch len(digests) {
	case 0:
		return "", "", unknown
	case 1:
		return name, digests[0], nil
	}
	return "", "", fault.At(path, "several digests are known here for this package version: give the digest that is meant")
}
