package live

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// Impl is what the plugins serve.
type Impl struct{}

// Watch adds up what the observer says.
func (Impl) Watch(ctx context.Context, steps int, o Observer) (int, error) {
	sum := 0
	for i := range steps {
		n, err := o.Step(ctx, i)
		if sum += n; err != nil {
			return sum, fmt.Errorf("step %d: %w", i, err)
		}
	}
	return sum, nil
}

type counter struct{ n int }

func (c *counter) Next(context.Context) (int, error) { c.n++; return c.n, nil }
func (c *counter) Close() error                      { return nil }

// Count counts on from a number.
func (Impl) Count(_ context.Context, from int) (Counter, error) { return &counter{from}, nil }

// Upper has all of r in capital letters.
func (Impl) Upper(_ context.Context, r io.Reader) (io.ReadCloser, error) {
	data, err := io.ReadAll(r)
	return io.NopCloser(bytes.NewReader(bytes.ToUpper(data))), err
}

// Apply applies f.
func (Impl) Apply(ctx context.Context, f func(context.Context, string) (string, error), text string) (string, error) {
	return f(ctx, text)
}

// Squares squares what comes.
func (Impl) Squares(_ context.Context, in <-chan int) (<-chan int, error) {
	out := make(chan int, 1000)
	for n := range in {
		out <- n * n
	}
	close(out)
	return out, nil
}

// Hang hangs.
func (Impl) Hang(ctx context.Context, o Observer) error {
	_, err := o.Step(ctx, 0)
	<-ctx.Done()
	return err
}
