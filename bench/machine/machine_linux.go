// Package machine asks the system what this process and others do. Where it cannot tell, it says zero.
package machine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit of the kernel's times in /proc on every Linux that Go runs on.
const tick = time.Second / 100

// Busy is the CPU time that all cores have spent on anything since boot, time stolen by other machines included.
func Busy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var ticks int64
	for i, field := range bytes.Fields(line) {
		// user nice system idle iowait irq softirq steal: fields 1 to 8; guests are in user already.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseInt(string(field), 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// ProcessCPU is the CPU time of a process and of the children that it has waited for.
func ProcessCPU(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte(") "))
	var ticks int64
	for i, field := range bytes.Fields(after) {
		if i >= 11 && i <= 14 { // utime stime cutime cstime
			n, _ := strconv.ParseInt(string(field), 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// OpenFiles is how many descriptors this process has.
func OpenFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// ResidentMemory is what a process holds of the machine's memory, in bytes.
func ResidentMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// FileCalls is how many system calls of the read and write kind this process has made: nearly all that a socket costs.
func FileCalls() int64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	return field(text, "syscr:") + field(text, "syscw:")
}

const (
	filesPerPlugin  = 8        // of the host
	memoryPerPlugin = 24 << 10 // KiB
)

// RoomFor says why n plugins would not fit.
func RoomFor(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < uint64(n*filesPerPlugin) {
		return fmt.Errorf("%d descriptors are allowed here, too few for %d plugins", limit.Cur, n)
	}
	text, err := os.ReadFile("/proc/meminfo")
	if free := field(text, "MemAvailable:"); err == nil && free < int64(n*memoryPerPlugin) {
		return fmt.Errorf("%d MiB of memory are free here, too few for %d plugins", free>>10, n)
	}
	return nil
}

// field is the number after a name in one of the texts of /proc; zero when there is none.
func field(text []byte, name string) int64 {
	_, after, _ := bytes.Cut(text, []byte(name))
	words := bytes.Fields(after)
	if len(words) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(words[0]), 10, 64)
	return n
}
