// Package programs builds what the bench starts.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Root is the folder of the bench's module. The go command finds it from the working directory.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("go env GOMOD: there is no go.mod: run this in the bench's folder")
	}
	return filepath.Dir(file), nil
}

// Settings say how programs are built. The zero value is what go build does when it is told nothing.
type Settings int

const (
	// Plain is the zero value.
	Plain Settings = iota
	// Generated is what the Makefile of a plugin project says that plugingen writes (templates/plugin/Makefile.tmpl).
	Generated
)

// Folder is where Build puts programs of these settings, below the folder that it is given.
func (s Settings) Folder(dir string) string {
	if s == Generated {
		return filepath.Join(dir, "generated")
	}
	return filepath.Join(dir, "plain")
}

// Build builds packages, as named from root, into the Folder of s in dir.
//
// They are copied there, as whoever installs a program does: the linker writes through a mapping, page by page, and from pages that are cached like
// that every start takes a tenth longer.
func (s Settings) Build(ctx context.Context, root, dir string, packages ...string) error {
	built, err := os.MkdirTemp(dir, "built")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(built) }()
	if err := s.build(ctx, root, built, packages); err != nil {
		return err
	}
	return install(built, s.Folder(dir))
}

func (s Settings) build(ctx context.Context, root, folder string, packages []string) error {
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	if s == Plain {
		return Go(ctx, root, append(args, packages...)...)
	}
	return run(ctx, root, append(os.Environ(), "CGO_ENABLED=0"), append(append(args, "-tags", "grpcnotrace"), packages...)...)
}

// install copies the programs in built to folder.
func install(built, folder string) error {
	entries, err := os.ReadDir(built)
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	for _, e := range entries {
		if err == nil {
			err = copyProgram(filepath.Join(built, e.Name()), filepath.Join(folder, e.Name()))
		}
	}
	return err
}

func copyProgram(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may run
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

// Go runs the go command in root; the error holds what it printed.
func Go(ctx context.Context, root string, args ...string) error {
	return run(ctx, root, nil, args...)
}

// run has this process's environment when env is nil.
func run(ctx context.Context, root string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Size is the length of a program in bytes.
func Size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
