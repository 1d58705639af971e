package inspect

import (
	"fmt"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// An implementation may write into what a pointer, a slice, a map or an any of its caller's refers to, and nothing in Go says whether it
// does. What looks like it gets a warning of its own; other pointers are told once for an interface.

// tellFilled warns of parameters that the method seems to fill.
func (m *mapper) tellFilled(method *model.Method, owner, where string, sig *types.Signature) {
	for i, p := range method.Params {
		switch {
		case p.InOut || !isFillable(p.Type):
		case seemsFilled(method, p, sig):
			name := paramText(method, i)
			m.warn(m.at, codeFilled, where+": parameter "+name, "it seems that the method fills it, but what an implementation writes there stays in its process",
				"say //plugingen:inout "+name+" in the method's doc comment, or //plugingen:inout none")
		case p.Type.Kind == model.Pointer && owner != "":
			m.pointers[owner] = append(m.pointers[owner], method.Name+"("+paramText(method, i)+")")
		}
	}
}

// paramText is the parameter's name, or which one it is.
func paramText(method *model.Method, i int) string {
	if name := method.Params[i].Name; name != "" {
		return name
	}
	if method.HasContext {
		i++
	}
	return fmt.Sprint(i + 1)
}

// seemsFilled goes by the names of methods and parameters, and by what the doc comment says: there is no better sign.
func seemsFilled(method *model.Method, p *model.Param, sig *types.Signature) bool {
	for r := range sig.Results().Variables() {
		if !isError(r.Type()) && !isBasic(r, types.Bool) && !isBasic(r, types.Int) {
			return false // what it finds is a result
		}
	}
	refers := refersTo(p.Type)
	if isTargetName(p.Name) && (refers || p.Type.Kind == model.Slice || p.Type.Kind == model.Map || p.Type.Kind == model.Bytes) {
		return true
	}
	if refers && slices.ContainsFunc(fillingVerbs(), func(verb string) bool { return startsWithWord(method.Name, verb) }) {
		return p == method.Params[len(method.Params)-1]
	}
	return p.Name != "" && regexp.MustCompile(`(?i)\b(fills|populates|into) (the )?`+regexp.QuoteMeta(p.Name)+`\b`).MatchString(method.Doc)
}

// refersTo says whether the type, or each element of a variadic parameter, is a pointer or may be one.
func refersTo(t *model.Type) bool {
	switch t.Kind {
	case model.Pointer, model.Any, model.ProtoMessage:
		return true
	case model.Slice:
		return refersTo(t.Elem)
	}
	return false
}

func isTargetName(name string) bool {
	switch strings.ToLower(name) {
	case "dst", "dest", "destination", "out", "output", "into", "target", "result", "reply":
		return true
	}
	return false
}

func fillingVerbs() []string {
	return []string{"Get", "Load", "Read", "Find", "Fetch", "Decode", "Unmarshal", "Scan", "Fill", "Next", "Parse", "Recv", "Receive", "Lookup", "Populate"}
}

// startsWithWord keeps Getaway from being a Get.
func startsWithWord(name, word string) bool {
	rest, ok := strings.CutPrefix(name, word)
	return ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
}

// mostPointers is how many parameters one line names.
const mostPointers = 4

// tellPointers says of an interface of the contract's which pointers its methods take.
func (m *mapper) tellPointers(s *model.Service) {
	owner := m.home.types.Path() + "." + s.Name
	list := m.pointers[owner]
	if len(list) == 0 {
		return
	}
	named := strings.Join(list[:min(len(list), mostPointers)], ", ")
	if more := len(list) - mostPointers; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	tn := m.home.types.Scope().Lookup(s.Name)
	m.warn(m.loader.position(tn.Pos()), codePointers, s.Name, "methods get pointers to copies, and what they write there stays in their process: "+named,
		"where a method fills one, say //plugingen:inout and its name there; where none does, //plugingen:inout none at the interface")
}
