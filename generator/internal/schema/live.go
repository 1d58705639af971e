package schema

import (
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// objects lays out the interfaces and functions whose values cross, as services, and what channels and iterators carry.
func (l *layout) objects() {
	for _, t := range l.contract.Objects {
		word := typeWord(t, l.contract.Package.Path)
		if s := t.Live.Service; s != nil {
			l.service(s, word, t.ID())
			continue
		}
		t.Live.Message = l.add(word+"Item", &model.Message{Doc: "holds a value of " + t.ID() + "."})
		l.params(t.Live.Message, t.Live.Items, "value", false)
	}
}

// filling lays out a method that fills the slice that it is given: its length goes one way, the bytes come the other.
func (l *layout) filling(m *model.Method) {
	size := *m.Params[0]
	size.Type = &model.Type{Kind: model.Int64}
	data := &model.Param{Name: "data", Type: &model.Type{Kind: model.Bytes}}
	l.params(m.Request, append([]*model.Param{&size}, m.Params[1:]...), "arg", false)
	l.params(m.Response, []*model.Param{data}, "r", true)
	m.Params[0].Field, m.Results[0].Field = size.Field, data.Field
}

// liveWord names a type whose values stay in their process as part of a message's name.
func liveWord(t *model.Type, home string) string {
	switch t.Live.Form {
	case model.Receive:
		return typeWord(t.Elem, home) + "Receiver"
	case model.Send:
		return typeWord(t.Elem, home) + "Sender"
	case model.Interface:
		return interfaceWord(t.Live.Service)
	default:
		return funcWord(t.Live.Call(), home)
	}
}

// interfaceWord names an interface type without a name by its methods.
func interfaceWord(s *model.Service) string {
	word := ""
	for _, m := range s.Methods {
		if next := word + messageWord(m.Name); len(next) <= maxStructWord {
			word = next
		}
	}
	return word + "Interface"
}

// funcWord names a function type without a name by its signature.
func funcWord(m *model.Method, home string) string {
	var b strings.Builder
	b.WriteString("Func")
	if m.HasContext {
		b.WriteString("Context")
	}
	for _, p := range m.Params {
		b.WriteString(typeWord(p.Type, home))
	}
	for i, r := range m.Results {
		if i == 0 {
			b.WriteString("To")
		}
		b.WriteString(typeWord(r.Type, home))
	}
	if m.HasError {
		b.WriteString("Error")
	}
	return b.String()
}
