package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// systemTempDirs is where sockets may go when the configured folders cannot be used.
const systemTempDirs = "/tmp:/var/tmp:/dev/shm"

func thisProcess() owner {
	start, _, _ := processStart(os.Getpid())
	return owner{pid: os.Getpid(), start: start, space: processSpace()}
}

// processSpace is the number of this process's pid namespace; zero when /proc does not tell.
func processSpace() uint64 {
	link, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return 0
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(link, "pid:["), "]")
	n, _ := strconv.ParseUint(digits, 10, 64)
	return n
}

// processStart returns when the process began, in clock ticks since the boot, and whether it still runs (a zombie does not).
func processStart(pid int) (start uint64, running bool, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	// The second field, the command in parentheses, may hold anything; state is the third field and start the 22nd.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, false, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	start, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return start, fields[0][0] != 'Z' && fields[0][0] != 'X', err
}

// isGone is only true when that is sure: a folder in use must never be swept.
func (o owner) isGone(self owner) bool {
	if o == self || o.space != self.space || self.space == 0 {
		return false
	}
	start, running, err := processStart(o.pid)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return !running || start != o.start
}
