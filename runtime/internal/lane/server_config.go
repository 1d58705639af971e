package lane

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// ServerConfig configures a [Server]. The zero value works.
type ServerConfig struct {
	// MaxMessageSize is the largest request message taken, in bytes; zero means 64 MiB, less than 64 KiB means that.
	MaxMessageSize int
	// MaxSendSize is the largest response message sent, in bytes; zero means that there is no limit.
	MaxSendSize int
	// MaxCalls is how many calls one connection may have in flight; further ones wait at the client. Zero means 1024,
	// the least is 16.
	MaxCalls int
	// Window is how many bytes of messages a stream holds that nobody reads; zero means 256 KiB, the least is 64 KiB.
	Window int
	// MaxBuffered is how many bytes beyond their windows the messages of a connection may take that are just being
	// received; zero, and less than MaxMessageSize, mean twice MaxMessageSize.
	MaxBuffered int
	// PrefaceTimeout is how long a new connection may take to show that it speaks the lane; zero means 10 s.
	PrefaceTimeout time.Duration
	// UnaryInterceptors and StreamInterceptors run around each handler, the first outermost.
	UnaryInterceptors  []grpc.UnaryServerInterceptor
	StreamInterceptors []grpc.StreamServerInterceptor
	// Apart tells the unary methods, by their full names, whose handlers never run on the connection's reader; nil means
	// none. A handler on the reader saves a good part of a short call's cost. One that takes long loses that place within
	// two milliseconds, during which other calls of its connection may wait; so it is with a handler that locks its OS thread.
	Apart func(fullMethod string) bool
	// Crash lets a handler's panic end the process, as grpc does. False means that it fails its call with codes.Internal.
	Crash bool
	// Logger is told of handlers that panic; nil means slog.Default().
	Logger *slog.Logger
	// AuthInfo is part of the peer that handlers see, where the carrier knows none; nil means none.
	AuthInfo credentials.AuthInfo
}

func (c ServerConfig) withDefaults() ServerConfig {
	c.MaxMessageSize = max(cmp.Or(c.MaxMessageSize, defaultMaxMessage), floorMessage)
	c.MaxSendSize = cmp.Or(c.MaxSendSize, maxInt32)
	c.MaxCalls = min(max(cmp.Or(c.MaxCalls, defaultMaxCalls), floorCalls), mostCalls)
	c.Window = max(cmp.Or(c.Window, defaultWindow), floorWindow)
	if c.MaxBuffered < c.MaxMessageSize {
		c.MaxBuffered = 2 * c.MaxMessageSize
	}
	c.PrefaceTimeout = cmp.Or(c.PrefaceTimeout, 10*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}

func (c ServerConfig) settings() settings {
	return settings{maxMessage: c.MaxMessageSize, maxCalls: c.MaxCalls, window: c.Window}
}

// chainUnaryServer makes one interceptor of the list; nil when it is empty.
func chainUnaryServer(list []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	if len(list) == 0 {
		return nil
	}
	first, rest := list[0], chainUnaryServer(list[1:])
	if rest == nil {
		return first
	}
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return first(ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return rest(ctx, req, info, handler)
		})
	}
}

// chainStreamServer makes one interceptor of the list; nil when it is empty.
func chainStreamServer(list []grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	if len(list) == 0 {
		return nil
	}
	first, rest := list[0], chainStreamServer(list[1:])
	if rest == nil {
		return first
	}
	return func(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return first(impl, stream, info, func(impl any, stream grpc.ServerStream) error {
			return rest(impl, stream, info, handler)
		})
	}
}
