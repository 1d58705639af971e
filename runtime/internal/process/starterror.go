package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Reasons for which a program cannot be started; errors.Is finds them in a *StartError.
var (
	ErrNotFound      = errors.New("there is no such file")
	ErrDirectory     = errors.New("it is a directory")
	ErrNotExecutable = errors.New("it may not be executed")
	ErrNotProgram    = errors.New("it is not a program")
	ErrArchitecture  = errors.New("it is a program for another machine")
	ErrInterpreter   = errors.New("the interpreter or loader that it names is missing")
	ErrWorkDir       = errors.New("its working directory is not there")
)

// StartError says why a program could not be started.
type StartError struct {
	Path   string
	Reason error  // one of the sentinels above; nil when it is none of them
	Hint   string // what to do about it; may be empty
	Err    error  // what the system said
}

// Error names the reason and what the system said; the path is the caller's to name.
func (e *StartError) Error() string {
	if e.Reason == nil {
		return "start: " + e.Err.Error()
	}
	return "start: " + e.Reason.Error() + ": " + e.Err.Error()
}

// Unwrap returns Reason and Err.
func (e *StartError) Unwrap() []error {
	if e.Reason == nil {
		return []error{e.Err}
	}
	return []error{e.Reason, e.Err}
}

// resolve finds the file to run. The result is absolute: a relative one would be taken relative to Config.Dir.
func resolve(path string) (string, error) {
	if path == "" {
		return "", fs.ErrNotExist
	}
	if !hasSeparator(path) {
		return exec.LookPath(path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return withExtension(abs)
}

// classify looks at the file to say what the system's number leaves open: ENOENT may mean the file, its loader or the
// working directory, EACCES a directory or a missing permission.
func classify(path, dir string, err error) *StartError {
	e := &StartError{Path: path, Err: bare(err)}
	switch info, statErr := os.Stat(path); {
	case errors.Is(err, exec.ErrNotFound) && !hasSeparator(path):
		e.Reason, e.Hint = ErrNotFound, "it is not in PATH: give a path with a separator, such as ./"+path
	case errors.Is(statErr, fs.ErrNotExist):
		e.Reason, e.Hint = ErrNotFound, "check the path, and whether the plugin has been built"
	case statErr != nil:
		e.Hint = "the file cannot be looked at: check the path and the permissions of the folders in it"
	case info.IsDir():
		e.Reason, e.Hint = ErrDirectory, "name the program in it"
	case !isFolder(dir):
		e.Reason, e.Hint = ErrWorkDir, "check that the working directory exists and is a folder"
	case errors.Is(err, fs.ErrPermission):
		e.Reason, e.Hint = ErrNotExecutable, "chmod +x the file; if it is executable, its file system may be mounted noexec"
	case info.Mode().IsRegular():
		e.inspect()
	}
	return e
}

func isFolder(dir string) bool {
	if dir == "" {
		return true
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

func hasSeparator(path string) bool {
	return strings.ContainsRune(path, filepath.Separator) || strings.Contains(path, "/")
}

// bare takes away the operation and the path that os wraps around a number: whoever shows the error names the path.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
