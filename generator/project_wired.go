package generator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/lock"
)

// ModuleRoot is the root of the module that dir is in. That there is none is ErrInput.
func ModuleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root, _, err := moduleOf(dir)
	return root, err
}

// WiredContract is the folder of the contract of another module that, as its lock says, the project in dir is wired to; empty
// without one. The go command is asked where a contract that is named by its import path lies, until ctx ends.
func WiredContract(ctx context.Context, dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, LockName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	l, err := lock.Parse(data)
	if err != nil || l.Contract == "" {
		return "", err
	}
	folder := filepath.FromSlash(l.Contract)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	if isFolder(folder) {
		return folder, nil
	}
	importPath, _, _ := strings.Cut(l.Contract, "@")
	cmd := exec.CommandContext(ctx, "go", "list", "-find", "-f", "{{.Dir}}", "--", importPath)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find the contract %s: %w%s", importPath, err, stderrOf(err))
	}
	return strings.TrimSpace(string(out)), nil
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return ": " + strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}
