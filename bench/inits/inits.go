// Package inits asks programs what the initialisation of their packages costs.
package inits

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/plugingen/plugingen/bench/measure"
)

// Trace runs a program to which nobody has said what to do, so that it ends at once, and adds up what the Go runtime reports.
func Trace(ctx context.Context, path string) (measure.Sample, error) {
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	s := parse(string(out))
	if len(s) == 0 {
		return nil, fmt.Errorf("%s: no package says that it was initialised:\n%s", path, out)
	}
	return s, nil
}

// parse adds up lines such as
//
//	init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs
func parse(text string) measure.Sample {
	s := measure.Sample{}
	for line := range strings.Lines(text) {
		var name string
		var at, clock, size, allocs float64
		if _, err := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %f bytes, %f allocs", &name, &at, &clock, &size, &allocs); err != nil {
			continue
		}
		s[measure.InitTime] += clock
		s[measure.InitBytes] += size / 1024
		s[measure.InitAllocs] += allocs
	}
	return s
}
