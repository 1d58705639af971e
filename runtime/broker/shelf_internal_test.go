package broker

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestShelfExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var expired []uint32
		gone := func() []uint32 {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(expired)
		}
		s := newShelf(5*time.Second, 1000, func(id uint32, v string) {
			if v != "v" {
				t.Errorf("expired %q", v)
			}
			mu.Lock()
			defer mu.Unlock()
			expired = append(expired, id)
		})
		before := runtime.NumGoroutine()
		for id := range uint32(1000) {
			s.put(id, "v")
			<-time.After(time.Millisecond) // of the bubble: takes no time
		}
		// One each would be a thousand; goroutines that earlier tests left behind come and go meanwhile.
		if after := runtime.NumGoroutine(); after > before+100 {
			t.Errorf("%d goroutines for 1000 values", after-before)
		}
		if s.put(1000, "v") {
			t.Error("there is room for more than 1000")
		}
		if !s.put(0, "v") { // again, and so the last to go
			t.Error("a value does not take its own place")
		}
		if _, ok := s.take(1); !ok {
			t.Error("1 is gone too early")
		}
		<-time.After(4*time.Second + time.Millisecond/2)
		synctest.Wait()
		if n := len(gone()); n != 0 {
			t.Errorf("%d gone too early", n)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if all := gone(); len(all) != 999 || all[0] != 2 || all[998] != 0 || s.count() != 0 {
			t.Errorf("%d gone and %d kept, want 999 and none", len(all), s.count())
		}
		s.put(7, "v") // after an idle time
		<-time.After(4 * time.Second)
		if _, ok := s.take(7); !ok {
			t.Error("7 is gone too early")
		}
		s.put(8, "v")
		s.close()
		if _, ok := s.take(8); ok || s.put(9, "v") {
			t.Error("a closed shelf keeps values")
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if n := len(gone()); n != 999 {
			t.Errorf("%d gone after the close", n-999)
		}
	})
}
