package work

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// printed is what a plugin is asked to print.
const printed = "printed by the plugin\n"

// callbacks is how often the two sides call each other back: the first time must not be the only one that works.
const callbacks = 3

// Session is a host's view of a plugin that it has started.
type Session struct {
	Conn           grpc.ClientConnInterface
	Broker         Broker  // nil without
	Stdout, Stderr *Output // where prints arrive
	StdioStderr    *Output // of those on stderr the ones that came by stdio, which are there before they are in Stderr
	LogLines       *Output // the host's log, as lines of JSON
	MessageKey     string  // in these lines
	LevelKey       string
}

// Do does the part of a job that goes by the plugin's connection.
func (s *Session) Do(ctx context.Context, job Job, r *Report) error {
	switch job {
	case Everything:
		return s.everything(ctx, r)
	case HangCall:
		return s.hang(ctx)
	default:
		return s.served(ctx, r)
	}
}

func (s *Session) everything(ctx context.Context, r *Report) error {
	for _, step := range []func(context.Context, *Report) error{
		s.served, s.double, s.count, s.sum, s.stream, s.print, s.log, s.callBack,
	} {
		if err := step(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) invoke(ctx context.Context, method string, in, out proto.Message) error {
	if err := s.Conn.Invoke(ctx, "/"+ServiceName+"/"+method, in, out); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

func (s *Session) open(ctx context.Context, method string) (grpc.ClientStream, error) {
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	return s.Conn.NewStream(ctx, desc, "/"+ServiceName+"/"+method)
}

func (s *Session) served(ctx context.Context, r *Report) error {
	out, at := &wrapperspb.Int32Value{}, &peer.Peer{}
	if err := s.Conn.Invoke(ctx, "/"+ServiceName+"/Served", &emptypb.Empty{}, out, grpc.Peer(at)); err != nil {
		return fmt.Errorf("served: %w", err)
	}
	r.Served, r.Network = out.Value, at.Addr.Network()
	_, r.TLS = at.AuthInfo.(credentials.TLSInfo)
	return nil
}

func (s *Session) double(ctx context.Context, r *Report) (err error) {
	r.Double, err = Double(ctx, s.Conn)
	return err
}

// Double asks for the double of 21.
func Double(ctx context.Context, conn grpc.ClientConnInterface) (int32, error) {
	out := &wrapperspb.Int32Value{}
	err := conn.Invoke(ctx, "/"+ServiceName+"/Double", wrapperspb.Int32(21), out)
	return out.Value, err
}

func (s *Session) count(ctx context.Context, r *Report) (err error) {
	r.Count, err = s.exchange(ctx, "Count", 5)
	return err
}

func (s *Session) sum(ctx context.Context, r *Report) error {
	answers, err := s.exchange(ctx, "Sum", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	if err != nil {
		return err
	}
	if len(answers) != 1 {
		return fmt.Errorf("sum: %d answers, want one", len(answers))
	}
	r.Sum = answers[0]
	return nil
}

// exchange sends all numbers at once, and returns all answers.
func (s *Session) exchange(ctx context.Context, method string, numbers ...int32) ([]int32, error) {
	x, err := s.open(ctx, method)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	for _, n := range numbers {
		if err := x.SendMsg(wrapperspb.Int32(n)); err != nil {
			return nil, fmt.Errorf("%s: send %d: %w", method, n, err)
		}
	}
	if err := x.CloseSend(); err != nil {
		return nil, fmt.Errorf("%s: close: %w", method, err)
	}
	var answers []int32
	for {
		n := &wrapperspb.Int32Value{}
		err := x.RecvMsg(n)
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", method, err)
		}
		answers = append(answers, n.Value)
	}
}

// stream waits for each answer before it sends the next number.
func (s *Session) stream(ctx context.Context, r *Report) error {
	x, err := s.open(ctx, "Stream")
	if err != nil {
		return err
	}
	for i := range int32(5) {
		n := wrapperspb.Int32(i)
		if err := x.SendMsg(n); err != nil {
			return fmt.Errorf("stream: send %d: %w", i, err)
		}
		if err := x.RecvMsg(n); err != nil {
			return fmt.Errorf("stream: answer to %d: %w", i, err)
		}
		r.Stream = append(r.Stream, n.Value)
	}
	if err := x.CloseSend(); err != nil {
		return err
	}
	if err := x.RecvMsg(&wrapperspb.Int32Value{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("stream: after its end comes %v", err)
	}
	return nil
}

func (s *Session) print(ctx context.Context, r *Report) error {
	if err := s.invoke(ctx, "Print", wrapperspb.String(printed), &emptypb.Empty{}); err != nil {
		return err
	}
	if err := s.Stdout.Wait(ctx, printed); err != nil {
		return fmt.Errorf("print: stdout: %w", err)
	}
	if err := s.Stderr.Wait(ctx, strings.TrimSpace(printed)); err != nil { // it may be a log's record there
		return fmt.Errorf("print: stderr: %w", err)
	}
	r.Stdout, r.Stderr = s.Stdout.String(), printed // what else is on stderr is the plugin's log
	r.Logged = !strings.Contains(s.StdioStderr.String(), printed)
	return nil
}

func (s *Session) log(ctx context.Context, r *Report) error {
	if err := s.invoke(ctx, "Log", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
		return err
	}
	if err := s.LogLines.Wait(ctx, LogMessage); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	r.Log = s.LogLines.Record(s.MessageKey, s.LevelKey)
	return nil
}

// callBack has each side call the other, over connections of the broker.
func (s *Session) callBack(ctx context.Context, r *Report) error {
	if s.Broker == nil {
		return nil
	}
	for range callbacks {
		id := s.Broker.NextID()
		s.Broker.Serve(ctx, id, registerCallback)
		answer := &wrapperspb.StringValue{}
		if err := s.invoke(ctx, "CallBack", wrapperspb.Int32(int32(id)), answer); err != nil {
			return err
		}
		r.Callback = answer.Value
		if err := s.takeOffer(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) takeOffer(ctx context.Context, r *Report) error {
	id := &wrapperspb.Int32Value{}
	if err := s.invoke(ctx, "Offer", &emptypb.Empty{}, id); err != nil {
		return err
	}
	conn, closer, err := s.Broker.Dial(ctx, uint32(id.Value))
	if err != nil {
		return fmt.Errorf("offer: dial %d: %w", id.Value, err)
	}
	r.Offer, err = ask(ctx, conn, "host")
	_ = closer.Close()
	return err
}

// hang returns when the plugin has begun a call that never ends.
func (s *Session) hang(ctx context.Context) error {
	x, err := s.open(ctx, "Hang")
	if err != nil {
		return err
	}
	if err := x.SendMsg(&emptypb.Empty{}); err != nil {
		return err
	}
	if err := x.CloseSend(); err != nil {
		return err
	}
	return x.RecvMsg(&wrapperspb.Int32Value{})
}
