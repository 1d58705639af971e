package relay

import "time"

// limiter counts records by the second: so many of the first ones, then none until it is over. The zero value allows all.
type limiter struct {
	perSecond int
	start     int64 // of the second, in nanoseconds since 1970
	used      int
	dropped   uint64 // since the last report
}

// allow counts a record of the time at, which may also be before the last one: clocks are set back.
func (l *limiter) allow(at int64) bool {
	if l.perSecond == 0 {
		return true
	}
	if passed := at - l.start; passed < 0 || passed >= int64(time.Second) {
		l.start, l.used = at, 0
	}
	if l.used < l.perSecond {
		l.used++
		return true
	}
	l.dropped++
	return false
}

// owed returns how many were dropped, once.
func (l *limiter) owed() uint64 {
	n := l.dropped
	l.dropped = 0
	return n
}
