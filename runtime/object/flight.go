package object

import (
	"context"
	"sync"
)

// flight counts calls that are being served. The zero value has none.
type flight struct {
	mu    sync.Mutex
	calls int
	idle  chan struct{} // closed when there are none any more; nil as long as further ones may begin
}

// enter counts one more; false: it may not begin.
func (f *flight) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.idle != nil {
		return false
	}
	f.calls++
	return true
}

func (f *flight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls--
	f.look()
}

// look closes idle when it is time. Called with mu.
func (f *flight) look() {
	if f.idle != nil && f.calls == 0 {
		close(f.idle)
	}
}

// drain lets no more begin, and waits for those in flight until ctx ends. It is called once.
func (f *flight) drain(ctx context.Context) {
	f.mu.Lock()
	idle := make(chan struct{})
	f.idle = idle
	f.look()
	f.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
