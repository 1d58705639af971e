package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// git takes the files of one commit out of a repository, without a working tree: nothing is checked out, so no filter, hook or
// link of the repository comes to life. What was fetched once is kept by commit.
func (f Fetcher) git(ctx context.Context, r Reference) (Fetched, error) {
	cache, err := f.cache()
	if err != nil {
		return Fetched{}, fmt.Errorf("find the cache: %w", err)
	}
	sum := sha256.Sum256([]byte(r.Path))
	cache = filepath.Join(cache, "git", hex.EncodeToString(sum[:8]))
	archive, err := readKept(cache, r.Version)
	if err != nil {
		return Fetched{}, err
	}
	if archive == nil {
		if r.Version, archive, err = f.fetchCommit(ctx, r); err != nil {
			return Fetched{}, err
		}
		if err := keep(cache, r.Version, archive); err != nil {
			return Fetched{}, fmt.Errorf("keep what git fetched: %w", err)
		}
	}
	files, err := readTar(bytes.NewReader(archive))
	return Fetched{Reference: r, Files: files}, err
}

// readKept returns the archive of a commit; nil when it is not there, or when version is no commit and so may have moved.
func readKept(cache, version string) ([]byte, error) {
	if !hexCommit.MatchString(version) {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(cache, version+".tar"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func keep(cache, commit string, archive []byte) error {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(cache, "new-")
	if err != nil {
		return err
	}
	_, err = temp.Write(archive)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(cache, commit+".tar"))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// fetchCommit finds out which commit the reference means, and returns its files as an archive.
func (f Fetcher) fetchCommit(ctx context.Context, r Reference) (commit string, archive []byte, err error) {
	dir, err := os.MkdirTemp("", "plugingen-git-")
	if err != nil {
		return "", nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what counts is in the archive
	git := func(args ...string) ([]byte, error) {
		return f.run(ctx, dir, f.gitEnv(dir), "git", append(gitSettings(r), args...)...)
	}
	if _, err := git("init", "--quiet", "--bare", "--template=", "."); err != nil {
		return "", nil, err
	}
	version := r.Version
	if version == "" {
		version = "HEAD"
	}
	if _, err := git("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", r.Path, version); err != nil {
		return "", nil, err
	}
	out, err := git("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}")
	if err != nil {
		return "", nil, err
	}
	if commit = strings.TrimSpace(string(out)); !hexCommit.MatchString(commit) {
		return "", nil, fmt.Errorf("git rev-parse: unexpected answer %q", commit)
	}
	archive, err = git("archive", "--format=tar", commit)
	return commit, archive, err
}

// gitSettings leave the user's credentials alone, and of the rest what could run something or reach elsewhere is off.
func gitSettings(r Reference) []string {
	settings := []string{
		"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "submodule.recurse=false", "fetch.fsckObjects=true",
		"protocol.allow=never", "protocol.https.allow=always", "protocol.ssh.allow=always", "tar.umask=0022",
	}
	if strings.HasPrefix(r.Path, "file://") {
		settings = append(settings, "protocol.file.allow=always")
	}
	var args []string
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// gitEnv is the environment without what would make git work on another repository, as it does inside of hooks.
func (f Fetcher) gitEnv(dir string) []string {
	var env []string
	for _, v := range f.env() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_CONFIG_PARAMETERS":
			continue
		}
		env = append(env, v)
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "PWD="+dir)
}
