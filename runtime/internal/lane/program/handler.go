package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	service = "test.Program"
	// Of the metadata of each call: the program, which of its calls it is, and which run of it.
	programKey = "program-bin"
	callKey    = "call"
	runKey     = "run"
)

// Service plays the handlers of programs, and tells what they have seen.
type Service struct {
	options Options

	mu    sync.Mutex
	plays map[string]*play
}

// NewService returns a service, to be registered on as many servers as there are.
func NewService(o Options) *Service { return &Service{options: o, plays: map[string]*play{}} }

// play is what a handler tells.
type play struct {
	waits, ended chan struct{} // closed when it waits for the end of its context, and when it has returned
	saw          log
}

// at finds what belongs to a call, whoever comes first.
func (s *Service) at(ctx context.Context) *play {
	md, _ := metadata.FromIncomingContext(ctx)
	key := strings.Join(append(md[runKey], md[callKey]...), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plays[key]
	if p == nil {
		p = &play{waits: make(chan struct{}), ended: make(chan struct{})}
		s.plays[key] = p
	}
	return p
}

// Register registers the service.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	stream := func(k kind) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: k.String(), Handler: s.stream, ClientStreams: k != down, ServerStreams: k != up}
	}
	method := func(name string, serve func(context.Context) (string, error)) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			text, err := serve(ctx)
			return wrapperspb.String(text), err
		}}
	}
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		Methods:     []grpc.MethodDesc{{MethodName: unary.String(), Handler: s.unary}, method("Await", s.await), method("Saw", s.saw)},
		Streams:     []grpc.StreamDesc{stream(up), stream(down), stream(both)},
	}, nil)
}

// await returns when the handler of the call waits for the end of its context.
func (s *Service) await(ctx context.Context) (string, error) {
	select {
	case <-s.at(ctx).waits:
		return "", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// saw returns what the handler of the call has seen, when it has returned.
func (s *Service) saw(ctx context.Context) (string, error) {
	p := s.at(ctx)
	select {
	case <-p.ended:
		return p.saw.String(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *Service) called(ctx context.Context) (c call, err error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if len(md[programKey]) != 1 || len(md[callKey]) != 1 {
		return c, status.Error(codes.InvalidArgument, "no program")
	}
	calls := Parse([]byte(md[programKey][0]), s.options).calls
	i, err := strconv.Atoi(md[callKey][0])
	if err != nil || i < 0 || i >= len(calls) {
		return c, status.Errorf(codes.InvalidArgument, "no call %q", md[callKey])
	}
	return calls[i], nil
}

// handler is one call's.
type handler struct {
	call
	*play
	ctx    context.Context
	stream grpc.ServerStream // nil of a unary one
}

func (s *Service) begin(ctx context.Context, stream grpc.ServerStream) (*handler, error) {
	c, err := s.called(ctx)
	if err != nil {
		return nil, err
	}
	h := &handler{call: c, play: s.at(ctx), ctx: ctx, stream: stream}
	method, _ := grpc.Method(ctx)
	_, known := peer.FromContext(ctx)
	_, has := ctx.Deadline()
	md, _ := metadata.FromIncomingContext(ctx)
	h.saw.add(method, "peer", known, "deadline", has, "err", ctx.Err(), "metadata", words(md))
	return h, nil
}

//nolint:revive // the order of parameters is grpc's
func (s *Service) unary(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.BytesValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	serve := func(ctx context.Context, _ any) (any, error) {
		h, err := s.begin(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer close(h.ended)
		h.saw.add("request", hash(in.GetValue()))
		if err := h.act(); err != nil {
			return nil, err
		}
		return h.reply(), nil
	}
	if intercept == nil {
		return serve(ctx, in)
	}
	return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/" + service + "/" + unary.String()}, serve)
}

func (s *Service) stream(_ any, stream grpc.ServerStream) error {
	h, err := s.begin(stream.Context(), stream)
	if err != nil {
		return err
	}
	defer close(h.ended)
	return h.act()
}

func (h *handler) reply() *wrapperspb.BytesValue {
	switch h.end {
	case largePull:
		return message(h.index, Limit+1)
	case barredPull:
		return message(h.index, barred+1)
	default:
		return message(h.index, h.size)
	}
}

// act does the handler's part.
func (h *handler) act() error {
	for i, s := range h.steps {
		if err := h.step(i, s); err != nil {
			h.saw.add("step", i, "fails", code(err))
			return err
		}
	}
	switch h.end {
	case panics:
		panic("as asked")
	case canceled, expires:
		return h.waitForTheEnd()
	case stuckDown:
		return h.sendForEver()
	case stuckUp, largePush, barredPush:
		if h.stream != nil {
			h.saw.add("last", code(h.stream.RecvMsg(new(wrapperspb.BytesValue))))
		}
	case largePull, barredPull:
		if h.stream != nil {
			return h.stream.SendMsg(h.reply())
		}
	case finishes:
		if h.kind == up {
			h.drain()
			h.saw.add("reply", code(h.stream.SendMsg(h.reply())))
		}
	}
	return h.status()
}

// drain receives until the caller has half-closed.
func (h *handler) drain() {
	for {
		in := new(wrapperspb.BytesValue)
		err := h.stream.RecvMsg(in)
		if err != nil {
			h.saw.add("drained", code(err))
			return
		}
		h.saw.add("more", hash(in.GetValue()))
	}
}

func (h *handler) step(i int, s step) error {
	pair := metadata.Pairs("x-word", fmt.Sprint(s.do, i), "x-bytes-bin", fmt.Sprint(i, "\x00\xff"))
	switch s.do {
	case push:
		in := new(wrapperspb.BytesValue)
		err := h.stream.RecvMsg(in)
		h.saw.add("received", hash(in.GetValue()))
		return err
	case pull:
		return h.stream.SendMsg(message(i, s.size))
	case half:
		err := h.stream.RecvMsg(new(wrapperspb.BytesValue))
		h.saw.add("half-closed", code(err))
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	case setHeader:
		return grpc.SetHeader(h.ctx, pair)
	case sendHeader:
		return grpc.SendHeader(h.ctx, pair)
	case setTrailer:
		return grpc.SetTrailer(h.ctx, pair)
	}
	return nil
}

// waitForTheEnd tells that it waits, and what is left to a handler whose call is over.
func (h *handler) waitForTheEnd() error {
	close(h.waits)
	<-h.ctx.Done()
	h.saw.add("ended", h.ctx.Err())
	if h.stream != nil {
		h.saw.add("sends", code(h.stream.SendMsg(message(0, 10))))
		h.saw.add("receives", code(h.stream.RecvMsg(new(wrapperspb.BytesValue))))
	}
	return h.ctx.Err()
}

func (h *handler) sendForEver() error {
	for {
		if err := h.stream.SendMsg(message(0, 64<<10)); err != nil {
			h.saw.add("sending ends", code(err), h.ctx.Err())
			return err
		}
	}
}

func (h *handler) status() error {
	st := status.New(h.code, "caf\u00e9 %\n")
	if h.details && h.code != codes.OK {
		if with, err := st.WithDetails(wrapperspb.String("why"), wrapperspb.Int64(int64(h.index))); err == nil {
			st = with
		}
	}
	return st.Err()
}
