package lane

import (
	"runtime"
	"time"
)

const (
	// spinBudget is how long a wait may spin: a little more than a quick answer takes.
	spinBudget = 50 * time.Microsecond
	// spinLost is how long a spinning goroutine must have been away to know that others need the processor.
	spinLost = 100 * time.Microsecond
	// spinRests is the most often that the pause after a miss is doubled: then one wait in 64 spins.
	spinRests = 6
	// spinStreak is how many hits in a row make up for all misses.
	spinStreak = 4
)

// spinner waits for bytes a little while without giving up the processor, as long as that pays: waits that it misses,
// or in which it loses the processor, make it rest for the next waits, longer each time. On a busy machine, and where
// nothing happens, it costs next to nothing.
type spinner struct {
	carrier Carrier
	never   bool
	misses  int // in a row, at most spinRests
	rest    int // waits to sit out
	hits    int // in a row
}

func newSpinner(c Carrier) *spinner {
	return &spinner{carrier: c, never: !c.CanTry() || runtime.GOMAXPROCS(0) == 1}
}

// ready tells whether the next read will try.
func (s *spinner) ready() bool {
	if s.rest > 0 {
		s.rest--
		return false
	}
	return !s.never
}

// read tries to read for a while; with 0 and no error it has given up.
func (s *spinner) read(p []byte) (int, error) {
	if !s.ready() {
		return 0, nil
	}
	begin := time.Now()
	for last := begin; ; {
		for range 4 {
			if n, err := s.carrier.TryRead(p); n > 0 || err != nil {
				s.hit()
				return n, err
			}
		}
		runtime.Gosched()
		now := time.Now()
		if lost := now.Sub(last) > spinLost; lost || now.Sub(begin) > spinBudget {
			s.miss(lost)
			return 0, nil
		}
		last = now
	}
}

func (s *spinner) hit() {
	if s.hits++; s.hits >= spinStreak {
		s.misses = 0
	}
}

func (s *spinner) miss(lost bool) {
	s.hits = 0
	if s.misses++; lost {
		s.misses += 2
	}
	s.misses = min(s.misses, spinRests)
	s.rest = 1 << s.misses
}
