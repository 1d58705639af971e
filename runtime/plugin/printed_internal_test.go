package plugin

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// host is one that reads what is printed, or stands still.
type host struct {
	grpc.ServerStream
	ctx   context.Context
	got   strings.Builder
	still chan struct{} // nil, or it takes nothing before this is closed
}

func (h *host) Context() context.Context { return h.ctx }

func (h *host) Send(data *wire.StdioData) error {
	if h.still != nil {
		<-h.still
	}
	h.got.Write(data.GetData())
	return nil
}

// handingOver is how long the end waits for what was printed to be read.
func handingOver(p *printed) time.Duration {
	begin := time.Now()
	p.handedOver(context.Background())
	return time.Since(begin)
}

func ended(text string) *printed {
	p := newPrinted()
	p.collect(strings.NewReader(text))
	return p
}

func TestHandOver(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		comes time.Duration // when the host begins to read; zero: never
		takes time.Duration // how long the end waits
		want  string
	}{
		"nothing was printed":        {text: ""},
		"a host that never comes":    {text: "text", takes: firstTime},
		"a host that comes in time":  {text: "text", comes: firstTime - 1, takes: firstTime - 1, want: "text"},
		"a host that comes too late": {text: "text", comes: firstTime + 1, takes: firstTime, want: "text"},
		"much, and a host in time":   {text: strings.Repeat("x", 10*printedChunk), comes: 1, takes: 1, want: strings.Repeat("x", 10*printedChunk)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, h := ended(c.text), &host{ctx: t.Context()}
				if c.comes > 0 {
					go func() {
						<-time.After(c.comes)
						_ = p.serve(h)
					}()
				}
				if took := handingOver(p); took != c.takes {
					t.Errorf("the end waited for %v, want %v", took, c.takes)
				}
				<-time.After(firstTime) // the late one
				synctest.Wait()
				if got := h.got.String(); got != c.want {
					t.Errorf("the host has %d bytes, want %d", len(got), len(c.want))
				}
			})
		})
	}
}

// TestHandOverIsBounded: a host that reads and stands still costs what the caller allows.
func TestHandOverIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, h := ended("text"), &host{ctx: t.Context(), still: make(chan struct{})}
		go func() { _ = p.serve(h) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		p.handedOver(ctx)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("the end waited for %v", took)
		}
		close(h.still)
	})
}

// TestPrintingWaits: a host that stands still holds up the program for as long as patience lasts, once.
func TestPrintingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, h := newPrinted(), &host{ctx: t.Context(), still: make(chan struct{})}
		go func() { _ = p.serve(h) }()
		synctest.Wait()
		full := make([]byte, mostPrinted)
		p.add(full)
		for _, want := range []time.Duration{patience, 0} {
			begin := time.Now()
			p.add([]byte("more"))
			if took := time.Since(begin); took != want {
				t.Errorf("printing waited for %v, want %v", took, want)
			}
		}
		if dropped, _ := p.unread(); dropped != 8 {
			t.Errorf("%d bytes were dropped, want 8", dropped)
		}
		close(h.still)
		close(p.end)
	})
}
