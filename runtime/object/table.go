package object

import (
	"reflect"
	"sync"
)

// mostObjects bounds the values that one side of a connection keeps for the other.
const mostObjects = 1 << 16

// table is the values that this side keeps for its peer. The zero value is empty.
type table struct {
	mu      sync.Mutex
	last    uint64
	byID    map[uint64]*entry
	byValue map[identity]*entry
	kinds   map[string]*kind
	ended   bool
}

// identity tells values apart: the same value may be known by several of its interfaces.
type identity struct {
	value any
	name  string
}

// entry is a value, and why it is kept: how often it was sent for good, and how many calls have it as a parameter.
type entry struct {
	id    uint64
	value any
	kind  *kind
	known *identity // nil for values that cannot be compared
	kept  uint64
	lent  int
	calls []*served // whose results it is
}

// add keeps v for one more reason, under the number that it has already if it has one.
func (t *table) add(v any, name string, describe func() *kind, why func(*entry)) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, ErrConnection
	}
	known := identify(v, name)
	if known != nil {
		if e := t.byValue[*known]; e != nil {
			why(e)
			return e, nil
		}
	}
	if len(t.byID) >= mostObjects {
		return nil, ErrTooMany
	}
	t.last++
	e := &entry{id: t.last, value: v, kind: t.kind(name, describe), known: known}
	why(e)
	t.put(e)
	return e, nil
}

func identify(v any, name string) *identity {
	if !reflect.ValueOf(v).Comparable() {
		return nil
	}
	return &identity{v, name}
}

// kind makes the methods of each type once.
func (t *table) kind(name string, describe func() *kind) *kind {
	k := t.kinds[name]
	if k == nil {
		if t.kinds == nil {
			t.kinds = map[string]*kind{}
		}
		k = describe()
		t.kinds[name] = k
	}
	return k
}

func (t *table) put(e *entry) {
	if t.byID == nil {
		t.byID, t.byValue = map[uint64]*entry{}, map[identity]*entry{}
	}
	t.byID[e.id] = e
	if e.known != nil {
		t.byValue[*e.known] = e
	}
}

// get returns nil for numbers that no value has, or has any more.
func (t *table) get(id uint64) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// drop takes a reason away. It returns the calls that have lost the last of their results.
func (t *table) drop(id uint64, why func(*entry)) []*served {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byID[id]
	if e == nil {
		return nil
	}
	why(e)
	if e.kept > 0 || e.lent > 0 {
		return nil
	}
	delete(t.byID, id)
	if e.known != nil {
		delete(t.byValue, *e.known)
	}
	var over []*served
	for _, c := range e.calls {
		if c.live--; c.live == 0 {
			over = append(over, c)
		}
	}
	return over
}

// end empties the table for ever.
func (t *table) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.byID, t.byValue = nil, nil
}

func (t *table) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}
