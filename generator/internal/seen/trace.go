package seen

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// kind is a way to look at the disk.
type kind byte

const (
	content kind = 'c' // the bytes of a file, or that it cannot be read
	goNames kind = 'g' // the names of the Go files directly in a folder
	names   kind = 'n' // all names in a folder
	plain   kind = 'p' // whether a regular file is there, links followed
	output  kind = 'o' // the bytes of a regular file that no link leads to
	stamp   kind = 't' // size and time of a large file
	program kind = 'x' // where the program of that name is found, its size and time
)

// look is one look at the disk.
type look struct {
	kind kind
	name string // absolute
}

// Trace is every look at the disk that decided about a result, with what was seen. A nil Trace records nothing.
// Its methods may be called from several goroutines.
type Trace struct {
	mu     sync.Mutex
	looks  map[look]string
	broken bool
}

// Break says that something decided that cannot be looked at again: the trace is never kept.
func (t *Trace) Break() {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.broken = true
	}
}

// note records what was seen. Two answers to one question break the trace: the file changed meanwhile.
func (t *Trace) note(k kind, name, saw string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.looks == nil {
		t.looks = map[look]string{}
	}
	l := look{k, name}
	if was, again := t.looks[l]; again && was != saw {
		t.broken = true
	}
	t.looks[l] = saw
}

// Read records that the file was read, with that result.
func (t *Trace) Read(name string, data []byte, err error) { t.note(content, name, sum(data, err)) }

// IsPlain records whether a regular file was there.
func (t *Trace) IsPlain(name string, is bool) { t.note(plain, name, strconv.FormatBool(is)) }

// GoFiles records the names of the Go files in a folder.
func (t *Trace) GoFiles(dir string, list []string) { t.note(goNames, dir, joined(list)) }

// Output records a file that was made, and lies there.
func (t *Trace) Output(name string, data []byte) { t.note(output, name, sum(data, nil)) }

// File looks at a file and records that.
func (t *Trace) File(name string) { t.record(content, name) }

// Folder looks at a folder and at what lies directly in it, and records that.
func (t *Trace) Folder(dir string) {
	if t == nil {
		return
	}
	t.record(names, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Break()
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && info.Size() > large {
			t.record(stamp, filepath.Join(dir, e.Name()))
			continue
		}
		t.record(content, filepath.Join(dir, e.Name()))
	}
}

// Program records which file the program called name is, found there.
func (t *Trace) Program(name, file string) { t.note(program, name, file+" "+seeStamp(file)) }

// large is the size from which on files that are no input are known by size and time.
const large = 1 << 20

func (t *Trace) record(k kind, name string) {
	if t != nil {
		t.note(k, name, see(look{k, name}))
	}
}

// see looks at the disk.
func see(l look) string {
	switch l.kind {
	case content:
		return sum(os.ReadFile(l.name))
	case goNames:
		return joined(filter(l.name, isGoFile))
	case names:
		return joined(filter(l.name, func(fs.DirEntry) bool { return true }))
	case plain:
		info, err := os.Stat(l.name)
		return strconv.FormatBool(err == nil && info.Mode().IsRegular())
	case output:
		return seeOutput(l.name)
	case stamp:
		return seeStamp(l.name)
	case program:
		file, err := exec.LookPath(l.name)
		if err != nil {
			return "nothing"
		}
		return file + " " + seeStamp(file)
	}
	return "?"
}

func seeOutput(name string) string {
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return "no plain file"
	}
	if info, err := os.Lstat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return "behind a link"
	}
	return sum(os.ReadFile(name))
}

func seeStamp(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return "nothing"
	}
	return strconv.FormatInt(info.Size(), 10) + " " + strconv.FormatInt(info.ModTime().UnixNano(), 10)
}

// sum is what a file's bytes are known by. A file that is not there is told from one that cannot be read.
func sum(data []byte, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "nothing"
	case err != nil:
		return "unreadable"
	}
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}

func filter(dir string, keep func(fs.DirEntry) bool) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{"/"} // no name is that
	}
	var list []string
	for _, e := range entries {
		if keep(e) {
			list = append(list, e.Name())
		}
	}
	return list
}

func isGoFile(e fs.DirEntry) bool {
	return !e.IsDir() && strings.HasSuffix(e.Name(), ".go") && !strings.HasPrefix(e.Name(), "_") && !strings.HasPrefix(e.Name(), ".")
}

func joined(list []string) string {
	return sum([]byte(strings.Join(slices.Sorted(slices.Values(list)), "/")), nil)
}
