//go:build unix

package process

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func sumOf(t *testing.T, path string) *Sum {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return &Sum{New: sha256.New, Want: sum[:]}
}

// program copies a program of this machine, or writes a script, to a place where the test may replace it.
func program(t *testing.T, kind, path string) {
	t.Helper()
	content := []byte("#!/bin/sh\necho " + strings.TrimPrefix(kind, "script ") + "\n")
	if name, isBinary := strings.CutPrefix(kind, "binary "); isBinary {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		if content, err = os.ReadFile(found); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestSwapAfterTheCheck replaces the program at the worst moment: when it has been checked and not yet been started.
func TestSwapAfterTheCheck(t *testing.T) {
	for name, swap := range map[string]func(t *testing.T, path, evil string) error{
		"by rename":  func(_ *testing.T, path, evil string) error { return os.Rename(evil, path) },
		"in place":   overwrite,
		"by removal": func(_ *testing.T, path, _ string) error { return os.Remove(path) },
	} {
		for _, kind := range []string{"binary", "script"} {
			t.Run(kind+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				good, evil := filepath.Join(dir, "good"), filepath.Join(dir, "evil")
				program(t, kind+" echo", good)
				program(t, kind+" false", evil) // a script says so
				cfg := Config{Path: good, Args: []string{"echo"}, Sum: sumOf(t, good), Env: []string{"PATH=" + os.Getenv("PATH")}}
				image, err := verified(t.Context(), good, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if err := swap(t, good, evil); err != nil {
					t.Fatal(err)
				}
				p, err := start(t.Context(), good, image, cfg)
				if err != nil {
					t.Fatal(err)
				}
				image.close()
				go p.watch()
				out, _ := io.ReadAll(p.Stdout())
				<-p.Done()
				p.Release()
				if exit, _ := p.Exit(); string(out) != "echo\n" || exit.Code != 0 {
					t.Errorf("%v, printed %q: the other program ran", exit, out)
				}
				if image.remove != nil && exists(image.path) {
					t.Errorf("%s is left", image.path)
				}
			})
		}
	}
}

func overwrite(t *testing.T, path, evil string) error {
	t.Helper()
	content, err := os.ReadFile(evil)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestSealedCannotBeChanged tries what a process that has the memory itself could do.
func TestSealedCannotBeChanged(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this system has no memory that can be sealed")
	}
	path := filepath.Join(t.TempDir(), "echo")
	program(t, "binary echo", path)
	image, err := verified(t.Context(), path, Config{Sum: sumOf(t, path)})
	if err != nil {
		t.Fatal(err)
	}
	defer image.discard()
	if image.sealed == nil {
		t.Fatal("a binary is not run from sealed memory")
	}
	if _, err := image.sealed.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it was written to")
	}
	if err := image.sealed.Truncate(0); err == nil {
		t.Error("it was cut off")
	}
	if f, err := os.OpenFile(image.path, os.O_WRONLY, 0); err == nil {
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Error("it was opened and written to")
		}
		_ = f.Close()
	}
}

// TestPrivateCopy is what systems without sealed memory do.
func TestPrivateCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "echo")
	program(t, "binary echo", path)
	src, size, err := openProgram(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	image, err := privateCopy(t.Context(), src, size, path, Config{Sum: sumOf(t, path)})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Dir(image.path))
	if err != nil || info.Mode().Perm() != 0o700 || filepath.Base(image.path) != "echo" {
		t.Errorf("%s in a folder with mode %v, %v", image.path, info.Mode(), err)
	}
	image.discard()
	if exists(filepath.Dir(image.path)) {
		t.Error("it is left")
	}
}

func TestWrongSum(t *testing.T) {
	for _, kind := range []string{"binary echo", "script echo"} {
		dir := t.TempDir()
		path, folder := filepath.Join(dir, "program"), filepath.Join(dir, "folder")
		program(t, kind, path)
		right := sumOf(t, path)
		wrong := &Sum{New: sha256.New, Want: make([]byte, sha256.Size)}
		_, err := Start(t.Context(), Config{Path: path, Sum: wrong, Folder: func() (string, func() error, error) {
			return folder, func() error { return os.RemoveAll(folder) }, os.Mkdir(folder, 0o700)
		}})
		sums, ok := errors.AsType[*SumError](err)
		if !ok || string(sums.Got) != string(right.Want) || string(sums.Want) != string(wrong.Want) {
			t.Errorf("%s: %v", kind, err)
		}
		if exists(folder) {
			t.Errorf("%s: the copy is left", kind)
		}
	}
}

func TestWhatCannotBeChecked(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := exec.CommandContext(t.Context(), "mkfifo", "-m", "755", pipe).Run(); err != nil {
		t.Skip(err)
	}
	sum := &Sum{New: sha256.New}
	for path, want := range map[string]error{plain: ErrNotExecutable, dir: ErrDirectory, pipe: ErrNotExecutable, filepath.Join(dir, "none"): ErrNotFound} {
		if _, err := Start(t.Context(), Config{Path: path, Sum: sum}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	program(t, "binary echo", path)
	if err := os.Truncate(path, 8<<20); err != nil { // larger than what is copied between two looks
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Config{Path: path, Sum: sumOf(t, path)}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	src, size, err := openProgram(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	if _, err := privateCopy(ctx, src, size, path, Config{Sum: sumOf(t, path)}); !errors.Is(err, context.Canceled) {
		t.Errorf("copy: %v, want context.Canceled", err)
	}
}

// TestArguments has a checked program that asks for its own name.
func TestArguments(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := filepath.Join(t.TempDir(), "sh")
	program(t, "binary sh", path)
	p, err := Start(t.Context(), Config{Path: path, Args: []string{"-c", `echo "$0" "$@"`}, Sum: sumOf(t, path)})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := io.ReadAll(p.Stdout())
	<-p.Done()
	p.Release()
	if got := strings.TrimSpace(string(out)); got != path {
		t.Errorf("the program's name is %q, want %q", got, path)
	}
}
