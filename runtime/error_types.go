package runtime

import (
	"errors"
	"io/fs"
	"os"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// standardTypes are the standard library's types of errors that people look for in those of files.
func (s *ErrorSet) standardTypes() []ValueType {
	path := NewValueType("*io/fs.PathError", func(e *fs.PathError, depth int) (*runtimepb.FileError, error) {
		if e == nil {
			return nil, errNilPointer
		}
		return &runtimepb.FileError{Op: e.Op, Path: e.Path, Err: s.EncodeAt(e.Err, depth)}, nil
	}, func(m *runtimepb.FileError, depth int) (*fs.PathError, error) {
		return &fs.PathError{Op: m.GetOp(), Path: m.GetPath(), Err: s.DecodeAt(m.GetErr(), depth)}, nil
	})
	link := NewValueType("*os.LinkError", func(e *os.LinkError, depth int) (*runtimepb.FileError, error) {
		if e == nil {
			return nil, errNilPointer
		}
		return &runtimepb.FileError{Op: e.Op, Path: e.Old, NewPath: e.New, Err: s.EncodeAt(e.Err, depth)}, nil
	}, func(m *runtimepb.FileError, depth int) (*os.LinkError, error) {
		return &os.LinkError{Op: m.GetOp(), Old: m.GetPath(), New: m.GetNewPath(), Err: s.DecodeAt(m.GetErr(), depth)}, nil
	})
	return append([]ValueType{path, link}, systemTypes()...)
}

var errNilPointer = errors.New("a nil pointer")
