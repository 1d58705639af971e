package transport_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// mountedBases are file systems that are full or read-only, where this process may mount some.
func mountedBases(t *testing.T) map[string]string {
	t.Helper()
	bases := map[string]string{}
	for name, options := range map[string]string{"no inode": "nr_inodes=1", "one inode": "nr_inodes=2", "read-only": "ro"} {
		path := filepath.Join(shortDir(t), name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		flags := uintptr(0)
		if options == "ro" {
			flags, options = syscall.MS_RDONLY, ""
		}
		if err := syscall.Mount("tmpfs", path, "tmpfs", flags, options); err != nil {
			t.Logf("no %s file system: %v", name, err)
			continue
		}
		t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
		bases[name] = path
	}
	return bases
}
