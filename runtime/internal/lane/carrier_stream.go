package lane

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// maxChunk is the largest message of a stream that carries frames: below the least limit that gRPC peers have, and large
// enough that the cost of a message does not matter.
const maxChunk = 128 << 10

// MessageStream is what a stream of either side of gRPC can do: a [google.golang.org/grpc.ClientStream] and a
// [google.golang.org/grpc.ServerStream] are ones.
type MessageStream interface {
	Context() context.Context
	SendMsg(m any) error
	RecvMsg(m any) error
}

// NewStreamCarrier makes a carrier of a bidirectional stream whose messages are google.protobuf.BytesValue on both sides:
// a tunnel through whatever gRPC reaches. Close calls end, which must end the stream: a client cancels its context, a
// server lets the handler return.
func NewStreamCarrier(stream MessageStream, end func()) Carrier {
	return &streamCarrier{stream: stream, end: sync.OnceFunc(end)}
}

// streamCarrier cannot tell whether a message has come, and with StreamCodec alone whether one can go without waiting.
type streamCarrier struct {
	stream MessageStream
	end    func()
	unsent unsent
	rest   []byte // received and not read
}

func (c *streamCarrier) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		m := new(chunk)
		if err := c.stream.RecvMsg(m); err != nil {
			return 0, err
		}
		c.rest = m.Value
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *streamCarrier) Write(p []byte) (int, error) {
	for sent := 0; ; {
		part := p[sent:min(sent+maxChunk, len(p))]
		if err := c.send(part); err != nil {
			return sent, err
		}
		if sent += len(part); sent == len(p) {
			return sent, nil
		}
	}
}

func (c *streamCarrier) send(part []byte) error {
	return c.why(c.stream.SendMsg(&piece{&chunk{part}, &c.unsent}))
}

// TryWrite writes all or nothing.
func (c *streamCarrier) TryWrite(p, tail []byte) (int, error) {
	if !c.unsent.room(len(p) + len(tail)) {
		return 0, nil
	}
	if len(tail) > 0 {
		p = append(p[:len(p):len(p)], tail...)
	}
	if err := c.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// why makes an error of the io.EOF with which a client's stream says that it has ended: the reader learns the reason.
func (c *streamCarrier) why(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrClosedPipe
	}
	return err
}

func (c *streamCarrier) TryRead([]byte) (int, error)                     { return 0, nil }
func (c *streamCarrier) WriteUntil([]byte, <-chan struct{}) (int, error) { return 0, nil }
func (c *streamCarrier) CanTry() bool                                    { return false }

func (c *streamCarrier) Close() error {
	c.end()
	return nil
}

func (c *streamCarrier) LocalAddr() net.Addr {
	return c.addr(func(p *peer.Peer) net.Addr { return p.LocalAddr })
}

func (c *streamCarrier) RemoteAddr() net.Addr {
	return c.addr(func(p *peer.Peer) net.Addr { return p.Addr })
}

// addr is that of the connection beneath, where gRPC tells it.
func (c *streamCarrier) addr(of func(*peer.Peer) net.Addr) net.Addr {
	if p, ok := peer.FromContext(c.stream.Context()); ok {
		if a := of(p); a != nil {
			return a
		}
	}
	return tunnelAddr{}
}

// AuthInfo is what gRPC knows of the connection beneath.
func (c *streamCarrier) AuthInfo() credentials.AuthInfo {
	if p, ok := peer.FromContext(c.stream.Context()); ok {
		return p.AuthInfo
	}
	return nil
}

// NoTLS is what gRPC says of a peer without TLS.
func NoTLS() credentials.AuthInfo {
	_, info, _ := insecure.NewCredentials().ServerHandshake(nil) // it looks at nothing
	return info
}

// authOf is what is known of a carrier's peer: what the carrier says, if it does.
func authOf(c Carrier, otherwise credentials.AuthInfo) credentials.AuthInfo {
	if a, ok := c.(interface {
		AuthInfo() credentials.AuthInfo
	}); ok {
		return a.AuthInfo()
	}
	return otherwise
}

// tunnelAddr is the address of whatever is beneath a stream that does not tell.
type tunnelAddr struct{}

func (tunnelAddr) Network() string { return "tunnel" }
func (tunnelAddr) String() string  { return "tunnel" }
