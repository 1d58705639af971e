//go:build !unix

package stdout

import (
	"os"
	"sync"
)

// moveEarly swaps the variable only: C code and child processes that write to the descriptor itself are not caught.
func moveEarly() *os.File {
	if _, ok := os.LookupEnv(hostMark); !ok {
		return nil
	}
	given := os.Stdout
	os.Stdout = os.Stderr
	return given
}

func take() (*Taken, error) {
	before := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t := &Taken{Real: moved, Printed: r}
	moved = nil
	if t.Real == nil {
		t.Real, t.shared = before, true
	}
	t.giveBack = sync.OnceValue(func() error { os.Stdout = before; return w.Close() })
	os.Stdout = w
	return t, nil
}

// Watch would tell when the host is dead; here nothing can say so, and the plugin ends with its next broken write.
func (t *Taken) Watch(func()) (stop func(), err error) { return func() {}, nil }
