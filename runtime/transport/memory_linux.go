package transport

import (
	"os"
	"syscall"
)

const (
	systemTemp = "/tmp"
	shm        = "/dev/shm"
	tmpfs      = 0x01021994 // TMPFS_MAGIC, which package syscall does not name
	// firstPerson is the least user id that systemd takes for a person's.
	firstPerson = 1000
)

// sharedMemory is a folder in memory for all users, empty when there is none to be used. To make and remove a folder and a socket costs a
// tenth there of what it does on a disk. Where the system's folder for temporary files is in memory as well, that will do; and systemd empties shared
// memory of what a person has there who logs out, also when programs of theirs go on.
func sharedMemory() string {
	if isInMemory(systemTemp) || !isInMemory(shm) || !isForAll(shm) {
		return ""
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil && os.Geteuid() >= firstPerson {
		return ""
	}
	return shm
}

func isInMemory(dir string) bool {
	var st syscall.Statfs_t
	return syscall.Statfs(dir, &st) == nil && st.Type == tmpfs
}

// isForAll says whether all may make folders in dir, and none may replace another's.
func isForAll(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&(os.ModeSticky|0o003) == os.ModeSticky|0o003
}
