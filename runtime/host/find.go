package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Find returns the paths of the executables in dir whose name matches pattern (as filepath.Match has it; empty means all),
// sorted. It follows links, and does not look into folders of dir. On Windows a program is what ends in an extension of
// PATHEXT, and the pattern need not name it. The error is filepath.ErrBadPattern, or says why dir cannot be read.
func Find(dir, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("find plugins: pattern %q: %w", pattern, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("find plugins: %w", err)
	}
	var found []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if matchesName(pattern, entry.Name()) && isExecutable(path) {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found, nil
}

func matchesName(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	if ok, _ := filepath.Match(pattern, name); ok {
		return true
	}
	if runtime.GOOS != "windows" {
		return false
	}
	ok, _ := filepath.Match(pattern, strings.TrimSuffix(name, filepath.Ext(name)))
	return ok
}

// isExecutable takes a file that vanished meanwhile, or a link to nowhere, for none.
func isExecutable(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	return hasExecutableMode(info) || runtime.GOOS == "windows" && hasProgramExtension(path)
}

func hasExecutableMode(info fs.FileInfo) bool { return info.Mode().Perm()&0o111 != 0 }

func hasProgramExtension(path string) bool {
	list := os.Getenv("PATHEXT")
	if list == "" {
		list = ".com;.exe;.bat;.cmd"
	}
	return slices.ContainsFunc(filepath.SplitList(list), func(ext string) bool {
		return ext != "" && strings.EqualFold(ext, filepath.Ext(path))
	})
}
