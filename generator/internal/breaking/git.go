package breaking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Errors of git. Each says what to do.
var (
	ErrNoGit        = errors.New("git is not installed: name a file or a folder to compare with")
	ErrNoRepository = errors.New("not in a git repository: name a file or a folder to compare with")
	ErrNoRevision   = errors.New("git knows no such revision: fetch it first, such as with git fetch origin main, or name a file or a folder")
)

// Revision is a commit of the repository that a folder lies in.
type Revision struct {
	dir    string // where git runs
	commit string
}

// gitGrace is how long git may take to end after it was told to.
const gitGrace = 2 * time.Second

// FindRevision asks git which commit name means.
func FindRevision(ctx context.Context, dir, name string) (*Revision, error) {
	r := &Revision{dir: dir}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, ErrNoGit
	}
	if _, err := r.git(ctx, "rev-parse", "--show-prefix"); err != nil {
		return nil, fmt.Errorf("%s: %w%s", dir, ErrNoRepository, reason(ctx, err))
	}
	out, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, ErrNoRevision)
	}
	r.commit = strings.TrimSpace(string(out))
	return r, nil
}

// reason is what git said, where that is more than that there is no repository.
func reason(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		return " (" + cause.Error() + ")"
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if text := strings.TrimSpace(string(exit.Stderr)); text != "" && !strings.Contains(text, "not a git repository") {
			return " (" + text + ")"
		}
	}
	return ""
}

// git runs the user's git; no hook of the repository runs, and nothing is written.
func (r *Revision) git(ctx context.Context, args ...string) ([]byte, error) {
	args = append([]string{"--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay = r.dir, gitGrace
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	return cmd.Output()
}

// Read is the state of a folder at the revision, relative to where git runs; it is empty when the folder was not there.
func (r *Revision) Read(ctx context.Context, folder string) (Snapshot, error) {
	names, err := r.list(ctx, folder)
	if err != nil {
		return nil, err
	}
	s := Snapshot{}
	for _, name := range names {
		rel := strings.TrimPrefix(name, prefix(folder))
		if !wants(rel) {
			continue
		}
		if s[rel], err = r.git(ctx, "show", r.commit+":./"+name); err != nil {
			return nil, fmt.Errorf("git show %s of %.12s: %w", name, r.commit, err)
		}
	}
	return s, nil
}

// prefix is what names of files in the folder begin with.
func prefix(folder string) string {
	if folder = path.Clean(filepath.ToSlash(folder)); folder != "." {
		return folder + "/"
	}
	return ""
}

// list names plain files below the folder.
func (r *Revision) list(ctx context.Context, folder string) ([]string, error) {
	out, err := r.git(ctx, "ls-tree", "-r", "-z", r.commit, "--", "./"+prefix(folder))
	if err != nil {
		return nil, fmt.Errorf("git ls-tree of %.12s: %w", r.commit, err)
	}
	var names []string
	for entry := range bytes.SplitSeq(out, []byte{0}) {
		about, name, found := strings.Cut(string(entry), "\t")
		if found && strings.HasPrefix(about, "100") { // neither a link nor a submodule
			names = append(names, name)
		}
	}
	return names, nil
}

// Folders are the folders below, of files with that base name; relative to where git runs.
func (r *Revision) Folders(ctx context.Context, folder, base string) ([]string, error) {
	names, err := r.list(ctx, folder)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, name := range names {
		if path.Base(name) == base {
			folders = append(folders, path.Dir(name))
		}
	}
	return folders, nil
}
