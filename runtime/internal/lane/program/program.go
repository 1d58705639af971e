// Package program makes random programs of calls whose outcome does not depend on time, so that whatever carries the calls
// must make the same of them. Tests run a program over gRPC and over each tier, and compare what [Program.Run] returns.
//
// Any bytes are a program, so that a fuzzer finds those that differ and makes them short.
package program

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
)

const (
	// Limit is the message size that both sides must be set to take, in bytes.
	Limit = 300_000
	// Longest is how many bytes of a program count: they travel as metadata.
	Longest = 400
	// mostCalls is how many calls a program makes.
	mostCalls = 12
	mostSteps = 8
)

// Program is a list of calls. Each runs at the same time as the one before it, unless it says otherwise.
type Program struct {
	data  []byte
	calls []call
}

// kind is who sends how many messages.
type kind int

const (
	unary kind = iota
	up
	down
	both
	kinds
)

// String is the kind's method.
func (k kind) String() string { return [...]string{"Unary", "Up", "Down", "Both"}[k] }

// action is what happens in a step, on one side or both.
type action int

const (
	push       action = iota // the caller sends a message, the handler receives it
	pull                     // the handler sends a message, the caller receives it
	half                     // the caller half-closes, the handler sees that
	setHeader                // by the handler
	sendHeader               // by the handler
	setTrailer               // by the handler
	seeHeader                // by the caller, once the handler has sent it
)

// String is the action's name.
func (a action) String() string {
	return [...]string{"push", "pull", "half", "setHeader", "sendHeader", "setTrailer", "seeHeader"}[a]
}

// ending is how a call ends after its steps.
type ending int

const (
	finishes     ending = iota // the handler returns a status
	leavesUnread               // so it does, and leaves a message unread
	panics                     // the handler panics
	canceled                   // the caller gives up while the handler waits
	races                      // the caller gives up at some time: what comes of it is not looked at
	expires                    // the deadline passes while the handler waits
	stuckDown                  // the caller reads no more, then gives up
	stuckUp                    // the handler reads no more, then returns
	largePush                  // the request is larger than the handler's side takes
	largePull                  // the response is larger than the caller's side takes
	barredPush                 // the request is larger than a call option allows
	barredPull                 // the response is larger than a call option allows
	endings
)

// String is the ending's name.
func (e ending) String() string {
	return [...]string{
		"finishes", "leavesUnread", "panics", "canceled", "races", "expires", "stuckDown", "stuckUp",
		"largePush", "largePull", "barredPush", "barredPull",
	}[e]
}

// barred is the limit of the endings that have one of their own.
const barred = 1000

type step struct {
	do   action
	size int // of a message
}

// call is one call, as both sides play it.
type call struct {
	index    int
	alone    bool // it begins when all before it have ended
	deadline bool // the caller has one, far away
	words    int  // pairs of metadata that the caller sends
	kind     kind
	steps    []step
	size     int // of a unary request, and of the one response of a call that has one
	end      ending
	code     codes.Code
	details  bool
}

// Options leave out what a way of carrying cannot do.
type Options struct {
	// NoPanics is for handlers whose panics end the process.
	NoPanics bool
}

// Parse reads a program. It takes any bytes.
func Parse(data []byte, o Options) Program {
	data = data[:min(len(data), Longest)]
	p := Program{data: data}
	for s := (&source{data}); len(s.rest) > 0 && len(p.calls) < mostCalls; {
		c := s.call(len(p.calls))
		if o.NoPanics && c.end == panics {
			c.end = finishes
		}
		p.calls = append(p.calls, c)
	}
	return p
}

// String has a line for each call.
func (p Program) String() string {
	var b strings.Builder
	for i := range p.calls {
		fmt.Fprintln(&b, p.Call(i))
	}
	return b.String()
}

// Call describes the call that Run returns the same place for.
func (p Program) Call(i int) string {
	c := p.calls[i]
	text := fmt.Sprintf("%d %v alone=%v deadline=%v words=%d size=%d", i, c.kind, c.alone, c.deadline, c.words, c.size)
	for _, s := range c.steps {
		text += fmt.Sprintf(" %v(%d)", s.do, s.size)
	}
	return text + fmt.Sprintf(" %v %v details=%v", c.end, c.code, c.details)
}

// source hands out choices; when it is empty, the simplest ones.
type source struct{ rest []byte }

// pick returns a number below n.
func (s *source) pick(n int) int {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b) % n
}

// size is a message's, often one near a bound of some layer.
func (s *source) size() int {
	bounds := []int{0, 40, 512, 4 << 10, 32 << 10, 64 << 10, 256 << 10, Limit - overhead}
	b := s.pick(3 * len(bounds))
	if b >= len(bounds) {
		return b * s.pick(100)
	}
	return min(max(bounds[b]+s.pick(80)-40, 0), Limit-overhead)
}

// overhead is what a message of the largest sizes takes besides its bytes.
const overhead = 4

func (s *source) call(index int) call {
	flags := s.pick(256)
	c := call{index: index, alone: flags&1 != 0, deadline: flags&2 != 0, details: flags&4 != 0, words: flags >> 3 & 3, kind: kind(s.pick(int(kinds)))}
	c.end = ending(s.pick(int(endings)))
	if flags&32 != 0 {
		c.code = codes.Code(s.pick(18))
	}
	c.size = s.size()
	c.steps = s.steps(c.kind)
	c.end = c.possible()
	return c
}

// possible is the ending, or another one when calls of the kind cannot have it.
func (c call) possible() ending {
	closed := c.kind == unary || c.kind == down || c.has(half)
	streams := c.kind == down || c.kind == both
	switch {
	case closed && (c.end == leavesUnread || c.end == stuckUp), !streams && c.end == stuckDown:
		return finishes
	case c.kind != unary && closed && (c.end == largePush || c.end == barredPush):
		return finishes
	}
	return c.end
}

func (c call) has(a action) bool {
	for _, s := range c.steps {
		if s.do == a {
			return true
		}
	}
	return false
}

// steps makes a list that a call of the kind can take.
func (s *source) steps(k kind) (list []step) {
	halved, headed := k == unary, false
	if k == down {
		list, halved = []step{{push, s.size()}, {half, 0}}, true
	}
	for range s.pick(mostSteps) {
		st := step{do: action(s.pick(int(seeHeader) + 1))}
		switch st.do {
		case push:
			if halved {
				continue
			}
			st.size = s.size()
		case pull:
			if k == unary || k == up {
				continue
			}
			st.size, headed = s.size(), true
		case half:
			if halved {
				continue
			}
			halved = true
		case setHeader:
			if headed {
				continue
			}
		case sendHeader:
			if headed {
				continue
			}
			headed = true
		case seeHeader:
			if !headed || k == unary {
				continue
			}
		}
		list = append(list, st)
	}
	return list
}
