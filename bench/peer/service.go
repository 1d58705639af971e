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
	Hold(context.Context, *HoldRequest) (*Empty, error)
	Chat(grpc.BidiStreamingServer[Note, Note]) error
	Upload(grpc.ClientStreamingServer[Note, Size]) error
	Download(*Size, grpc.ServerStreamingServer[Note]) error
}

// RegisterPeerServer makes r serve server.
func RegisterPeerServer(r grpc.ServiceRegistrar, server PeerServer) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*PeerServer)(nil),
		Methods: []grpc.MethodDesc{
			unary(ServiceName, "Echo", PeerServer.Echo),
			unary(ServiceName, "Put", PeerServer.Put),
			unary(ServiceName, "Get", PeerServer.Get),
			unary(ServiceName, "Print", PeerServer.Print),
			unary(ServiceName, "GetUsage", PeerServer.GetUsage),
			unary(ServiceName, "Hold", PeerServer.Hold),
		},
		Streams: []grpc.StreamDesc{chatDesc(), uploadDesc(), downloadDesc()},
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

func uploadDesc() grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName: "Upload",
		Handler: func(server any, s grpc.ServerStream) error {
			return server.(PeerServer).Upload(&grpc.GenericServerStream[Note, Size]{ServerStream: s})
		},
		ClientStreams: true,
	}
}

func downloadDesc() grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName: "Download",
		Handler: func(server any, s grpc.ServerStream) error {
			size := new(Size)
			if err := s.RecvMsg(size); err != nil {
				return err
			}
			return server.(PeerServer).Download(size, &grpc.GenericServerStream[Size, Note]{ServerStream: s})
		},
		ServerStreams: true,
	}
}

// unary is what generated stubs say for each method anew.
func unary[S, Req, Resp any](service, name string, method func(S, context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	full := "/" + service + "/" + name
	handle := func(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		req := new(Req)
		if err := decode(req); err != nil {
			return nil, err
		}
		if intercept == nil {
			return method(server.(S), ctx, req)
		}
		next := func(ctx context.Context, req any) (any, error) { return method(server.(S), ctx, req.(*Req)) }
		return intercept(ctx, req, &grpc.UnaryServerInfo{Server: server, FullMethod: full}, next)
	}
	return grpc.MethodDesc{MethodName: name, Handler: handle}
}
