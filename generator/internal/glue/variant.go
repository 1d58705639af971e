package glue

import (
	"fmt"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// Interfaces whose concrete types are listed travel as a message with one field for each of them.

// variantEncoder is the function that turns an interface value into its message.
func (f *file) variantEncoder(m *model.Message) function {
	c, l := f.convert[m], f.locals
	pb := f.PB + "." + m.GoName
	fn := function{Name: c.encode, Doc: f.code(fmt.Sprintf("is the message for a %s; an empty one for nil.", m.Type))}
	fn.Params, fn.Results = f.code(f.scoped(m, true)+l.v+" "+f.pointerTo(m)), f.code("(*"+pb+", error)")
	var b block
	if m.Recursive {
		fn.Params = f.code(string(fn.Params) + ", " + l.depth + " int")
		b.add("if "+l.depth+" > "+f.maxNesting()+" {", "return nil, "+f.errNesting(), "}")
	}
	e := f.encoding(nil)
	e.within = m
	b.add("switch "+l.v+" := "+l.v+".(type) {", "case nil:", "return &"+pb+"{}, nil")
	for _, field := range m.Fields {
		e.variant(&b, m, field)
	}
	unknown := fmt.Sprintf("a %%T cannot travel as a %s: it is none of the types that //plugingen:oneof lists", m.Type)
	if hasPointer(m) {
		unknown = fmt.Sprintf("a %%T cannot travel as a %s: it is a nil pointer, or none of the types that //plugingen:oneof lists", m.Type)
	}
	b.add("}", fmt.Sprintf("return nil, %s.Errorf(%q, %s)", f.fmt(), unknown, l.v))
	fn.Body = b.code()
	return fn
}

func hasPointer(m *model.Message) bool {
	for _, field := range m.Fields {
		if field.Type.Kind == model.Pointer {
			return true
		}
	}
	return false
}

// variant is the case of one type. The message of a nil pointer would not tell it from no value at all.
func (e *encoding) variant(b *block, m *model.Message, field *model.Field) {
	l, inner := e.locals, e.convert[field.Value.Message]
	b.add("case " + field.Type.Expr(e.imports) + ":")
	src := l.v
	if field.Type.Kind == model.Pointer {
		b.add("if " + src + " != nil {")
	}
	call := e.convertMessage(field.Value.Message, field, src)
	pb := e.PB + "."
	value := func(x string) string {
		return "&" + pb + m.GoName + "{" + m.Variable + ": &" + pb + field.Variant + "{" + field.GoName + ": " + x + "}}"
	}
	if inner.encodes {
		b.add(l.x+", "+l.err+" := "+call, "return "+value(l.x)+", "+l.err)
	} else {
		b.add("return " + value(call) + ", nil")
	}
	if field.Type.Kind == model.Pointer {
		b.add("}")
	}
}

// variantDecoder is the function that turns such a message back.
func (f *file) variantDecoder(m *model.Message) function {
	c, l := f.convert[m], f.locals
	fn := function{Name: c.decode, Params: f.decoderParams(m), Doc: f.code(fmt.Sprintf("is the %s in a message; nil for none.", m.Type))}
	fn.Results = f.code("(" + m.Type.Expr(f.imports) + ", error)")
	d := f.decoding(nil)
	d.within = m
	var b block
	b.add("switch " + l.x + " := " + l.m + ".Get" + m.Variable + "().(type) {")
	for _, field := range m.Fields {
		b.add("case *" + f.PB + "." + field.Variant + ":")
		b.add(d.typed(field.Type, field.Value.Message, l.x+"."+field.GoName)...)
	}
	f.ErrorsPackage = f.imports.Std("errors")
	unknown := fmt.Sprintf("a %s of a type that this side does not know: generate both sides from the same contract", m.Type)
	b.add("}", "if "+l.m+" != nil && len("+l.m+".ProtoReflect().GetUnknown()) > 0 {", fmt.Sprintf("return nil, %s.New(%q)", f.ErrorsPackage, unknown), "}",
		"return nil, nil")
	fn.Body = b.code()
	return fn
}

// typed are the statements that return the value of type t, and an error, that src, a message m, carries.
func (d *decoding) typed(t *model.Type, m *model.Message, src string) []string {
	call, fails := d.decodeMessage(m, src), d.convert[m].decodes
	if t.Kind == model.Pointer && !m.Wrapper {
		if fails {
			return []string{d.locals.v + ", " + d.locals.err + " := " + call, "return &" + d.locals.v + ", " + d.locals.err}
		}
		return []string{d.locals.v + " := " + call, "return &" + d.locals.v + ", nil"}
	}
	return []string{"return " + withNil(call, !fails)}
}

// registration is a type that crosses where the interface does not say it, with the functions of its message.
type registration struct {
	Runtime, Name               string
	EncodeParams, EncodeResults render.Code
	DecodeParams, DecodeResults render.Code
	Encode, Decode              []render.Code
}

func (f *file) registrations(types []*model.Typed) []registration {
	var list []registration
	for _, t := range types {
		list = append(list, f.registration(t))
	}
	return list
}

func (f *file) registration(t *model.Typed) registration {
	l, m := f.locals, t.Message
	pb, expr := "*"+f.PB+"."+m.GoName, t.Type.Expr(f.imports)
	r := registration{Runtime: f.Runtime, Name: t.Type.ID(), EncodeResults: f.code("(" + pb + ", error)"), DecodeResults: f.code("(" + expr + ", error)")}
	depth := func(used bool) string {
		if used {
			return ", " + l.depth + " int"
		}
		return ", _ int"
	}
	r.EncodeParams, r.DecodeParams = f.code(l.v+" "+expr+depth(m.Recursive)), f.code(l.m+" "+pb+depth(m.Deep))
	src := l.v
	if t.Type.Kind == model.Struct && !m.Wrapper {
		src = "&" + src
	}
	if m.Recursive {
		src += ", " + l.depth
	}
	var encode, decode block
	encode.add("return " + withNil(f.convert[m].encode+"("+src+")", !f.convert[m].encodes))
	d := f.decoding(nil)
	d.depth = l.depth
	decode.add(d.typed(t.Type, m, l.m)...)
	r.Encode, r.Decode = encode.code(), decode.code()
	return r
}
