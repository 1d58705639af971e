package stdout

import "golang.org/x/sys/unix"

// IsWaiting says whether something printed has not been read from Printed.
func (t *Taken) IsWaiting() bool {
	waiting := 0
	raw, err := t.Printed.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { waiting, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	return err == nil && waiting > 0
}
