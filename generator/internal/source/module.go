package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// waitDelay bounds the wait for what a command started, once it has been stopped itself.
const waitDelay = 5 * time.Second

// CommandError says that the user's go command or git refused something.
type CommandError struct {
	Command string
	Said    string
	Err     error
}

// Error is the command, how it ended, and what it said.
func (e *CommandError) Error() string { return e.Command + ": " + e.Err.Error() + "\n" + e.Said }

// Unwrap returns Err.
func (e *CommandError) Unwrap() error { return e.Err }

// module has the go command fetch a module: through the user's proxies, checked against the checksum database, and out of the
// module cache where it is there. What the cache holds is hashed again.
func (f Fetcher) module(ctx context.Context, r Reference) (Fetched, error) {
	dir, err := os.MkdirTemp("", "plugingen-") // no go.mod is in it
	if err != nil {
		return Fetched{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is empty
	env := append(f.env(), "GOWORK=off", "PWD="+dir)
	out, err := f.run(ctx, dir, env, "go", "mod", "download", "-json", r.Path+"@"+r.Version)
	var answer struct{ Version, Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr == nil && answer.Error != "" {
		return Fetched{}, &CommandError{Command: "go mod download " + r.Path + "@" + r.Version, Said: answer.Error, Err: errors.New("it failed")}
	}
	if err != nil {
		return Fetched{}, err
	}
	files, err := readFolder(answer.Dir, nil)
	if err != nil {
		return Fetched{}, err
	}
	return pinned(r, answer.Version, answer.Sum, files)
}

// pinned holds what the module cache has to the checksum that was verified when it was filled.
func pinned(r Reference, version, sum string, files map[string][]byte) (Fetched, error) {
	prefixed := make(map[string][]byte, len(files))
	for name, data := range files {
		prefixed[r.Path+"@"+version+"/"+name] = data
	}
	found, err := Hash(prefixed)
	if err != nil {
		return Fetched{}, err
	}
	if found != sum {
		return Fetched{}, refuseFile(r.Path+"@"+version, "the module cache holds something else than was downloaded; run go clean -modcache")
	}
	r.Version = version
	return Fetched{Reference: r, Files: files}, nil
}

// run returns what a command prints.
func (f Fetcher) run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = waitDelay
	cmd.Dir = dir
	cmd.Env = env
	var out, said bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &said
	err := cmd.Run()
	f.report(said.String())
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s %s: %w", name, args[0], context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("this template set is fetched by %s: %w", name, err)
	}
	return out.Bytes(), &CommandError{Command: name + " " + strings.Join(withoutSettings(args), " "), Said: strings.TrimSpace(said.String()), Err: err}
}

// withoutSettings drops the -c NAME=VALUE before git's command.
func withoutSettings(args []string) []string {
	for len(args) > 1 && args[0] == "-c" {
		args = args[2:]
	}
	return args
}

// report passes on the lines by which the go command tells what it fetches; its faults are in the error.
func (f Fetcher) report(said string) {
	if f.Progress == nil {
		return
	}
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "go: downloading ") {
			_, _ = io.WriteString(f.Progress, line) // nobody's terminal is a reason to stop
		}
	}
}
