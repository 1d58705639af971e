package process

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// chunk is how much is copied or hashed between two looks at the context.
const chunk = 1 << 20

// Sum is what the bytes of a program must hash to.
type Sum struct {
	New  func() hash.Hash
	Want []byte
}

// SumError says that they do not. The program was not started.
type SumError struct {
	Want, Got []byte
}

// Error names both sums.
func (e *SumError) Error() string {
	return fmt.Sprintf("the file's checksum is %x, not %x", e.Got, e.Want)
}

// image is what is executed: the program's file, or a copy of it whose bytes nobody can change any more.
type image struct {
	path   string       // to execute
	sealed *os.File     // the memory that path names; nil for a file
	remove func() error // of a file that was made; nil otherwise
}

// close is for when the program has started: it has the memory itself.
func (i *image) close() {
	if i.sealed != nil {
		_ = i.sealed.Close()
	}
}

// discard is for when the program has ended, or did not start.
func (i *image) discard() {
	i.close()
	if i.remove != nil {
		_ = i.remove() // again in Release
	}
}

// explain knows that it may have been the copy that could not be executed.
func (i *image) explain(e *StartError) *StartError {
	if i.remove != nil && errors.Is(e, ErrNotExecutable) {
		e.Hint = "the copy that was checked is in " + filepath.Dir(i.path) + ", where programs may not be executed: set TMPDIR to another folder"
	}
	return e
}

// verified returns what has the sum that is asked for, out of everybody's reach: between the check and the start there is nothing
// to replace. The file is opened once; what happens to it afterwards makes no difference.
func verified(ctx context.Context, path string, cfg Config) (*image, error) {
	if cfg.Sum == nil {
		return &image{path: path}, nil
	}
	src, size, err := openProgram(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }()
	sealed, err := seal(ctx, src, size, filepath.Base(path))
	if err == nil {
		return checked(ctx, sealed, *cfg.Sum)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	return privateCopy(ctx, src, size, path, cfg)
}

// checked hashes what is sealed already.
func checked(ctx context.Context, i *image, sum Sum) (*image, error) {
	h := sum.New()
	err := copyTo(ctx, h, io.NewSectionReader(i.sealed, 0, 1<<62))
	if err == nil {
		err = sum.check(h)
	}
	if err != nil {
		i.discard()
		return nil, err
	}
	return i, nil
}

func (s Sum) check(h hash.Hash) error {
	if got := h.Sum(nil); subtle.ConstantTimeCompare(got, s.Want) != 1 {
		return &SumError{Want: s.Want, Got: got}
	}
	return nil
}

// openProgram refuses what could not be started either, and what does not end. A pipe must not hold up the open.
func openProgram(path string) (_ *os.File, size int64, err error) {
	src, err := os.OpenFile(path, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := src.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fs.ErrPermission
	default:
		err = mayExecute(src, info)
	}
	if err != nil {
		_ = src.Close()
		return nil, 0, err
	}
	return src, info.Size(), nil
}

// privateCopy hashes what it writes to a folder that only this user can enter. The file stays until the program has ended: a
// script's interpreter opens it when it likes.
func privateCopy(ctx context.Context, src *os.File, size int64, path string, cfg Config) (*image, error) {
	dir, remove, err := cfg.folder()
	if err != nil {
		return nil, err
	}
	i := &image{path: filepath.Join(dir, filepath.Base(path)), remove: remove}
	h := cfg.Sum.New()
	if err = writeFile(ctx, i.path, h, io.NewSectionReader(src, 0, size)); err == nil {
		err = cfg.Sum.check(h)
	}
	if err != nil {
		i.discard()
		return nil, err
	}
	return i, nil
}

func (c Config) folder() (path string, remove func() error, err error) {
	if c.Folder != nil {
		return c.Folder()
	}
	dir, err := os.MkdirTemp("", "plugin")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

func writeFile(ctx context.Context, path string, h hash.Hash, src io.Reader) error {
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return err
	}
	return errors.Join(copyTo(ctx, io.MultiWriter(dst, h), src), dst.Close())
}

// copyTo is io.Copy that ends with ctx.
func copyTo(ctx context.Context, dst io.Writer, src io.Reader) error {
	buf := make([]byte, 128<<10)
	for copied := 0; ; {
		if copied >= chunk {
			copied = 0
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		n, err := src.Read(buf)
		copied += n
		if _, err := dst.Write(buf[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isBinary tells what the system itself loads from what it gives to an interpreter, by name.
func isBinary(src io.ReaderAt) bool {
	head := make([]byte, 4)
	_, err := src.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, []byte("\x7fELF"))
}
