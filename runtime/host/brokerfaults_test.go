//go:build unix

package host_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

type brokerStream = grpc.BidiStreamingServer[wire.ConnInfo, wire.ConnInfo]

const (
	floodOf   = 50_000
	afterward = 1 << 30 // the number that the host dials, to know that it has heard all
)

// flood plays a plugin's broker that says many things, and then answers the host.
func flood(say func(id uint32) *wire.ConnInfo) func(brokerStream) error {
	return func(s brokerStream) error {
		asked := make(chan bool, 1)
		go func() { asked <- hears(s, afterward) }() // ends with the stream
		for id := range uint32(floodOf) {
			if err := s.Send(say(id)); err != nil {
				return err
			}
		}
		fmt.Fprintln(os.Stderr, "the flood is over")
		last := []*wire.ConnInfo{{ServiceId: afterward, Network: "udp"}}
		if os.Getenv("FLOOD_ANSWERS") != "" && <-asked {
			last[0] = &wire.ConnInfo{ServiceId: afterward, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true, Error: "full"}}
		}
		for _, m := range last {
			if err := s.Send(m); err != nil {
				return err
			}
		}
		<-s.Context().Done()
		return nil
	}
}

// hears reads what the host says, until it says something of id.
func hears(s brokerStream, id uint32) bool {
	for {
		m, err := s.Recv()
		if err != nil || m.GetServiceId() == id {
			return err == nil
		}
	}
}

func knock(id uint32, ack bool) *wire.ConnInfo {
	return &wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: ack}}
}

// Rows 23 and 24: a plugin floods the host's broker.
func TestBrokerFloods(t *testing.T) {
	for _, c := range []struct {
		row, fault string
		mux        bool
		want       error // of the Dial that comes after it
	}{
		{"23", "announcements", false, broker.ErrAddress},
		{"23", "announcements", true, broker.ErrRefused},
		{"24", "knocks", false, broker.ErrAddress},
		{"24", "knocks", true, broker.ErrRefused},
		{"24", "answers", false, broker.ErrAddress},
		{"24", "answers", true, broker.ErrRefused},
	} {
		t.Run(fmt.Sprintf("row %s %s, mux %t", c.row, c.fault, c.mux), func(t *testing.T) {
			s := newStage(t)
			cfg := s.config(c.fault)
			if cfg.Multiplex = c.mux; c.mux {
				cfg.Env = append(cfg.Env, "FLOOD_ANSWERS=1")
			}
			p := s.open(cfg)
			before := runtime.NumGoroutine()
			if _, err := p.Broker().Dial(guarded(t), afterward); !errors.Is(err, c.want) {
				t.Errorf("dial: %v, want %v", err, c.want)
			}
			if after := runtime.NumGoroutine(); after > before+floodOf/100 { // the broker and gRPC have some of their own
				t.Errorf("%d goroutines, %d before", after, before)
			}
			if used := heap(); used > 64<<20 {
				t.Errorf("%d MiB in use", used>>20)
			}
			if err := errors.Join(p.Ping(guarded(t)), p.Close()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The whole list of faults of a running plugin, over a multiplexed connection.
func TestRunFaultsMultiplexed(t *testing.T) {
	for _, f := range runFaultTable() {
		t.Run("row "+f.row+" "+f.fault, func(t *testing.T) {
			change := f.change
			f.change = func(c *host.Config) {
				c.Multiplex = true
				if change != nil {
					change(c)
				}
			}
			f.run(t)
		})
	}
}

// A plugin without a broker says so at once, whatever is asked of it.
func TestPluginWithoutBroker(t *testing.T) {
	for _, mux := range []bool{false, true} {
		s := newStage(t)
		cfg := s.config("plain")
		cfg.Multiplex = mux
		b := s.open(cfg).Broker()
		_, dialed := b.Dial(t.Context(), 1)
		_, accepted := b.Accept(t.Context(), 1)
		for _, err := range []error{dialed, accepted, b.AcceptAndServe(t.Context(), 2, deeds())} {
			if !errors.Is(err, broker.ErrUnsupported) {
				t.Errorf("got %v, want ErrUnsupported", err)
			}
		}
		s.log.await(t, "the plugin has no broker")
	}
}

// A plugin that is stopped in the middle of a brokered call holds up neither the caller nor Close.
func TestStoppedDuringBrokeredCall(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		brief(&cfg)
		cfg.CallTimeout = 100 * time.Millisecond
		p := s.open(cfg)
		cc := dials(t, p.Broker(), mustDo(t, p, "serve"))
		_, err := do(t.Context(), cc, "stop") // bounded by CallTimeout
		if err == nil {
			t.Error("the call succeeded")
		}
		signalPlugin(t, p, syscall.SIGSTOP) // in case that the call has not reached it in time
		if err := p.Close(); !errors.Is(err, host.ErrKilled) {
			t.Errorf("close: %v, want ErrKilled", err)
		}
	})
}
