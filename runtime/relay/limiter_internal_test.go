package relay

import (
	"testing"
	"time"
)

// A clock that is set back must not stop the log until it has caught up.
func TestLimiterClockSetBack(t *testing.T) {
	l := limiter{perSecond: 1}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	if !l.allow(at) || l.allow(at+1) {
		t.Fatal("the first of a second is dropped, or the second is not")
	}
	if !l.allow(at - int64(time.Hour)) {
		t.Error("dropped after the clock was set back")
	}
	if got := l.owed(); got != 1 || l.owed() != 0 {
		t.Errorf("owed %d at first, want 1, then 0", got)
	}
}
