//go:build unix

package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/internal/process"
)

func write(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// elfFor is the header of a 64-bit little-endian ELF program.
func elfFor(machine byte) string {
	return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00" + string([]byte{machine, 0}) + strings.Repeat("\x00", 44)
}

func TestStartErrors(t *testing.T) {
	other, otherName := byte(183), "/arm64"
	if runtime.GOARCH == "arm64" {
		other, otherName = 62, "/amd64"
	}
	pe := "MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00\x64\x86"
	for name, c := range map[string]struct {
		path, dir string
		reason    error
		hint      string
	}{
		"empty path":          {path: "", reason: process.ErrNotFound, hint: "check the path"},
		"missing":             {path: "/nonexistent/program", reason: process.ErrNotFound, hint: "check the path"},
		"not in PATH":         {path: "surely-no-such-program", reason: process.ErrNotFound, hint: "./surely-no-such-program"},
		"below a file":        {path: "/dev/null/program", hint: "folders in it"},
		"folder":              {path: t.TempDir(), reason: process.ErrDirectory, hint: "name the program"},
		"not executable":      {path: write(t, "#!/bin/sh\n", 0o600), reason: process.ErrNotExecutable, hint: "chmod +x"},
		"missing folder":      {path: "/bin/sh", dir: "/nonexistent", reason: process.ErrWorkDir, hint: "working directory"},
		"folder that is none": {path: "/bin/sh", dir: "/dev/null", reason: process.ErrWorkDir, hint: "working directory"},
		"empty":               {path: write(t, "", 0o700), reason: process.ErrNotProgram, hint: "empty"},
		"text":                {path: write(t, "echo hello\n", 0o700), reason: process.ErrNotProgram, hint: "#!/bin/sh"},
		"text, a rune cut":    {path: write(t, strings.Repeat("x", 4095)+"é", 0o700), reason: process.ErrNotProgram, hint: "is text"},
		"binary":              {path: write(t, "\x00\x01\x02\x03\xff", 0o700), reason: process.ErrNotProgram, hint: "no format"},
		"no interpreter":      {path: write(t, "#!/nonexistent/sh -e\n", 0o700), reason: process.ErrInterpreter, hint: `"/nonexistent/sh -e"`},
		"windows line ends":   {path: write(t, "#!/bin/sh\r\necho\r\n", 0o700), reason: process.ErrInterpreter, hint: "carriage return"},
		"other processor":     {path: write(t, elfFor(other), 0o700), reason: process.ErrArchitecture, hint: otherName},
		"windows":             {path: write(t, pe, 0o700), reason: process.ErrArchitecture, hint: "windows/amd64"},
		"windows, cut off":    {path: write(t, "MZ", 0o700), reason: process.ErrArchitecture, hint: "windows/unknown"},
		"macOS":               {path: write(t, "\xcf\xfa\xed\xfe\x0c\x00\x00\x01", 0o700), reason: process.ErrArchitecture, hint: "darwin/arm64"},
		"java":                {path: write(t, "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0o700), reason: process.ErrNotProgram, hint: "no format"},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" && errors.Is(c.reason, process.ErrArchitecture) {
				t.Skip("formats are told apart by what Linux says of them")
			}
			before := countFiles()
			_, err := process.Start(t.Context(), process.Config{Path: c.path, Dir: c.dir})
			e, ok := errors.AsType[*process.StartError](err)
			if !ok {
				t.Fatalf("error %v, want a *StartError", err)
			}
			t.Logf("%v\nhint: %s", e, e.Hint)
			if !errors.Is(e.Reason, c.reason) || c.reason != nil && !errors.Is(err, c.reason) {
				t.Errorf("reason %v, want %v", e.Reason, c.reason)
			}
			if !strings.Contains(e.Hint, c.hint) {
				t.Errorf("hint %q: want %q in it", e.Hint, c.hint)
			}
			if after := countFiles(); after > before {
				t.Errorf("%d descriptors, %d before", after, before)
			}
		})
	}
}

func countFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd") // none elsewhere
	return len(entries)
}

// TestRelativePath starts where this process is, although the program runs elsewhere.
func TestRelativePath(t *testing.T) {
	path := write(t, "#!/bin/sh\nexit 5\n", 0o700)
	t.Chdir(filepath.Dir(path))
	p, err := process.Start(t.Context(), process.Config{Path: "./program", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if exit := await(t, p); exit.Code != 5 {
		t.Errorf("exit: %v", exit)
	}
	p.Release()
}
