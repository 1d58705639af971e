package glue

import (
	"fmt"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// converter is the pair of functions that turn a Go type into its message and back.
type converter struct {
	message          *model.Message
	encode, decode   string // names
	encodes, decodes bool   // may fail
}

// converters names the functions and finds out which of them can fail: those that use something that can.
func (f *file) converters() {
	var all []*converter
	for _, m := range f.contract.Wire.Messages {
		if m.Type == nil {
			continue
		}
		c := &converter{message: m, encode: f.declare("encode" + m.GoName), decode: f.declare("decode" + m.GoName), encodes: m.Recursive || m.OneOf, decodes: m.Deep || m.OneOf}
		f.convert[m] = c
		all = append(all, c)
	}
	for changed := true; changed; {
		changed = false
		for _, c := range all {
			encodes, decodes := f.canFail(c.message)
			encodes, decodes = encodes || c.encodes, decodes || c.decodes
			changed = changed || encodes != c.encodes || decodes != c.decodes
			c.encodes, c.decodes = encodes, decodes
		}
	}
}

func (f *file) canFail(m *model.Message) (encode, decode bool) {
	for _, field := range m.Fields {
		encode = encode || f.encodeFails(field)
		decode = decode || f.decodeFails(field)
	}
	return encode, decode
}

func (f *file) encodeFails(field *model.Field) bool {
	if field.Type == nil {
		return false
	}
	if field.Value.Message != nil {
		return f.convert[field.Value.Message].encodes
	}
	return scalarEncodeFails(element(field.Of))
}

func (f *file) decodeFails(field *model.Field) bool {
	if field.Type == nil {
		return false
	}
	if field.Label == model.Pairs || field.Type.Kind == model.Array || field.Label == model.Keyed && isNarrow(field.Type.Key.Kind) {
		return true
	}
	if field.Value.Message != nil {
		return f.convert[field.Value.Message].decodes
	}
	return scalarDecodeFails(element(field.Of))
}

// scalarEncodeFails says whether a value that no message of ours carries may be unfit to travel.
func scalarEncodeFails(t *model.Type) bool {
	switch t.Kind {
	case model.Time, model.Marshaler, model.ProtoMessage, model.Any, model.Live:
		return true
	}
	return t.IsEnum() && t.Kind == model.Int // an enum has 32 bits
}

// scalarDecodeFails says whether what arrives may be unfit for the type.
func scalarDecodeFails(t *model.Type) bool {
	switch t.Kind {
	case model.Time, model.Duration, model.Marshaler, model.ProtoMessage, model.Any, model.Live:
		return true
	}
	return isNarrow(t.Kind) && (!t.IsEnum() || t.Kind != model.Int)
}

// element is what a pointer points to, and any other type itself.
func element(t *model.Type) *model.Type {
	if t.Kind == model.Pointer {
		return t.Elem
	}
	return t
}

func isElement(f *model.Field) bool {
	return f.Label == model.Repeated || f.Label == model.Keyed || f.Label == model.Pairs
}

// nilable says whether elements are pointers for whose nil there is no place but a mark in their message.
func nilable(f *model.Field) bool { return f.Of.Kind == model.Pointer && !wraps(f.Value) }

func wraps(c model.Carrier) bool { return c.Message != nil && c.Message.Wrapper }

// isNarrow says whether integers of the kind travel in a wider one, or in one that is wider on some machines.
func isNarrow(k model.Kind) bool {
	switch k {
	case model.Int, model.Int8, model.Int16, model.Uint, model.Uint8, model.Uint16:
		return true
	}
	return false
}

// encoder is the function that turns a Go value into its message: a struct comes by pointer, a wrapped type by value.
func (f *file) encoder(m *model.Message) function {
	switch {
	case m.Entry:
		return f.entryEncoder(m)
	case m.OneOf:
		return f.variantEncoder(m)
	}
	c, l := f.convert[m], f.locals
	pb := f.PB + "." + m.GoName
	fn := function{Name: c.encode, Params: f.code(f.scoped(m, true) + l.v + " " + f.pointerTo(m)), Results: f.code("*" + pb)}
	fn.Doc = f.code(fmt.Sprintf("is the message for a %s.", m.Type))
	var b block
	if !m.Wrapper {
		fn.Doc = f.code(fmt.Sprintf("is the message for a %s; nil for nil.", m.Type))
		b.add("if "+l.v+" == nil {", "return "+withNil("nil", c.encodes), "}")
	}
	if c.encodes {
		fn.Results = f.code("(_ *" + pb + ", " + l.err + " error)")
	}
	if m.Recursive {
		fn.Params = f.code(string(fn.Params) + ", " + l.depth + " int")
		b.add("if "+l.depth+" > "+f.maxNesting()+" {", "return nil, "+f.errNesting(), "}")
	}
	e := f.encoding(func(where, err string) []string { return []string{"return nil, " + f.wrap(where, err)} })
	e.within = m
	e.message(&b, l.m, pb, m.Fields, func(field *model.Field) string { return member(l.v, field) })
	b.add("return " + withNil(l.m, c.encodes))
	fn.Body = b.code()
	return fn
}

// decoder is the function that turns a message into a Go value.
func (f *file) decoder(m *model.Message) function {
	switch {
	case m.Entry:
		return f.entryDecoder(m)
	case m.OneOf:
		return f.variantDecoder(m)
	}
	c, l := f.convert[m], f.locals
	fn := function{Name: c.decode, Params: f.decoderParams(m)}
	fn.Doc = f.code(fmt.Sprintf("is the %s in a message; the zero value for none.", m.Type))
	results := l.v + " " + m.Type.Expr(f.imports)
	if c.decodes {
		results += ", " + l.err + " error"
	}
	fn.Results = f.code("(" + results + ")")
	result := withNil(l.v, c.decodes)
	var b block
	b.add("if "+l.m+" == nil {", "return "+result, "}")
	d := f.decoding(func(where, err string) []string { return []string{"return " + l.v + ", " + f.wrap(where, err)} })
	d.within = m
	for _, field := range m.Fields {
		d.field(&b, field, member(l.v, field), l.m+"."+field.GoName)
	}
	b.add("return " + result)
	fn.Body = b.code()
	return fn
}

// decoderParams are the message, and for messages that can hold themselves without protobuf's own bound the depth.
func (f *file) decoderParams(m *model.Message) render.Code {
	params := f.scoped(m, true) + f.locals.m + " *" + f.PB + "." + m.GoName
	if m.Deep {
		params += ", " + f.locals.depth + " int"
	}
	return f.code(params)
}

// member is a field of the struct in variable v, or v where all of it is in one field.
func member(v string, field *model.Field) string {
	if field.Member == "" {
		return v
	}
	return v + "." + field.Member
}

func (f *file) pointerTo(m *model.Message) string {
	if m.Wrapper || m.OneOf {
		return m.Type.Expr(f.imports)
	}
	return "*" + m.Type.Expr(f.imports)
}

func withNil(result string, fails bool) string {
	if fails {
		return result + ", nil"
	}
	return result
}

// wrap puts where in front of an error's text: a format, such as "Items[%v]", followed by its arguments, or nothing.
func (f *file) wrap(where, err string) string {
	if where == "" {
		return err
	}
	return f.fmt() + ".Errorf(" + where + ", " + err + ")"
}

func (f *file) code(text string) render.Code { return render.Code(text) }

func (f *file) maxNesting() string { return f.need(&f.MaxNesting, "maxNesting") }

func (f *file) errNesting() string {
	f.ErrorsPackage = f.imports.Std("errors")
	return f.need(&f.ErrNesting, "errNesting")
}

// need declares a helper when the first use asks for it.
func (f *file) need(helper *string, want string) string {
	if *helper == "" {
		*helper = f.declare(want)
	}
	return *helper
}

// block is a list of lines of code.
type block struct{ lines []string }

func (b *block) add(lines ...string) { b.lines = append(b.lines, lines...) }

func (b *block) code() []render.Code {
	code := make([]render.Code, len(b.lines))
	for i, line := range b.lines {
		code[i] = render.Code(line)
	}
	return code
}
