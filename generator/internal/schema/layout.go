package schema

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/plugingen/plugingen/generator/model"
)

// Folder is the folder of a contract's proto package beneath the contract's own, such as "greeterpb".
func Folder(c *model.Contract) string { return c.Package.Name + "pb" }

// ProtoName is the .proto's name in Folder, such as "greeter.proto".
func ProtoName(c *model.Contract) string { return c.Package.Name + ".proto" }

// layout makes messages for a contract.
type layout struct {
	contract     *model.Contract
	wire         *model.Wire
	old          *previous
	byType       map[string]*model.Message // by Type.ID
	enums        map[string]*model.Enum    // by Type.ID
	names        map[string]bool           // squashed names of messages
	serviceNames map[string]bool           // squashed, too
	wanted       []*pending                // messages in the order in which they were met
	faults       model.Diagnostics
	notes        model.Diagnostics
}

// pending is a message or an enum whose name is not settled yet.
type pending struct {
	name  *string
	doc   string // what it is for: Message.Doc or Enum.Doc
	word  string // the name that it would like
	typed bool   // it carries a type, not a call
	enum  bool
}

// Lay fills contract.Wire and the messages and fields of methods. The bytes of the .proto of an earlier run, nil without one,
// decide about names and numbers. Notes say what has been removed.
func Lay(contract *model.Contract, earlier []byte) (notes model.Diagnostics, err error) {
	protoFile := path.Join(Folder(contract), ProtoName(contract))
	old, faults := readPrevious(protoFile, earlier)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	l := &layout{contract: contract, old: old, byType: map[string]*model.Message{}, enums: map[string]*model.Enum{}, names: map[string]bool{}}
	l.wire = &model.Wire{
		Package:   cmp.Or(old.pkg, protoPackage(contract.Package.Path)),
		File:      path.Join(contract.Package.Path, protoFile),
		Dir:       Folder(contract),
		GoPackage: model.Package{Path: path.Join(contract.Package.Path, Folder(contract)), Name: Folder(contract)},
	}
	contract.Wire = l.wire
	l.services()
	l.wire.ErrorTypes, l.wire.Values = l.typedList(contract.ErrorTypes), l.typedList(contract.Values)
	l.settleNames()
	l.settleValues()
	l.settleNumbers()
	l.entomb()
	markRecursive(l.wire)
	slices.SortFunc(l.wire.Messages, func(a, b *model.Message) int { return cmp.Compare(a.Name, b.Name) })
	return l.notes, l.faults.Err()
}

func (l *layout) services() {
	l.serviceNames = map[string]bool{}
	for _, s := range l.contract.Services {
		l.service(s, messageWord(s.Name), s.Name)
	}
	l.objects()
}

// service lays out an interface; identity tells it from all others.
func (l *layout) service(s *model.Service, word, identity string) {
	word = unique(word, l.serviceNames)
	l.names[squash(word)] = true // proto has one space of names
	s.WireName = l.wire.Package + "." + word
	taken := map[string]bool{}
	for _, m := range s.Methods {
		m.WireName = unique(messageWord(m.Name), taken)
		base := word + m.WireName
		m.Request = l.add(base+"Request", &model.Message{Doc: fmt.Sprintf("holds the parameters of %s.%s.", identity, m.Name)})
		m.Response = l.add(base+"Response", &model.Message{Doc: fmt.Sprintf("holds the results of %s.%s.", identity, m.Name)})
		if m.Fills {
			l.filling(m)
			continue
		}
		l.params(m.Request, m.Params, "arg", false)
		l.results(m)
	}
}

func (l *layout) typedList(types []*model.Type) []*model.Typed {
	var list []*model.Typed
	for _, t := range types {
		list = append(list, &model.Typed{Type: t, Message: l.typed(t)})
	}
	return list
}

func (l *layout) add(word string, m *model.Message) *model.Message {
	l.wanted = append(l.wanted, &pending{name: &m.Name, doc: m.Doc, word: word, typed: m.Type != nil})
	l.wire.Messages = append(l.wire.Messages, m)
	return m
}

// params makes a field for each parameter or result. Names are given out in the order of Go names, so that the order of
// parameters does not matter where two would like the same.
func (l *layout) params(msg *model.Message, params []*model.Param, unnamed string, hasError bool) {
	taken := map[string]bool{}
	if hasError {
		taken["error"] = true
	}
	names := map[int]string{}
	for i, p := range params {
		names[i] = cmp.Or(p.Name, unnamed+strconv.Itoa(i))
	}
	wire := fieldNames(names, taken)
	for i, p := range params {
		p.Field = l.field(wire[i], p.Type)
		p.Field.Member = names[i]
		msg.Fields = append(msg.Fields, p.Field)
	}
	if hasError {
		msg.Fields = append(msg.Fields, &model.Field{Name: "error", Value: model.Carrier{Proto: model.ErrorProto}})
	}
}

// results makes fields for what a call gives: its results, and what it writes into parameters.
func (l *layout) results(m *model.Method) {
	all := slices.Clone(m.Results)
	var backs []*model.Param
	for i, p := range m.Params {
		if p.InOut {
			backs = append(backs, &model.Param{Name: cmp.Or(p.Name, "arg"+strconv.Itoa(i)), Type: backType(p.Type)})
		}
	}
	l.params(m.Response, append(all, backs...), "r", m.HasError)
	for i, p := range m.Filled() {
		p.Back = backs[i].Field
	}
}

// backType is what a parameter's value comes back as. Of a map it says whether it is there: it may have been emptied.
func backType(t *model.Type) *model.Type {
	if t.Kind == model.Map {
		return &model.Type{Kind: model.Pointer, Elem: t}
	}
	return t
}

// fieldNames keeps clear of the one method of messages that the Go generator does not.
func fieldNames(goNames map[int]string, taken map[string]bool) map[int]string {
	taken["protoreflect"] = true
	order := make([]int, len(goNames))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(goNames[a], goNames[b]) })
	names := map[int]string{}
	for _, i := range order {
		names[i] = unique(snake(goNames[i]), taken)
	}
	return names
}

// unique returns name, with a number behind it when its squashed form is taken, and takes it.
func unique(name string, taken map[string]bool) string {
	for i := 1; ; i++ {
		try := name
		if i > 1 {
			try = name + "_" + strconv.Itoa(i)
		}
		if !taken[squash(try)] {
			taken[squash(try)] = true
			return try
		}
	}
}

// settleNames gives messages their names: those of the earlier run first, then requests and responses, then types.
func (l *layout) settleNames() {
	slices.SortStableFunc(l.wanted, func(a, b *pending) int {
		return cmp.Or(cmp.Compare(l.rank(a), l.rank(b)), cmp.Compare(a.word, b.word), cmp.Compare(a.doc, b.doc))
	})
	for _, p := range l.wanted {
		*p.name = unique(cmp.Or(l.earlierName(p), p.word), l.names)
		for p.enum && l.old.messages[*p.name] != nil { // that message keeps its numbers reserved
			*p.name = unique(p.word, l.names)
		}
	}
}

func (l *layout) rank(p *pending) int {
	switch {
	case l.earlierName(p) != "":
		return 0
	case !p.typed:
		return 1
	}
	return 2
}

func (l *layout) earlierName(p *pending) string {
	name := l.old.byDoc[p.doc]
	if p.enum && l.old.enums[name] != nil || !p.enum && l.old.messages[name] != nil {
		return name
	}
	return ""
}
