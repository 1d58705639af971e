package plugintest

import (
	"context"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// Serve serves a plugin inside the test's process until the test ends, and returns the description with which hosts attach to it
// (host.Attach): in the test itself, or in a program that the test starts. So breakpoints in the plugin stop the test, and what the
// test knows the plugin knows too. Unlike New and Dial it has all of a plugin but its process: brokered connections too.
func Serve(t testing.TB, cfg plugin.Config) handshake.Attachment {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan handshake.Attachment, 1), make(chan error, 1)
	go func() { ended <- plugin.ServeAttachable(ctx, cfg, func(a handshake.Attachment) { ready <- a }) }()
	select {
	case a := <-ready:
		t.Cleanup(func() { endServe(t, cancel, ended) })
		return a
	case err := <-ended:
		cancel()
		t.Fatalf("plugintest: %v", err)
		return handshake.Attachment{}
	}
}

func endServe(t testing.TB, cancel context.CancelFunc, ended <-chan error) {
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("plugintest: %v", err)
		}
	case <-time.After(endTimeout):
		t.Errorf("plugintest: the plugin still runs %s after the test", endTimeout)
	}
}
