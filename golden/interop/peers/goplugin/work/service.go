// Package work is what the tests of the matrix ask of every pair of host and plugin: one service with all kinds of calls,
// its client, and the report of what a host has seen. Hosts and plugins in Go share it; those in other languages have it as
// proto/interop.proto, whose numbers of fields are the same.
package work

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What hosts and plugins agree on. Old hosts and new ones offer other versions; see Request.Versions.
const (
	CookieKey   = "INTEROP_MAGIC_COOKIE"
	CookieValue = "8f0a2d1c"
	OldVersion  = 2
	Version     = 3

	ServiceName  = "interop.Peer"
	callbackName = "interop.Callback"
)

// What a plugin logs when it is asked to, as a warning.
const (
	LogMessage = "a record of the plugin"
	LogNumber  = 42
	LogName    = "Ada"
)

// Broker makes connections beside the main one. The context is that of the call which needs it.
type Broker interface {
	NextID() uint32
	Dial(ctx context.Context, id uint32) (grpc.ClientConnInterface, io.Closer, error)
	// Serve serves in the background what register registers, until the host or plugin ends.
	Serve(ctx context.Context, id uint32, register func(grpc.ServiceRegistrar))
}

// Server is a plugin's implementation of interop.Peer for one protocol version.
type Server struct {
	Version        int32
	Stdout, Stderr func() io.Writer // asked for at each call: go-plugin replaces os.Stdout after its start
	Log            func(ctx context.Context)
	Broker         func(ctx context.Context) Broker
}

// Register makes r serve s.
func (s Server) Register(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Double", func(_ context.Context, in *wrapperspb.Int32Value) (proto.Message, error) {
				return wrapperspb.Int32(2 * in.Value), nil
			}),
			unary("Served", func(context.Context, *emptypb.Empty) (proto.Message, error) {
				return wrapperspb.Int32(s.Version), nil
			}),
			unary("Print", s.print),
			unary("Log", func(ctx context.Context, _ *emptypb.Empty) (proto.Message, error) {
				s.Log(ctx)
				return &emptypb.Empty{}, nil
			}),
			unary("CallBack", s.callBack),
			unary("Offer", s.offer),
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "Count", Handler: count, ServerStreams: true},
			{StreamName: "Sum", Handler: sum, ClientStreams: true},
			{StreamName: "Stream", Handler: stream, ServerStreams: true, ClientStreams: true},
			{StreamName: "Hang", Handler: hang, ServerStreams: true},
		},
	}, s)
}

func (s Server) print(_ context.Context, in *wrapperspb.StringValue) (proto.Message, error) {
	if _, err := io.WriteString(s.Stdout(), in.Value); err != nil {
		return nil, err
	}
	_, err := io.WriteString(s.Stderr(), in.Value)
	return &emptypb.Empty{}, err
}

// callBack asks the host, over a connection of its own.
func (s Server) callBack(ctx context.Context, id *wrapperspb.Int32Value) (proto.Message, error) {
	conn, closer, err := s.Broker(ctx).Dial(ctx, uint32(id.Value))
	if err != nil {
		return nil, err
	}
	answer, err := ask(ctx, conn, "plugin")
	_ = closer.Close()
	return wrapperspb.String(answer), err
}

// offer lets the host ask the plugin, over a connection of its own.
func (s Server) offer(ctx context.Context, _ *emptypb.Empty) (proto.Message, error) {
	b := s.Broker(ctx)
	id := b.NextID()
	b.Serve(ctx, id, registerCallback)
	return wrapperspb.Int32(int32(id)), nil
}

// registerCallback is the service on brokered connections.
func registerCallback(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: callbackName,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{unary("Ask", func(_ context.Context, who *wrapperspb.StringValue) (proto.Message, error) {
			return wrapperspb.String("hello " + who.Value), nil
		})},
	}, struct{}{})
}

func ask(ctx context.Context, conn grpc.ClientConnInterface, who string) (string, error) {
	answer := &wrapperspb.StringValue{}
	err := conn.Invoke(ctx, "/"+callbackName+"/Ask", wrapperspb.String(who), answer)
	return answer.Value, err
}

func count(_ any, s grpc.ServerStream) error {
	n := &wrapperspb.Int32Value{}
	if err := s.RecvMsg(n); err != nil {
		return err
	}
	for i := range n.Value {
		if err := s.SendMsg(wrapperspb.Int32(i)); err != nil {
			return err
		}
	}
	return nil
}

func sum(_ any, s grpc.ServerStream) error {
	total := &wrapperspb.Int32Value{}
	for {
		n := &wrapperspb.Int32Value{}
		err := s.RecvMsg(n)
		if errors.Is(err, io.EOF) {
			return s.SendMsg(total)
		}
		if err != nil {
			return err
		}
		total.Value += n.Value
	}
}

func stream(_ any, s grpc.ServerStream) error {
	for {
		n := &wrapperspb.Int32Value{}
		err := s.RecvMsg(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		n.Value *= 2
		if err := s.SendMsg(n); err != nil {
			return err
		}
	}
}

// hang says that it is there, and never returns: it does not heed its context either.
func hang(_ any, s grpc.ServerStream) error {
	if err := s.SendMsg(&wrapperspb.Int32Value{}); err != nil {
		return err
	}
	<-time.After(time.Hour) // not select {}: a plugin in which everything waits for ever is one that Go ends
	return nil
}

// unary makes a method of a function, as generated code does.
func unary[In any](name string, f func(context.Context, *In) (proto.Message, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		call := func(ctx context.Context, in any) (any, error) { return f(ctx, in.(*In)) }
		if intercept == nil {
			return call(ctx, in)
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + ServiceName + "/" + name}, call)
	}}
}
