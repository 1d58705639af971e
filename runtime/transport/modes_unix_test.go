//go:build unix

package transport_test

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"github.com/plugingen/plugingen/runtime/transport"
)

func testModes() map[string]func() int {
	return map[string]func() int{"listen": listenMode, "socketdir": socketDirMode, "bind": bindMode}
}

// listenMode listens with $UMASK in $DIR for $GROUP.
func listenMode() int {
	mask, err := strconv.ParseInt(os.Getenv("UMASK"), 8, 32)
	if err != nil {
		return fail(err)
	}
	syscall.Umask(int(mask))
	l, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: os.Getenv("DIR"), Group: os.Getenv("GROUP")})
	if err != nil {
		return fail(err)
	}
	fmt.Println(l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := l.Close(); err != nil {
		return fail(err)
	}
	return 0
}

// bindMode binds $SOCKET with an umask that takes nothing away, and does nothing else to it.
func bindMode() int {
	syscall.Umask(0)
	l, err := transport.Bind(os.Getenv("SOCKET"))
	if err != nil {
		return fail(err)
	}
	fmt.Println(l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// socketDirMode makes a folder in $BASE.
func socketDirMode() int {
	dir, err := transport.NewSocketDir(os.Getenv("BASE"), "")
	if err != nil {
		return fail(err)
	}
	dir.AwaitSweep() // that of the test is what the test looks at
	fmt.Println(dir.Path())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := dir.Remove(); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
