package object

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// sideKey goes with a stream of a session: the key of a socket on which the stream's frames may run instead, cheaper by far. In
// the header it says that they will.
const sideKey = "plugingen-side"

// sider is a connection that can have sockets beside it. The connection of a host to a plugin is one.
type sider interface {
	// CanSide tells whether it is worth asking for one.
	CanSide() bool
	// Side connects one, for the call that has sent key.
	Side(ctx context.Context, key string) (lane.Carrier, error)
}

// errNoSide says that the stream should be opened anew, without asking for a socket.
var errNoSide = errors.New("no socket beside the connection")

// newSideKey returns a key to ask with, or nothing where there is no use.
func newSideKey(conn grpc.ClientConnInterface) string {
	if s, ok := conn.(sider); !ok || !s.CanSide() {
		return ""
	}
	return newSecret()
}

// newSecret is nothing that others could guess.
func newSecret() string {
	secret := make([]byte, lane.SideKeySize/2)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// clientCarrier carries the frames of stream, whose header has come: by the stream itself, or by the socket that key asked for. Close
// calls end, which ends the stream.
func clientCarrier(ctx context.Context, conn grpc.ClientConnInterface, stream grpc.ClientStream, key string, end func()) (lane.Carrier, error) {
	header, err := stream.Header()
	if err != nil {
		return nil, err
	}
	if key == "" || len(header[sideKey]) == 0 {
		return lane.NewStreamCarrier(stream, end), nil
	}
	side, err := conn.(sider).Side(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoSide, err)
	}
	return newSideCarrier(stream.Context(), side, end), nil
}

// serverCarrier is clientCarrier of the other side: it sends the header, and waits for the socket until ctx ends.
func serverCarrier(ctx context.Context, stream grpc.ServerStream, header metadata.MD, end func()) (lane.Carrier, error) {
	side := lane.Expect(stream.Context(), askedSide(stream.Context()))
	if side != nil {
		header = metadata.Join(header, metadata.Pairs(sideKey, "1"))
	}
	if err := stream.SendHeader(header); err != nil || side == nil {
		side.Forget()
		return lane.NewStreamCarrier(stream, end), err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	carrier, err := side.Carrier(ctx)
	if err != nil {
		return nil, err
	}
	return newSideCarrier(stream.Context(), carrier, end), nil
}

func askedSide(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md[sideKey]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// sideCarrier is a socket that lives no longer than its stream, and the other way round.
type sideCarrier struct {
	lane.Carrier
	end func()
}

func newSideCarrier(stream context.Context, c lane.Carrier, end func()) lane.Carrier {
	stop := context.AfterFunc(stream, func() { _ = c.Close() })
	return sideCarrier{c, func() { stop(); end() }}
}

// Close is lane.Carrier's.
func (c sideCarrier) Close() error {
	c.end()
	return c.Carrier.Close()
}
