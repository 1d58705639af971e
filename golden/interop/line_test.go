package interop

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// lines are the seeds of FuzzLine, and what the oracle is held to go-plugin with.
func lines() []string {
	certificate := strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(strangersCertificate),
		"-----BEGIN CERTIFICATE-----"), "-----END CERTIFICATE-----")), "")
	raw := strings.TrimRight(certificate, "=")
	return []string{
		"1|3|unix|/s|grpc|", "1|3|unix|/s|grpc|\r", "  1|3|unix|/s|grpc|\t", "1|3|unix|/s", "1|3|unix|/s|netrpc", "1|3|unix|/s|grpc||true", "1|3|unix|/s|grpc||",
		"1|3|unix|/s|grpc||maybe", "1|3|unix|/s|grpc||true|more", "1|3|unix|/s|grpc|short", "1|3|tcp|127.0.0.1:1234|grpc|", "1|3|tcp|[::1]:1234|grpc|",
		"1|3|tcp|[::ffff:127.0.0.1]:1234|grpc|", "1|3|tcp|LOCALHOST:080|grpc|", "1|3|tcp|127.0.0.1:http|grpc|", "1|3|tcp|127.0.0.1:0|grpc|", "1|3|tcp|:1234|grpc|",
		"1|3|tcp|127.0.0.1|grpc|", "1|3|tcp||grpc|", "1|3|tcp|127.0.0.1:65536|grpc|", "1|3|unix|@abstract|grpc|", "1|3|unix|relative|grpc|", "1|3|unix||grpc|",
		"1|3|unix|unix:///s|grpc|", "1|3|unix|//s|grpc|", "1|3|unix|/a\x01b|grpc|", "1|3|pipe|/s|grpc|", "1|3|unix|/s|http|", "1|3|unix|/s||", "2|3|unix|/s|grpc|", "x|3|unix|/s|grpc|",
		"+1|3|unix|/s|grpc|", "01|3|unix|/s|grpc|", "1|+3|unix|/s|grpc|", "1|3x|unix|/s|grpc|", "1| 3|unix|/s|grpc|", "1|", "", "a log line", "a|log|line|with|pipes",
		"1|3|unix|/\xff|grpc|", "1|3|unix|/s|grpc|" + raw, "1|3|unix|/s|grpc|" + raw[:len(raw)-8], "1|3|unix|/s|grpc|" + strings.Repeat("x", 51),
		"1|3|unix|/s|grpc|" + strings.Repeat("=", 51), "1|3|unix|/s|grpc|" + raw + "==", "1|3|unix|/s|grpc|" + raw[:60] + `\n` + raw[60:], "1|3|unix|/s|grpc|" + raw[:60] + " " + raw[60:],
		"1|3|unix|/s|grpc|" + raw[:60] + "\r" + raw[60:], "1|3|unix|/" + strings.Repeat("s", 17<<10) + "|grpc|",
	}
}

// FuzzLine compares the two hosts line by line: our host takes what go-plugin's takes, understands it in the same way, and
// refuses more only for the reasons that are named in strictness.
func FuzzLine(f *testing.F) {
	for _, line := range lines() {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\n") // hosts see lines
		theirs, refused := goPluginFields(relaxed(line))
		ours, err := handshake.Parse(line)
		stricter := stricterBy(line, refused)
		switch {
		case err != nil && refused == nil && stricter == "":
			t.Fatalf("%q: go-plugin's host takes it, ours does not, for no named reason: %v", line, err)
		case err == nil && refused != nil:
			t.Fatalf("%q: our host takes it as %+v, go-plugin's does not", line, ours)
		case err == nil && stricter != "":
			t.Fatalf("%q: our host takes it as %+v, although it is stricter: %s", line, ours, stricter)
		case err == nil:
			compareLine(t, line, theirs, ours)
			readsTheSame(t, line, ours)
		}
	})
}

