package glue

import (
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// fail is the statements that end a function because of the error in the variable err. Where is a format with its
// arguments that says at which field; empty when the error says that itself.
type fail func(where, err string) []string

// encoding writes statements that turn Go values into messages.
type encoding struct {
	*file
	fail    fail
	within  *model.Message // the message whose function is written; nil for calls
	failure string         // the variable with the error of a response; empty for none
	kept    bool           // live values in the field that is being written outlast the call
	keeps   map[*model.Field]bool
}

func (f *file) encoding(fail fail) *encoding { return &encoding{file: f, fail: fail} }

// message declares the variable m as a new message of type pb: what takes only an expression goes into the literal.
func (e *encoding) message(b *block, m, pb string, fields []*model.Field, source func(*model.Field) string) {
	var literal []string
	var rest []*model.Field
	for _, field := range fields {
		if field.Type == nil {
			literal = append(literal, field.GoName+": "+e.Errors+".Encode("+e.failure+")")
			continue
		}
		if expr, ok := e.simple(field, source(field)); ok {
			literal = append(literal, field.GoName+": "+expr)
		} else {
			rest = append(rest, field)
		}
	}
	b.add(m + " := &" + pb + "{" + spread(literal) + "}")
	for _, field := range rest {
		e.kept = e.keeps[field]
		e.field(b, field, m+"."+field.GoName, source(field))
	}
}

// spread puts every element of a long literal on a line of its own.
func spread(elements []string) string {
	if len(elements) < 4 {
		return strings.Join(elements, ", ")
	}
	return "\n" + strings.Join(elements, ",\n") + ",\n"
}

// simple is the expression for a field that needs no statement.
func (e *encoding) simple(field *model.Field, src string) (string, bool) {
	if e.encodeFails(field) {
		return "", false
	}
	t := field.Type
	switch {
	case t.Kind == model.Array && field.Label == model.Plain: // of bytes
		return src + "[:]", true
	case t.Kind == model.Bytes, isElement(field) && isSame(field), t.Kind == model.Pointer && isSame(field):
		return e.plain(field, src)
	case t.Kind == model.Pointer && e.isStruct(field):
		return e.value(field, src), true
	case isElement(field), t.Kind == model.Pointer:
		return "", false
	default:
		return e.value(field, src), true
	}
}

// plain assigns the Go value as it is. An array becomes a slice of itself.
func (e *encoding) plain(field *model.Field, src string) (string, bool) {
	if field.Type.Kind == model.Array {
		return src + "[:]", true
	}
	return src, true
}

// isSame says whether Go's elements have the very type that the message's have.
func isSame(field *model.Field) bool {
	same := func(t *model.Type, c model.Carrier) bool {
		return !t.IsNamed() && (t.Kind == model.Bytes || t.IsBasic() && t.Kind.String() == protoGo(c.Proto))
	}
	of := element(field.Of)
	if field.Label == model.Keyed && !same(field.Type.Key, field.Key) {
		return false
	}
	return field.Value.Message == nil && same(of, field.Value)
}

// protoGo is the Go type that carries a scalar.
func protoGo(proto string) string {
	switch proto {
	case "float":
		return "float32"
	case "double":
		return "float64"
	case "bytes":
		return "[]byte"
	default:
		return proto
	}
}

func (e *encoding) isStruct(field *model.Field) bool {
	return field.Value.Message != nil && !field.Value.Message.Wrapper
}

// field assigns src to dst, the field of a message.
func (e *encoding) field(b *block, field *model.Field, dst, src string) {
	if expr, ok := e.simple(field, src); ok {
		b.add(dst + " = " + expr)
		return
	}
	where := e.where(field)
	switch {
	case field.Label == model.Repeated:
		e.list(b, field, dst, src)
	case field.Label == model.Keyed:
		e.table(b, field, dst, src)
	case field.Label == model.Pairs:
		e.pairs(b, field, dst, src)
	case field.Type.Kind == model.Pointer && !e.isStruct(field):
		e.pointer(b, field, dst, src)
	default:
		e.assign(b, field, dst, e.value(field, src), where)
	}
}

// assign handles a conversion that may fail.
func (e *encoding) assign(b *block, field *model.Field, dst, expr, where string) {
	if !e.valueFails(field) {
		b.add(dst + " = " + expr)
		return
	}
	if isLoop(e.within, field) {
		where = "" // the error could be thousands of levels deep
	}
	b.add("if "+dst+", "+e.locals.err+" = "+expr+"; "+e.locals.err+" != nil {", strings.Join(e.fail(where, e.locals.err), "\n"), "}")
}

// isLoop says whether a field of the message within may hold another such message.
func isLoop(within *model.Message, field *model.Field) bool {
	if within == nil || !within.Recursive {
		return false
	}
	return field.Value.Message != nil && field.Value.Message.Recursive || field.Value.Proto == model.ValueProto
}

func (e *encoding) valueFails(field *model.Field) bool {
	if field.Value.Message != nil {
		return e.convert[field.Value.Message].encodes
	}
	return scalarEncodeFails(element(field.Of))
}

// pointer keeps nil: the field stays absent.
func (e *encoding) pointer(b *block, field *model.Field, dst, src string) {
	b.add("if " + src + " != nil {")
	if field.Value.Message == nil && field.Of.IsBasic() {
		e.pointee(b, field, src)
		b.add(dst + " = &" + e.locals.x)
	} else {
		if field.Of.Kind != model.Marshaler { // calls on a pointer need no star
			src = "*" + src
		}
		e.assign(b, field, dst, e.value(field, src), e.where(field))
	}
	b.add("}")
}

// pointee declares the variable x as what src points to.
func (e *encoding) pointee(b *block, field *model.Field, src string) {
	x, value := e.locals.x, e.value(field, "*"+src)
	if !e.valueFails(field) {
		b.add(x + " := " + value)
		return
	}
	b.add("var " + x + " " + e.carrierGo(field.Value))
	e.assign(b, field, x, value, e.where(field))
}

func (e *encoding) list(b *block, field *model.Field, dst, src string) {
	i := e.locals.i
	b.add("if len("+src+") > 0 {", dst+" = make([]"+e.carrierGo(field.Value)+", len("+src+"))", "for "+i+" := range "+src+" {")
	e.element(b, field, dst+"["+i+"]", src+"["+i+"]", i)
	b.add("}", "}")
}

func (e *encoding) table(b *block, field *model.Field, dst, src string) {
	k, x := e.locals.k, e.locals.x
	key := k
	if field.Type.Key.IsNamed() || field.Type.Key.Kind.String() != protoGo(field.Key.Proto) {
		key = protoGo(field.Key.Proto) + "(" + k + ")"
	}
	b.add("if len("+src+") > 0 {", dst+" = make(map["+protoGo(field.Key.Proto)+"]"+e.carrierGo(field.Value)+", len("+src+"))",
		"for "+k+", "+x+" := range "+src+" {")
	e.element(b, field, dst+"["+key+"]", x, k)
	b.add("}", "}")
}

func (e *encoding) element(b *block, field *model.Field, dst, src, index string) {
	where := e.whereElement(field, index)
	if nilable(field) {
		b.add("if "+src+" == nil {", dst+" = "+e.Runtime+".NilElement(new("+strings.TrimPrefix(e.carrierGo(field.Value), "*")+"))", "continue", "}")
	}
	e.assign(b, field, dst, e.value(field, src), where)
}

// carrierGo is the Go type of an element of a message's field.
func (f *file) carrierGo(c model.Carrier) string {
	switch {
	case c.Message != nil:
		return "*" + f.PB + "." + c.Message.GoName
	case c.Proto == model.ObjectProto:
		return "*" + f.runtimepb() + ".Object"
	case c.Proto == ".google.protobuf.Timestamp":
		f.timestamp()
		return "*" + f.Timestamp + ".Timestamp"
	case c.Proto == model.ValueProto:
		return "*" + f.runtimepb() + ".Value"
	case c.Proto == ".google.protobuf.Duration":
		return "*" + f.durationpb() + ".Duration"
	default:
		return f.scalarGo(c)
	}
}

// scalarGo is the Go type of a scalar or an enum.
func (f *file) scalarGo(c model.Carrier) string {
	if c.Enum != nil {
		return f.PB + "." + c.Enum.GoName
	}
	return protoGo(c.Proto)
}

// value is the expression that converts one value; whether it also gives an error, valueFails says.
func (e *encoding) value(field *model.Field, src string) string {
	if m := field.Value.Message; m != nil {
		return e.convertMessage(m, field, src)
	}
	t := element(field.Of)
	switch t.Kind {
	case model.Live:
		return e.export(t, src)
	case model.Time:
		e.timestamp()
		e.fmt()
		return e.need(&e.EncodeTime, "encodeTime") + "(" + src + ")"
	case model.Duration:
		return e.durationpb() + ".New(" + src + ")"
	case model.Error:
		return e.encodeError(src)
	case model.Any:
		return e.values() + ".Encode(" + src + ", " + e.nextDepth() + ")"
	case model.ProtoMessage:
		e.Proto = e.imports.Std("google.golang.org/protobuf/proto")
		return e.need(&e.MarshalProto, "marshalProto") + "(" + src + ")"
	case model.Marshaler:
		return e.need(&e.Marshaled, "marshaled") + "(" + src + "." + t.Marshal + "())"
	}
	if scalarEncodeFails(t) {
		e.fmt()
		return e.need(&e.NarrowEnum, "narrowEnum") + "[" + e.scalarGo(field.Value) + "](" + src + ")"
	}
	if want := e.scalarGo(field.Value); t.IsNamed() || t.Kind.String() != want {
		return want + "(" + src + ")"
	}
	return src
}

func (e *encoding) convertMessage(m *model.Message, field *model.Field, src string) string {
	if !m.Wrapper && field.Of.Kind == model.Struct && field.Type.Kind != model.Pointer {
		src = "&" + src
	}
	if m.Recursive {
		src += ", " + e.nextDepth()
	}
	return e.convert[m].encode + "(" + e.scoped(m) + src + ")"
}

func (e *encoding) encodeError(src string) string {
	if e.within != nil && e.within.Deep {
		return e.Errors + ".EncodeAt(" + src + ", " + e.nextDepth() + ")"
	}
	return e.Errors + ".Encode(" + src + ")"
}

func (e *encoding) nextDepth() string {
	if e.within != nil && e.within.Recursive {
		return e.locals.depth + "+1"
	}
	return "0"
}

// where names the field in errors.
func (f *file) where(field *model.Field) string {
	if field.Member == "" {
		return ""
	}
	return strconv.Quote(field.Member + ": %w")
}

func (f *file) whereElement(field *model.Field, index string) string {
	return strconv.Quote(field.Member+"[%v]: %w") + ", " + index
}
