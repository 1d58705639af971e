package merge

import (
	"bytes"
)

// Labels name the three texts in the markers of conflicts.
type Labels struct{ Ours, Base, Theirs string }

// Result is a merged text.
type Result struct {
	Data      []byte
	Conflicts int // how many places have markers
}

// Text merges by lines what ours and theirs made of base. Where both changed the same or neighbouring lines in different
// ways, both ways are kept between markers, with the base between them:
//
//	<<<<<<< ours
//	||||||| base
//	=======
//	>>>>>>> theirs
//
// When every line of a text ends as on Windows that does not count as a change of the lines.
func Text(base, ours, theirs []byte, labels Labels) Result {
	if r, done := trivial(base, ours, theirs); done {
		return r
	}
	m := newMerger(ToUnix(base), ToUnix(ours), ToUnix(theirs), labels)
	m.merge(diff(m.base.numbers, m.ours.numbers), diff(m.base.numbers, m.theirs.numbers))
	return m.result(commonEnding(base, ours, theirs))
}

// Added merges two texts without a common origin: what both have stays, and each place where they differ is a conflict.
func Added(ours, theirs []byte, labels Labels) Result {
	if bytes.Equal(ToUnix(ours), ToUnix(theirs)) {
		return Result{Data: ours}
	}
	m := newMerger(nil, ToUnix(ours), ToUnix(theirs), labels)
	m.join(diff(m.ours.numbers, m.theirs.numbers))
	return m.result(commonEnding(ours, ours, theirs))
}

// Similar says how much of two texts is the same, from 0 to 1.
func Similar(a, b []byte) float64 {
	if bytes.Equal(a, b) {
		return 1
	}
	ids := numbering{}
	old, changed := ids.of(splitLines(a)), ids.of(splitLines(b))
	if len(old)+len(changed) == 0 {
		return 1
	}
	same := len(old)
	for _, c := range diff(old, changed) {
		same -= c.oldTo - c.oldFrom
	}
	return 2 * float64(same) / float64(len(old)+len(changed))
}

// trivial is the merge when one side left the base alone, or both made the same of it.
func trivial(base, ours, theirs []byte) (Result, bool) {
	b, o, t := ToUnix(base), ToUnix(ours), ToUnix(theirs)
	switch {
	case bytes.Equal(o, t):
		t = o
	case bytes.Equal(b, t):
		t = o
	case !bytes.Equal(b, o):
		return Result{}, false
	}
	return Result{Data: withEnding(t, commonEnding(base, ours, theirs))}, true
}

func withEnding(text []byte, e ending) []byte {
	if e == windows && endingOf(text) == unix {
		return toWindows(text)
	}
	return text
}

// side is one of the three texts.
type side struct {
	lines   [][]byte
	numbers []int
}

func (s side) text(from, to int) []byte { return bytes.Join(s.lines[from:to], nil) }

type merger struct {
	base, ours, theirs side
	labels             Labels
	out                bytes.Buffer
	conflicts          int
}

func newMerger(base, ours, theirs []byte, labels Labels) *merger {
	m := &merger{labels: labels}
	ids := numbering{}
	for _, s := range []struct {
		to   *side
		text []byte
	}{{&m.base, base}, {&m.ours, ours}, {&m.theirs, theirs}} {
		s.to.lines = splitLines(s.text)
		s.to.numbers = ids.of(s.to.lines)
	}
	return m
}

func (m *merger) result(e ending) Result {
	return Result{Data: withEnding(bytes.Clone(m.out.Bytes()), e), Conflicts: m.conflicts}
}

// hunk is a place where a side or both differ from the base: a run of changes that overlap or touch.
type hunk struct{ base, ours, theirs span }

type span struct{ from, to int }

func (s span) len() int { return s.to - s.from }

