package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"unicode/utf8"
)

// inspect reads the first bytes of a file that exists and could not be started, and completes e with what they say.
func (e *StartError) inspect() {
	head, err := readHead(e.Path)
	switch {
	case err != nil:
	case errors.Is(e.Err, fs.ErrNotExist):
		e.Reason, e.Hint = ErrInterpreter, missingInterpreter(head)
	case isFormatError(e.Err) && format(head) != "" && format(head) != native():
		e.Reason, e.Hint = ErrArchitecture, wrongMachine(head)
	case isFormatError(e.Err):
		e.Reason, e.Hint = ErrNotProgram, whatItIs(head)
	}
}

func wrongMachine(head []byte) string {
	return fmt.Sprintf("the file is made for %s, this host runs on %s: build it with GOOS=%s GOARCH=%s",
		format(head), native(), runtime.GOOS, runtime.GOARCH)
}

func whatItIs(head []byte) string {
	switch {
	case format(head) != "":
		return "the file starts like a program for " + native() + " and is damaged or cut off: build it again"
	case len(head) == 0:
		return "the file is empty: build it again"
	case isText(head):
		return "the file is text: a script needs a first line such as #!/bin/sh, Go source needs go build"
	default:
		return "the file is of no format that this system runs"
	}
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4096)
	n, err := f.ReadAt(head, 0)
	if n == 0 && err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head[:n], nil
}

func native() string { return runtime.GOOS + "/" + runtime.GOARCH }

// format names what an executable's header says it is made for, such as "linux/arm64"; empty when it is none that we know.
// ELF seldom says which system it is for, so that is taken to be this one where it has ELF at all.
func format(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return elf(head)
	case bytes.HasPrefix(head, []byte("MZ")):
		return pe(head)
	case len(head) >= 8:
		return machO(head)
	default:
		return ""
	}
}

func elf(head []byte) string {
	if len(head) < 20 {
		return "linux/unknown"
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[5] == 2 {
		order = binary.BigEndian
	}
	return elfSystem(head[7]) + "/" + elfMachine(order.Uint16(head[18:]), head[4] == 2, head[5] == 2)
}

func elfSystem(abi byte) string {
	switch abi {
	case 2:
		return "netbsd"
	case 6:
		return "solaris"
	case 9:
		return "freebsd"
	case 12:
		return "openbsd"
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return "linux"
	}
	return runtime.GOOS
}

func elfMachine(machine uint16, is64, bigEndian bool) string {
	switch machine {
	case 3:
		return "386"
	case 8:
		return suffix("mips", is64, bigEndian)
	case 21:
		if bigEndian {
			return "ppc64"
		}
		return "ppc64le"
	case 22:
		return "s390x"
	case 40:
		return "arm"
	case 62:
		return "amd64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	case 258:
		return "loong64"
	}
	return fmt.Sprintf("machine %d", machine)
}

func suffix(name string, is64, bigEndian bool) string {
	if is64 {
		name += "64"
	}
	if !bigEndian {
		name += "le"
	}
	return name
}

func pe(head []byte) string {
	if len(head) < 0x40 {
		return "windows/unknown"
	}
	at := int64(binary.LittleEndian.Uint32(head[0x3c:]))
	if at+6 > int64(len(head)) || !bytes.Equal(head[at:at+4], []byte("PE\x00\x00")) {
		return "windows/unknown"
	}
	switch machine := binary.LittleEndian.Uint16(head[at+4:]); machine {
	case 0x14c:
		return "windows/386"
	case 0x1c4:
		return "windows/arm"
	case 0x8664:
		return "windows/amd64"
	case 0xaa64:
		return "windows/arm64"
	default:
		return fmt.Sprintf("windows/machine %#x", machine)
	}
}

func machO(head []byte) string {
	var order binary.ByteOrder
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf:
		order = binary.BigEndian
	case 0xcefaedfe, 0xcffaedfe:
		order = binary.LittleEndian
	case 0xcafebabe: // also a Java class file, whose next number is its version: 45 or more
		if binary.BigEndian.Uint32(head[4:]) < 45 {
			return "darwin/universal"
		}
		return ""
	default:
		return ""
	}
	switch cpu := order.Uint32(head[4:]); cpu {
	case 7:
		return "darwin/386"
	case 0x01000007:
		return "darwin/amd64"
	case 0x0100000c:
		return "darwin/arm64"
	default:
		return fmt.Sprintf("darwin/machine %#x", cpu)
	}
}

func missingInterpreter(head []byte) string {
	line, isScript := bytes.CutPrefix(head, []byte("#!"))
	if !isScript {
		return "install the loader (a program linked against another C library needs that library's), or build with CGO_ENABLED=0"
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return "the script has Windows line ends, so its interpreter's name ends in a carriage return: convert the file"
	}
	return fmt.Sprintf("the script's first line names %q, which is missing", bytes.TrimSpace(line))
}

// isText allows for a rune that the end of head cut in two.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		if r == utf8.RuneError && size == 1 {
			return len(head) < utf8.UTFMax && !utf8.FullRune(head)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' {
			return false
		}
		head = head[size:]
	}
	return true
}
