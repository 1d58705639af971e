package inspect

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"time"

	"github.com/plugingen/plugingen/generator/model"
)

// directiveMark begins every directive; DIRECTIVES.md lists them.
const directiveMark = "//plugingen:"

// The directives.
const (
	directiveAny     = "any"     // on an interface of the contract: types that values of type any may have
	directiveErrors  = "errors"  // on an interface of the contract: more sentinels and types of errors
	directiveOneOf   = "oneof"   // on any interface: its concrete types
	directiveTimeout = "timeout" // on a method without a context, or on its interface
	directiveKeep    = "keep"    // on a method: parameters whose live values outlast the call
	directiveInOut   = "inout"   // on a method, or on an interface: parameters that the implementation fills
	directivePartial = "partial" // on an interface of the contract: structs of which only exported fields cross
)

// directive is one line of a doc comment.
type directive struct {
	name, args string
	pos        token.Pos // of its first character
}

// argPos is where the arguments begin.
func (d directive) argPos() token.Pos {
	return d.pos + token.Pos(len(directiveMark)+len(d.name)+1)
}

// directives are those of a package: of its types by name, of methods by the position of theirs.
type directives struct {
	types   map[string][]directive
	methods map[token.Pos][]directive
	lost    []directive // in no doc comment of a type or method
}

func parseDirective(c *ast.Comment) (directive, bool) {
	text, ok := strings.CutPrefix(c.Text, directiveMark)
	if !ok {
		return directive{}, false
	}
	name, args, _ := strings.Cut(text, " ")
	return directive{name: name, args: strings.TrimRight(args, " \t\r"), pos: c.Pos()}, true
}

// directivesOf finds the directives in the source of a package.
func directivesOf(src *source) *directives {
	if src.directives != nil {
		return src.directives
	}
	d := &directives{types: map[string][]directive{}, methods: map[token.Pos][]directive{}}
	src.directives = d
	for _, file := range src.files {
		placed := map[token.Pos]bool{}
		take := func(groups ...*ast.CommentGroup) (list []directive) {
			for _, g := range groups {
				for _, c := range commentsOf(g) {
					if one, ok := parseDirective(c); ok {
						placed[c.Pos()] = true
						list = append(list, one)
					}
				}
			}
			return list
		}
		d.declared(file, take)
		for _, g := range file.Comments {
			for _, c := range g.List {
				if one, ok := parseDirective(c); ok && !placed[c.Pos()] {
					d.lost = append(d.lost, one)
				}
			}
		}
	}
	return d
}

func commentsOf(g *ast.CommentGroup) []*ast.Comment {
	if g == nil {
		return nil
	}
	return g.List
}

func (d *directives) declared(file *ast.File, take func(...*ast.CommentGroup) []directive) {
	for _, decl := range file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			list := take(t.Doc)
			if !g.Lparen.IsValid() {
				list = append(take(g.Doc), list...)
			}
			d.types[t.Name.Name] = list
			it, ok := t.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			for _, field := range it.Methods.List {
				for _, id := range field.Names {
					d.methods[id.Pos()] = take(field.Doc)
				}
			}
		}
	}
}

// checkDirectives refuses those of the contract's package that nobody would read, or that nobody could.
func (m *mapper) checkDirectives() {
	all := directivesOf(m.home)
	for _, d := range all.lost {
		m.directiveFault(d.pos, d.name, "the directive belongs to no type and no method", directivePlaces)
	}
	for name, list := range all.types {
		for _, d := range list {
			m.checkTypeDirective(name, d)
		}
	}
	for _, list := range all.methods {
		for _, d := range list {
			switch d.name {
			case directiveTimeout, directiveKeep, directiveInOut:
			case directiveAny, directiveErrors, directiveOneOf, directivePartial:
				m.directiveFault(d.pos, d.name, "the directive is for a whole interface", "put it into the doc comment of the interface")
			default:
				m.unknownDirective(d)
			}
		}
	}
}

const directivePlaces = "put it into the doc comment of an interface or of one of its methods; DIRECTIVES.md has examples"

func (m *mapper) checkTypeDirective(name string, d directive) {
	switch d.name {
	case directiveAny, directiveErrors, directiveOneOf, directivePartial:
		m.checkList(d)
	case directiveTimeout, directiveInOut:
		if m.isFunc(name) {
			return
		}
	case directiveKeep:
		m.directiveFault(d.pos, d.name, "the directive is for one method", "put it into the doc comment of the method")
	default:
		m.unknownDirective(d)
		return
	}
	if obj := m.home.types.Scope().Lookup(name); obj == nil || !types.IsInterface(obj.Type()) && !isInvalid(obj.Type()) {
		m.directiveFault(d.pos, d.name, name+" is no interface", directivePlaces)
	}
}

func (m *mapper) checkList(d directive) {
	if d.args == "" {
		m.directiveFault(d.pos, d.name, "it lists nothing", listHint)
	}
}

const listHint = "list types as Go has them, with commas between them; DIRECTIVES.md has examples"

func (m *mapper) unknownDirective(d directive) {
	m.directiveFault(d.pos, d.name, "there is no such directive", "there are any, errors, inout, keep, oneof, partial and timeout; DIRECTIVES.md has examples")
}

func (m *mapper) directiveFault(pos token.Pos, name, why, hint string) {
	m.fault(m.loader.position(pos), codeDirective, directiveMark+name, why, hint)
}

// timeout is what the directives say about calls without a context: the method's before the interface's; 0 for nothing.
// Owner is the ID of the type that has the method.
func (m *mapper) timeout(method *model.Method, owner string, pos token.Pos) time.Duration {
	all := directivesOf(m.home)
	own := all.methods[pos]
	var whole []directive
	if home, name, _ := cutLast(owner); home == m.home.types.Path() {
		whole = all.types[name]
	}
	for _, d := range append(append([]directive{}, own...), whole...) {
		if d.name != directiveTimeout {
			continue
		}
		t, err := time.ParseDuration(d.args)
		switch {
		case err != nil || t <= 0:
			m.directiveFault(d.argPos(), d.name, "its argument is no duration above zero", "write one such as 90s or 10m")
		case method.HasContext && len(own) > 0:
			m.directiveFault(d.pos, d.name, "the method has a context, whose deadline bounds its calls", "take the directive away")
		case !method.HasContext:
			return t
		}
		return 0
	}
	return 0
}
