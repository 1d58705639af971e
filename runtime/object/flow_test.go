package object

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

func encodeInt(_ *Scope, n int) (*wrapperspb.Int64Value, error) {
	return wrapperspb.Int64(int64(n)), nil
}

func decodeInt(_ *Scope, m *wrapperspb.Int64Value) (int, error) {
	if m.GetValue() == unfit {
		return 0, errTest
	}
	return int(m.GetValue()), nil
}

// unfit is a value that the other side refuses.
const unfit = 1 << 40

func intReceiver() Type[<-chan int] {
	return Receiver[<-chan int]("test.Receiver", encodeInt, decodeInt)
}
func intSender() Type[chan<- int] { return Sender[chan<- int]("test.Sender", encodeInt, decodeInt) }
func intSeq() Type[iter.Seq[int]] { return Seq("test.Seq", encodeInt, decodeInt) }

var testErrors = plugingen.NewErrorSet(plugingen.Sentinel{Name: "test.ErrTest", Err: errTest})

// swap is a contract with one method that takes one live value and gives another.
func swap[In, Out any](t testing.TB, in Type[In], out Type[Out], serve func(context.Context, In) (Out, error)) (*peers, func(context.Context, In) (Out, error)) {
	t.Helper()
	p := connectWith(t, func(r grpc.ServiceRegistrar) {
		r.RegisterService(Register(r, &grpc.ServiceDesc{ServiceName: "test.Swap", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
			{MethodName: "Swap", Handler: handler(true, func(ctx context.Context, _ *store, scope *Scope, m *runtimepb.Object) (any, error) {
				v, err := Import(scope, in, m)
				if err != nil {
					return nil, err
				}
				result, err := serve(ctx, v)
				if err != nil {
					return nil, err
				}
				o, err := Export(scope, out, result)
				if o == nil {
					o = &runtimepb.Object{}
				}
				return o, err
			})},
		}}), &store{})
	})
	return p, func(ctx context.Context, v In) (result Out, err error) {
		scope := Begin(ctx, p.conn, true)
		defer scope.End()
		m, err := Export(scope, in, v)
		if err != nil {
			return result, err
		}
		if m == nil {
			m = &runtimepb.Object{}
		}
		o := new(runtimepb.Object)
		if err := scope.Invoke("/test.Swap/Swap", m, o); err != nil {
			return result, err
		}
		return Import(scope, out, o)
	}
}

// counted is a reader of so many bytes.
type counted struct {
	left   int64
	peak   *peak
	closed chan struct{}
}

func (c *counted) Read(p []byte) (int, error) {
	c.peak.look()
	if c.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.left))
	c.left -= int64(n)
	return n, nil
}

func (c *counted) Close() error { close(c.closed); return nil }

// peak is the most memory that was in use whenever somebody looked.
type peak struct {
	looks, most atomic.Uint64
}

