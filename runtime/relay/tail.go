package relay

import (
	"fmt"
	"sync"
)

const tailWidth = 1 << 10 // bytes kept of a line

// kept is a line as it came; its memory is used again.
type kept struct {
	text []byte
	size int // bytes that the line had
}

func (k *kept) set(text []byte) {
	k.text = append(k.text[:0], text[:min(len(text), tailWidth)]...)
	k.size = len(text)
}

func (k *kept) String() string {
	text := Escape(string(k.text))
	if cut := k.size - len(k.text); cut > 0 {
		text += fmt.Sprintf(" [%d more bytes]", cut)
	}
	return text
}

// tail keeps the last lines. Of a panic it keeps the beginning as well, which says more than the last of its frames.
type tail struct {
	mu   sync.Mutex
	ring []kept
	next uint64 // number of the next line

	pin   []kept // the beginning of the last panic
	first uint64 // number of pin[0]
	other int    // lines after the panic that are not of its trace
}

func newTail(lines int) *tail { return &tail{ring: make([]kept, lines)} }

// add keeps a line, or a part of one: then only its size changes.
func (t *tail) add(text []byte, part int) {
	if len(t.ring) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if part > 1 && t.next > 0 {
		t.at(t.next - 1).size += len(text)
		return
	}
	t.at(t.next).set(text)
	t.pinPanic(text)
	t.next++
}

func (t *tail) at(number uint64) *kept { return &t.ring[number%uint64(len(t.ring))] }

// pinPanic keeps the beginning of a panic, until so many other lines came that the plugin must have survived it.
func (t *tail) pinPanic(text []byte) {
	switch limit := len(t.ring) / 2; {
	case isPanic(text) && (len(t.pin) == 0 || len(t.pin) == limit):
		t.pin, t.first, t.other = make([]kept, 0, limit), t.next, 0
		t.extendPin(text)
	case len(t.pin) == 0:
	case len(t.pin) < limit:
		t.extendPin(text)
	case !isTrace(text):
		if t.other++; t.other >= len(t.ring) {
			t.pin = nil
		}
	}
}

func (t *tail) extendPin(text []byte) {
	if len(t.pin) == cap(t.pin) {
		return
	}
	var k kept
	k.set(text)
	t.pin = append(t.pin, k)
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(t.next, uint64(len(t.ring)))
	from := t.next - n
	var lines []string
	if len(t.pin) > 0 && t.first < from {
		lines, from = t.pinned()
	}
	for ; from < t.next; from++ {
		lines = append(lines, t.at(from).String())
	}
	return lines
}

// pinned returns the panic's beginning, and the number of the line to go on with. At least one line between is left out:
// the panic's first is so far back that the ring does not hold it any more.
func (t *tail) pinned() (lines []string, next uint64) {
	for i := range t.pin {
		lines = append(lines, t.pin[i].String())
	}
	next = t.next - uint64(len(t.ring)-len(t.pin)-1)
	gap := next - t.first - uint64(len(t.pin))
	return append(lines, fmt.Sprintf("[%d lines left out]", gap)), next
}
