package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator/update"
)

// shownFiles is how many files a note names.
const shownFiles = 5

// noteUncommitted says, once, that an update touches files with changes that git does not have yet: afterwards the two
// are hard to tell apart. Without git, or outside a repository, there is nothing to say.
func noteUncommitted(ctx context.Context, s streams, u *update.Update) {
	dirty := uncommitted(ctx, u.Dir, u.Paths())
	if len(dirty) == 0 || !u.Differs() {
		return
	}
	rest := ""
	if len(dirty) > shownFiles {
		dirty, rest = dirty[:shownFiles], ", ..."
	}
	s.note("note: git has no commit of your changes to %s%s", strings.Join(dirty, ", "), rest)
}

func uncommitted(ctx context.Context, dir string, paths []string) []string {
	if len(paths) == 0 || !inRepository(dir) {
		return nil
	}
	// No hook of the repository runs, and its index is not written.
	args := []string{"-C", dir, "--no-optional-locks", "-c", "core.fsmonitor=false", "status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--"}
	out, err := exec.CommandContext(ctx, "git", append(args, paths...)...).Output()
	if err != nil {
		return nil
	}
	var dirty []string
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		if len(entry) > len("XY ") {
			dirty = append(dirty, string(entry[len("XY "):]))
		}
	}
	return dirty
}

func inRepository(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}
