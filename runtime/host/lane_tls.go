package host

import (
	"cmp"
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// offersInTLS tells whether the connection offers the lane beside gRPC, by ALPN: foreign plugins take what they know.
func (c *carrier) offersInTLS(cfg Config) bool {
	return c.tls != nil && c.mux == nil && cfg.noLane() == ""
}

// isAgreed tells whether conn is the lane's.
func isAgreed(conn net.Conn) bool {
	_, is := conn.(*lane.Secured)
	return is
}

// takeSecured makes the lane carry the calls inside TLS, if the plugin has agreed to that. When it then says something else the connection is closed.
func (c *carrier) takeSecured(ctx context.Context, cfg Config, conn net.Conn) bool {
	if !isAgreed(conn) {
		return false
	}
	ctx, done := context.WithTimeout(ctx, wordTime)
	defer done()
	if !c.speak(ctx, cfg, TierSocket, lane.NewCarrier(conn)) {
		return false
	}
	c.beneath = &beneath{make: func() (*grpc.ClientConn, error) { return c.newGRPC(cfg) }}
	return true
}

// beneath is a gRPC connection that is made when a call needs it. A nil one is none.
type beneath struct {
	make func() (*grpc.ClientConn, error)

	mu  sync.Mutex
	cc  *grpc.ClientConn
	err error // why there is none, and will be none
}

// get is what makes calls by gRPC, or says why it cannot.
func (b *beneath) get() grpc.ClientConnInterface {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cc == nil && b.err == nil {
		b.cc, b.err = b.make()
	}
	if b.cc == nil {
		return unusable{b.err}
	}
	return b.cc
}

// close closes the connection, and lets none be made.
func (b *beneath) close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cc != nil {
		_ = b.cc.Close() // only ever says that it was closed before
	}
	b.err = cmp.Or(b.err, status.Error(codes.Canceled, "the connection is closing"))
}

// unusable fails every call.
type unusable struct{ err error }

// Invoke is grpc.ClientConnInterface's.
func (u unusable) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return u.err }

// NewStream is grpc.ClientConnInterface's.
func (u unusable) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, u.err
}
