package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// peer is somebody whose hosts and plugins are tested together with ours.
type peer struct {
	run    func(context.Context, work.Request) (work.Report, error)
	plugin []string // the command of its plugin
	mode   string   // of this binary, when the plugin is one of its modes

	// What cannot be, and why: names of rows. What is there with a reservation.
	hostLacks, pluginLacks, hostNotes, pluginNotes map[string]string
}

const inTheLog = "in the host's log: the plugin leaves standard error alone"

func ours(t *testing.T) peer {
	return peer{
		run: runOurHost, plugin: []string{self(t)}, mode: "ours",
		hostNotes:   map[string]string{reattachRow: "without automatic TLS, whose keys are in the first host's memory"},
		pluginNotes: map[string]string{stderrRow: inTheLog},
	}
}

// oursByGRPC is ours with the lane switched off.
func oursByGRPC(t *testing.T) peer {
	p := ours(t)
	p.run = runOurHostByGRPC
	return p
}

// goPlugins are the versions of go-plugin, the newest first.
func goPlugins() []maker {
	var all []maker
	for _, version := range []string{"1.8", "1.7", "1.6"} {
		all = append(all, maker{"go-plugin " + version, goPlugin(version)})
	}
	return all
}

// goPlugin is go-plugin of a version that a .mod file names; the newest is linked into this binary.
func goPlugin(version string) func(*testing.T) peer {
	return func(t *testing.T) peer {
		p := peer{run: goplug.Run, plugin: []string{self(t)}, mode: "go-plugin"}
		if version != "1.8" {
			program := programs.goPlugin(t, version)
			p = peer{run: foreign{program, "host"}.run, plugin: []string{program, "plugin"}}
		}
		p.hostLacks = map[string]string{stoppedRow: "go-plugin's `Kill` waits for an answer to Shutdown without a deadline"}
		p.pluginLacks = map[string]string{tcpRow: "go-plugin listens on tcp on Windows alone"}
		p.hostNotes = map[string]string{
			reattachRow:  "without automatic TLS: go-plugin refuses both together",
			noVersionRow: "go-plugin kills the plugin then, whose socket stays until the next plugin of ours clears it away",
		}
		return p
	}
}

// languages are the peers in others than Go.
func languages() []maker { return []maker{{"Python", python}, {"JavaScript", node}} }

// inLanguage is the peer in another language, from its folder in peers.
func inLanguage(interpreter, folder, extension string) peer {
	script := func(name string) string {
		path, err := filepath.Abs(filepath.Join("peers", folder, name+extension))
		if err != nil {
			panic(err) // there is no working directory
		}
		return path
	}
	const notWire = "no matter of the wire, and left out of this small host"
	noMux := map[string]string{muxRow: "there is no yamux in its language's gRPC"}
	return peer{
		run:         foreign{interpreter, script("host")}.run,
		plugin:      []string{interpreter, script("plugin")},
		pluginLacks: noMux,
		pluginNotes: map[string]string{stderrRow: inTheLog, checksumRow: "of the interpreter, not of the script"},
		hostLacks: map[string]string{
			muxRow:      noMux[muxRow],
			checksumRow: notWire,
			reattachRow: notWire,
		},
	}
}

// python is the peer in Python. Debian's modules belong to Debian's interpreter, which need not be the first in PATH.
func python(t *testing.T) peer {
	t.Helper()
	return inLanguage(interpreter(t,
		"Python with gRPC: apt-get install python3-grpcio python3-protobuf python3-cryptography",
		[]string{"-c", "import grpc, cryptography, google.protobuf"}, "python3", "/usr/bin/python3"), "python", ".py")
}

// node is the peer in JavaScript.
func node(t *testing.T) peer {
	t.Helper()
	return inLanguage(interpreter(t,
		"Node.js 18 or later and: npm ci --prefix golden/interop/peers/node",
		[]string{"peers/node/wire.js"}, "node", "nodejs"), "node", ".js")
}

// interpreter returns the first of the programs that runs check, or skips the test and says what to install.
func interpreter(t *testing.T, install string, check []string, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil && exec.CommandContext(t.Context(), path, check...).Run() == nil {
			return path
		}
	}
	t.Skipf("needs %s", install)
	return ""
}

// foreign is the command of a host that prints its report; the flags are those of package main in peers/goplugin.
type foreign []string

func (f foreign) run(ctx context.Context, request work.Request) (r work.Report, err error) {
	return r, f.report(ctx, request, &r)
}

func (f foreign) report(ctx context.Context, request work.Request, report any) error {
	cmd := exec.CommandContext(ctx, f[0], append(f[1:], arguments(request)...)...)
	cmd.Env = request.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the host: %w\nstdout: %s\nstderr: %s", err, out, &stderr)
	}
	if err := json.Unmarshal(out, report); err != nil {
		return fmt.Errorf("the host printed %q: %w", out, err)
	}
	return nil
}

func arguments(r work.Request) []string {
	args := []string{"--job", string(r.Job)}
	for name, set := range map[string]bool{"--tcp": r.TCP, "--tls": r.TLS, "--broker": r.Broker, "--mux": r.Mux} {
		if set {
			args = append(args, name)
		}
	}
	if r.Versions != nil {
		var items []string
		for _, v := range r.Versions {
			items = append(items, strconv.Itoa(v))
		}
		args = append(args, "--versions", strings.Join(items, ","))
	}
	return append(args, r.Command...)
}

// pluginEnv is the whole environment of a plugin, and of its host where that is a process of its own.
func pluginEnv(tmp, mode string) []string {
	env := []string{
		"TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"PYTHONDONTWRITEBYTECODE=1", "GRPC_VERBOSITY=ERROR",
	}
	if mode != "" {
		env = append(env, modeEnv+"="+mode)
	}
	race := "GORACE=atexit_sleep_ms=0" // or each plugin with a race detector takes a second longer to end, of the two that it has
	if mode == "go-plugin" {
		race += " exitcode=0" // multiplexed, it reads os.Stderr in one goroutine while another replaces it
	}
	return append(env, race)
}