// stricterBy names why our host refuses a line that go-plugin's takes.
func stricterBy(line string, refused error) string {
	if refused != nil {
		return ""
	}
	fields := fieldsOf(line)
	for name, applies := range strictness() {
		if applies(line, fields) {
			return name
		}
	}
	return ""
}

func compareLine(t *testing.T, line string, theirs verdict, ours handshake.Response) {
	t.Helper()
	if theirs.version != ours.ProtocolVersion || theirs.network != ours.Network || theirs.protocol != ours.Protocol ||
		theirs.certificate != string(ours.Certificate) || theirs.multiplex != ours.Multiplex || !sameAddress(ours.Network, theirs.address, ours.Address) {
		t.Fatalf("%q: go-plugin's host understands %+v, ours %+v", line, theirs, ours)
	}
}

// readsTheSame: a line that parses is found on a plugin's standard output, too. (Of net/rpc lines, which our host refuses, some are not.)
func readsTheSame(t *testing.T, line string, want handshake.Response) {
	t.Helper()
	if want.Protocol != handshake.ProtocolGRPC {
		return
	}
	got, err := handshake.Read(bufio.NewReader(strings.NewReader("noise\n"+line+"\nmore\n")), nil)
	if err != nil || got.Address != want.Address || got.ProtocolVersion != want.ProtocolVersion {
		t.Fatalf("%q: read as %+v, %v, want %+v", line, got, err, want)
	}
}

// TestOracleIsGoPlugin holds the oracle to what it stands for: a host of go-plugin that reads each line.
func TestOracleIsGoPlugin(t *testing.T) {
	shortTemp(t) // go-plugin makes a folder for each start, which it removes when it kills
	for _, line := range lines() {
		_, refused := goPluginLine(line)
		err := startsWith(t, line)
		if (refused == nil) != (err == nil) {
			t.Errorf("%q: the oracle says %v, go-plugin %v", line, refused, err)
		}
	}
}

// startsWith lets go-plugin's host start a program that prints the line.
func startsWith(t *testing.T, line string) error {
	t.Helper()
	program := newPrinted(line)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goHandshake(3),
		Plugins:          goplugin.PluginSet{"ping": pingPlugin{}},
		AutoMTLS:         true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC, goplugin.ProtocolNetRPC},
		Logger:           hclog.NewNullLogger(),
		RunnerFunc: func(hclog.Logger, *exec.Cmd, string) (runner.Runner, error) {
			return program, nil
		},
	})
	_, err := client.Start()
	_ = program.Kill(t.Context()) // client.Kill would connect first, to where nobody listens, and take its time
	return err
}

// printedLine is a program that has printed a line, and runs until it is killed.
type printedLine struct {
	stdout io.ReadCloser
	stderr *io.PipeReader
	errW   *io.PipeWriter
	killed chan struct{}
}

func newPrinted(line string) *printedLine {
	r, w := io.Pipe()
	return &printedLine{stdout: io.NopCloser(strings.NewReader(line + "\n")), stderr: r, errW: w, killed: make(chan struct{})}
}

func (p *printedLine) Start(context.Context) error                      { return nil }
func (p *printedLine) Diagnose(context.Context) string                  { return "" }
func (p *printedLine) Stdout() io.ReadCloser                            { return p.stdout }
func (p *printedLine) Stderr() io.ReadCloser                            { return p.stderr }
func (p *printedLine) Name() string                                     { return "printed" }
func (p *printedLine) ID() string                                       { return "printed" }
func (p *printedLine) Wait(context.Context) error                       { <-p.killed; return errors.New("killed") }
func (p *printedLine) PluginToHost(n, a string) (string, string, error) { return n, a, nil }
func (p *printedLine) HostToPlugin(n, a string) (string, string, error) { return n, a, nil }

func (p *printedLine) Kill(context.Context) error {
	select {
	case <-p.killed:
	default:
		close(p.killed)
		_ = p.errW.Close()
	}
	return nil
}
