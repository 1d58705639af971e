package glue

import (
	"path"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// stream is a channel or an iterator as the template sees it.
type stream struct {
	Object, WireName  string
	Constructor, Type render.Code
	Encode, Decode    function
}

// Functions are the two that convert its values.
func (s stream) Functions() []function { return []function{s.Encode, s.Decode} }

// liveTypes gives every type whose values stay in their process the name of the function that describes it to the runtime.
func (f *file) liveTypes() {
	for _, s := range f.contract.Services {
		if s.Type != nil {
			f.objectNames[s.Type.ID()] = f.declare(lowerFirst(s.Name) + "Object")
		}
	}
	for _, t := range f.contract.Objects {
		f.objectNames[t.ID()] = f.declare(lowerFirst(f.word(t)) + "Object")
	}
	f.hasLive = len(f.contract.Objects) > 0
	for _, s := range f.contract.Services {
		for _, m := range s.Methods {
			f.hasLive = f.hasLive || m.IsLive()
		}
	}
	if f.hasLive {
		f.objectPackage()
	}
}

// word is the type's name in the .proto.
func (f *file) word(t *model.Type) string {
	if s := t.Live.Service; s != nil {
		return s.WireName[strings.LastIndexByte(s.WireName, '.')+1:]
	}
	return strings.TrimSuffix(t.Live.Message.Name, "Item")
}

func (f *file) objectPackage() string {
	f.Object = f.imports.Std(path.Join(f.RuntimeModule, "runtime", "object"))
	return f.Object
}

func (f *file) runtimepb() string {
	return f.imports.Std(path.Join(f.RuntimeModule, "runtime", "runtimepb"))
}

// objectType is the expression that describes a live type to the runtime.
func (f *file) objectType(t *model.Type) string {
	if t.Live.Form == model.IO {
		f.usesErrors = true
		return f.objectPackage() + "." + t.Live.Constructor + "(" + f.Errors + ")"
	}
	return f.objectNames[t.ID()] + "()"
}

// export is the expression for what stands for a live value in a message; it gives an error, too.
func (e *encoding) export(t *model.Type, src string) string {
	return e.objectPackage() + ".Export(" + e.scope() + ", " + e.objectType(t) + ", " + src + ")"
}

// scope is the variable with the call that live values belong to.
func (e *encoding) scope() string {
	if e.kept {
		return e.locals.scope + ".Kept()"
	}
	return e.locals.scope
}

// scoped is what the arguments of a conversion begin with.
func (e *encoding) scoped(m *model.Message) string {
	if e.file.scoped(m, false) == "" {
		return ""
	}
	return e.scope() + ", "
}

func (d *decoding) imported(t *model.Type, src string) string {
	return d.objectPackage() + ".Import(" + d.locals.scope + ", " + d.objectType(t) + ", " + src + ")"
}

// scoped is what the arguments and parameters of a conversion begin with when live values are inside: the call that they
// belong to.
func (f *file) scoped(m *model.Message, declare bool) string {
	switch {
	case m.Type == nil || !m.Type.IsLive():
		return ""
	case declare:
		return f.locals.scope + " *" + f.objectPackage() + ".Scope, "
	default:
		return f.locals.scope + ", "
	}
}

// objectService is an interface or a function whose values cross.
func (f *file) objectService(t *model.Type) service {
	s, word := t.Live.Service, f.word(t)
	v := service{
		Name: f.code(t.Expr(f.imports)), Link: t.String(), WireName: s.WireName, IsFunc: t.Live.Form == model.Func,
		Client: f.declare(lowerFirst(word) + "Client"), NewClient: f.declare("new" + word + "Client"),
		Describe: f.declare("describe" + word), Object: f.objectNames[t.ID()],
	}
	if t.Package.Path == f.contract.Package.Path {
		v.Link = t.Name
	}
	if !t.IsNamed() {
		v.Link = "interface"
	}
	label := s.Name + "."
	if v.IsFunc {
		v.Link, label = "func", "func "
	}
	for _, m := range s.Methods {
		v.Methods = append(v.Methods, f.methodOf(s, m, label+m.Name, word, t))
	}
	return v
}

// stream is the code for a channel or an iterator.
func (f *file) stream(t *model.Type) stream {
	word := f.word(t)
	v := stream{
		Object: f.objectNames[t.ID()], WireName: f.contract.Wire.Package + "." + word, Type: f.code(t.Expr(f.imports)),
		Constructor: [...]render.Code{model.Receive: "Receiver", model.Send: "Sender", model.Seq: "Seq", model.Seq2: "Seq2"}[t.Live.Form],
	}
	if t.Live.Form == model.Receive || t.Live.Form == model.Send {
		v.Constructor += "[" + v.Type + "]"
	}
	v.Encode, v.Decode = f.itemEncoder(t, word), f.itemDecoder(t, word)
	return v
}

// itemEncoder is the function that turns a value of a channel or an iterator into its message.
func (f *file) itemEncoder(t *model.Type, word string) function {
	l, m := f.locals, t.Live.Message
	pb := f.PB + "." + m.GoName
	fn := function{Name: f.declare("encode" + word + "Item"), Doc: f.code("is the message for a value of a " + t.String() + "."), Results: f.code("(_ *" + pb + ", " + l.err + " error)")}
	fn.Params = f.code(l.scope + " *" + f.objectPackage() + ".Scope" + f.itemParams(t))
	var b block
	e := f.encoding(func(where, err string) []string { return []string{"return nil, " + f.wrap(where, err)} })
	e.message(&b, l.m, pb, m.Fields, itemVariable(t, l))
	b.add("return " + l.m + ", nil")
	fn.Body = b.code()
	return fn
}

func (f *file) itemDecoder(t *model.Type, word string) function {
	l, m := f.locals, t.Live.Message
	fn := function{Name: f.declare("decode" + word + "Item"), Doc: f.code("is a value of a " + t.String() + ", from its message.")}
	fn.Params = f.code(l.scope + " *" + f.objectPackage() + ".Scope, " + l.m + " *" + f.PB + "." + m.GoName)
	fn.Results = f.code("(" + strings.TrimPrefix(f.itemParams(t), ", ") + ", " + l.err + " error)")
	names := strings.Join(itemNames(t, l), ", ")
	var b block
	d := f.decoding(func(where, err string) []string { return []string{"return " + names + ", " + f.wrap(where, err)} })
	variable := itemVariable(t, l)
	for _, field := range m.Fields {
		d.field(&b, field, variable(field), l.m+"."+field.GoName)
	}
	b.add("return " + names + ", nil")
	fn.Body = b.code()
	return fn
}

func itemNames(t *model.Type, l locals) []string {
	if t.Live.Form == model.Seq2 {
		return []string{l.first, l.second}
	}
	return []string{l.v}
}

func (f *file) itemParams(t *model.Type) string {
	text := ""
	for i, name := range itemNames(t, f.locals) {
		text += ", " + name + " " + t.Live.Items[i].Type.Expr(f.imports)
	}
	return text
}

func itemVariable(t *model.Type, l locals) func(*model.Field) string {
	names := map[*model.Field]string{}
	for i, name := range itemNames(t, l) {
		names[t.Live.Items[i].Field] = name
	}
	return func(field *model.Field) string { return names[field] }
}

// beginClient begins a call with live values among its parameters or results.
func (c *call) beginClient(b *block) {
	l := c.locals
	if !c.method.HasContext {
		b.add(l.scope+" := "+c.objectPackage()+".BeginWithoutContext("+l.c+".conn, "+c.timeout()+", "+strconv.FormatBool(c.method.GivesLive())+")", "defer "+l.scope+".End()")
		return
	}
	b.add(l.scope+" := "+c.objectPackage()+".Begin("+c.ctx+", "+l.c+".conn, "+strconv.FormatBool(c.method.GivesLive())+")", "defer "+l.scope+".End()")
}

func (c *call) beginServe(b *block) {
	l, ctx := c.locals, "_"
	if c.method.HasContext {
		ctx = l.ctx
	}
	b.add(ctx+", "+l.scope+" := "+c.objectPackage()+".Serve("+l.ctx+", "+strconv.FormatBool(c.method.GivesLive())+")", "defer "+l.scope+".End()")
}

// invoke is the expression that makes the call.
func (c *call) invoke() string {
	l := c.locals
	if c.method.IsLive() {
		return l.scope + ".Invoke(" + c.path + ", " + l.req + ", " + l.resp + ")"
	}
	return l.c + ".conn.Invoke(" + c.ctx + ", " + c.path + ", " + l.req + ", " + l.resp + ")"
}

// closes says whether the method is what ends an object.
func (c *call) closes() bool {
	return c.hasLive && c.method.Name == "Close" && len(c.method.Params) == 0 && len(c.method.Results) == 0
}
