package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// listedPackage is what go list says about a package.
type listedPackage struct {
	ImportPath, Name, Dir string
	GoFiles, CgoFiles     []string
	ImportMap             map[string]string
	Error                 *struct{ Err string }
	Standard              bool
	Module                *listedModule
}

// listedModule is where a package comes from.
type listedModule struct {
	Version string
	Replace *struct{ Version string }
}

// mapped follows the go command's import map: the standard library has vendored packages.
func (p *listedPackage) mapped(importPath string) string {
	if vendored, ok := p.ImportMap[importPath]; ok {
		return vendored
	}
	return importPath
}

func (p *listedPackage) reason() string {
	if p.Error != nil {
		return strings.TrimSpace(p.Error.Err)
	}
	return "it has no Go files that this machine would build"
}

// goCommandGrace is how long the go command may take to end after it was told to.
const goCommandGrace = 2 * time.Second

// goList asks the go command, with the user's settings, about the packages and all that they import.
func goList(ctx context.Context, env []string, l *loader, paths []string) (map[string]*listedPackage, error) {
	dir, flags, clean, err := l.goDir()
	if err != nil {
		return nil, err
	}
	defer clean()
	args := append([]string{"list", "-e", "-deps"}, flags...)
	args = append(args, "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,ImportMap,Error,Standard,Module", "--")
	cmd := exec.CommandContext(ctx, "go", append(args, paths...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, env, goCommandGrace
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, goListError(ctx, err, stderr.String())
	}
	return decodeList(out)
}

func goListError(ctx context.Context, err error, stderr string) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("go list: %w", cause)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("types of other modules need the go command: %w", err)
	}
	if text := strings.TrimSpace(stderr); text != "" {
		return fmt.Errorf("go list: %w: %s", err, text)
	}
	return fmt.Errorf("go list: %w", err)
}

func decodeList(out []byte) (map[string]*listedPackage, error) {
	listed := map[string]*listedPackage{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listedPackage{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return listed, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		listed[p.ImportPath] = p
	}
}

// goDir is the folder to run the go command in: the module's, or a stand-in for a module whose go.mod is in memory only.
func (l *loader) goDir() (dir string, flags []string, clean func(), err error) {
	data, ok := l.files.overlay[filepath.Join(l.module.root, "go.mod")]
	if !ok {
		return existing(l.dir, l.module.root), nil, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "plugingen-module-")
	if err != nil {
		return "", nil, nil, fmt.Errorf("module in memory: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) } // a leftover in the temporary folder does no harm
	if err := l.writeModule(dir, data); err != nil {
		clean()
		return "", nil, nil, err
	}
	return dir, []string{"-mod=mod"}, clean, nil
}

func existing(dir, otherwise string) string {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return otherwise
}

func (l *loader) writeModule(dir string, gomod []byte) error {
	absolute, err := absoluteReplaces(l.module.root, gomod)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), absolute, 0o600); err != nil {
		return fmt.Errorf("module in memory: %w", err)
	}
	sum, err := l.files.read(filepath.Join(l.module.root, "go.sum"))
	if err != nil {
		return nil // the go command makes one
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600); err != nil {
		return fmt.Errorf("module in memory: %w", err)
	}
	return nil
}

// absoluteReplaces keeps replacements by folders pointing where they did.
func absoluteReplaces(root string, gomod []byte) ([]byte, error) {
	f, err := modfile.Parse(filepath.Join(root, "go.mod"), gomod, nil)
	if err != nil {
		return nil, fmt.Errorf("module in memory: %w", err)
	}
	for _, r := range slices.Clone(f.Replace) {
		if r.New.Version != "" || filepath.IsAbs(r.New.Path) {
			continue
		}
		target := filepath.Join(root, filepath.FromSlash(r.New.Path))
		if err := f.AddReplace(r.Old.Path, r.Old.Version, target, ""); err != nil {
			return nil, fmt.Errorf("module in memory: %w", err)
		}
	}
	return f.Format()
}
