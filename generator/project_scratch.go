package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator/tree"
)

// goWaitDelay bounds the wait for what the go command started, once it has been stopped itself.
const goWaitDelay = 5 * time.Second

// scratch is a temporary folder in which the user's own go command resolves modules. It stands for the project: paths of
// replaced modules are absolute in it.
type scratch struct {
	dir      string
	project  string // what relative paths in the project's go.mod are relative to
	env      []string
	progress io.Writer
}

func newScratch(b *builder) (*scratch, error) {
	dir, err := os.MkdirTemp("", "plugingen-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	return &scratch{dir: dir, project: b.req.Dir, env: b.goEnv(), progress: b.req.Progress}, nil
}

func (s *scratch) remove() { _ = os.RemoveAll(s.dir) }

// goEnv is the go command's environment: the user's, but for a workspace that the temporary folder is not part of.
func (b *builder) goEnv() []string {
	env := b.req.Env
	if env == nil {
		env = os.Environ()
	}
	return append(env[:len(env):len(env)], "GOWORK=off")
}

// goTool runs the go command and returns what it prints. What it says on stderr is progress, and the reason when it fails.
func (s *scratch) goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.WaitDelay = goWaitDelay
	cmd.Dir = s.dir
	cmd.Env = append(s.env[:len(s.env):len(s.env)], "PWD="+s.dir)
	var out, said bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = io.MultiWriter(&said, &progress{out: s.progress})
	err := cmd.Run()
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("go %s: %w", args[0], context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("modules are resolved by the go command: %w", err)
	default:
		return nil, &GoError{Command: "go " + strings.Join(args, " "), Said: strings.TrimSpace(said.String()), Err: err}
	}
}

// progress passes on the lines by which the go command tells what it fetches; its faults are in the error.
type progress struct {
	out  io.Writer
	line []byte // unfinished
}

// Write never fails: nobody's terminal is a reason to stop.
func (p *progress) Write(data []byte) (int, error) {
	p.line = append(p.line, data...)
	for {
		line, rest, whole := bytes.Cut(p.line, []byte("\n"))
		if !whole {
			return len(data), nil
		}
		if bytes.HasPrefix(line, []byte("go: downloading ")) {
			_, _ = p.out.Write(append(line, '\n'))
		}
		p.line = bytes.Clone(rest)
	}
}

// GoError says that the user's go command refused something.
type GoError struct {
	Command string
	Said    string // its standard error
	Err     error  // how it ended
}

// Error is the command, how it ended, and what it said.
func (e *GoError) Error() string { return e.Command + ": " + e.Err.Error() + "\n" + e.Said }

// Unwrap returns Err, and ErrInput: what the go command refuses is what it was asked for.
func (e *GoError) Unwrap() []error { return []error{e.Err, ErrInput} }

// write puts a file into the folder.
func (s *scratch) write(name string, data []byte) error {
	full := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return os.WriteFile(full, data, 0o644)
}

// writeMod puts go.mod into the folder, with the paths of replaced modules made absolute.
func (s *scratch) writeMod(data []byte) error {
	data, err := mapReplaced(data, func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		if p == "./"+copyDir {
			return p // laid into the temporary folder, too
		}
		return filepath.Join(s.project, p)
	})
	if err != nil {
		return err
	}
	return s.write("go.mod", data)
}

// mapReplaced changes the folders that replace modules.
func mapReplaced(data []byte, change func(string) string) ([]byte, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range f.Replace {
		if r.New.Version != "" {
			continue
		}
		if err := f.AddReplace(r.Old.Path, r.Old.Version, change(r.New.Path), ""); err != nil {
			return nil, err
		}
	}
	return f.Format()
}

// replacedPaths are the folders that replace modules, by module.
func replacedPaths(data []byte) (map[string]string, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, r := range f.Replace {
		if r.New.Version == "" {
			paths[r.Old.Path] = r.New.Path
		}
	}
	return paths, nil
}

// tidy lays the whole tree into the folder, has the go command complete go.mod and go.sum, and puts these into the tree.
func (s *scratch) tidy(ctx context.Context, t *tree.Tree) error {
	for _, f := range t.Files() {
		write := s.write
		switch f.Path {
		case "go.mod", "go.sum":
			continue // those of the folder have what was resolved
		}
		if err := write(f.Path, f.Data); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.progress, "go mod tidy")
	if _, err := s.goTool(ctx, "mod", "tidy"); err != nil {
		return err
	}
	return s.takeBack(t)
}

// takeBack replaces the tree's go.mod and go.sum by those of the folder, with the project's own paths.
func (s *scratch) takeBack(t *tree.Tree) error {
	planned, found := t.File("go.mod")
	if !found {
		return errors.New("the templates of the project have no go.mod")
	}
	own, err := replacedPaths(planned.Data)
	if err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		if name == "go.mod" {
			if data, err = restoreReplaced(data, own); err != nil {
				return err
			}
		}
		t.Put(name, data)
	}
	return nil
}

func restoreReplaced(data []byte, own map[string]string) ([]byte, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range f.Replace {
		if p, found := own[r.Old.Path]; found {
			if err := f.AddReplace(r.Old.Path, r.Old.Version, p, ""); err != nil {
				return nil, err
			}
		}
	}
	return f.Format()
}
