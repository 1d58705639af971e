// Package programs builds what the bench starts.
package programs

import (
	"context"
	"errors"
	"fmt"
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

// Build builds packages, as named from root, into dir, by the settings that go build has when it is told nothing.
func Build(ctx context.Context, root, dir string, packages ...string) error {
	return Go(ctx, root, append([]string{"build", "-o", dir + string(filepath.Separator)}, packages...)...)
}

// Go runs the go command in root; the error holds what it printed.
func Go(ctx context.Context, root string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
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
