// Package hostproc runs a contestant's host as a process of its own, and talks to it.
package hostproc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/plugingen/plugingen/bench/busy"
	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/measure"
)

// argument makes this program the host of the contestant named after it, whose plugin's path follows.
const argument = "host-of"

// Main is the main of a process that a host process or the driver has started. It says whether args are such a process's.
func Main(ctx context.Context, args []string) (is bool, err error) {
	switch {
	case len(args) == 3 && args[0] == argument:
		return true, serve(ctx, args[1:])
	case len(args) == 1 && args[0] == busy.Argument:
		busy.Main()
		return true, nil
	default:
		return false, nil
	}
}

func serve(ctx context.Context, args []string) error {
	for _, c := range contestant.All() {
		if c.Name() == args[0] {
			b := &measure.Bench{Contestant: c, Path: args[1]}
			return b.Serve(ctx, os.Stdin, os.Stdout)
		}
	}
	return fmt.Errorf("there is no contestant %q", args[0])
}

// Host is a host process, as the driver sees it.
type Host struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	encoder *json.Encoder
	decoder *json.Decoder
}

// Start runs this program as the host of c. The host ends when ctx does.
func Start(ctx context.Context, c contestant.Contestant, program string) (*Host, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, argument, c.Name(), program)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 5 * time.Second // a plugin may hold on to the pipes
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Host{cmd, stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)}, nil
}

// Do has the host do a job. The error is errors.ErrUnsupported when its contestant cannot.
func (h *Host) Do(job measure.Job) (measure.Reply, error) {
	var reply measure.Reply
	if err := h.encoder.Encode(job); err != nil {
		return reply, fmt.Errorf("hand over a job: %w", err)
	}
	if err := h.decoder.Decode(&reply); err != nil {
		return reply, fmt.Errorf("read a reply: %w", err)
	}
	switch {
	case reply.Unsupported:
		return reply, errors.ErrUnsupported
	case reply.Error != "":
		return reply, errors.New(reply.Error)
	default:
		return reply, nil
	}
}

// Close ends the host and its plugin.
func (h *Host) Close() error {
	_ = h.stdin.Close()
	return h.cmd.Wait()
}