// merge walks through the base: lines that nobody changed are copied, and every hunk is settled by itself.
func (m *merger) merge(ours, theirs []change) {
	at, o, t := 0, 0, 0 // where the three texts are
	for len(ours) > 0 || len(theirs) > 0 {
		h := hunk{base: span{from: start(ours, theirs)}}
		m.copyBase(at, h.base.from)
		o, t = o+h.base.from-at, t+h.base.from-at
		var mine, yours []change
		mine, yours, ours, theirs, h.base.to = take(ours, theirs, h.base.from)
		h.ours = span{o, o + h.base.len() + growth(mine)}
		h.theirs = span{t, t + h.base.len() + growth(yours)}
		m.settle(h, len(mine) > 0, len(yours) > 0)
		at, o, t = h.base.to, h.ours.to, h.theirs.to
	}
	m.copyBase(at, len(m.base.lines))
}

func (m *merger) copyBase(from, to int) {
	for _, line := range m.base.lines[from:to] {
		m.out.Write(line)
	}
}

// start is where the next change of either side starts.
func start(ours, theirs []change) int {
	switch {
	case len(ours) == 0:
		return theirs[0].oldFrom
	case len(theirs) == 0:
		return ours[0].oldFrom
	}
	return min(ours[0].oldFrom, theirs[0].oldFrom)
}

// take cuts off the changes of one hunk, which starts at from and ends at end.
func take(ours, theirs []change, from int) (mine, yours, ourRest, theirRest []change, end int) {
	end = from
	i, j := 0, 0
	for {
		switch {
		case i < len(ours) && ours[i].oldFrom <= end:
			end = max(end, ours[i].oldTo)
			i++
		case j < len(theirs) && theirs[j].oldFrom <= end:
			end = max(end, theirs[j].oldTo)
			j++
		default:
			return ours[:i], theirs[:j], ours[i:], theirs[j:], end
		}
	}
}

// growth is how many lines longer a text is for its changes.
func growth(changes []change) int {
	n := 0
	for _, c := range changes {
		n += c.newTo - c.newFrom - (c.oldTo - c.oldFrom)
	}
	return n
}

func (m *merger) settle(h hunk, oursChanged, theirsChanged bool) {
	ours, theirs := m.ours.text(h.ours.from, h.ours.to), m.theirs.text(h.theirs.from, h.theirs.to)
	switch {
	case !theirsChanged, bytes.Equal(ours, theirs):
		m.out.Write(ours)
	case !oursChanged:
		m.out.Write(theirs)
	default:
		m.conflict(ours, m.base.text(h.base.from, h.base.to), theirs)
	}
}

// join writes the lines that both texts have, and a conflict for each change.
func (m *merger) join(changes []change) {
	at := 0
	for _, c := range changes {
		m.out.Write(m.ours.text(at, c.oldFrom))
		m.conflict(m.ours.text(c.oldFrom, c.oldTo), nil, m.theirs.text(c.newFrom, c.newTo))
		at = c.oldTo
	}
	m.out.Write(m.ours.text(at, len(m.ours.lines)))
}

const markerLength = 7

func (m *merger) conflict(ours, base, theirs []byte) {
	m.conflicts++
	m.marker('<', m.labels.Ours)
	m.whole(ours)
	m.marker('|', m.labels.Base)
	m.whole(base)
	m.marker('=', "")
	m.whole(theirs)
	m.marker('>', m.labels.Theirs)
}

func (m *merger) marker(sign byte, label string) {
	m.out.Write(bytes.Repeat([]byte{sign}, markerLength))
	if label != "" {
		m.out.WriteString(" " + label)
	}
	m.out.WriteByte('\n')
}

// whole ends the last line, so that the marker after it gets a line of its own.
func (m *merger) whole(text []byte) {
	m.out.Write(text)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		m.out.WriteByte('\n')
	}
}

// Unresolved returns the number of the first line of a conflict whose markers are still there, counted from one; 0 for none.
func Unresolved(text []byte) int {
	n, opened, divided := 0, 0, false
	for line := range bytes.Lines(text) {
		n++
		switch {
		case isMarker(line, '<'):
			opened, divided = n, false
		case isMarker(line, '='):
			divided = opened > 0
		case isMarker(line, '>') && divided:
			return opened
		}
	}
	return 0
}

// isMarker wants what git and we write: seven signs, and nothing or a blank and a label.
func isMarker(line []byte, sign byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	rest, found := bytes.CutPrefix(line, bytes.Repeat([]byte{sign}, markerLength))
	return found && (len(rest) == 0 || rest[0] == ' ')
}
