package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// benchEnv makes the test binary the server of the benchmarks: it holds the folder of its sockets.
const benchEnv = "LANE_BENCH_SERVER"

// sample is how long one contestant works in one round.
const sample = 40 * time.Millisecond

type benchServer struct {
	pb.UnimplementedBenchmarkServiceServer
}

func answer(in *pb.SimpleRequest) *pb.SimpleResponse {
	if in.ResponseSize > 0 {
		return &pb.SimpleResponse{Payload: &pb.Payload{Body: big[:in.ResponseSize]}}
	}
	return &pb.SimpleResponse{Payload: in.Payload}
}

var big = pattern(64<<20 - 1024)

func (benchServer) UnaryCall(_ context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if len(in.Payload.GetBody()) > 32<<10 {
		return &pb.SimpleResponse{}, nil
	}
	if in.ResponseCompressed != nil { // a handler that works
		for end := time.Now().Add(50 * time.Microsecond); time.Now().Before(end); {
		}
	}
	return answer(in), nil
}

func (benchServer) StreamingCall(ss grpc.BidiStreamingServer[pb.SimpleRequest, pb.SimpleResponse]) error {
	for {
		in, err := ss.Recv()
		if err == nil {
			err = ss.Send(answer(in))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (benchServer) StreamingFromServer(in *pb.SimpleRequest, ss grpc.ServerStreamingServer[pb.SimpleResponse]) error {
	for range in.ResponseStatus.GetCode() {
		if err := ss.Send(answer(in)); err != nil {
			return err
		}
	}
	return nil
}

// serveBench serves every contestant until its stdin ends.
func serveBench(dir string) {
	g := grpc.NewServer(grpc.MaxRecvMsgSize(1 << 30))
	l := NewServer(ServerConfig{})
	pb.RegisterBenchmarkServiceServer(g, benchServer{})
	pb.RegisterBenchmarkServiceServer(l, benchServer{})
	go g.Serve(mustListen(dir, "grpc"))
	go accept(mustListen(dir, "lane"), func(c net.Conn) { l.Serve(NewCarrier(c)) })
	go accept(mustListen(dir, "floor"), pong)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

func pong(c net.Conn) {
	b := make([]byte, 128)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		c.Write(b[:n])
	}
}

func mustListen(dir, name string) net.Listener {
	l, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		panic(err)
	}
	return l
}

func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

// startBench starts the server process and returns the folder of its sockets.
func startBench(b *testing.B) string {
	dir := b.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchEnv+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stdout.Read(make([]byte, 10))
	b.Cleanup(func() { stdin.Close(); cmd.Wait() })
	return dir
}

// contestant is one that does the work of a benchmark.
type contestant struct {
	name string
	call pb.BenchmarkServiceClient // nil for the floor
	conn net.Conn                  // the floor's
}

func contestants(b *testing.B, dir string) []contestant {
	g, err := grpc.NewClient("unix://"+filepath.Join(dir, "grpc"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		b.Fatal(err)
	}
	lane := NewClient(NewCarrier(dial(b, dir, "lane")), ClientConfig{})
	b.Cleanup(func() { g.Close(); lane.Close() })
	return []contestant{
		{name: "grpc", call: pb.NewBenchmarkServiceClient(g)},
		{name: "lane", call: pb.NewBenchmarkServiceClient(lane)},
		{name: "floor", conn: dial(b, dir, "floor")},
	}
}

func dial(b *testing.B, dir, name string) net.Conn {
	c, err := net.Dial("unix", filepath.Join(dir, name))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// work does one operation; it is called by one goroutine for each caller, with state of its own.
type work struct {
	name    string
	callers int
	begin   func(c contestant) (op func() error, end func())
	floor   bool // the floor takes part
}

func unary(in func() *pb.SimpleRequest, timeout time.Duration) func(contestant) (func() error, func()) {
	return func(c contestant) (func() error, func()) {
		request := in()
		return func() error {
			ctx := context.Background()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			_, err := c.call.UnaryCall(ctx, request)
			return err
		}, func() {}
	}
}

func pingPong(c contestant) (func() error, func()) {
	b := make([]byte, 80)
	return func() error {
		c.conn.Write(b)
		_, err := io.ReadFull(c.conn, b)
		return err
	}, func() {}
}

func streamEcho(c contestant) (func() error, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := c.call.StreamingCall(ctx)
	in := small()
	return func() error {
		if err == nil {
			err = s.Send(in)
		}
		if err == nil {
			_, err = s.Recv()
		}
		return err
	}, cancel
}

// streamDown receives a thousand messages of 64 KiB or small ones an operation.
func streamDown(size int32, count int32) func(contestant) (func() error, func()) {
	return func(c contestant) (func() error, func()) {
		return func() error {
			s, err := c.call.StreamingFromServer(context.Background(), &pb.SimpleRequest{ResponseSize: size, ResponseStatus: &pb.EchoStatus{Code: count}})
			for err == nil {
				_, err = s.Recv()
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}, func() {}
	}
}

func small() *pb.SimpleRequest { return input(50) }

func works() []work {
	var list []work
	for _, n := range []int{1, 8, 64} {
		list = append(list,
			work{name: fmt.Sprintf("unary/%d", n), callers: n, begin: unary(small, 0), floor: n == 1},
			work{name: fmt.Sprintf("unary-deadline/%d", n), callers: n, begin: unary(small, 10*time.Second)},
			work{name: fmt.Sprintf("stream-echo/%d", n), callers: n, begin: streamEcho},
			work{name: fmt.Sprintf("unary-50us/%d", n), callers: n, begin: unary(func() *pb.SimpleRequest {
				in := small()
				in.ResponseCompressed = &pb.BoolValue{}
				return in
			}, 0)})
	}
	for _, n := range []int{64 << 10, 1 << 20, len(big)} {
		list = append(list,
			work{name: fmt.Sprintf("up/%d", n), callers: 1, begin: unary(func() *pb.SimpleRequest {
				return &pb.SimpleRequest{Payload: &pb.Payload{Body: big[:n]}}
			}, 0)},
			work{name: fmt.Sprintf("down/%d", n), callers: 1, begin: unary(func() *pb.SimpleRequest {
				return &pb.SimpleRequest{ResponseSize: int32(n)}
			}, 0)})
	}
	return append(list,
		work{name: "stream-down/64B-1000", callers: 1, begin: streamDown(50, 1000)},
		work{name: "stream-down/64KiB-1000", callers: 1, begin: streamDown(64<<10, 1000)})
}

// BenchmarkBeside measures in rounds: each lets every contestant work for a moment, in random order, so that what
// disturbs the machine disturbs all of them. Run it with -benchtime=20x; x/grpc is the median of how many times faster
// than grpc-go in the same round.
func BenchmarkBeside(b *testing.B) {
	dir := startBench(b)
	all := contestants(b, dir)
	for _, w := range works() {
		b.Run(w.name, func(b *testing.B) {
			took := map[string][]float64{}
			for b.Loop() {
				for _, i := range rand.Perm(len(all)) {
					if c := all[i]; c.call != nil || w.floor {
						took[c.name] = append(took[c.name], measureOne(b, c, w))
					}
				}
			}
			report(b, took)
		})
	}
}

// measureOne returns nanoseconds an operation.
func measureOne(b *testing.B, c contestant, w work) float64 {
	begin := w.begin
	if c.call == nil {
		begin = pingPong
	}
	counts := make([]int, w.callers)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range counts {
		wg.Go(func() {
			op, end := begin(c)
			defer end()
			for counts[i] == 0 || time.Since(start) < sample {
				if err := op(); err != nil {
					b.Error(c.name, err)
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(time.Since(start)) / float64(sum)
}

func report(b *testing.B, took map[string][]float64) {
	b.ReportMetric(0, "ns/op")
	for name, list := range took {
		ratios := make([]float64, len(list))
		for i := range list {
			ratios[i] = took["grpc"][i] / list[i]
		}
		b.ReportMetric(median(list)/1e3, "us/"+name)
		if name != "grpc" {
			b.ReportMetric(median(ratios), name+"-x/grpc")
		}
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// BenchmarkAllocations counts what one call allocates on the calling side, stub and reply included.
func BenchmarkAllocations(b *testing.B) {
	dir := startBench(b)
	for _, c := range contestants(b, dir) {
		if c.call == nil {
			continue
		}
		for _, timeout := range []time.Duration{0, 10 * time.Second} {
			name := c.name + strings.Repeat("-deadline", int(timeout/(10*time.Second)))
			b.Run(name, func(b *testing.B) {
				op, _ := unary(small, timeout)(c)
				b.ReportAllocs()
				for b.Loop() {
					if err := op(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
