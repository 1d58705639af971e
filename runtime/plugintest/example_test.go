package plugintest_test

import (
	"context"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

// The implementation in the test's own process: fast, and a debugger sees both sides.
func ExampleNew() {
	test := func(t *testing.T) {
		s := plugintest.New(t, shouterService(), shouter(loud{}))
		if got, err := s.shout(t.Context(), "hello"); err != nil || got != "HELLO" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	_ = test // a function of a _test.go file: func TestShout(t *testing.T)
}

// The test binary as a plugin process, under a real host. TestMain is func(m *testing.M) { os.Exit(plugintest.Main(m, config())) }.
func ExampleOpen() {
	test := func(t *testing.T) {
		p := plugintest.Open(t, contract())
		s, err := host.Dispense(p, shouterService())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.shout(context.Background(), "exit"); err == nil {
			t.Error("the plugin survived os.Exit")
		}
	}
	_ = test
}

// A plugin's own program, built by the test.
func ExampleBuild() {
	test := func(t *testing.T) {
		p, err := host.Open(t.Context(), host.Config{Handshake: contract(), Path: plugintest.Build(t, "../cmd/shouter")})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	_ = test
}

// A plugin in the test's process, for a host in another: the description goes there, in PLUGINGEN_ATTACH or otherwise.
func ExampleServe() {
	test := func(t *testing.T) {
		to := plugintest.Serve(t, config())
		p, err := host.Attach(t.Context(), to, host.Config{Handshake: contract()})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil { // the plugin goes on
			t.Error(err)
		}
	}
	_ = test
}
