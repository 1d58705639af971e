// Package bare starts a program that serves on a unix socket, and is that program's other half: the least that a library
// without a process part of its own needs to be compared with one that has it.
//
// The host hands over the socket's path as the only argument; the plugin listens, prints a line and serves until its stdin ends.
package bare

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

const ready = "ready\n"

// Serve is the plugin's half: it returns when the host is gone or serve fails.
func Serve(serve func(net.Listener) error) error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: %s SOCKET", filepath.Base(os.Args[0]))
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	if _, err := io.WriteString(os.Stdout, ready); err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		served <- err
	}()
	return <-served
}

// Process is a program that serves.
type Process struct {
	Socket string // its path
	cmd    *exec.Cmd
	stdin  io.Closer
	dir    string
	lines  sync.WaitGroup // of stderr are being written
}

// Start returns when the program at path listens. ctx bounds the start. log gets each line of the program's stderr by one Write;
// nil: this process's stderr gets them.
func Start(ctx context.Context, path string, log io.Writer) (*Process, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	p := &Process{Socket: filepath.Join(dir, "s"), dir: dir}
	p.cmd = exec.Command(path, p.Socket)
	if err := p.start(ctx, log); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return p, nil
}

func (p *Process) start(ctx context.Context, log io.Writer) error {
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.relay(log); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	defer stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != ready {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		return errors.Join(fmt.Errorf("it printed %q instead of %q", line, ready), err)
	}
	return nil
}

func (p *Process) relay(log io.Writer) error {
	if log == nil {
		p.cmd.Stderr = os.Stderr
		return nil
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	p.lines.Go(func() {
		for lines := bufio.NewReaderSize(stderr, 64<<10); ; {
			line, err := lines.ReadSlice('\n')
			if err != nil {
				return
			}
			_, _ = log.Write(line)
		}
	})
	return nil
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Dial connects to the program.
func (p *Process) Dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", p.Socket)
}

// Close ends the program and waits for it.
func (p *Process) Close() error {
	_ = p.stdin.Close()
	p.lines.Wait()
	err := p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
	return err
}
