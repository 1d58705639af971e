package object

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Calls back and bytes beside what plain gRPC does on the same connection, in one run:
//
//	go test -run - -bench . ./runtime/object

func BenchmarkCallback(b *testing.B) {
	p, call := swap(b, shoutType(), shoutType(), func(ctx context.Context, s shout) (shout, error) {
		for range b.N {
			if _, err := s(ctx, "x"); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if _, err := (client{p.conn}).conn.(*Conn).link.session(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := call(b.Context(), func(context.Context, string) (string, error) { return "y", nil }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCallWithCallback is a call that takes an object and does not use it.
func BenchmarkCallWithCallback(b *testing.B) {
	_, call := swap(b, shoutType(), shoutType(), func(context.Context, shout) (shout, error) { return nil, nil })
	s := shout(func(context.Context, string) (string, error) { return "y", nil })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := call(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// plain is a service without objects.
func plain(b *testing.B) *peers {
	b.Helper()
	return connectWith(b, func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{
			ServiceName: "test.Plain", HandlerType: (*any)(nil), Methods: describeShout().Methods,
			Streams: []grpc.StreamDesc{{StreamName: "Bytes", ServerStreams: true, Handler: sendBytes}},
		}, shout(func(context.Context, string) (string, error) { return "y", nil }))
	})
}

func sendBytes(_ any, stream grpc.ServerStream) error {
	n := new(wrapperspb.Int64Value)
	if err := stream.RecvMsg(n); err != nil {
		return err
	}
	chunk := &wrapperspb.BytesValue{Value: make([]byte, copyChunk)}
	for left := n.GetValue(); left > 0; left -= copyChunk {
		if err := stream.SendMsg(chunk); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkPlainUnary(b *testing.B) {
	p := plain(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.cc.Invoke(b.Context(), "/test.Plain/Call", wrapperspb.String("x"), new(wrapperspb.StringValue)); err != nil {
			b.Fatal(err)
		}
	}
}

const benchBytes = 64 << 20

func BenchmarkReader(b *testing.B) {
	_, call := swap(b, Reader(testErrors), Reader(testErrors), func(_ context.Context, r io.Reader) (io.Reader, error) {
		_, err := io.Copy(&counter{}, onlyReader{r}) // 32 KiB at a time
		return nil, err
	})
	b.SetBytes(benchBytes)
	for b.Loop() {
		if _, err := call(b.Context(), &counted{left: benchBytes}); err != nil {
			b.Fatal(err)
		}
	}
}

// onlyReader hides WriteTo: every Read is a call.
type onlyReader struct{ io.Reader }

func BenchmarkReaderCopied(b *testing.B) {
	_, call := swap(b, Reader(testErrors), Reader(testErrors), func(_ context.Context, r io.Reader) (io.Reader, error) {
		_, err := io.Copy(&counter{}, r)
		return nil, err
	})
	b.SetBytes(benchBytes)
	for b.Loop() {
		if _, err := call(b.Context(), &counted{left: benchBytes}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlainStream(b *testing.B) {
	p := plain(b)
	b.SetBytes(benchBytes)
	for b.Loop() {
		stream, err := p.cc.NewStream(b.Context(), &grpc.StreamDesc{StreamName: "Bytes", ServerStreams: true}, "/test.Plain/Bytes")
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(stream.SendMsg(wrapperspb.Int64(benchBytes)), stream.CloseSend()); err != nil {
			b.Fatal(err)
		}
		for m := new(wrapperspb.BytesValue); ; {
			if err := stream.RecvMsg(m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkChannel(b *testing.B) {
	_, call := swap(b, intReceiver(), intReceiver(), func(_ context.Context, in <-chan int) (<-chan int, error) {
		for range in {
		}
		return nil, nil
	})
	in := make(chan int, 64)
	go func() {
		defer close(in)
		for i := range b.N {
			in <- i
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := call(b.Context(), in); err != nil {
		b.Fatal(err)
	}
}
