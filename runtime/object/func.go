package object

import (
	"reflect"
	"unsafe"
	"weak"
)

// Go does not compare functions, but each proxy is a closure with a place of its own in memory, which the value of the function is
// the address of. The proxy's handle keeps it there. A number is no reference: what stands for a handle does not keep it.

// place is where the closure is; 0 for what is no function.
func place[T any](f *T) uintptr {
	if reflect.TypeFor[T]().Kind() != reflect.Func {
		return 0
	}
	return uintptr(*(*unsafe.Pointer)(unsafe.Pointer(f)))
}

// nameFunc lets a function be recognised that is the proxy of h.
func (s *session) nameFunc(place uintptr, h *Handle) {
	if place == 0 {
		return
	}
	s.channelsMu.Lock()
	defer s.channelsMu.Unlock()
	if s.funcs == nil {
		s.funcs = map[uintptr]weak.Pointer[Handle]{}
	}
	h.claim.place = place
	s.funcs[place] = h.claim.self
}

// forgetFunc undoes that.
func (c *claim) forgetFunc() {
	s := c.session
	s.channelsMu.Lock()
	defer s.channelsMu.Unlock()
	if c.place != 0 && s.funcs[c.place] == c.self { // another one may be there by now
		delete(s.funcs, c.place)
	}
}

func (s *session) namedFunc(place uintptr) *Handle {
	if place == 0 {
		return nil
	}
	s.channelsMu.Lock()
	defer s.channelsMu.Unlock()
	return s.funcs[place].Value()
}
