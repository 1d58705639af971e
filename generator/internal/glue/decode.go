package glue

import (
	"fmt"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// decoding writes statements that turn messages into Go values.
type decoding struct {
	*file
	fail   fail
	within *model.Message
	depth  string // of the value; empty for what within says
}

func (f *file) decoding(fail fail) *decoding { return &decoding{file: f, fail: fail} }

// simple is the expression for a field that needs no statement.
func (d *decoding) simple(field *model.Field, src string) (string, bool) {
	if d.decodeFails(field) {
		return "", false
	}
	switch {
	case field.Type.Kind == model.Bytes, isElement(field) && isSame(field), field.Type.Kind == model.Pointer && isSame(field):
		return src, true
	case isElement(field), field.Type.Kind == model.Pointer:
		return "", false
	default:
		return d.value(field, src), true
	}
}

// field assigns src, the field of a message, to dst.
func (d *decoding) field(b *block, field *model.Field, dst, src string) {
	if expr, ok := d.simple(field, src); ok {
		b.add(dst + " = " + expr)
		return
	}
	switch {
	case field.Type.Kind == model.Array:
		d.array(b, field, dst, src)
	case field.Label == model.Repeated:
		d.list(b, field, dst, src)
	case field.Label == model.Keyed:
		d.table(b, field, dst, src)
	case field.Label == model.Pairs:
		d.pairs(b, field, dst, src)
	case field.Label == model.Optional:
		d.optional(b, field, dst, src)
	default:
		d.assign(b, field, dst, src, d.where(field))
	}
}

func (d *decoding) assign(b *block, field *model.Field, dst, src, where string) {
	expr := d.value(field, src)
	if !d.valueFails(field) {
		b.add(dst + " = " + expr)
		return
	}
	if isLoop(d.within, field) {
		where = "" // the error could be thousands of levels deep
	}
	b.add("if "+dst+", "+d.locals.err+" = "+expr+"; "+d.locals.err+" != nil {", strings.Join(d.fail(where, d.locals.err), "\n"), "}")
}

func (d *decoding) valueFails(field *model.Field) bool {
	if field.Value.Message != nil {
		return d.convert[field.Value.Message].decodes
	}
	return scalarDecodeFails(element(field.Of))
}

// usesErr says whether statements for the field assign to the variable err.
func (d *decoding) usesErr(field *model.Field) bool {
	return d.valueFails(field) || field.Label == model.Keyed && isNarrow(field.Type.Key.Kind)
}

// optional leaves dst nil, or zero, when the field is absent.
func (d *decoding) optional(b *block, field *model.Field, dst, src string) {
	b.add("if " + src + " != nil {")
	value := src
	if field.Value.Message == nil && element(field.Of).IsBasic() {
		value = "*" + src
	}
	if field.Type.Kind == model.Pointer {
		b.add("var " + d.locals.x + " " + field.Of.Expr(d.imports))
		d.assign(b, field, d.locals.x, value, d.where(field))
		b.add(dst + " = &" + d.locals.x)
	} else {
		d.assign(b, field, dst, value, d.where(field))
	}
	b.add("}")
}

func (d *decoding) list(b *block, field *model.Field, dst, src string) {
	i := d.locals.i
	b.add("if len("+src+") > 0 {", dst+" = make("+field.Type.Expr(d.imports)+", len("+src+"))", "for "+i+" := range "+src+" {")
	d.element(b, field, dst+"["+i+"]", src+"["+i+"]", i)
	b.add("}", "}")
}

// array checks the length: the peer may have been built from another version of the contract. An absent array is zero.
func (d *decoding) array(b *block, field *model.Field, dst, src string) {
	n := field.Type.Len
	length := fmt.Sprintf(`%s.Errorf("%%d elements instead of %d", len(%s))`, d.fmt(), n, src)
	wrong := fmt.Sprintf("len(%s) != 0", src)
	if n > 0 {
		wrong += fmt.Sprintf(" && len(%s) != %d", src, n)
	}
	b.add("if "+wrong+" {", strings.Join(d.fail(d.where(field), length), "\n"), "}")
	if field.Label == model.Plain || isSame(field) {
		b.add("copy(" + dst + "[:], " + src + ")")
		return
	}
	i := d.locals.i
	b.add("for " + i + " := range " + src + " {")
	d.element(b, field, dst+"["+i+"]", src+"["+i+"]", i)
	b.add("}")
}

func (d *decoding) table(b *block, field *model.Field, dst, src string) {
	k, x := d.locals.k, d.locals.x
	b.add("if len("+src+") > 0 {", dst+" = make("+field.Type.Expr(d.imports)+", len("+src+"))", "for "+k+", "+x+" := range "+src+" {")
	key := k
	switch t := field.Type.Key; {
	case isNarrow(t.Kind):
		key = d.locals.key
		b.add("var "+key+" "+t.Expr(d.imports), "if "+key+", "+d.locals.err+" = "+d.narrow(t, k)+"; "+d.locals.err+" != nil {",
			strings.Join(d.fail(d.whereElement(field, k), d.locals.err), "\n"), "}")
	case t.IsNamed():
		key = t.Expr(d.imports) + "(" + k + ")"
	}
	d.element(b, field, dst+"["+key+"]", x, k)
	b.add("}", "}")
}

func (d *decoding) element(b *block, field *model.Field, dst, src, index string) {
	where := d.whereElement(field, index)
	if field.Of.Kind != model.Pointer || wraps(field.Value) {
		d.assign(b, field, dst, src, where)
		return
	}
	b.add("if "+d.Runtime+".IsNilElement("+src+") {", dst+" = nil", "continue", "}")
	item := d.locals.item
	b.add("var " + item + " " + field.Of.Elem.Expr(d.imports))
	d.assign(b, field, item, src, where)
	b.add(dst + " = &" + item)
}

// value is the expression that converts one value; whether it also gives an error, valueFails says.
func (d *decoding) value(field *model.Field, src string) string {
	if m := field.Value.Message; m != nil {
		return d.decodeMessage(m, src)
	}
	t := element(field.Of)
	switch t.Kind {
	case model.Live:
		return d.imported(t, src)
	case model.Time:
		d.timestamp()
		return d.need(&d.DecodeTime, "decodeTime") + "(" + src + ")"
	case model.Duration:
		d.Time = d.imports.Std("time")
		d.durationpb()
		d.fmt()
		return d.need(&d.DecodeDuration, "decodeDuration") + "(" + src + ")"
	case model.Error:
		return d.decodeError(src)
	case model.Any:
		return d.values() + ".Decode(" + src + ", " + d.nextDepth() + ")"
	case model.ProtoMessage:
		d.Proto = d.imports.Std("google.golang.org/protobuf/proto")
		return d.need(&d.UnmarshalProto, "unmarshalProto") + "[" + t.Elem.Expr(d.imports) + "](" + src + ")"
	case model.Marshaler:
		return d.unmarshaler(t) + "[" + t.Expr(d.imports) + "](" + src + ")"
	}
	if scalarDecodeFails(t) {
		return d.narrow(t, src)
	}
	if t.IsNamed() || t.Kind.String() != protoGo(field.Value.Proto) {
		return t.Expr(d.imports) + "(" + src + ")"
	}
	return src
}

func (d *decoding) decodeMessage(m *model.Message, src string) string {
	if m.Deep {
		src += ", " + d.nextDepth()
	}
	return d.convert[m].decode + "(" + d.scoped(m, false) + src + ")"
}

func (d *decoding) decodeError(src string) string {
	if d.within != nil && d.within.Deep {
		return d.Errors + ".DecodeAt(" + src + ", " + d.nextDepth() + ")"
	}
	return d.Errors + ".Decode(" + src + ")"
}

func (d *decoding) nextDepth() string {
	switch {
	case d.depth != "":
		return d.depth
	case d.within != nil && d.within.Deep:
		return d.locals.depth + "+1"
	default:
		return "0"
	}
}

func (d *decoding) narrow(t *model.Type, src string) string {
	d.fmt()
	return d.need(&d.Narrow, "narrow") + "[" + t.Expr(d.imports) + "](" + src + ")"
}

func (d *decoding) unmarshaler(t *model.Type) string {
	if name, ok := d.unmarsh[t.Unmarshal]; ok {
		return name
	}
	name := d.declare(lowerFirst(t.Unmarshal))
	d.unmarsh[t.Unmarshal] = name
	d.Unmarshalers = append(d.Unmarshalers, unmarshaler{Name: name, Marshal: t.Marshal, Unmarshal: t.Unmarshal})
	return name
}
