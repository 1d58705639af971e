package lane

import (
	"cmp"
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const (
	defaultMaxMessage = 64 << 20
	defaultMaxCalls   = 1024
	defaultWindow     = 256 << 10
)

// ClientConfig configures a [Client]. The zero value works.
type ClientConfig struct {
	// MaxMessageSize is the largest response message taken, in bytes; zero means 64 MiB, less than 64 KiB means that.
	// A call's grpc.MaxCallRecvMsgSize wins when it is lower.
	MaxMessageSize int
	// Window is how many bytes of messages a stream holds that nobody reads; zero means 256 KiB, the least is 64 KiB.
	Window int
	// MaxBuffered is how many bytes beyond their windows the messages may take that are just being received;
	// zero, and less than MaxMessageSize, mean twice MaxMessageSize.
	MaxBuffered int
	// CallOptions come before those of each call.
	CallOptions []grpc.CallOption
	// UnaryInterceptors and StreamInterceptors run around each call, the first outermost.
	UnaryInterceptors  []grpc.UnaryClientInterceptor
	StreamInterceptors []grpc.StreamClientInterceptor
	// Outer is the *grpc.ClientConn that interceptors are given; nil means they get nil.
	Outer *grpc.ClientConn
	// Greeted says that Greeting has been sent on the carrier already.
	Greeted bool
	// AuthInfo is part of the peer that callers see, where the carrier knows none; nil means none.
	AuthInfo credentials.AuthInfo
}

func (c ClientConfig) withDefaults() ClientConfig {
	c.MaxMessageSize = max(cmp.Or(c.MaxMessageSize, defaultMaxMessage), floorMessage)
	c.Window = max(cmp.Or(c.Window, defaultWindow), floorWindow)
	if c.MaxBuffered < c.MaxMessageSize {
		c.MaxBuffered = 2 * c.MaxMessageSize
	}
	return c
}

// Greeting is the first that a client with this configuration sends.
func (c ClientConfig) Greeting() []byte { return c.withDefaults().settings().preface() }

func (c ClientConfig) settings() settings {
	return settings{maxMessage: c.MaxMessageSize, maxCalls: floorCalls, window: c.Window}
}

// chainUnary makes one function of the interceptors and what they surround.
func chainUnary(list []grpc.UnaryClientInterceptor, last grpc.UnaryInvoker) grpc.UnaryInvoker {
	for i := len(list) - 1; i >= 0; i-- {
		interceptor, next := list[i], last
		last = func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, opts ...grpc.CallOption) error {
			return interceptor(ctx, method, req, reply, cc, next, opts...)
		}
	}
	return last
}

func chainStream(list []grpc.StreamClientInterceptor, last grpc.Streamer) grpc.Streamer {
	for i := len(list) - 1; i >= 0; i-- {
		interceptor, next := list[i], last
		last = func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			return interceptor(ctx, desc, cc, method, next, opts...)
		}
	}
	return last
}
