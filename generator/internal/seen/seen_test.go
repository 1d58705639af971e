package seen

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func ownCache(t *testing.T) {
	for _, name := range []string{"XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, t.TempDir())
	}
}

// traced has looked at one file, in each way.
func traced(t *testing.T) (trace *Trace, name string) {
	name = filepath.Join(t.TempDir(), "a.go")
	if err := os.WriteFile(name, []byte("package a"), 0o600); err != nil {
		t.Fatal(err)
	}
	trace = &Trace{}
	trace.Read(name, []byte("package a"), nil)
	trace.IsPlain(name, true)
	trace.GoFiles(filepath.Dir(name), []string{"a.go"})
	trace.Output(name, []byte("package a"))
	trace.Folder(filepath.Dir(name))
	trace.File(filepath.Join(filepath.Dir(name), "nothing"))
	return trace, name
}

func TestKeptAndSame(t *testing.T) {
	ownCache(t)
	trace, _ := traced(t)
	trace.Keep("key", "asked", []byte("note"))
	for _, c := range []struct {
		key, asked string
		want       bool
	}{{"key", "asked", true}, {"key", "", true}, {"key", "else", false}, {"other", "asked", false}} {
		note, ok := Same(c.key, c.asked)
		if ok != c.want || ok && string(note) != "note" {
			t.Errorf("%+v: got %v, %q", c, ok, note)
		}
	}
}

func TestDoubtIsNotKept(t *testing.T) {
	for name, doubt := range map[string]func(*Trace, string){
		"broken":             func(trace *Trace, _ string) { trace.Break() },
		"two answers":        func(trace *Trace, file string) { trace.Read(file, []byte("package b"), nil) },
		"gone while it ran":  func(trace *Trace, file string) { trace.Read(file, nil, fs.ErrNotExist) },
		"unreadable":         func(trace *Trace, file string) { trace.Read(file, nil, errors.New("a disk fault")) },
		"no such folder":     func(trace *Trace, file string) { trace.Folder(file + "/nowhere") },
		"other file by then": func(trace *Trace, file string) { trace.Read(file+"x", []byte("package x"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			ownCache(t)
			trace, file := traced(t)
			doubt(trace, file)
			trace.Keep("key", "asked", nil)
			if _, ok := Same("key", "asked"); ok {
				t.Error("it is the same")
			}
		})
	}
}

// TestSettingsComeAndGo: the last few are kept side by side.
func TestSettingsComeAndGo(t *testing.T) {
	ownCache(t)
	trace, _ := traced(t)
	for i := range mostKept + 1 {
		t.Setenv("GOPRIVATE", fmt.Sprint(i))
		trace.Keep("key", "asked", []byte(fmt.Sprint(i)))
	}
	for i := range mostKept + 1 {
		t.Setenv("GOPRIVATE", fmt.Sprint(i))
		if note, ok := Same("key", "asked"); ok != (i > 0) || ok && string(note) != fmt.Sprint(i) {
			t.Errorf("settings %d: got %v, %q", i, ok, note)
		}
	}
}

func TestNobodyRecords(*testing.T) {
	var trace *Trace
	trace.Read("a", nil, nil)
	trace.Folder("a")
	trace.File("a")
	trace.Break()
	trace.Keep("key", "asked", nil)
}

func TestNoCacheIsNoFault(t *testing.T) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	trace, _ := traced(t)
	trace.Keep("key", "asked", nil)
	if _, ok := Same("key", "asked"); ok {
		t.Error("it is the same")
	}
}

// TestBuildIDIsTheLinkers reads the ID of this very program, as the go command reads it.
func TestBuildIDIsTheLinkers(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "tool", "buildid", program).Output()
	if err != nil {
		t.Skip("no go command: ", err)
	}
	if got, want := buildID(program), strings.TrimSpace(string(out)); got != want || got == "" {
		t.Errorf("got %q, want %q on %s", got, want, runtime.GOOS)
	}
}

func TestBuildIDs(t *testing.T) {
	note := func(order binary.AppendByteOrder) string {
		head := order.AppendUint32([]byte("\x7fELF Go\x00\x00 and more: "), 4)
		head = order.AppendUint32(order.AppendUint32(head, 3), 4)
		return string(head) + "Go\x00\x00a/b and code"
	}
	for name, c := range map[string]struct{ head, want string }{
		"little endian": {note(binary.LittleEndian), "a/b"},
		"big endian":    {note(binary.BigEndian), "a/b"},
		"text":          {"MZ... \xff Go build ID: \"a/b\"\n \xff code", "a/b"},
		"text, no end":  {"MZ... \xff Go build ID: \"a/b", ""},
		"note, cut":     {strings.TrimSuffix(note(binary.LittleEndian), "a/b and code"), ""},
		"none":          {"Go\x00\x00", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(file, []byte(c.head), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := buildID(file); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := buildID(filepath.Join(t.TempDir(), "nothing")); got != "" {
		t.Errorf("of no file: %q", got)
	}
}
