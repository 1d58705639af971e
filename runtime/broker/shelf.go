package broker

import (
	"container/list"
	"sync"
	"time"
)

// shelf keeps values by number for a while, a bounded count of them, with one timer for all. What has lain there for too
// long is given to expired, outside of all locks, in the timer's goroutine.
type shelf[V any] struct {
	keep    time.Duration
	most    int
	expired func(id uint32, v V)

	mu     sync.Mutex
	byID   map[uint32]*list.Element
	oldest *list.List // of *kept[V], the next to expire first
	timer  *time.Timer
	active bool // the timer is set, or expired is being called: one goroutine at most, ever
	closed bool
}

type kept[V any] struct {
	id    uint32
	value V
	until time.Time
}

func newShelf[V any](keep time.Duration, most int, expired func(uint32, V)) *shelf[V] {
	return &shelf[V]{keep: keep, most: most, expired: expired, byID: map[uint32]*list.Element{}, oldest: list.New()}
}

// put keeps v, in the place of an older one of the same number. It returns false when there is no room.
func (s *shelf[V]) put(id uint32, v V) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byID[id]; ok {
		s.remove(e)
	}
	if s.closed || len(s.byID) >= s.most {
		return false
	}
	s.byID[id] = s.oldest.PushBack(&kept[V]{id: id, value: v, until: time.Now().Add(s.keep)})
	if !s.active {
		s.schedule()
	}
	return true
}

// take removes and returns the value of id.
func (s *shelf[V]) take(id uint32) (v V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	if !ok {
		return v, false
	}
	return s.remove(e).value, true
}

func (s *shelf[V]) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}

// close empties the shelf; nothing expires afterwards that is not expiring already.
func (s *shelf[V]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	clear(s.byID)
	s.oldest.Init()
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *shelf[V]) remove(e *list.Element) *kept[V] {
	k := s.oldest.Remove(e).(*kept[V])
	delete(s.byID, k.id)
	return k
}

// schedule sets the timer for the oldest. A timer that goes off early, because the oldest has been taken, sets itself again.
func (s *shelf[V]) schedule() {
	s.active = s.oldest.Len() > 0 && !s.closed
	if !s.active {
		return
	}
	wait := time.Until(s.oldest.Front().Value.(*kept[V]).until)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.expire)
		return
	}
	s.timer.Reset(wait)
}

func (s *shelf[V]) expire() {
	for _, k := range s.takeDue() {
		s.expired(k.id, k.value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule()
}

func (s *shelf[V]) takeDue() []*kept[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*kept[V]
	now := time.Now()
	for e := s.oldest.Front(); e != nil && !e.Value.(*kept[V]).until.After(now); e = s.oldest.Front() {
		due = append(due, s.remove(e))
	}
	return due
}
