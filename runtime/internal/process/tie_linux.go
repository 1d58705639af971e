package process

import (
	"runtime"
	"syscall"
)

// endWithParent has the system kill the program when the thread that starts it ends.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// tied calls start on a thread that does nothing else until the program has ended. Go would otherwise give threads to
// whatever runs, and end some: the program would end with them, and not only with this process.
func tied(start func() (*Process, error)) (*Process, error) {
	type result struct {
		p   *Process
		err error
	}
	results := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p, err := start()
		results <- result{p, err}
		if err == nil {
			<-p.done
		}
	}()
	r := <-results
	return r.p, r.err
}