func (p *peak) look() {
	if p == nil || p.looks.Add(1)%500 != 1 {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.most.Store(max(p.most.Load(), m.HeapAlloc))
}

type counter struct {
	n    int64
	peak *peak
}

func (c *counter) Write(p []byte) (int, error) {
	c.peak.look()
	c.n += int64(len(p))
	return len(p), nil
}

const (
	gibibyte = 1 << 30
	bounded  = 64 << 20
)

// A gibibyte goes one way, and a part of one the other, in little memory.
func TestGibibyte(t *testing.T) {
	if testing.Short() {
		t.Skip("moves a gibibyte")
	}
	const up, down = bulk, bulk / 4
	var p peak
	_, call := swap(t, Reader(testErrors), ReadCloser(testErrors), func(_ context.Context, r io.Reader) (io.ReadCloser, error) {
		sink := &counter{peak: &p}
		if n, err := io.Copy(sink, r); n != up || err != nil {
			t.Errorf("the plugin read %d bytes, %v", n, err)
		}
		return &counted{left: down, peak: &p, closed: make(chan struct{})}, nil
	})
	r, err := call(within(t), &counted{left: up, peak: &p})
	if err != nil {
		t.Fatal(err)
	}
	sink := &counter{peak: &p}
	if n, err := io.Copy(sink, r); n != down || err != nil {
		t.Errorf("the host read %d bytes, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if most := p.most.Load(); most > bounded || p.looks.Load() < bulk>>20 {
		t.Errorf("%d MiB in use at the most, in %d looks", most>>20, p.looks.Load())
	}
}

// A writer that does not take what it is given holds its writer back.
func TestBackPressure(t *testing.T) {
	var wrote atomic.Int64
	started := make(chan struct{})
	var once sync.Once
	g := newGate()
	_, call := swap(t, Writer(testErrors), Reader(testErrors), func(_ context.Context, w io.Writer) (io.Reader, error) {
		source := readFunc(func(p []byte) (int, error) {
			once.Do(func() { close(started) })
			if wrote.Add(int64(len(p))) > 100<<20 {
				return 0, io.EOF
			}
			return len(p), nil
		})
		_, err := io.Copy(w, source)
		return nil, err
	})
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error, 1)
	go func() {
		_, err := call(ctx, writeFunc(func(p []byte) (int, error) { return len(p), g.wait(ctx) }))
		done <- err
	}()
	receive(t, started)
	receive(t, g.entered)
	cancel()
	if err := receive(t, done); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	if n := wrote.Load(); n > 8<<20 {
		t.Errorf("%d MiB were read for a writer that is stuck", n>>20)
	}
	g.release()
}

type (
	readFunc  func([]byte) (int, error)
	writeFunc func([]byte) (int, error)
)

func (f readFunc) Read(p []byte) (int, error)   { return f(p) }
func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

// Readers and writers that break the rules cost an error.
func TestBrokenReadersAndWriters(t *testing.T) {
	for what, r := range map[string]io.Reader{
		"too many bytes":    readFunc(func(p []byte) (int, error) { return len(p) + 1, nil }),
		"negative":          readFunc(func([]byte) (int, error) { return -1, nil }),
		"panics":            readFunc(func([]byte) (int, error) { panic("as asked") }),
		"makes no progress": readFunc(func([]byte) (int, error) { return 0, nil }),
	} {
		t.Run(what, func(t *testing.T) {
			_, call := swap(t, Reader(testErrors), Reader(testErrors), func(_ context.Context, r io.Reader) (io.Reader, error) {
				if _, err := r.Read(make([]byte, 5)); err == nil && what != "makes no progress" {
					t.Error("Read succeeded")
				}
				if _, err := io.Copy(io.Discard, r); err == nil {
					t.Error("a copy succeeded")
				}
				return nil, nil
			})
			if _, err := call(within(t), r); err != nil {
				t.Error(err)
			}
		})
	}
	for what, w := range map[string]io.Writer{
		"too many bytes": writeFunc(func(p []byte) (int, error) { return len(p) + 1, nil }),
		"short":          writeFunc(func(p []byte) (int, error) { return len(p) / 2, nil }),
		"negative":       writeFunc(func([]byte) (int, error) { return -1, nil }),
	} {
		t.Run("writer: "+what, func(t *testing.T) {
			_, call := swap(t, Writer(testErrors), Reader(testErrors), func(_ context.Context, w io.Writer) (io.Reader, error) {
				if n, err := w.Write(make([]byte, 10)); n < 0 || n > 10 || err == nil && n != 10 {
					t.Errorf("Write returned %d, %v", n, err)
				}
				if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("0123456789")); err == nil {
					t.Error("a copy succeeded")
				}
				return nil, nil
			})
			if _, err := call(within(t), w); err != nil {
				t.Error(err)
			}
		})
	}
}

