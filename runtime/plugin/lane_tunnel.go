package plugin

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// announced has the health service that is registered with it say that there is a lane, to hosts that ask.
func (l *laneServer) announced(r grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	if l.why != "" {
		return r
	}
	return announcer{r}
}

type announcer struct{ grpc.ServiceRegistrar }

// RegisterService is grpc.ServiceRegistrar's.
func (a announcer) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	changed := *desc
	changed.Methods = slices.Clone(desc.Methods)
	for i := range changed.Methods {
		changed.Methods[i].Handler = announcing(changed.Methods[i].Handler)
	}
	a.ServiceRegistrar.RegisterService(&changed, implementation)
}

func announcing(handle grpc.MethodHandler) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		if len(metadata.ValueFromIncomingContext(ctx, wire.LaneKey)) > 0 {
			_ = grpc.SetHeader(ctx, metadata.Pairs(wire.LaneKey, wire.LaneVersion)) // fails only where nobody waits any more
		}
		return handle(srv, ctx, decode, intercept)
	}
}

// registerTunnel serves the lane in streams of gRPC.
func (l *laneServer) registerTunnel(r grpc.ServiceRegistrar) {
	if l.why != "" {
		return
	}
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: wire.LaneService,
		Streams:     []grpc.StreamDesc{{StreamName: "Run", ClientStreams: true, ServerStreams: true, Handler: l.tunnel}},
	}, nil)
}

// tunnel lasts as long as the host's stream. Its end is what unblocks who still reads from it.
func (l *laneServer) tunnel(_ any, stream grpc.ServerStream) error {
	ctx, end := context.WithCancel(stream.Context())
	defer end()
	l.run(func() {
		defer end()
		_ = l.Serve(lane.NewStreamCarrier(stream, end)) // what goes wrong there is the host's to say
	})
	<-ctx.Done()
	return nil
}
