package generator_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
)

// BenchmarkContract measures interface -> .proto, .pb.go, glue, with nothing but standard types and those of the package.
func BenchmarkContract(b *testing.B) {
	for _, methods := range []int{10, 200} {
		b.Run(fmt.Sprintf("methods=%d", methods), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "bench")
			overlay := map[string][]byte{
				filepath.Join(dir, "go.mod"):   []byte("module example.com/bench\n\ngo 1.26\n"),
				filepath.Join(dir, "bench.go"): []byte(benchSource(methods)),
			}
			for b.Loop() {
				req := generator.ContractRequest{Dir: dir, Overlay: overlay, Types: []string{"Bench"}}
				if _, err := generator.Contract(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUnchanged measures how long it takes to find out that nothing has changed.
func BenchmarkUnchanged(b *testing.B) {
	for _, methods := range []int{10, 200} {
		b.Run(fmt.Sprintf("methods=%d", methods), func(b *testing.B) {
			b.Setenv("XDG_CACHE_HOME", b.TempDir())
			dir := filepath.Join(b.TempDir(), "bench")
			put(b, filepath.Join(dir, "go.mod"), "module example.com/bench\n\ngo 1.26\n")
			put(b, filepath.Join(dir, "bench.go"), benchSource(methods))
			req := generator.ContractRequest{Dir: dir, Types: []string{"Bench"}, Remember: true}
			for range 2 { // a run that changes the .proto is not remembered
				result, err := generator.Contract(context.Background(), req)
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range result.Files {
					put(b, filepath.Join(dir, filepath.FromSlash(f.Name)), string(f.Data))
				}
				result.Remember()
			}
			for b.Loop() {
				if _, ok := generator.Unchanged(req); !ok {
					b.Fatal("it is not unchanged")
				}
			}
		})
	}
}

// benchSource is an interface with a mix of signatures, five kinds of them.
func benchSource(methods int) string {
	var s strings.Builder
	s.WriteString(`package bench

import (
	"context"
	"time"
)

type Item struct {
	Name  string
	Tags  []string
	Count int
	At    time.Time
	Next  *Item
}

type Bench interface {
`)
	for i := range methods {
		fmt.Fprintf(&s, "\t// Method%d is number %d.\n\tMethod%d(ctx context.Context, %s) error\n", i, i, i, [...]string{
			"name string, n int", "item Item, at time.Time", "items []*Item, byName map[string]Item", "data []byte, wait time.Duration", "names ...string",
		}[i%5])
	}
	s.WriteString("}\n")
	return s.String()
}
