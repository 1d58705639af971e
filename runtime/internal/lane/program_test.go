package lane

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/lane/program"
)

// FuzzSameAsGRPC holds every transport to what gRPC makes of the same random program. A program that differs is printed, and
// what a fuzzer finds stays in testdata.
func FuzzSameAsGRPC(f *testing.F) {
	seeds := 30
	if testing.Short() {
		seeds = 10
	}
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 11))
		data := make([]byte, rng.IntN(program.Longest))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := program.Parse(data, program.Options{})
		var want []string
		for _, tr := range transports() {
			got := runProgram(t, p, tr)
			if want == nil {
				want = got
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s, call %s\n%s\ngRPC:\n%s\nprogram %q", tr.name, p.Call(i), got[i], want[i], data)
				}
			}
		}
	})
}

// runProgram gives up before the test binary does.
func runProgram(t *testing.T, p program.Program, tr transport) []string {
	conn := tr.open(t, setup{
		register: program.NewService(program.Options{}).Register, maxMessage: program.Limit,
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer time.AfterFunc(hang, func() {
		t.Errorf("%s hangs in\n%s", tr.name, p)
		cancel()
	}).Stop()
	return p.Run(ctx, conn)
}

// rescueUnary makes of a panic what the lane makes of it; grpc-go lets it end the program.
func rescueUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (reply any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Error(codes.Internal, "the handler panicked")
		}
	}()
	return next(ctx, req)
}

func rescueStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Error(codes.Internal, "the handler panicked")
		}
	}()
	return next(srv, ss)
}
