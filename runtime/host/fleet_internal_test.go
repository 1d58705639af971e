package host

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns has starts that do not come to an end: others wait for a moment, not for them.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(2)
		var ends []func()
		for range 4 {
			end, err := f.turn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), turnTime/2)
		defer cancel()
		if _, err := f.turn(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != turnTime/2 {
			t.Errorf("a fifth start: %v after %v, want that its deadline passes", err, time.Since(start))
		}
		ends[2]()
		ends[2]()
		if _, err := f.turn(t.Context()); err != nil || time.Since(start) != turnTime/2 {
			t.Errorf("after one has ended: %v after %v", err, time.Since(start))
		}
		if len(f.turns) != 2 {
			t.Errorf("%d starts run, want 2: one that ended twice counts once", len(f.turns))
		}
		<-time.After(time.Hour)
		if len(f.turns) != 0 {
			t.Errorf("%d starts still run", len(f.turns))
		}
	})
}

// TestFleetForgets opens what fails, and wants no trace of it.
func TestFleetForgets(t *testing.T) {
	for range 10 {
		if _, err := Open(t.Context(), deafConfig(launcherFunc(func(context.Context) (Launched, error) { return nil, errors.New("no") }))); err == nil {
			t.Fatal("no error")
		}
	}
	if left := len(ours.all()); left != 0 {
		t.Errorf("%d of 10 are remembered", left)
	}
}
