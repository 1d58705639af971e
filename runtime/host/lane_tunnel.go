package host

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	// tunnelChunk is the least limit on messages that a stream of the lane works with.
	tunnelChunk = 256 << 10
	// wordTime bounds the wait for the first word of a plugin that has said that it speaks the lane.
	wordTime = 5 * time.Second
)

// largeInTunnel is the least size of the messages that gRPC carries better than a tunnel in it, which copies them twice more.
const largeInTunnel = 32 << 10

func isLarge(message any) bool {
	m, ok := message.(proto.Message)
	return ok && proto.Size(m) >= largeInTunnel
}

// largeReplies knows the methods whose last reply was large: the next one is likely to be. The zero value knows none; it may be used
// concurrently.
type largeReplies struct{ methods sync.Map }

func (l *largeReplies) has(method string) bool {
	_, has := l.methods.Load(method)
	return has
}

func (l *largeReplies) note(method string, reply any) {
	switch large := isLarge(reply); {
	case large == l.has(method):
	case large:
		l.methods.Store(method, nil)
	default:
		l.methods.Delete(method)
	}
}

// asksForLane makes a health check one by which the plugin may say that it speaks the lane. Plugins that do not know that word do not heed
// it: so none is asked for what it does not have.
func asksForLane(ctx context.Context, c *carrier) (context.Context, grpc.ClientConnInterface) {
	if c.lane != nil {
		return ctx, c
	}
	return metadata.AppendToOutgoingContext(ctx, wire.LaneKey, wire.LaneVersion), listening{c}
}

// listening keeps the header of the answer.
type listening struct{ *carrier }

// Invoke is grpc.ClientConnInterface's.
func (l listening) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return l.carrier.Invoke(ctx, method, args, reply, append(slices.Clip(opts), grpc.Header(&l.spoken))...)
}

// takeTunnel makes the lane carry the calls in a stream of the gRPC connection, if the plugin has said that it speaks it.
func (c *carrier) takeTunnel(ctx context.Context, cfg Config) {
	if c.lane != nil {
		return
	}
	why := cfg.noLane()
	if why == "" && len(c.spoken.Get(wire.LaneKey)) == 0 {
		why = "the plugin does not say that it speaks the lane"
	}
	if why != "" {
		cfg.noteNot(TierTunnel, why)
		return
	}
	life, cancel := context.WithCancel(context.Background())
	stream, err := c.cc.NewStream(life, &grpc.StreamDesc{StreamName: "Run", ClientStreams: true, ServerStreams: true}, wire.LaneMethod,
		grpc.MaxCallRecvMsgSize(max(cfg.MaxMessageSize, tunnelChunk)), grpc.MaxCallSendMsgSize(max(cfg.MaxMessageSize, tunnelChunk)),
		grpc.ForceCodecV2(lane.StreamCodec()))
	if err != nil {
		cancel()
		cfg.noteNot(TierTunnel, "its stream does not open: "+err.Error())
		return
	}
	ctx, done := context.WithTimeout(ctx, wordTime)
	defer done()
	c.speak(ctx, cfg, TierTunnel, lane.NewStreamCarrier(stream, cancel))
}
