package transport_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// renamed is a copy of the folder path whose name has one of its parts (process, start, space) changed.
func renamed(t *testing.T, path string, part int) string {
	t.Helper()
	parts := strings.Split(filepath.Base(path), "-")
	n, err := strconv.ParseUint(parts[part], 36, 64)
	if err != nil {
		t.Fatal(err)
	}
	parts[part] = strconv.FormatUint(n+1, 36)
	other := filepath.Join(filepath.Dir(path), strings.Join(parts, "-"))
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestSweepKnowsProcessesApart(t *testing.T) {
	base := shortDir(t)
	alive := start(t, "socketdir", "BASE="+base)
	dead := start(t, "socketdir", "BASE="+base)
	dead.kill(t)
	reused := renamed(t, alive.line, 2)   // an earlier process with an id that is in use again
	elsewhere := renamed(t, dead.line, 3) // a process with an id of another container

	newSocketDir(t, base, "").AwaitSweep()
	checkGone(t, reused)
	for _, path := range []string{alive.line, elsewhere} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("swept away: %v", err)
		}
	}
}

func TestSweepTakesAZombieForDead(t *testing.T) {
	base := shortDir(t)
	zombie := start(t, "socketdir", "BASE="+base)
	if err := zombie.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, zombie.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	newSocketDir(t, base, "").AwaitSweep()
	checkGone(t, zombie.line)
}
