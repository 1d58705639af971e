package lane

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	pb "google.golang.org/grpc/interop/grpc_testing"
)

// newHugeMemory leaves nothing to the tests that come later.
func newHugeMemory(t *testing.T) *hugeMemory {
	m := &hugeMemory{keep: time.Hour}
	t.Cleanup(func() {
		eventually(t, m, func() bool { return m.lent == 0 })
		m.expire()
		m.timer.Stop()
		runtime.GC()
	})
	return m
}

// collected makes m collect now, and waits until that is done.
func collected(m *hugeMemory) {
	m.mu.Lock()
	if m.collecting == nil {
		m.startCollecting()
	}
	m.mu.Unlock()
	awaitCollection(m)
}

// awaitCollection tells whether one was under way.
func awaitCollection(m *hugeMemory) bool {
	m.mu.Lock()
	done := m.collecting
	m.mu.Unlock()
	if done != nil {
		<-done
	}
	return done != nil
}

// eventually collects until ok; finalizers have no hurry on a busy machine.
func eventually(t *testing.T, m *hugeMemory, ok func() bool) {
	t.Helper()
	for range 1000 {
		m.mu.Lock()
		is := ok()
		m.mu.Unlock()
		if is {
			return
		}
		collected(m)
	}
	t.Fatal("it never came to that")
}

func TestHugeMemoryIsUsedAgain(t *testing.T) {
	m := newHugeMemory(t)
	b := m.get(recycleSize)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) // does not hold it
	part := b[recycleSize/2 : recycleSize/2+1]
	part[0] = 7
	collected(m)
	if other := m.get(recycleSize); uintptr(unsafe.Pointer(unsafe.SliceData(other))) == at || part[0] != 7 {
		t.Error("memory was lent again though a part of it is in use")
	}
	runtime.KeepAlive(part)
	eventually(t, m, func() bool { return m.lent == 0 })
	if len(m.idle) == 0 {
		t.Fatal("nothing came back")
	}
	idle := len(m.idle)
	if b = m.get(recycleSize - 1); len(b) != recycleSize-1 || cap(b) != len(b) {
		t.Errorf("%d bytes of %d", len(b), cap(b))
	}
	if len(m.idle) != idle-1 || m.lent != 1 {
		t.Errorf("%d idle and %d lent of %d", len(m.idle), m.lent, idle)
	}
	runtime.KeepAlive(b)
}

// What comes back is bounded, and what does not suit is not lent.
func TestHugeMemoryIsBounded(t *testing.T) {
	m := newHugeMemory(t)
	var all [][]byte
	for range 2 * hugeBlocks {
		all = append(all, m.get(recycleSize))
	}
	clear(all)
	eventually(t, m, func() bool { return m.lent == 0 })
	if len(m.idle) != hugeBlocks || m.bytes != hugeBlocks*recycleSize {
		t.Errorf("%d blocks of %d bytes wait", len(m.idle), m.bytes)
	}
	m.mu.Lock()
	if m.take(recycleSize+1) != nil || m.take(recycleSize/2-1) != nil {
		t.Error("a block was taken that does not suit")
	}
	m.mu.Unlock()
	m.expire()
	if len(m.idle) != 0 || m.bytes != 0 {
		t.Errorf("%d blocks of %d bytes are kept", len(m.idle), m.bytes)
	}
}

// A program that keeps its messages is not collected again and again.
func TestHugeMemoryThatIsKept(t *testing.T) {
	m := newHugeMemory(t)
	var kept [][]byte
	begun := 0
	for range 6 {
		kept = append(kept, m.get(8*recycleSize)) // more than all else in the heap
		if awaitCollection(m) {
			begun++
		}
	}
	if begun == 0 || begun > 3 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		t.Errorf("%d collections for 6 messages; %d MiB beside them", begun, (int(stats.HeapAlloc)-m.bytes)>>20)
	}
	for i, b := range kept {
		if slices.ContainsFunc(kept[:i], func(other []byte) bool { return unsafe.SliceData(other) == unsafe.SliceData(b) }) {
			t.Error("memory was lent twice")
		}
	}
}

// keeper keeps what it is sent, and returns it.
type keeper struct {
	pb.UnimplementedTestServiceServer
	kept [][]byte
}

func (k *keeper) UnaryCall(_ context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	k.kept = append(k.kept, in.Payload.Body)
	return &pb.SimpleResponse{Payload: in.Payload}, nil
}

// What a handler or a caller keeps of a huge message stays what it is, whatever comes later.
func TestHugeMessagesAreKept(t *testing.T) {
	service := &keeper{}
	c := pb.NewTestServiceClient(openLane(t, setup{service: service}, NewCarrier))
	var replies [][]byte
	for i := range 4 {
		reply, err := c.UnaryCall(within(t), &pb.SimpleRequest{Payload: &pb.Payload{Body: bytes.Repeat([]byte{byte(i)}, recycleSize)}})
		if err != nil {
			t.Fatal(err)
		}
		replies = append(replies, reply.Payload.Body)
		if i%2 == 1 { // half of them are nobody's any more
			replies[i], service.kept[i] = nil, nil
		}
	}
	for i := 0; i < 4; i += 2 {
		for _, b := range [][]byte{replies[i], service.kept[i]} {
			if len(b) != recycleSize || bytes.Count(b, []byte{byte(i)}) != recycleSize {
				t.Errorf("message %d has changed", i)
			}
		}
	}
}

// The pages of what waits go back to the system, and the memory can be used all the same.
func TestReleaseMemory(t *testing.T) {
	b := make([]byte, 1<<20+123)
	for i := range b {
		b[i] = 1
	}
	releaseMemory(b[1:])
	if b[0] != 1 {
		t.Error("a byte before it is gone")
	}
	for i := range b {
		b[i] = 2
	}
}
