package peer

import (
	"context"

	"google.golang.org/grpc"
)

// ServiceName is the full gRPC service name.
const ServiceName = "plugingen.bench.peer.Peer"

// PeerServer is the service, as generated stubs name it.
type PeerServer interface {
	Echo(context.Context, *Note) (*Note, error)
	Put(context.Context, *Payload) (*Size, error)
	Get(context.Context, *Size) (*Payload, error)
	Print(context.Context, *PrintRequest) (*Empty, error)
	GetUsage(context.Context, *Empty) (*Usage, error)
	Chat(grpc.BidiStreamingServer[Note, Note]) error
}

// RegisterPeerServer makes r serve server.
func RegisterPeerServer(r grpc.ServiceRegistrar, server PeerServer) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*PeerServer)(nil),
		Methods: []grpc.MethodDesc{
			unary("Echo", PeerServer.Echo),
			unary("Put", PeerServer.Put),
			unary("Get", PeerServer.Get),
			unary("Print", PeerServer.Print),
			unary("GetUsage", PeerServer.GetUsage),
		},
		Streams: []grpc.StreamDesc{chatDesc()},
	}, server)
}

func chatDesc() grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName: "Chat",
		Handler: func(server any, s grpc.ServerStream) error {
			return server.(PeerServer).Chat(&grpc.GenericServerStream[Note, Note]{ServerStream: s})
		},
		ServerStreams: true,
		ClientStreams: true,
	}
}

// unary is what generated stubs say for each method anew.
func unary[Req, Resp any](name string, method func(PeerServer, context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	full := "/" + ServiceName + "/" + name
	handle := func(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		req := new(Req)
		if err := decode(req); err != nil {
			return nil, err
		}
		if intercept == nil {
			return method(server.(PeerServer), ctx, req)
		}
		next := func(ctx context.Context, req any) (any, error) { return method(server.(PeerServer), ctx, req.(*Req)) }
		return intercept(ctx, req, &grpc.UnaryServerInfo{Server: server, FullMethod: full}, next)
	}
	return grpc.MethodDesc{MethodName: name, Handler: handle}
}
