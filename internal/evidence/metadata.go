package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/build"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
	"github.com/plimsoll/plimsoll/internal/version"
)

const (
	// MaxMetadata is the size in bytes of the largest metadata of an upload.
	MaxMetadata = 1 << 20
	// metadataDepth is one more than the deepest thing in it, so that what is too deep is named by its field.
	metadataDepth = 8
)

// uploadMetadata says what an upload is: SubmitEvidenceInput without the content.
type uploadMetadata struct {
	provider *string
	document *EvidenceDocumentInput // nil for something signed
}

// readMetadata reads the first part of an upload. Every failure is a fault that names the field.
func readMetadata(text []byte) (uploadMetadata, error) {
	if len(text) > MaxMetadata {
		return uploadMetadata{}, &fault.Error{
			Kind: fault.ResourceExhausted, Path: "metadata",
			Message: fmt.Sprintf("the part metadata is too large: at most %d bytes are taken", MaxMetadata),
		}
	}
	if err := canonical.Check(text, metadataDepth); err != nil {
		return uploadMetadata{}, fault.At("metadata", "refused: this is not strict JSON: %v", err)
	}
	var m uploadMetadata
	var document json.RawMessage
	if err := fields("metadata", text, targets{"provider": &m.provider, "document": &document}); err != nil {
		return uploadMetadata{}, err
	}
	if m.provider != nil {
		if err := check.Line("metadata.provider", *m.provider, 0, check.MaxName); err != nil {
			return uploadMetadata{}, err
		}
	}
	if document == nil {
		return m, nil
	}
	var err error
	if m.document, err = readDescription("metadata.document", document); err != nil {
		return uploadMetadata{}, err
	}
	return m, m.document.check()
}

func readDescription(path string, text json.RawMessage) (*EvidenceDocumentInput, error) {
	d := &EvidenceDocumentInput{}
	var subjects []json.RawMessage
	err := fields(path, text, targets{"mediaType": &d.MediaType, "predicateType": &d.PredicateType, "subjects": &subjects})
	if err != nil {
		return nil, err
	}
	if err := checkMediaType(path+".mediaType", d.MediaType); err != nil {
		return nil, err
	}
	if err := check.List(path+".subjects", len(subjects), MaxSubjects); err != nil {
		return nil, err
	}
	for i, one := range subjects {
		s, err := readSubject(fmt.Sprintf("%s.subjects.%d", path, i), one)
		if err != nil {
			return nil, err
		}
		d.Subjects = append(d.Subjects, s)
	}
	return d, nil
}

func readSubject(path string, text json.RawMessage) (*EvidenceSubjectInput, error) {
	s := &EvidenceSubjectInput{}
	var built, released json.RawMessage
	err := fields(path, text, targets{"name": &s.Name, "digest": &s.Digest, "purl": &s.Purl, "build": &built, "applicationVersion": &released})
	if err != nil {
		return nil, err
	}
	if built != nil {
		path := path + ".build"
		s.Build = &build.BuildRefInput{}
		if err := fields(path, built, targets{"name": &s.Build.Name, "number": &s.Build.Number}); err != nil {
			return nil, err
		}
		if err := check.First(check.Name(path+".name", s.Build.Name), check.Name(path+".number", s.Build.Number)); err != nil {
			return nil, err
		}
	}
	if released != nil {
		path := path + ".applicationVersion"
		v := &version.ApplicationVersionRefInput{}
		s.ApplicationVersion = v
		if err := fields(path, released, targets{"applicationKey": &v.ApplicationKey, "version": &v.Version}); err != nil {
			return nil, err
		}
		return s, check.First(check.Name(path+".applicationKey", v.ApplicationKey), check.Name(path+".version", v.Version))
	}
	return s, nil
}

// targets says where each field of an object goes.
type targets map[string]any

// fields reads an object that has these fields and no others. Null is as good as not given.
func fields(path string, text json.RawMessage, into targets) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil || given == nil {
		return fault.At(path, "want an object")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		target, known := into[name]
		if !known {
			return fault.At(path, "there is no field %.100q: expected %s", name, strings.Join(slices.Sorted(maps.Keys(into)), ", "))
		}
		if value := given[name]; !bytes.Equal(value, []byte("null")) && json.Unmarshal(value, target) != nil {
			return fault.At(path+"."+name, "want %s", formWanted(target))
		}
	}
	return nil
}

func formWanted(target any) string {
	if _, list := target.(*[]json.RawMessage); list {
		return "a list"
	}
	return "a text"
}
