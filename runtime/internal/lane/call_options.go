package lane

import (
	"context"
	"math"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// callOptions are what a caller's options come to.
type callOptions struct {
	header   *metadata.MD
	trailer  *metadata.MD
	peer     *peer.Peer
	onFinish []func(error)
	creds    credentials.PerRPCCredentials
	maxRecv  int
	maxSend  int
	quiet    bool
}

// Quiet is for a stream that waits most of the time: that it is there makes no other call slower. Its messages may come some
// milliseconds late. For gRPC it is no option at all.
func Quiet() grpc.CallOption { return quietOption{} }

type quietOption struct{ grpc.EmptyCallOption }

// NeedsGRPC tells the options that a [Client] refuses, or honours only where there is TLS beneath it.
func NeedsGRPC(opt grpc.CallOption) bool {
	switch opt.(type) {
	case grpc.PerRPCCredsCallOption, grpc.CompressorCallOption, grpc.ContentSubtypeCallOption, grpc.ForceCodecCallOption,
		grpc.ForceCodecV2CallOption, grpc.CustomCodecCallOption, grpc.AuthorityOverrideCallOption:
		return true
	default:
		return false
	}
}

func defaultCallOptions(maxRecv int) callOptions {
	return callOptions{maxRecv: maxRecv, maxSend: math.MaxInt32}
}

// apply takes opts in. What the lane cannot do is an error, a gRPC status.
func (o *callOptions) apply(opts []grpc.CallOption) error {
	for _, opt := range opts {
		if err := o.applyOne(opt); err != nil {
			return err
		}
	}
	return nil
}

func (o *callOptions) applyOne(opt grpc.CallOption) error {
	switch opt := opt.(type) {
	case grpc.StaticMethodCallOption, grpc.EmptyCallOption:
	case quietOption:
		o.quiet = true
	case grpc.FailFastCallOption: // the lane is connected or lost for good: there is nothing to wait for
	case grpc.MaxRetryRPCBufferSizeCallOption: // the lane never retries
	case grpc.HeaderCallOption:
		o.header = opt.HeaderAddr
	case grpc.TrailerCallOption:
		o.trailer = opt.TrailerAddr
	case grpc.PeerCallOption:
		o.peer = opt.PeerAddr
	case grpc.OnFinishCallOption:
		o.onFinish = append(o.onFinish[:len(o.onFinish):len(o.onFinish)], opt.OnFinish)
	case grpc.MaxRecvMsgSizeCallOption:
		o.maxRecv = opt.MaxRecvMsgSize
	case grpc.MaxSendMsgSizeCallOption:
		o.maxSend = opt.MaxSendMsgSize
	case grpc.PerRPCCredsCallOption:
		o.creds = opt.Creds
	default:
		return refuseOption(opt)
	}
	return nil
}

// refuseOption lets the options pass that only name what the lane does anyway.
func refuseOption(opt grpc.CallOption) error {
	switch opt := opt.(type) {
	case grpc.CompressorCallOption:
		if opt.CompressorType == "" || opt.CompressorType == "identity" {
			return nil
		}
	case grpc.ContentSubtypeCallOption:
		if opt.ContentSubtype == "" || opt.ContentSubtype == "proto" {
			return nil
		}
	}
	return status.Errorf(codes.Unimplemented, "lane: call option %T is not supported on this connection", opt)
}

// report hands out what the caller asked to know once a call has ended.
func (o *callOptions) report(p *peer.Peer, err error) {
	if o.peer != nil {
		*o.peer = *p
	}
	for _, f := range o.onFinish {
		f(err)
	}
}

// outgoing is the metadata that travels with a call, checked.
func (o *callOptions) outgoing(ctx context.Context, method string) (metadata.MD, error) {
	md, _ := metadata.FromOutgoingContext(ctx)
	if o.creds != nil {
		extra, err := o.credentials(ctx, method)
		if err != nil {
			return nil, err
		}
		md = metadata.Join(md, extra)
	}
	if len(md) == 0 {
		return nil, nil
	}
	if err := checkMetadata(md); err != nil {
		return nil, status.Errorf(codes.Internal, "lane: %v", err)
	}
	return md, nil
}

func (o *callOptions) credentials(ctx context.Context, method string) (metadata.MD, error) {
	if o.creds.RequireTransportSecurity() {
		return nil, status.Error(codes.Unauthenticated, "lane: these call credentials require transport security, which this connection has not")
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	pairs, err := o.creds.GetRequestMetadata(ctx, "https://localhost/"+service)
	if err == nil {
		return metadata.New(pairs), nil
	}
	if _, ok := status.FromError(err); ok {
		return nil, err
	}
	return nil, status.Errorf(codes.Unauthenticated, "lane: call credentials: %v", err)
}
