package plugin_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// reading reads the stdio service to its end.
type reading struct {
	got   *lockedBuffer
	ended chan error
}

func read(t *testing.T, cc grpc.ClientConnInterface) *reading {
	t.Helper()
	return readWith(t, cc, func() {})
}

// readWith calls before with each piece, before it takes it.
func readWith(t *testing.T, cc grpc.ClientConnInterface, before func()) *reading {
	t.Helper()
	r := &reading{got: newLockedBuffer(), ended: make(chan error, 1)}
	ctx := guarded(t)
	go func() {
		r.ended <- wire.ReadStdio(ctx, cc, func(channel wire.StdioData_Channel, data []byte) {
			if channel != wire.StdioData_CHANNEL_STDOUT {
				t.Errorf("channel %v", channel)
			}
			before()
			_, _ = r.got.Write(data)
		})
	}()
	return r
}

// all is what was read, when the stream has come to its good end.
func (r *reading) all(t *testing.T) string {
	t.Helper()
	if err := <-r.ended; err != nil {
		t.Errorf("the stdio stream ended with %v", err)
	}
	return r.got.String()
}

func TestPrintsReachTheHost(t *testing.T) {
	c, cc := open(t, "chatty")
	r := read(t, cc)
	do(t, cc, "print from a method\n")
	do(t, cc, "child")
	do(t, cc, "stderr stderr of a method")
	stop(t, c, cc)
	if got, want := r.all(t), "from a method\nfrom the child\n"; got != want {
		t.Errorf("the stdio service gave %q, want %q", got, want)
	}
	want := "printed by init\nprinted by main before\nstderr of main\nstderr of a method\nprinted by main after\n"
	if got := c.stderr.String(); got != want {
		t.Errorf("standard error has %q, want %q", got, want)
	}
	if got := c.rest(); got != "" {
		t.Errorf("standard output has %q besides the handshake line", got)
	}
}

// A host of before version negotiation cannot be told from a person in time, so prints before the start stay where they are.
func TestPrintsWithoutAHostMark(t *testing.T) {
	c := start(t, "chatty", cookieKey+"="+cookieValue)
	for _, want := range []string{"printed by init\n", "printed by main before\n"} {
		if line, err := c.stdout.ReadString('\n'); err != nil || line != want {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
	}
	c.handshake()
	cc := c.dial()
	do(t, cc, "print a\n")
	stop(t, c, cc)
	if got, want := c.rest(), "printed by main after\n"; got != want {
		t.Errorf("afterwards standard output has %q, want %q", got, want)
	}
}

// W11 of go-plugin: what a call prints just before the stop must arrive.
func TestNothingPrintedIsLostAtTheStop(t *testing.T) {
	for range 5 {
		c, cc := open(t, "plain")
		r := read(t, cc)
		do(t, cc, "flood 200000")
		stop(t, c, cc)
		if got := len(r.all(t)); got != 200000 {
			t.Errorf("got %d bytes, want 200000\nstderr:\n%s", got, c.stderr)
		}
	}
}

// A host that is slower than the plugin makes it wait.
func TestPrintingMoreThanTheBufferIsLosslessWhileTheHostReads(t *testing.T) {
	const size = 8 << 20
	c, cc := open(t, "plain")
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	r := readWith(t, cc, func() { <-pace.C })
	do(t, cc, "print x") // the stream is open when its first byte has come
	r.got.await(t, "x")
	do(t, cc, "flood "+strconv.Itoa(size))
	do(t, cc, "print the end")
	r.got.await(t, "the end")
	stop(t, c, cc)
	if got, want := len(r.all(t)), size+len("xthe end"); got != want {
		t.Errorf("got %d bytes, want %d\nstderr:\n%s", got, want, c.stderr)
	}
}

// A plugin must not hang because nobody looks at what it prints; what was printed last is kept.
func TestNobodyReads(t *testing.T) {
	c, cc := open(t, "plain")
	do(t, cc, "flood 4000000")
	do(t, cc, "print the end")
	r := read(t, cc) // a late host gets what was kept
	r.got.await(t, "the end")
	const most = 1<<20 + 1<<18 // the buffer, and what was still in the pipe
	got := r.got.String()
	if len(got) > most {
		t.Errorf("%d bytes were kept, at most %d wanted", len(got), most)
	}
	if all := strings.Repeat(floodLine, 4000000/len(floodLine)+1)[:4000000] + "the end"; !strings.HasSuffix(all, got) {
		t.Error("what was kept is not the last of what was printed")
	}
	stop(t, c, cc)
	if got = c.stderr.String(); !strings.Contains(got, "has not read all") || !strings.Contains(got, "dropped_bytes=") {
		t.Errorf("the plugin does not say that it dropped text:\n%s", got)
	}
}

func TestNobodyReadsAtAll(t *testing.T) {
	c, cc := open(t, "plain")
	do(t, cc, "print seven b")
	stop(t, c, cc)
	if got := c.stderr.String(); !strings.Contains(got, "unread_bytes=7") {
		t.Errorf("the plugin does not say that text was left:\n%s", got)
	}
}

// A host that opens the stream and stands still costs a wait, not a hang.
func TestHostStandsStill(t *testing.T) {
	c, cc := open(t, "plain")
	s, err := cc.NewStream(guarded(t), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMsg(&wire.Empty{}); err != nil {
		t.Fatal(err)
	}
	do(t, cc, "flood 4000000")
	if got := do(t, cc, "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	stop(t, c, cc)
}

// Two hosts took pieces from each other under go-plugin: here the second gets what comes once the first has left.
func TestHostsReadOneAfterTheOther(t *testing.T) {
	c, cc := open(t, "plain")
	ctx, cancel := context.WithCancel(guarded(t))
	first := newLockedBuffer()
	left := make(chan error, 1)
	go func() {
		left <- wire.ReadStdio(ctx, cc, func(_ wire.StdioData_Channel, data []byte) { _, _ = first.Write(data) })
	}()
	do(t, cc, "print 1st")
	first.await(t, "1st")
	second := read(t, cc)
	for range 20 {
		do(t, cc, "print more.")
	}
	first.await(t, strings.Repeat("more.", 20))
	cancel()
	<-left
	do(t, cc, "print for the second")
	second.got.await(t, "second")
	stop(t, c, cc)
	if got, want := second.all(t), "for the second"; got != want {
		t.Errorf("the second host got %q, want %q", got, want)
	}
}

// Standard input is the host's own under go-plugin, or nothing.
func TestStandardInputIsNotRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.WriteString(w, "for the host"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	cmd := selfCommand(t)
	cmd.Stdin = r
	c := startCommand(t, cmd, "plain", hostEnv()...)
	c.handshake()
	cc := c.dial()
	do(t, cc, "hello")
	stop(t, c, cc)
	if left, err := io.ReadAll(r); err != nil || !bytes.Equal(left, []byte("for the host")) {
		t.Errorf("standard input has %q, %v left", left, err)
	}
}
