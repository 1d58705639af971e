package broker

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	mostSteps = 100
	fuzzMost  = 4 // Config.MaxPending
)

// FuzzTalk plays a script: each byte is a message of the peer's or a deed of this side's, about one of eight numbers, in the order
// in which they stand there. Whatever the order, on either side and either way, nothing may panic or hang, no more may be kept than
// is allowed, and nothing may be left after the end.
func FuzzTalk(f *testing.F) {
	for i, script := range [][]byte{
		{0o00, 0o60, 0o60},                   // announced, and dialled twice
		{0o60, 0o10, 0o00, 0o60},             // dialled too early
		{0o20, 0o50, 0o20, 0o70, 0o20},       // knocked, accepted, knocked, closed, knocked
		{0o50, 0o50, 0o20, 0o20, 0o20},       // accepted twice, and knocked for often
		{0o30, 0o30, 0o60, 0o40, 0o60, 0o30}, // answers that nobody asked for
		{0o20, 0o21, 0o22, 0o23, 0o24, 0o25, 0o26, 0o27, 0o50, 0o51},
		{0o00, 0o01, 0o02, 0o03, 0o04, 0o05, 0o06, 0o07, 0o60, 0o67},
		{0o50, 0o51, 0o52, 0o53, 0o54, 0o55, 0o70, 0o54},
	} {
		f.Add(script, i%2 == 0, true)
		f.Add(script, i%2 == 0, false)
	}
	f.Fuzz(func(t *testing.T, script []byte, host, mux bool) {
		l := talkLink(t, host, mux)
		for _, step := range script[:min(len(script), mostSteps)] {
			play(l, step>>3&7, uint32(step&7)+1)
			if n := max(l.places.count(), l.knocks.count(), l.undialed.count()); n > fuzzMost {
				t.Fatalf("%d are kept, want at most %d", n, fuzzMost)
			}
		}
		l.end(ErrLost)
		if n := len(l.openListeners()) + l.places.count() + l.knocks.count() + l.undialed.count(); n > 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// play takes one step.
func play(l *link, what byte, id uint32) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	switch what {
	case 0:
		l.hear(&wire.ConnInfo{ServiceId: id, Network: "unix", Address: "/nowhere"})
	case 1:
		l.hear(&wire.ConnInfo{ServiceId: id, Network: "tcp", Address: "127.0.0.1:1"})
	case 2:
		l.hear(&wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true}})
	case 3:
		l.hear(refusal(id, ""))
	case 4:
		l.hear(refusal(id, "no"))
	case 5:
		playAccept(ctx, l, id)
	case 6:
		playDial(ctx, l, id)
	case 7:
		for _, open := range l.openListeners() {
			if open.id == id {
				_ = open.Close()
			}
		}
	}
}

func playAccept(ctx context.Context, l *link, id uint32) {
	if l.session != nil {
		_, _ = l.acceptStreams(wanted{id: id})
	} else {
		_, _ = l.acceptSockets(ctx, wanted{id: id})
	}
}

// playDial does not go where the peer says.
func playDial(ctx context.Context, l *link, id uint32) {
	if l.session == nil {
		_, _ = l.await(ctx, id)
		return
	}
	if c, _, err := l.knock(ctx, id); err == nil {
		_ = c.Close()
	}
}

// talkLink is a link whose peer reads all and says nothing by itself.
func talkLink(t *testing.T, host, mux bool) *link {
	b := New(Config{
		MaxPending: fuzzMost, Logger: slog.New(slog.DiscardHandler),
		Listen: func() (net.Listener, error) { return newQueue(&net.UnixAddr{Name: "/nowhere", Net: "unix"}), nil },
	})
	l := newLink(b, nil)
	if mux {
		l.session = talkSession(t, host)
		b.cfg.Mux = &MuxListener{}
	}
	go func() { // the stream
		for {
			select {
			case <-l.out:
			case <-l.done:
				return
			}
		}
	}()
	t.Cleanup(func() { l.end(ErrClosed) })
	return l
}

func talkSession(t *testing.T, host bool) *session {
	t.Helper()
	near, far := net.Pipe()
	open := serverSession
	if host {
		open = clientSession
	}
	s, err := newSession(near, open, func(c net.Conn) { _ = c.Close() }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, far) }() // ends with the session
	t.Cleanup(func() { _ = far.Close(); s.close() })
	return s
}
