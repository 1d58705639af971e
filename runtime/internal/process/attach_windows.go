package process

import (
	"errors"
	"sync"

	"golang.org/x/sys/windows"
)

// winHandle keeps the number of the process from being used again.
type winHandle struct {
	mu     sync.Mutex
	handle windows.Handle // zero once it is closed
}

func openHandle(pid int) (handle, error) {
	const access = windows.SYNCHRONIZE | windows.PROCESS_TERMINATE | windows.PROCESS_QUERY_LIMITED_INFORMATION
	h, err := windows.OpenProcess(access, false, uint32(pid))
	if err != nil {
		return nil, ErrGone
	}
	return &winHandle{handle: h}, nil
}

func (h *winHandle) await() error { return errors.ErrUnsupported }

func (h *winHandle) isRunning() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handle == 0 {
		return false
	}
	event, err := windows.WaitForSingleObject(h.handle, 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

func (h *winHandle) signal(kill bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !kill || h.handle == 0 {
		return errors.ErrUnsupported
	}
	return windows.TerminateProcess(h.handle, 1)
}

func (h *winHandle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handle != 0 {
		_ = windows.CloseHandle(h.handle)
		h.handle = 0
	}
}
