package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrName says that a name cannot be that of a plugin in a folder.
var ErrName = errors.New("it is not the name of a program in a folder")

// Find returns the paths of the executables in dir whose name matches pattern (as filepath.Match has it; empty means all),
// sorted. It follows links, and does not look into folders of dir. It leaves out names that Lookup refuses. On Windows a program is what ends in an extension of
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
		if isName(entry.Name()) && matchesName(pattern, entry.Name()) && isExecutable(path) {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found, nil
}

// FindIn is Find in several folders, such as a user's and the system's. Where programs have the same name, the one in the earlier folder is
// meant, as with PATH, and the others are left out. A folder that does not exist has no plugins. The result is sorted by name;
// with an error it has what could be found all the same.
func FindIn(pattern string, dirs ...string) ([]string, error) {
	var found []string
	var problems []error
	taken := map[string]bool{}
	for _, dir := range dirs {
		paths, err := Find(dir, pattern)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		problems = append(problems, err)
		for _, path := range paths {
			if name := filepath.Base(path); !taken[name] {
				taken[name] = true
				found = append(found, path)
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return found, errors.Join(problems...)
}

// Lookup returns the path of the program called name in dir, or in the first of several folders that has it; on Windows name may lack the extension. name may come
// from a stranger, such as a configuration file: a path, a name that a system reads as something else, or one with characters that
// cannot be printed is ErrName, so what is returned is always in the folder itself. Links in the folder are followed: whoever may put
// them there may put programs there. The error is fs.ErrNotExist when no folder has it, and fs.ErrPermission when what has the name cannot be executed.
func Lookup(name string, dirs ...string) (string, error) {
	if !isName(name) {
		return "", fmt.Errorf("find plugin %+q: %w", name, ErrName)
	}
	failed := fs.ErrNotExist
	for _, dir := range dirs {
		for _, candidate := range candidates(name) {
			path := filepath.Join(dir, candidate)
			if isExecutable(path) {
				return path, nil
			}
			if _, err := os.Stat(path); err == nil {
				failed = fs.ErrPermission
			}
		}
	}
	return "", fmt.Errorf("find plugin %q in %q: %w", name, dirs, failed)
}

// candidates are the names of files that name may mean.
func candidates(name string) []string {
	names := []string{name}
	if runtime.GOOS == "windows" {
		for _, ext := range programExtensions() {
			names = append(names, name+ext)
		}
	}
	return names
}

const longestName = 255 // of a file, on most systems

// isName knows the separators of all systems, so that a name means the same everywhere.
func isName(name string) bool {
	return name != "." && name != ".." && len(name) <= longestName && utf8.ValidString(name) && filepath.IsLocal(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) })
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
	return slices.ContainsFunc(programExtensions(), func(ext string) bool {
		return ext != "" && strings.EqualFold(ext, filepath.Ext(path))
	})
}

func programExtensions() []string {
	list := os.Getenv("PATHEXT")
	if list == "" {
		list = ".com;.exe;.bat;.cmd"
	}
	return filepath.SplitList(list)
}
