package schema

import "github.com/plugingen/plugingen/generator/model"

// markRecursive finds the messages that can hold themselves, also in errors and in values of type any.
func markRecursive(w *model.Wire) {
	for _, m := range w.Messages {
		m.Recursive = (&search{wire: w, target: m, seen: map[visit]bool{}}).from(m, false)
		m.Deep = m.Recursive && (&search{wire: w, target: m, typed: true, seen: map[visit]bool{}}).from(m, false)
	}
}

// search looks for a way from a message to target; with typed, for one that leads through an error or an any.
type search struct {
	wire   *model.Wire
	target *model.Message
	typed  bool
	seen   map[visit]bool
}

type visit struct {
	message *model.Message
	through bool
}

func (s *search) from(m *model.Message, through bool) bool {
	for _, f := range m.Fields {
		switch {
		case f.Value.Message != nil && s.to(f.Value.Message, through):
			return true
		case f.Value.Proto == model.ErrorProto && s.toAny(s.wire.ErrorTypes):
			return true
		case f.Value.Proto == model.ValueProto && s.toAny(s.wire.Values):
			return true
		}
	}
	return false
}

func (s *search) toAny(types []*model.Typed) bool {
	for _, t := range types {
		if s.to(t.Message, true) {
			return true
		}
	}
	return false
}

func (s *search) to(m *model.Message, through bool) bool {
	if m == s.target && (through || !s.typed) {
		return true
	}
	v := visit{m, through}
	if s.seen[v] {
		return false
	}
	s.seen[v] = true
	return s.from(m, through)
}
