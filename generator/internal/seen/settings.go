package seen

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// settings is what decides beside files: the program itself, and the environment of the Go tool chain.
// It is not ok when the program cannot be told from another build of it.
func settings() (text string, ok bool) {
	program, ok := programID()
	if !ok {
		return "", false
	}
	lines := []string{program}
	for _, v := range os.Environ() {
		if (strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "CGO")) && !isPlace(v) {
			lines = append(lines, v)
		}
	}
	slices.Sort(lines)
	return sum([]byte(strings.Join(lines, "\x00")), nil), true
}

// isPlace says whether the variable is one by which go generate tells where the directive is: it decides about nothing.
func isPlace(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return name == "GOFILE" || name == "GOLINE" || name == "GOPACKAGE"
}

// programID tells this build of the program from all others: by the build ID that the linker wrote, which is a hash of what
// went in, or by the checksum of the module that it was built from.
func programID() (string, bool) {
	name, err := os.Executable()
	if err != nil {
		return "", false
	}
	if id := buildID(name); id != "" {
		return "build " + id, true
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" && info.Main.Replace == nil {
		return "module " + info.String(), true
	}
	return "", false
}

// headSize is how much of a program is searched for its build ID; it comes first, or nearly so.
const headSize = 64 << 10

// buildID finds the build ID in the head of a program; empty when there is none.
func buildID(name string) string {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	head, err := io.ReadAll(io.LimitReader(f, headSize))
	if err != nil {
		return ""
	}
	if id := noteID(head, binary.LittleEndian); id != "" {
		return id
	}
	if id := noteID(head, binary.BigEndian); id != "" {
		return id
	}
	return textID(head)
}

// noteID is the build ID of an ELF file: a note of the owner Go.
func noteID(head []byte, order binary.ByteOrder) string {
	owner := []byte("Go\x00\x00")
	for at := 0; ; {
		i := bytes.Index(head[at:], owner)
		if i < 0 {
			return ""
		}
		at += i + len(owner)
		const fields = 12 // three numbers come before the owner
		start := at - len(owner) - fields
		if start < 0 {
			continue
		}
		number := func(n int) int { return int(order.Uint32(head[start+4*n:])) }
		if size := number(1); number(0) == len(owner) && number(2) == 4 && size > 0 && at+size <= len(head) {
			return string(head[at : at+size])
		}
	}
}

// textID is the build ID of other programs: text before the code.
func textID(head []byte) string {
	_, rest, found := bytes.Cut(head, []byte("\xff Go build ID: \""))
	id, _, closed := bytes.Cut(rest, []byte("\"\n \xff"))
	if !found || !closed {
		return ""
	}
	return string(id)
}
