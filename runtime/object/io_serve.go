package object

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// describeIO has the methods that the interface of a value has, and not all that the value itself may have.
func describeIO(can ioMethods, set *plugingen.ErrorSet) *grpc.ServiceDesc {
	s := ioServer{set}
	desc := &grpc.ServiceDesc{}
	for _, m := range []struct {
		need    ioMethods
		methods []grpc.MethodDesc
		streams []grpc.StreamDesc
	}{
		{canRead, []grpc.MethodDesc{{MethodName: "Read", Handler: ioHandler(s.read)}}, []grpc.StreamDesc{{StreamName: "WriteTo", Handler: s.writeTo}}},
		{canWrite, []grpc.MethodDesc{{MethodName: "Write", Handler: ioHandler(s.write)}}, []grpc.StreamDesc{{StreamName: "ReadFrom", Handler: s.readFrom}}},
		{canClose, []grpc.MethodDesc{{MethodName: "Close", Handler: ioHandler(s.close)}}, nil},
		{canSeek, []grpc.MethodDesc{{MethodName: "Seek", Handler: ioHandler(s.seek)}}, nil},
		{canReadAt, []grpc.MethodDesc{{MethodName: "ReadAt", Handler: ioHandler(s.readAt)}}, nil},
		{canWriteAt, []grpc.MethodDesc{{MethodName: "WriteAt", Handler: ioHandler(s.writeAt)}}, nil},
	} {
		if can&m.need != 0 {
			desc.Methods, desc.Streams = append(desc.Methods, m.methods...), append(desc.Streams, m.streams...)
		}
	}
	return desc
}

// ioHandler answers calls of one method.
func ioHandler[T, Req, Resp any](serve func(T, *Req) (*Resp, error)) grpc.MethodHandler {
	return func(srv any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		req := new(Req)
		if err := decode(req); err != nil {
			return nil, err
		}
		return serve(srv.(T), req)
	}
}

// ioServer serves this side's readers and writers.
type ioServer struct{ errors *plugingen.ErrorSet }

// buffer is as large as the peer asks for, within bounds.
func buffer(size int64) []byte { return make([]byte, min(max(size, 0), maxRead)) }

// chunk is what a read has given; a reader that breaks io.Reader's rules is not believed.
func (s ioServer) chunk(buf []byte, n int, err error) (*runtimepb.Chunk, error) {
	if n < 0 || n > len(buf) {
		return nil, status.Errorf(codes.Internal, "Read returned %d bytes for a buffer of %d", n, len(buf))
	}
	return &runtimepb.Chunk{Data: buf[:n], Error: s.errors.Encode(err)}, nil
}

func (s ioServer) read(r io.Reader, req *runtimepb.ReadRequest) (*runtimepb.Chunk, error) {
	buf := buffer(req.GetSize())
	n, err := r.Read(buf)
	return s.chunk(buf, n, err)
}

func (s ioServer) readAt(r io.ReaderAt, req *runtimepb.ReadRequest) (*runtimepb.Chunk, error) {
	buf := buffer(req.GetSize())
	n, err := r.ReadAt(buf, req.GetOffset())
	return s.chunk(buf, n, err)
}

func (s ioServer) write(w io.Writer, req *runtimepb.Chunk) (*runtimepb.Chunk, error) {
	n, err := w.Write(req.GetData())
	return &runtimepb.Chunk{Count: int64(n), Error: s.errors.Encode(err)}, nil
}

func (s ioServer) writeAt(w io.WriterAt, req *runtimepb.Chunk) (*runtimepb.Chunk, error) {
	n, err := w.WriteAt(req.GetData(), req.GetOffset())
	return &runtimepb.Chunk{Count: int64(n), Error: s.errors.Encode(err)}, nil
}

func (s ioServer) close(c io.Closer, _ *runtimepb.Chunk) (*runtimepb.Chunk, error) {
	return &runtimepb.Chunk{Error: s.errors.Encode(c.Close())}, nil
}

func (s ioServer) seek(k io.Seeker, req *runtimepb.Seek) (*runtimepb.Seek, error) {
	offset, err := k.Seek(req.GetOffset(), int(req.GetWhence()))
	return &runtimepb.Seek{Offset: offset, Error: s.errors.Encode(err)}, nil
}

// writeTo sends all that the reader has; the stream's windows hold it back.
func (s ioServer) writeTo(srv any, stream grpc.ServerStream) error {
	r, buf := srv.(io.Reader), make([]byte, copyChunk)
	for idle := 0; idle < maxIdleReads; idle++ {
		n, err := r.Read(buf)
		if n > 0 {
			idle = 0
		}
		end := errors.Is(err, io.EOF)
		if end {
			err = nil // the end of the stream says so
		}
		if n > 0 || err != nil {
			chunk, fault := s.chunk(buf, n, err)
			if fault != nil {
				return fault
			}
			if err := stream.SendMsg(chunk); err != nil {
				return err
			}
		}
		if end || err != nil {
			return nil
		}
	}
	return status.Error(codes.Internal, io.ErrNoProgress.Error())
}

// maxIdleReads is how often a reader may return nothing at all in a row.
const maxIdleReads = 100

// readFrom writes all that comes, and answers once with how that went.
func (s ioServer) readFrom(srv any, stream grpc.ServerStream) error {
	w := srv.(io.Writer)
	for total := int64(0); ; {
		chunk := new(runtimepb.Chunk)
		switch err := stream.RecvMsg(chunk); {
		case errors.Is(err, io.EOF):
			return stream.SendMsg(&runtimepb.Chunk{Count: total})
		case err != nil:
			return err
		}
		n, err := w.Write(chunk.GetData())
		if n < 0 || n > len(chunk.GetData()) {
			return status.Error(codes.Internal, fmt.Sprintf("Write returned %d for %d bytes", n, len(chunk.GetData())))
		}
		if err == nil && n < len(chunk.GetData()) {
			err = io.ErrShortWrite
		}
		if total += int64(n); err != nil {
			return stream.SendMsg(&runtimepb.Chunk{Count: total, Error: s.errors.Encode(err)})
		}
	}
}
