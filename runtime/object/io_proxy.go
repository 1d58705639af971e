package object

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

const (
	// maxRead and maxWrite are the most bytes that one call moves; longer reads and writes are several calls.
	maxRead  = 256 << 10
	maxWrite = 256 << 10
	// quickRead fits a frame of the lane with its message, which makes its answer cheaper than that of a little more.
	quickRead = 32<<10 - 256
	// copyChunk is what one message of a copy carries, copyWindow how much of a copy is on its way at the most: enough that
	// neither side waits for the other on a busy machine.
	copyChunk  = 64 << 10
	copyWindow = 1 << 20
)

// pipe is a reader, a writer or something like it in another process. A call reads exactly as much as it is asked for: nothing
// is taken from the owner's reader that the proxy does not return, unless it copies to the end.
type pipe struct {
	conn   grpc.ClientConnInterface
	errors *plugingen.ErrorSet
	name   string
}

// PlugingenConn lets the proxy be recognised.
func (p *pipe) PlugingenConn() grpc.ClientConnInterface { return p.conn }

// call waits as long as the owner does: until the call that lent the object, or the connection, ends.
func (p *pipe) call(method string, req, resp any) error {
	return plugingen.CallFailed(p.name+method, p.conn.Invoke(context.Background(), method, req, resp))
}

// stream opens a copy; stop ends it.
func (p *pipe) stream(method string) (stream grpc.ClientStream, stop context.CancelFunc, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err = p.conn.NewStream(ctx, &grpc.StreamDesc{StreamName: method, ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		cancel()
		return nil, nil, plugingen.CallFailed(p.name+method, err)
	}
	return stream, cancel, nil
}

type reader struct{ p *pipe }

// Read is io.Reader's.
func (r reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	resp := new(runtimepb.Chunk)
	if err := r.p.call("Read", &runtimepb.ReadRequest{Size: readSize(len(b))}, resp); err != nil {
		return 0, err
	}
	return copy(b, resp.GetData()), r.p.errors.Decode(resp.GetError())
}

// readSize is how many bytes to ask for: a reader may return less than there is room for.
func readSize(room int) int64 {
	if room > quickRead && room <= 2*quickRead {
		return quickRead
	}
	return int64(min(room, maxRead))
}

// WriteTo is io.WriterTo's: it reads to the end.
func (r reader) WriteTo(w io.Writer) (int64, error) {
	stream, stop, err := r.p.stream("WriteTo")
	if err != nil {
		return 0, err
	}
	defer stop()
	if err := stream.CloseSend(); err != nil {
		return 0, plugingen.CallFailed(r.p.name+"WriteTo", err)
	}
	for total := int64(0); ; {
		chunk := new(runtimepb.Chunk)
		switch err := stream.RecvMsg(chunk); {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, plugingen.CallFailed(r.p.name+"WriteTo", err)
		}
		n, err := w.Write(chunk.GetData())
		if total += int64(n); err != nil {
			return total, err
		}
		if chunk.GetError() != nil {
			return total, r.p.errors.Decode(chunk.GetError())
		}
	}
}

type writer struct{ p *pipe }

// Write is io.Writer's.
func (w writer) Write(b []byte) (int, error) {
	for total := 0; ; {
		part := b[total:min(total+maxWrite, len(b))]
		resp := new(runtimepb.Chunk)
		if err := w.p.call("Write", &runtimepb.Chunk{Data: part}, resp); err != nil {
			return total, err
		}
		n := taken(resp, part)
		total += n
		if err := w.p.errors.Decode(resp.GetError()); err != nil || n < len(part) {
			return total, orShort(err)
		}
		if total == len(b) {
			return total, nil
		}
	}
}

// taken believes no more than can be true.
func taken(resp *runtimepb.Chunk, part []byte) int {
	return int(min(max(resp.GetCount(), 0), int64(len(part))))
}

func orShort(err error) error {
	if err == nil {
		return io.ErrShortWrite
	}
	return err
}

// ReadFrom is io.ReaderFrom's.
func (w writer) ReadFrom(r io.Reader) (int64, error) {
	stream, stop, err := w.p.stream("ReadFrom")
	if err != nil {
		return 0, err
	}
	defer stop()
	readErr := sendAll(stream, r)
	if readErr != nil && !errors.Is(readErr, errStreamEnded) {
		return w.finish(stream, readErr)
	}
	return w.finish(stream, nil)
}

// errStreamEnded says that the writer does not take more; it tells why in its answer.
var errStreamEnded = errors.New("the stream has ended")

// sendAll sends what r has until its end, which it does not tell.
func sendAll(stream grpc.ClientStream, r io.Reader) error {
	buf := make([]byte, copyChunk)
	for {
		n, err := r.Read(buf)
		if n > 0 && stream.SendMsg(&runtimepb.Chunk{Data: buf[:n]}) != nil {
			return errStreamEnded
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// finish waits until all has been written. An error of the source wins.
func (w writer) finish(stream grpc.ClientStream, readErr error) (int64, error) {
	_ = stream.CloseSend() // the answer tells
	resp := new(runtimepb.Chunk)
	if err := stream.RecvMsg(resp); err != nil {
		return 0, plugingen.CallFailed(w.p.name+"ReadFrom", err)
	}
	if readErr != nil {
		return resp.GetCount(), readErr
	}
	return resp.GetCount(), w.p.errors.Decode(resp.GetError())
}

type closer struct{ p *pipe }

// Close is io.Closer's. A result is released.
func (c closer) Close() error {
	resp := new(runtimepb.Chunk)
	if err := c.p.call("Close", &runtimepb.Chunk{}, resp); err != nil {
		return err
	}
	Closed(c.p.conn)
	return c.p.errors.Decode(resp.GetError())
}

type seeker struct{ p *pipe }

// Seek is io.Seeker's.
func (s seeker) Seek(offset int64, whence int) (int64, error) {
	resp := new(runtimepb.Seek)
	if err := s.p.call("Seek", &runtimepb.Seek{Offset: offset, Whence: int64(whence)}, resp); err != nil {
		return 0, err
	}
	return resp.GetOffset(), s.p.errors.Decode(resp.GetError())
}

type readerAt struct{ p *pipe }

// ReadAt is io.ReaderAt's.
func (r readerAt) ReadAt(b []byte, offset int64) (int, error) {
	for total := 0; ; {
		part := b[total:min(total+maxRead, len(b))]
		resp := new(runtimepb.Chunk)
		if err := r.p.call("ReadAt", &runtimepb.ReadRequest{Size: int64(len(part)), Offset: offset + int64(total)}, resp); err != nil {
			return total, err
		}
		n := copy(part, resp.GetData())
		total += n
		if err := r.p.errors.Decode(resp.GetError()); err != nil || total == len(b) {
			return total, err
		}
		if n < len(part) {
			return total, io.ErrUnexpectedEOF // the owner's reader breaks io.ReaderAt's rule
		}
	}
}

type writerAt struct{ p *pipe }

// WriteAt is io.WriterAt's.
func (w writerAt) WriteAt(b []byte, offset int64) (int, error) {
	for total := 0; ; {
		part := b[total:min(total+maxWrite, len(b))]
		resp := new(runtimepb.Chunk)
		if err := w.p.call("WriteAt", &runtimepb.Chunk{Data: part, Offset: offset + int64(total)}, resp); err != nil {
			return total, err
		}
		n := taken(resp, part)
		total += n
		if err := w.p.errors.Decode(resp.GetError()); err != nil || n < len(part) {
			return total, orShort(err)
		}
		if total == len(b) {
			return total, nil
		}
	}
}
