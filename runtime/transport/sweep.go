//go:build unix

package transport

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// owner identifies the process that made a folder, for longer than a process id does, which the system uses again.
type owner struct {
	pid   int
	start uint64 // of the process, in units that are the system's
	space uint64 // of process ids; folders can be shared between containers that have ids of their own
}

const folderMark = "pgn-"

// prefix is the beginning of the folder's name: short, because it counts in every socket's path.
func (o owner) prefix() string {
	return folderMark + strconv.FormatInt(int64(o.pid), 36) + "-" + strconv.FormatUint(o.start, 36) + "-" + strconv.FormatUint(o.space, 36) + "-"
}

func parseOwner(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, folderMark)
	if !ok {
		return owner{}, false
	}
	fields := strings.Split(rest, "-")
	if len(fields) != 4 {
		return owner{}, false
	}
	pid, errPID := strconv.ParseUint(fields[0], 36, 31)
	start, errStart := strconv.ParseUint(fields[1], 36, 64)
	space, errSpace := strconv.ParseUint(fields[2], 36, 64)
	return owner{int(pid), start, space}, errPID == nil && errStart == nil && errSpace == nil && pid > 0
}

// maxSweep bounds how many names of a crowded folder are looked at: this runs while a plugin starts.
const maxSweep = 2000

const (
	sweepAgain = time.Hour
	probeAgain = time.Minute
)

// bases is what this process remembers, so that not every start does it again: of the folders in which it makes folders, and of itself.
type bases struct {
	self   func() owner
	memory func() string // see sharedMemory

	mu     sync.Mutex
	swept  map[string]time.Time
	probed map[string]time.Time
}

//nolint:gochecknoglobals // a process has one file system
var known = &bases{self: sync.OnceValue(thisProcess), memory: sync.OnceValue(sharedMemory), swept: map[string]time.Time{}, probed: map[string]time.Time{}}

// sweep sweeps base in the background, when that is due; the channel is nil when it is not.
func (b *bases) sweep(base string, self owner) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isRecent(b.swept, base, sweepAgain) {
		return nil
	}
	b.swept[base] = time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sweep(base, self)
	}()
	return done
}

// probe makes a socket in folder, unless that was lately possible in another folder beside it: a file system may have had room for the
// folder alone, or have no sockets at all.
func (b *bases) probe(folder string) error {
	base := filepath.Dir(folder)
	b.mu.Lock()
	recent := isRecent(b.probed, base, probeAgain)
	b.mu.Unlock()
	if recent {
		return nil
	}
	err := probe(folder)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.probed[base] = time.Now()
	}
	return err
}

func isRecent(last map[string]time.Time, base string, while time.Duration) bool {
	at, ok := last[base]
	return ok && time.Since(at) < while
}

// sweep removes the folders in base that processes of this user left behind when they were killed. What it cannot remove
// it leaves: this is housekeeping.
func sweep(base string, self owner) {
	folder, err := os.Open(base)
	if err != nil {
		return
	}
	names, _ := folder.Readdirnames(maxSweep)
	_ = folder.Close()
	for _, name := range names {
		if o, ok := parseOwner(name); ok && o.isGone(self) && isOurs(filepath.Join(base, name)) {
			_ = os.RemoveAll(filepath.Join(base, name))
		}
	}
}

func isOurs(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
