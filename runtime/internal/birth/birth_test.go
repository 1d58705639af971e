package birth_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/plugingen/plugingen/runtime/internal/birth"
)

func TestOf(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" && runtime.GOOS != "windows" {
		t.Skip("this system does not tell")
	}
	mine := birth.Of(os.Getpid())
	if mine == "" || birth.Of(os.Getpid()) != mine {
		t.Errorf("this process began at %q, then at %q", mine, birth.Of(os.Getpid()))
	}
	if parents := birth.Of(os.Getppid()); parents == mine {
		t.Errorf("its parent began at %q too", parents)
	}
	cmd := exec.CommandContext(t.Context(), "go", "version")
	if err := cmd.Run(); err != nil {
		t.Skip(err)
	}
	if got := birth.Of(cmd.Process.Pid); got != "" {
		t.Errorf("a process that has ended began at %q", got)
	}
	for _, pid := range []int{-1, 0, 1 << 30} {
		if got := birth.Of(pid); got != "" && pid != 0 {
			t.Errorf("process %d began at %q", pid, got)
		}
	}
}
