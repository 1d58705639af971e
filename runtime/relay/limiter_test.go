package relay_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugingen/plugingen/runtime/relay"
)

// least lets through what is at info or above.
type least struct{ handlerFunc }

func (least) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// WithAttrs keeps the type.
func (l least) WithAttrs([]slog.Attr) slog.Handler { return l }

// TestMaxRate is row 18 of the faults, with a limit: what is beyond it is counted, in its place; time is virtual.
func TestMaxRate(t *testing.T) {
	limited := func(n int) string {
		return fmt.Sprintf("lines of the plugin were dropped: it writes more than is logged in a second dropped=%d limit=3", n)
	}
	for name, tt := range map[string]struct {
		writes []string // a second between them
		want   []string
	}{
		"no more than the limit": {[]string{"1\n2\n3\n", "4\n5\n6\n"}, []string{"1", "2", "3", "4", "5", "6"}},
		"more": {
			[]string{"1\n2\n3\n4\n5\n", "6\n"},
			[]string{"1", "2", "3", limited(2), "6"},
		},
		"at the end": {[]string{"1\n2\n3\n4\n"}, []string{"1", "2", "3", limited(1)}},
		"below the logger's level": {
			[]string{strings.Repeat("[DEBUG] d\n", 10) + "1\n[DEBUG] d\n2\n3\n4\n"},
			[]string{"1", "2", "3", limited(1)},
		},
		"a panic": {
			[]string{"1\n2\n3\n4\npanic: boom\n\ngoroutine 1 [running]:\n"},
			[]string{"1", "2", "3", "panic: boom", limited(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := withMaxRate(t, tt.writes); !slices.Equal(got, tt.want) {
					t.Errorf("got  %q\nwant %q", got, tt.want)
				}
			})
		})
	}
}

func withMaxRate(t *testing.T, writes []string) []string {
	t.Helper()
	var got []string
	r := relay.New(relay.Config{MaxRate: 3, Logger: slog.New(least{func(r slog.Record) error {
		line := text(r)
		if strings.HasPrefix(line, "panic: ") {
			line = r.Message
		}
		got = append(got, line)
		return nil
	}})})
	src, plugin := io.Pipe()
	go func() {
		defer plugin.Close()
		for i, text := range writes {
			if i > 0 {
				<-time.After(time.Second)
			}
			if _, err := io.WriteString(plugin, text); err != nil {
				t.Error(err)
			}
		}
	}()
	if err := r.Run(src); err != nil {
		t.Error(err)
	}
	return got
}

// A flood with a limit costs the log no more than the limit, in any second; nothing else is lost or counted twice.
func TestMaxRateOfAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged, dropped uint64
		r := relay.New(relay.Config{MaxRate: 100, Logger: logTo(func(r slog.Record) error {
			if v := attr(r, "dropped"); v.Kind() == slog.KindUint64 {
				dropped += v.Uint64()
			} else {
				logged++
			}
			return nil
		})})
		const lines = 100_000
		if err := r.Run(strings.NewReader(strings.Repeat("a line\n", lines))); err != nil {
			t.Error(err)
		}
		if logged != 100 || dropped != lines-100 {
			t.Errorf("%d logged, %d dropped, of %d with a limit of 100", logged, dropped, lines)
		}
	})
}