// A proxy has the methods of its interface, and its owner answers no others.
func TestOnlyTheInterfacesMethods(t *testing.T) {
	closed := make(chan struct{})
	p, call := swap(t, Reader(testErrors), Reader(testErrors), func(_ context.Context, r io.Reader) (io.Reader, error) {
		if _, ok := r.(io.Closer); ok {
			t.Error("the proxy of a reader has Close")
		}
		conn := r.(proxied).PlugingenConn()
		for _, method := range []string{"Close", "Write", "Seek", "ReadAt"} {
			err := conn.Invoke(context.Background(), method, &runtimepb.Chunk{}, new(runtimepb.Chunk))
			if status.Code(err) != codes.Unimplemented {
				t.Errorf("%s: got %v", method, err)
			}
		}
		return nil, nil
	})
	if _, err := call(within(t), &counted{closed: closed}); err != nil {
		t.Error(err)
	}
	if n := p.hostSession().owned.size(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestHugeReadsAreBounded(t *testing.T) {
	_, call := swap(t, Reader(testErrors), Reader(testErrors), func(_ context.Context, r io.Reader) (io.Reader, error) {
		resp := new(runtimepb.Chunk)
		err := r.(proxied).PlugingenConn().Invoke(context.Background(), "Read", &runtimepb.ReadRequest{Size: 1 << 60}, resp)
		if err != nil || len(resp.GetData()) != maxRead {
			t.Errorf("got %d bytes, %v", len(resp.GetData()), err)
		}
		err = r.(proxied).PlugingenConn().Invoke(context.Background(), "Read", &runtimepb.ReadRequest{Size: -5}, resp)
		if err != nil {
			t.Error(err)
		}
		return nil, nil
	})
	if _, err := call(within(t), &counted{left: gibibyte}); err != nil {
		t.Error(err)
	}
}

// What streams leave behind when their call ends, the caller gives up, or a peer goes: nothing.
func TestStreamsEnd(t *testing.T) {
	for what, end := range map[string]func(*peers, context.CancelFunc){
		"the caller gives up":    func(_ *peers, cancel context.CancelFunc) { cancel() },
		"the connection is lost": func(p *peers, _ context.CancelFunc) { _ = p.cc.Close() },
		"the plugin dies":        func(p *peers, _ context.CancelFunc) { go p.server.Stop() },
	} {
		t.Run(what, func(t *testing.T) {
			t.Run("results", func(t *testing.T) { endOfResults(t, end) })
			t.Run("parameters", func(t *testing.T) { endOfParameters(t, end) })
			t.Run("iterators", func(t *testing.T) { endOfIterators(t, end) })
		})
	}
}

func endOfResults(t *testing.T, end func(*peers, context.CancelFunc)) {
	stopped := make(chan struct{})
	p, call := swap(t, intReceiver(), intReceiver(), func(ctx context.Context, _ <-chan int) (<-chan int, error) {
		out := make(chan int)
		go func() {
			defer close(stopped)
			defer close(out)
			for i := 0; ; i++ {
				select {
				case out <- i:
				case <-ctx.Done():
					return
				}
			}
		}()
		return out, nil
	})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	numbers, err := call(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want := range 300 {
		if n := receive(t, numbers); n != want {
			t.Fatalf("got %d, want %d", n, want)
		}
	}
	end(p, cancel)
	for range numbers { // is closed
	}
	receive(t, stopped)
}

func endOfParameters(t *testing.T, end func(*peers, context.CancelFunc)) {
	inside, ended := make(chan struct{}), make(chan struct{})
	p, call := swap(t, intReceiver(), intReceiver(), func(ctx context.Context, in <-chan int) (<-chan int, error) {
		defer close(ended)
		close(inside)
		for range in { // is closed when the call is over
		}
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := call(ctx, make(chan int))
		failed <- err
	}()
	receive(t, inside)
	end(p, cancel)
	receive(t, ended)
	if err := receive(t, failed); err == nil {
		t.Error("the call succeeded")
	}
}

func endOfIterators(t *testing.T, end func(*peers, context.CancelFunc)) {
	left := make(chan struct{})
	p, call := swap(t, intReceiver(), intSeq(), func(context.Context, <-chan int) (iter.Seq[int], error) {
		return func(yield func(int) bool) {
			defer close(left)
			for i := 0; yield(i); i++ {
			}
		}, nil
	})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	seq, err := call(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for n := range seq {
		if n != want {
			t.Fatalf("got %d, want %d", n, want)
		}
		if want++; want == 200 {
			end(p, cancel)
		}
		if want > 100_000 {
			t.Fatal("the loop goes on")
		}
	}
	receive(t, left)
}

// Leaving a loop at its first value runs the owner's function no further.
func TestIteratorsStopWhereTheyAreLeft(t *testing.T) {
	yielded, left := 0, false
	_, call := swap(t, intReceiver(), intSeq(), func(context.Context, <-chan int) (iter.Seq[int], error) {
		return func(yield func(int) bool) {
			defer func() { left = true }()
			for i := range 1000 {
				yielded++
				if !yield(i) {
					return
				}
			}
		}, nil
	})
	seq, err := call(within(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range seq {
		break
	}
	if yielded != 1 || !left {
		t.Errorf("%d values, left: %t", yielded, left)
	}
	if got := slices.Collect(seq); len(got) != 1000 {
		t.Errorf("%d values", len(got))
	}
}

// An owner is never much ahead of who takes its values.
func TestValuesAreBounded(t *testing.T) {
	source := make(chan int, 10_000)
	for i := range cap(source) {
		source <- i
	}
	taken := make(chan int)
	_, call := swap(t, intReceiver(), intReceiver(), func(_ context.Context, in <-chan int) (<-chan int, error) {
		for range 1000 {
			<-in
		}
		close(taken)
		return nil, nil
	})
	if _, err := call(within(t), source); err != nil {
		t.Fatal(err)
	}
	receive(t, taken)
	if ahead := 9000 - len(source); ahead > mostAhead+1 {
		t.Errorf("%d values ahead", ahead)
	}
}

// What a handler has sent is there when its call has returned.
func TestSentValuesArrive(t *testing.T) {
	const many = 500
	_, call := swap(t, intSender(), intReceiver(), func(_ context.Context, out chan<- int) (<-chan int, error) {
		for i := range many {
			out <- i
		}
		return nil, nil
	})
	for range 20 {
		out := make(chan int, many)
		if _, err := call(within(t), out); err != nil {
			t.Fatal(err)
		}
		if len(out) != many {
			t.Fatalf("%d values have arrived", len(out))
		}
	}
}

func TestClosedChannels(t *testing.T) {
	_, call := swap(t, intSender(), intReceiver(), func(_ context.Context, out chan<- int) (<-chan int, error) {
		if out != nil {
			out <- 1
			close(out)
		}
		return nil, nil
	})
	for range 50 {
		out := make(chan int, 1)
		if _, err := call(within(t), out); err != nil {
			t.Fatal(err)
		}
		if _, open := receive(t, out), len(out) > 0; open {
			t.Error("two values")
		}
		receive(t, out) // closed
	}
	closed := make(chan int)
	close(closed)
	if _, err := call(within(t), closed); err != nil { // sending on it must not end the owner's process
		t.Error(err)
	}
}

func TestUnfitValueEndsAStream(t *testing.T) {
	_, call := swap(t, intReceiver(), intReceiver(), func(_ context.Context, in <-chan int) (<-chan int, error) {
		out := make(chan int, 10)
		defer close(out)
		for n := range in {
			out <- n
		}
		return out, nil
	})
	in := make(chan int, 3)
	in <- 1
	in <- unfit
	in <- 2
	close(in)
	out, err := call(within(t), in)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for n := range out {
		got = append(got, n)
	}
	if !slices.Equal(got, []int{1}) {
		t.Errorf("got %v", got)
	}
}

func TestChannelsComeHome(t *testing.T) {
	_, call := swap(t, intReceiver(), intReceiver(), func(_ context.Context, in <-chan int) (<-chan int, error) { return in, nil })
	mine := make(chan int)
	if got, err := call(within(t), mine); got != (<-chan int)(mine) || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, mine)
	}
}

// A peer that asks for ever more is given no more than it may have.
func TestHostileCredit(t *testing.T) {
	a := newAllowance()
	n := 0
	a.listen(func(m any) error {
		if n++; n > 10 {
			return io.EOF
		}
		m.(*runtimepb.Credit).Values = 1 << 63
		return nil
	})
	if a.values > mostAhead {
		t.Errorf("%d values may be sent", a.values)
	}
	if a.take(nil) {
		t.Error("a value may be sent to a peer that wants no more")
	}
}

func TestReadersCarryErrors(t *testing.T) {
	_, call := swap(t, Reader(testErrors), ReadCloser(testErrors), func(_ context.Context, r io.Reader) (io.ReadCloser, error) {
		_, err := io.ReadAll(r)
		if err != errTest { //nolint:errorlint // the very variable
			t.Errorf("ReadAll: %v", err)
		}
		_, err = r.(io.WriterTo).WriteTo(io.Discard)
		if !errors.Is(err, errTest) {
			t.Errorf("WriteTo: %v", err)
		}
		return nil, nil
	})
	if _, err := call(within(t), readFunc(func([]byte) (int, error) { return 0, errTest })); err != nil {
		t.Error(err)
	}
}
