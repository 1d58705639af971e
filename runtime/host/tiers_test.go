//go:build unix

package host_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/lane/program"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// tierEnv makes all tests of this package take a lower tier than they would: "socket", "tunnel" or "grpc". See make test-tiers.
const tierEnv = "PLUGINGEN_TEST_TIER"

// forceTier has the plugin overlook the socket that it inherits, or the host offer none, or not ask for a lane.
func forceTier(cfg *host.Config, fault string) {
	switch os.Getenv(tierEnv) {
	case "socket":
		if _, ours := helpers()[fault]; ours { // others take the lane on the inherited socket alone
			onSocket(cfg)
		}
	case "tunnel":
		cfg.Env = append(cfg.Env, tierEnv+"=tunnel")
	case "grpc":
		cfg.Lane = host.LaneOff
	}
}

// overlookPair is the plugin's part of it.
func overlookPair() {
	if os.Getenv(tierEnv) == "tunnel" {
		_ = os.Unsetenv(handshake.EnvLane)
	}
}

// programs is a plugin that plays random programs. Panics would end it.
func programs() int {
	serve := program.NewService(program.Options{NoPanics: true}).Register
	return goodWith(func(c *plugin.Config) {
		c.Services = map[int][]runtime.Implementation{1: {runtime.Raw("test.Program", serve)}}
		c.MaxMessageSize = program.Limit
	})
}

// TestSamePrograms runs the same random programs of calls on each tier, between two processes.
func TestSamePrograms(t *testing.T) {
	const runs = 12
	all := make([]program.Program, runs)
	for seed := range all {
		rng := rand.New(rand.NewPCG(uint64(seed), 23))
		data := make([]byte, program.Longest)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		all[seed] = program.Parse(data, program.Options{NoPanics: true})
	}
	s := newStage(t)
	want := runPrograms(s, "gRPC", all)
	for _, name := range append(slices.Collect(maps.Keys(tiers())), attachedTier) {
		got := runPrograms(s, name, all)
		for seed, p := range all {
			for i := range want[seed] {
				if got[seed][i] != want[seed][i] {
					t.Errorf("%s, seed %d, call %s\n%s\ngRPC:\n%s", name, seed, p.Call(i), got[seed][i], want[seed][i])
				}
			}
		}
	}
}

// attachedTier is that of a host that attaches to a plugin of another: the plugin's own socket.
const attachedTier = "attached"

func runPrograms(s *stage, tier string, all []program.Program) (saw [][]string) {
	limit := func(c *host.Config) { c.MaxMessageSize = program.Limit }
	cfg := s.config("programs")
	limit(&cfg)
	if change := tiers()[tier]; change != nil {
		change(&cfg)
	}
	p := s.open(cfg)
	defer func() { _ = p.Close() }()
	if tier == attachedTier {
		p = s.attach(p.Attachment(), limit)
		defer func() { _ = p.Close() }()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer time.AfterFunc(guard, cancel).Stop() // a deadline would be part of the calls
	for _, one := range all {
		saw = append(saw, one.Run(ctx, p.Conn()))
	}
	return saw
}

// TestCallsBackAndForth goes from one process to the other and back, fifty times deep.
func TestCallsBackAndForth(t *testing.T) {
	for name, change := range tiers() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			change(&cfg)
			p := s.open(cfg)
			deed := "bottom"
			for range 25 {
				id, _, _ := accepts(t, p)
				deed = fmt.Sprintf("callback %s %s", mustDo(t, p, "serve"), deed)
				deed = fmt.Sprintf("callback %d %s", id, deed)
			}
			if got := mustDo(t, p, deed); got != "bottom" {
				t.Errorf("got %q", got)
			}
		})
	}
}
