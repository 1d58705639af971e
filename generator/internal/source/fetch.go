package source

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/dirhash"
)

// Fetcher brings files. The zero value uses the process's environment and the user's cache.
type Fetcher struct {
	// Env is the environment of the go command and of git; nil means the process's.
	Env []string
	// Cache is the folder for what came from git; empty means one in the user's cache folder.
	Cache string
	// Progress gets what the go command says it fetches; nil means nobody.
	Progress io.Writer
}

// Fetched is a folder, module or repository at one version.
type Fetched struct {
	Reference // Version is a module's version or a repository's commit
	Files     map[string][]byte
}

// Fetch brings what the reference names. only are the entries of a folder to read; modules and repositories are read whole.
// It writes nothing but the caches of the go command and of git.
func (f Fetcher) Fetch(ctx context.Context, r Reference, only []string) (Fetched, error) {
	switch r.Kind {
	case Module:
		return f.module(ctx, r)
	case Git:
		return f.git(ctx, r)
	}
	files, err := readFolder(r.Path, only)
	return Fetched{Reference: r, Files: files}, err
}

// In is the part of it below the folder sub, from its root.
func (f Fetched) In(sub string) Fetched {
	f.Files = below(f.Files, sub)
	return f
}

func (f Fetcher) env() []string {
	if f.Env != nil {
		return f.Env[:len(f.Env):len(f.Env)]
	}
	return os.Environ()
}

func (f Fetcher) cache() (string, error) {
	if f.Cache != "" {
		return f.Cache, nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "plugingen"), err
}

// Hash is h1: and the hash of files, as the checksums of modules are made.
func Hash(files map[string][]byte) (string, error) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files[name])), nil
	})
}
