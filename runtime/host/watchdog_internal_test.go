package host

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// silent is a question that nobody answers: it takes all the time it is given.
func silent(ctx context.Context) error {
	<-ctx.Done()
	return status.FromContextError(ctx.Err()).Err()
}

func answers(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// Time is virtual: what is checked is when a plugin counts as hung, to the second.
func TestWatchdog(t *testing.T) {
	well, gone := answers(nil), answers(status.Error(codes.Unavailable, "the connection is gone"))
	for name, tt := range map[string]struct {
		misses int
		asked  []func(context.Context) error // the last one for ever
		after  time.Duration                 // zero: never
		missed []int
	}{
		"well":                     {0, []func(context.Context) error{well}, 0, nil},
		"hangs from the beginning": {0, []func(context.Context) error{silent}, 4 * time.Second, []int{1, 2, 3}},
		"hangs later":              {0, []func(context.Context) error{well, well, silent}, 6 * time.Second, []int{1, 2, 3}},
		"hangs at times":           {0, []func(context.Context) error{silent, silent, well, silent, well}, 0, []int{1, 2, 1}},
		"one miss is enough":       {1, []func(context.Context) error{well, silent}, 3 * time.Second, []int{1}},
		"no connection":            {2, []func(context.Context) error{gone}, 2 * time.Second, []int{1, 2}},
		"does not serve":           {1, []func(context.Context) error{answers(wire.ErrNotServing)}, 0, nil},
		"answers with an error":    {1, []func(context.Context) error{answers(status.Error(codes.Internal, "sick"))}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				n := 0
				var missed []int
				a := asker{
					Watchdog: Watchdog{Interval: time.Second, Misses: tt.misses},
					ask: func(ctx context.Context) error {
						n++
						return tt.asked[min(n, len(tt.asked))-1](ctx)
					},
					missed: func(n int, _ error) { missed = append(missed, n) },
				}
				begin := time.Now()
				err := a.run(ctx)
				if tt.after == 0 && err != nil {
					t.Errorf("ended after %v: %v", time.Since(begin), err)
				}
				if tt.after > 0 && (!errors.Is(err, ErrUnresponsive) || time.Since(begin) != tt.after) {
					t.Errorf("after %v: %v, want ErrUnresponsive after %v", time.Since(begin), err, tt.after)
				}
				if !slices.Equal(missed, tt.missed) {
					t.Errorf("missed %v, want %v", missed, tt.missed)
				}
			})
		})
	}
}

// The plugin's end, or Close, ends a question that is open, and is no miss.
func TestWatchdogEndsWithThePlugin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := asker{Watchdog: Watchdog{Interval: time.Second, Misses: 1}, ask: silent, missed: func(int, error) { t.Error("a miss") }}
		ended := make(chan error)
		go func() { ended <- a.run(ctx) }()
		<-time.After(1500 * time.Millisecond)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v, want nil", err)
		}
	})
}
