package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Runtime says where a generated project finds the runtime, and the tool that generates its contract.
// The first of Copy, Dir and Version that is set serves; DetectRuntime fills it for the running program.
type Runtime struct {
	// Version and Sum are those of a released module: what go.mod requires, and the h1 hash of its zip for go.sum.
	Version, Sum string
	// Dir is the root of a checkout, an absolute path, which replaces the module; empty means none.
	Dir string
	// Copy lays a copy of the runtime's source into the project.
	Copy bool

	// trimmed says that Dir is such a copy: it has neither tests nor the command.
	trimmed bool
}

// DetectRuntime finds out what the running program was built from: a released version, or a checkout that is still there.
// Where it is neither, projects get a copy of the runtime.
func DetectRuntime() Runtime {
	if info, ok := debug.ReadBuildInfo(); ok {
		if r, ok := releasedRuntime(info.Main); ok {
			return r
		}
	}
	_, file, _, _ := runtime.Caller(0)
	if r, err := CheckoutRuntime(filepath.Dir(filepath.Dir(file))); err == nil {
		return r
	}
	return Runtime{Copy: true}
}

// releasedRuntime takes only versions that a checksum vouches for: builds from a checkout are stamped with versions, too.
func releasedRuntime(main debug.Module) (Runtime, bool) {
	if main.Replace != nil || main.Sum == "" || !semver.IsValid(main.Version) {
		return Runtime{}, false
	}
	return Runtime{Version: main.Version, Sum: main.Sum}, true
}

// CheckoutRuntime is the Runtime of a checkout at dir. It is an *InputError when dir is not the root of this module.
func CheckoutRuntime(dir string) (Runtime, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Runtime{}, err
	}
	data, err := os.ReadFile(filepath.Join(abs, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return Runtime{}, &InputError{What: "runtime folder", Value: dir, Reason: "it has no go.mod", Hint: "name the root of a checkout"}
	}
	if err != nil {
		return Runtime{}, fmt.Errorf("read the runtime's go.mod: %w", err)
	}
	me, err := readSelf()
	if err != nil {
		return Runtime{}, err
	}
	if found := modfile.ModulePath(data); found != me.path() {
		return Runtime{}, &InputError{What: "runtime folder", Value: dir, Reason: fmt.Sprintf("its module is %+q, not %s", found, me.path())}
	}
	return Runtime{Dir: abs, trimmed: isTrimmed(abs)}, nil
}

// isTrimmed goes by what copies do not need.
func isTrimmed(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.sum"))
	return errors.Is(err, fs.ErrNotExist)
}

// withDefault falls back to what the running program was built from.
func (r Runtime) withDefault() Runtime {
	if r == (Runtime{}) {
		return DetectRuntime()
	}
	return r
}

// tool is where the project's tool comes from: a copy holds the runtime alone, so the tool needs the released module or the
// checkout that the running program came from. It is not ok when there is neither.
func (r Runtime) tool() (Runtime, bool) {
	if !r.Copy && !r.trimmed {
		return r, true
	}
	source := Runtime{Version: r.Version, Sum: r.Sum}
	if !r.trimmed {
		source.Dir = r.Dir
	}
	if source == (Runtime{}) {
		source = DetectRuntime()
	}
	return source, !source.Copy
}
