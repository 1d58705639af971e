package plugintest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

// echoing is an implementation that asks its caller back: a text that begins with a number goes to what is accepted there.
type echoing struct{ loud }

func (e echoing) shout(ctx context.Context, text string) (string, error) {
	var id uint32
	if _, err := fmt.Sscanf(text, "%d", &id); err != nil {
		return e.loud.shout(ctx, text)
	}
	cc, err := broker.FromContext(ctx).Dial(ctx, id)
	if err != nil {
		return "", err
	}
	defer func() { _ = cc.Close() }()
	_, rest, _ := strings.Cut(text, " ")
	return shouterService().NewClient(cc).shout(ctx, rest)
}

// A plugin with callbacks is tested in this process as it is under a host.
func TestBroker(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("in this process", func(t *testing.T) {
		conn := plugintest.Dial(t, shouterService().Implement(echoing{}))
		callBack(t, broker.FromConn(conn), shouterService().NewClient(conn))
	})
	t.Run("in another", func(t *testing.T) {
		p := plugintest.Open(t, contract())
		s, err := host.Dispense(p, shouterService())
		if err != nil {
			t.Fatal(err)
		}
		callBack(t, p.Broker(), s)
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func callBack(t *testing.T, b *broker.Broker, s shouter) {
	t.Helper()
	first, second := b.NextID(), b.NextID()
	served := make(chan error, 2)
	ctx, stop := context.WithCancel(t.Context())
	for _, id := range []uint32{first, second} {
		go func() { served <- b.AcceptAndServe(ctx, id, shouterService().Implement(echoing{})) }()
	}
	if got, err := s.shout(guarded(t), fmt.Sprintf("%d hello", first)); err != nil || got != "HELLO" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := s.shout(guarded(t), fmt.Sprintf("%d once more", second)); err != nil || got != "ONCE MORE" {
		t.Errorf("got %q, %v", got, err)
	}
	stop()
	if err := errors.Join(<-served, <-served); err != nil {
		t.Errorf("AcceptAndServe: %v", err)
	}
}
