package relay

import (
	"log/slog"
	"strings"
	"time"
)

// trace gathers the lines of a panic, which are one record: its message is the first line, the others are the
// attribute "trace". More than maxTrace bytes become several records, with part and more as for a long line.
type trace struct {
	head  string
	at    int64
	body  strings.Builder
	lines int // in head and body
	part  int
}

func (t *trace) open() bool { return t.lines > 0 || t.part > 0 }

// add joins the parts of a long line again; lines are kept apart by a newline, the only control character but the tab.
func (t *trace) add(p piece, text []byte) {
	escaped := Escape(string(text))
	switch {
	case !t.open():
		t.head, t.at = escaped, p.at
	case p.part > 1 && t.body.Len() == 0 && t.part == 0:
		t.head += escaped
	default:
		if t.body.Len() > 0 && p.part <= 1 {
			t.body.WriteByte('\n')
		}
		t.body.WriteString(escaped)
	}
	t.lines++
}

func (t *trace) full() bool { return len(t.head)+t.body.Len() >= maxTrace }

// record makes a record of what was gathered.
func (t *trace) record(more bool) slog.Record {
	if more || t.part > 0 {
		t.part++
	}
	r := slog.NewRecord(time.Unix(0, t.at), slog.LevelError, t.head, 0)
	if body := strings.TrimRight(t.body.String(), "\n"); body != "" {
		r.AddAttrs(slog.String("trace", body))
	}
	if t.part > 0 {
		r.AddAttrs(partAttrs(t.part, more)...)
	}
	return r
}

func (s *sink) addTrace(p piece, text []byte) {
	s.trace.add(p, text)
	if s.trace.full() {
		s.logTrace(true)
	}
}

// endTrace logs the trace that is being gathered, if there is one.
func (s *sink) endTrace() {
	if s.trace.open() {
		s.logTrace(false)
		s.trace = trace{}
	}
}

func (s *sink) logTrace(more bool) {
	if s.handle(s.trace.record(more)) == nil {
		s.settled.Add(uint64(s.trace.lines))
	}
	s.trace.body = strings.Builder{}
	s.trace.lines = 0
	if len(s.trace.head) > maxHead { // all of it is in the first part
		s.trace.head = strings.ToValidUTF8(s.trace.head[:maxHead], "") + "..."
	}
}
