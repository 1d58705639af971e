package process

import "syscall"

// endWithParent has nothing to do: the job of the program ends with this process in any case.
func endWithParent(*syscall.SysProcAttr) {}

func tied(start func() (*Process, error)) (*Process, error) { return start() }
