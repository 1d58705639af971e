package broker

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// FuzzHear gives a link any bytes as the peer's messages, while both sides of the API are in use: it may refuse, but must
// neither panic nor hang nor keep more than it may.
func FuzzHear(f *testing.F) {
	for _, m := range []*wire.ConnInfo{
		{},
		{ServiceId: 1, Network: "unix", Address: "/s"},
		{ServiceId: 1, Network: "tcp", Address: "127.0.0.1:1"},
		{ServiceId: 2, Knock: &wire.ConnInfo_Knock{Knock: true}},
		{ServiceId: 3, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true}},
		{ServiceId: 3, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true, Error: "no"}},
		{ServiceId: 1<<32 - 1, Knock: &wire.ConnInfo_Knock{Ack: true, Error: "no"}},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		f.Add(data, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, mux bool) {
		m := &wire.ConnInfo{}
		if proto.Unmarshal(data, m) != nil {
			return // gRPC ends the stream
		}
		l := fuzzLink(t, mux)
		for range 20 {
			l.hear(m)
			m.ServiceId++
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		go l.hear(m)
		if connect, err := l.dialer(ctx, m.ServiceId-1); err == nil && mux {
			_, _, _ = connect(ctx)
		}
		if l.places.count() > 10 || l.knocks.count() > 10 {
			t.Errorf("%d announcements and %d knocks are kept, want at most 10", l.places.count(), l.knocks.count())
		}
	})
}

func fuzzLink(t *testing.T, mux bool) *link {
	b := New(Config{MaxPending: 10, Logger: slog.New(slog.DiscardHandler)})
	l := newLink(b, nil)
	t.Cleanup(func() { l.end(ErrClosed) })
	if mux {
		near, far := net.Pipe()
		s, err := newSession(near, serverSession, func(c net.Conn) { _ = c.Close() }, b.cfg.Logger)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = far.Close(); s.close() })
		l.session = s
		b.cfg.Mux = &MuxListener{}
	}
	return l
}
