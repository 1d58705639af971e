package lane

import (
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// mostUnsent is how much may be with gRPC, and not yet written by it, for a message to go without waiting: half of
	// what makes gRPC wait.
	mostUnsent = 32 << 10
	// leastCounted is the least memory that gRPC gives back instead of leaving it to the garbage collector.
	leastCounted = 2 << 10
	// valueField is that of the bytes in a chunk.
	valueField = 1
)

// StreamCodec is gRPC's codec for proto, which encodes all messages as they always are, and tells a stream carrier when gRPC
// has written one. With it on its side of the stream a carrier writes without handing over to another goroutine.
func StreamCodec() encoding.CodecV2 { return streamCodec{encoding.GetCodecV2("proto")} }

type streamCodec struct{ encoding.CodecV2 }

// Marshal is encoding.CodecV2's.
func (c streamCodec) Marshal(v any) (mem.BufferSlice, error) {
	if p, ok := v.(*piece); ok {
		return p.unsent.add(p.Value), nil
	}
	return c.CodecV2.Marshal(v)
}

// piece is what a stream carrier sends. Other codecs see the message that it is.
type piece struct {
	*chunk
	unsent *unsent
}

// unsent counts the bytes that gRPC has taken and not yet written.
type unsent struct {
	counts  atomic.Bool // the codec is ours
	size    atomic.Int64
	buffers sync.Pool
}

var _ mem.BufferPool = (*unsent)(nil)

// room tells whether gRPC takes n bytes more without waiting.
func (u *unsent) room(n int) bool {
	return u.counts.Load() && u.size.Load()+int64(n) <= mostUnsent
}

// add encodes a chunk.
func (u *unsent) add(value []byte) mem.BufferSlice {
	u.counts.Store(true)
	b := u.Get(protowire.SizeTag(valueField) + protowire.SizeBytes(len(value)))
	*b = protowire.AppendTag((*b)[:0], valueField, protowire.BytesType)
	*b = protowire.AppendBytes(*b, value)
	u.size.Add(int64(len(*b)))
	return mem.BufferSlice{mem.NewBuffer(b, u)}
}

// Get returns memory of n bytes at least.
func (u *unsent) Get(n int) *[]byte {
	if b, ok := u.buffers.Get().(*[]byte); ok && cap(*b) >= n {
		return b
	}
	b := make([]byte, 0, max(n, leastCounted))
	return &b
}

// Put is called when b has been written, or never will be.
func (u *unsent) Put(b *[]byte) {
	u.size.Add(-int64(len(*b)))
	if cap(*b) <= maxChunk {
		u.buffers.Put(b)
	}
}
